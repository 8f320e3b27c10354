/** The guided path for a first card: JoBSH first, then an order that lasts three months (T2). */
import { isOrderFresh, isOrderLapsed, type Span } from './card-validity.ts';
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
        { guard: orderIs(isOrderFresh), target: 'canBePhotographed' },
        { guard: orderIs(isOrderLapsed), target: 'orderHasLapsed' },
        { guard: isTold('orderedOn'), target: 'orderMayHaveLapsed' },
      ],
    },
    ...outcomes('order', 'needsJobsh', 'canBePhotographed', 'orderHasLapsed', 'orderMayHaveLapsed'),
  },
});

function orderIs(inThatState: (ordered: Span, today: `${number}-${number}-${number}`) => boolean) {
  return ({ context: { known }, event }: Now): boolean => {
    const ordered = spanOf(known.orderedOn);
    return ordered !== undefined && inThatState(ordered, dayOf(event));
  };
}
