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
  initial: 'askingHasCard',
  states: {
    askingHasCard: {
      meta: { asks: 'hasCard' },
      always: [
        { guard: knows({ hasCard: false }), target: 'codesAreOnTheirWay' },
        { guard: isTold('hasCard'), target: 'knowingCard' },
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
