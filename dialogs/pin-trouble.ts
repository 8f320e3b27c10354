/**
 * The guided path for PIN codes that are locked, forgotten, lost or on their way (T6).
 *
 * “Spärrat” after wrong codes is a card that is locked and can be opened. It
 * never leads to a revocation.
 */
import { isTold, knows, outcomes, vocabulary } from './vocabulary.ts';

export const pinTrouble = vocabulary.createStateConfig({
  id: 'pin-trouble',
  entry: { type: 'openPath', params: 'pin-trouble' },
  initial: 'askingCollectedCard',
  states: {
    askingCollectedCard: {
      meta: { asks: 'collectedCard' },
      always: [
        { guard: knows({ collectedCard: false }), target: 'codesAreOnTheirWay' },
        { guard: isTold('collectedCard'), target: 'knowingCard' },
      ],
    },
    knowingCard: {
      always: [{ guard: knows({ cardKind: 'reserve' }), target: 'hasReserveCard' }, { target: 'askingHasPuk' }],
    },
    askingHasPuk: {
      meta: { asks: 'hasPuk' },
      always: [
        { guard: knows({ hasPuk: true }), target: 'canUnlock' },
        { guard: isTold('hasPuk'), target: 'needsCodeLetter' },
      ],
    },
    ...outcomes('pin-trouble', 'codesAreOnTheirWay', 'hasReserveCard', 'canUnlock', 'needsCodeLetter'),
  },
});
