/** The guided path for a first card: JoBSH first, then an order that lasts three months (T2). */
import { isOrderFresh, isOrderLapsed } from './card-validity.ts';
import { dayOf, isTold, knows, type Now, outcomes, spanOf, vocabulary } from './vocabulary.ts';

export const order = vocabulary.createStateConfig({
  id: 'order',
  entry: { type: 'openPath', params: 'order' },
  initial: 'askingJobshApproved',
  states: {
    askingJobshApproved: {
      meta: { asks: 'jobshApproved' },
      always: [
        { guard: knows({ jobshApproved: true }), target: 'askingOrderedOn' },
        { guard: isTold('jobshApproved'), target: 'needsJobsh' },
      ],
    },
    askingOrderedOn: {
      meta: { asks: 'orderedOn' },
      always: [
        { guard: orderIsFresh, target: 'canBePhotographed' },
        { guard: orderHasLapsed, target: 'orderHasLapsed' },
        { guard: isTold('orderedOn'), target: 'orderMayHaveLapsed' },
      ],
    },
    ...outcomes('order', 'needsJobsh', 'canBePhotographed', 'orderHasLapsed', 'orderMayHaveLapsed'),
  },
});

function orderIsFresh({ context: { known }, event }: Now): boolean {
  const ordered = spanOf(known.orderedOn);
  return ordered !== undefined && isOrderFresh(ordered, dayOf(event));
}

function orderHasLapsed({ context: { known }, event }: Now): boolean {
  const ordered = spanOf(known.orderedOn);
  return ordered !== undefined && isOrderLapsed(ordered, dayOf(event));
}
