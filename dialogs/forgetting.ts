/**
 * “Glöm mig”: everything that was said goes, and every proof and link, on a
 * plain yes. It cannot be undone. A revocation that was sent is awaited first,
 * since its outcome has to be told.
 */
import { type Now, outcomes, vocabulary } from './vocabulary.ts';

export const forgetting = vocabulary.createStateConfig({
  id: 'forgetting',
  entry: { type: 'openPath', params: 'forgetting' },
  initial: 'asked',
  states: {
    asked: { always: [{ guard: isUnsettled, target: 'waitsForLedger' }, { target: 'confirming' }] },
    confirming: {
      meta: { asks: 'confirmation' },
      on: {
        yes: [
          { guard: isUnsettled, target: 'waitsForLedger' },
          {
            target: 'forgotten',
            actions: [
              { type: 'erase', params: ({ context }) => ({ person: context.identity?.person }) },
              'forgetEverything',
            ],
          },
        ],
        no: 'kept',
      },
    },
    ...outcomes('forgetting', 'kept', 'forgotten', 'waitsForLedger'),
  },
});

function isUnsettled({ context }: Now): boolean {
  return context.isUnsettled;
}
