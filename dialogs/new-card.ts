/** The guided path for a student who wonders whether they need a card, or another one (T1). */
import { isTold, knows, type Now, outcomes, vocabulary } from './vocabulary.ts';

export const newCard = vocabulary.createStateConfig({
  id: 'new-card',
  entry: { type: 'openPath', params: 'new-card' },
  initial: 'askingHasCard',
  states: {
    askingHasCard: {
      meta: { asks: 'hasCard' },
      always: [
        { guard: isRevoked, target: 'cardIsRevoked' },
        { guard: knows({ hasCard: true }), target: 'askingIssuer' },
        { guard: knows({ collectedCard: true }), target: 'askingIssuer' },
        { guard: isTold('hasCard'), target: 'askingTemporarily' },
      ],
    },
    askingIssuer: {
      meta: { asks: 'issuer' },
      always: [
        { guard: knows({ issuer: 'other' }), target: '#supplementary-certificate' },
        { guard: knows({ issuer: 'stockholm' }), target: 'askingCardKind' },
        { guard: isTold('issuer'), target: 'cardUnclear' },
      ],
    },
    askingCardKind: {
      meta: { asks: 'cardKind' },
      always: [
        { guard: knows({ cardKind: 'ordinary' }), target: 'askingCardWorks' },
        { guard: knows({ cardKind: 'reserve' }), target: 'hasReserveCard' },
        { guard: isTold('cardKind'), target: 'cardUnclear' },
      ],
    },
    askingCardWorks: {
      meta: { asks: 'cardWorks' },
      always: [
        { guard: knows({ cardWorks: false }), target: '#malfunction' },
        { guard: isTold('cardWorks'), target: 'keepCard' },
      ],
    },
    askingTemporarily: {
      meta: { asks: 'temporarily' },
      always: [
        { guard: knows({ temporarily: true }), target: 'needsReserveCard' },
        { guard: isTold('temporarily'), target: '#order' },
      ],
    },
    ...outcomes('new-card', 'keepCard', 'hasReserveCard', 'cardUnclear', 'needsReserveCard', 'cardIsRevoked'),
  },
});

/** With a receipt in hand there is no card to keep: what is needed is a new one (R11). */
function isRevoked({ context: { receipt } }: Now): boolean {
  return receipt !== undefined;
}
