/**
 * Whether it helped, asked once, when it is over. A no is learned from.
 *
 * It opens no path: whoever writes something else instead has not left anything.
 */
import { assign } from 'xstate';
import { type Now, outcomes, vocabulary } from './vocabulary.ts';

export const rating = vocabulary.createStateConfig({
  id: 'rating',
  entry: assign({ isRated: true }),
  initial: 'confirming',
  states: {
    confirming: {
      meta: { asks: 'confirmation' },
      on: { yes: 'helped', no: { target: 'notHelped', actions: { type: 'learnFrom', params: { kind: 'notHelped' } } } },
    },
    ...outcomes('rating', 'helped', 'notHelped'),
  },
});

/** Something was wanted, nothing is open, and it has not been asked before. */
export function isToBeRated({ context: { wish, path, left, isRated } }: Now): boolean {
  return wish !== undefined && path === undefined && left === undefined && isRated !== true;
}
