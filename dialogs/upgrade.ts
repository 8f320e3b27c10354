/**
 * The guided path for a card with old certificates (T4).
 *
 * The clock is looked at first: until 3 May 2022 it leads through the upgrade,
 * on 4 May it says that nobody can be sure, and from then on it refuses.
 */
import { isIssuedBeforeChange, isIssuedLongAfterChange, upgradeWindow } from './card-validity.ts';
import { dayOf, isTold, knows, type Now, outcomes, spanOf, vocabulary } from './vocabulary.ts';

export const upgrade = vocabulary.createStateConfig({
  id: 'upgrade',
  entry: { type: 'openPath', params: 'upgrade' },
  initial: 'lookingAtClock',
  states: {
    lookingAtClock: {
      always: [
        { guard: isOpen, target: 'askingCardKind' },
        { guard: isLastDay, target: 'lastDay' },
        { target: 'askingWasUpgraded' },
      ],
    },
    askingWasUpgraded: {
      meta: { asks: 'wasUpgraded' },
      always: [
        { guard: knows({ wasUpgraded: true }), target: 'wasUpgraded' },
        { guard: isTold('wasUpgraded'), target: 'askingCardKind' },
      ],
    },
    askingCardKind: {
      meta: { asks: 'cardKind' },
      always: [
        { guard: knows({ cardKind: 'reserve' }), target: 'isReserveCard' },
        { guard: isTold('cardKind'), target: 'askingIssuedOn' },
      ],
    },
    askingIssuedOn: {
      meta: { asks: 'issuedOn' },
      always: [
        { guard: cardIsFromBeforeChange, target: 'hasOldCertificates' },
        { guard: cardIsFromLongAfterChange, target: 'needsNoUpgrade' },
        { guard: knows({ issuedOn: 'unknown' }), target: 'issuedUnknown' },
        { guard: isTold('issuedOn'), target: 'askingOrderedBeforeChange' },
      ],
    },
    askingOrderedBeforeChange: {
      meta: { asks: 'orderedBeforeChange' },
      always: [
        { guard: knows({ orderedBeforeChange: false }), target: 'needsNoUpgrade' },
        { guard: isTold('orderedBeforeChange'), target: 'issuedUnknown' },
      ],
    },
    hasOldCertificates: {
      always: [
        { guard: isOpen, target: 'askingHasPinCodes' },
        { guard: isLastDay, target: 'lastDay' },
        { target: 'needsNewCard' },
      ],
    },
    askingHasPinCodes: {
      meta: { asks: 'hasPinCodes' },
      always: [
        { guard: knows({ hasPinCodes: true }), target: 'canUpgrade' },
        { guard: isTold('hasPinCodes'), target: 'needsCodesFirst' },
      ],
    },
    ...outcomes(
      'upgrade',
      'lastDay',
      'wasUpgraded',
      'isReserveCard',
      'needsNoUpgrade',
      'issuedUnknown',
      'needsNewCard',
      'canUpgrade',
      'needsCodesFirst',
    ),
  },
});

function isOpen({ event }: Now): boolean {
  return upgradeWindow(dayOf(event)) === 'open';
}

function isLastDay({ event }: Now): boolean {
  return upgradeWindow(dayOf(event)) === 'lastDay';
}

function cardIsFromBeforeChange({ context: { known } }: Now): boolean {
  const issued = spanOf(known.issuedOn);
  return issued !== undefined && isIssuedBeforeChange(issued);
}

function cardIsFromLongAfterChange({ context: { known } }: Now): boolean {
  const issued = spanOf(known.issuedOn);
  return issued !== undefined && isIssuedLongAfterChange(issued);
}
