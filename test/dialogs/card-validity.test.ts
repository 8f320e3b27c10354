import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addDays,
  addMonths,
  areOldCertificatesDead,
  type Card,
  type Day,
  isDead,
  isExpired,
  isIssued,
  isIssuedBeforeChange,
  isIssuedLongAfterChange,
  type IssuedCard,
  isOrderFresh,
  isOrderLapsed,
  isRevocable,
  isTooLateToRenewInTime,
  lapsesOn,
  renewBy,
  type Span,
  upgradeWindow,
} from '../../dialogs/card-validity.ts';

describe('an order', () => {
  it.each<[Day, Day]>([
    ['2026-08-23', '2026-11-23'],
    ['2026-08-31', '2026-11-30'],
    ['2026-08-30', '2026-11-30'],
    ['2026-11-30', '2027-02-28'],
    ['2026-11-29', '2027-02-28'],
    ['2027-11-30', '2028-02-29'],
    ['2027-11-29', '2028-02-29'],
    ['2028-02-29', '2028-05-29'],
    ['2026-02-28', '2026-05-28'],
    ['2026-10-31', '2027-01-31'],
    ['2026-12-31', '2027-03-31'],
  ])('of %s is three months old on %s', (ordered, lapses) => {
    expect(lapsesOn(ordered)).toBe(lapses);
    expect(standing(on(ordered), addDays(lapses, -1))).toBe('fresh');
    expect(standing(on(ordered), lapses)).toBe('uncertain');
    expect(standing(on(ordered), addDays(lapses, 1))).toBe('lapsed');
  });

  it('is fresh from the day it is made, and not before', () => {
    expect(standing(on('2026-11-23'), '2026-11-22')).toBe('uncertain');
    expect(standing(on('2026-11-23'), '2026-11-23')).toBe('fresh');
  });

  it.each<[string, Span, string]>([
    ['all of August', { from: '2026-08-01', to: '2026-08-31' }, 'uncertain'],
    ['early in August', { from: '2026-08-01', to: '2026-08-22' }, 'lapsed'],
    ['early in August, up to the very day', { from: '2026-08-01', to: '2026-08-23' }, 'uncertain'],
    ['late in August, from the very day', { from: '2026-08-23', to: '2026-08-31' }, 'uncertain'],
    ['late in August', { from: '2026-08-24', to: '2026-08-31' }, 'fresh'],
    ['this year', { from: '2026-01-01', to: '2026-12-31' }, 'uncertain'],
    ['this month, of which some is to come', { from: '2026-11-01', to: '2026-11-30' }, 'uncertain'],
    ['last year', { from: '2025-01-01', to: '2025-12-31' }, 'lapsed'],
  ])('is on 23 November 2026 what every day of its span makes it: %s', (_, ordered, expected) => {
    expect(standing(ordered, '2026-11-23')).toBe(expected);
  });

  it('is never both fresh and lapsed', () => {
    fc.assert(
      fc.property(span, day, (ordered, today) => {
        expect(isOrderFresh(ordered, today) && isOrderLapsed(ordered, today)).toBe(false);
      }),
    );
  });

  it('does not grow fresh again', () => {
    fc.assert(
      fc.property(day, fc.nat(1000), fc.nat(1000), (ordered, age, more) => {
        const later = addDays(ordered, age + more);
        expect(isOrderLapsed(on(ordered), addDays(ordered, age)) && isOrderFresh(on(ordered), later)).toBe(false);
      }),
    );
  });
});

describe('a renewal', () => {
  it.each<[Day, Day]>([
    ['2027-01-18', '2026-11-23'],
    ['2027-01-17', '2026-11-22'],
    ['2026-04-26', '2026-03-01'],
    ['2028-04-25', '2028-02-29'],
  ])('of a card that expires %s is in time through %s, eight weeks before', (expires, lastDay) => {
    expect(renewBy(expires)).toBe(lastDay);
    expect(isTooLateToRenewInTime(expires, addDays(lastDay, -1))).toBe(false);
    expect(isTooLateToRenewInTime(expires, lastDay)).toBe(false);
    expect(isTooLateToRenewInTime(expires, addDays(lastDay, 1))).toBe(true);
  });

  it('is in time 56 days before, and too late 55', () => {
    fc.assert(
      fc.property(day, (expires) => {
        expect(addDays(renewBy(expires), 56)).toBe(expires);
        expect(isTooLateToRenewInTime(expires, addDays(expires, -56))).toBe(false);
        expect(isTooLateToRenewInTime(expires, addDays(expires, -55))).toBe(true);
      }),
    );
  });
});

describe('the upgrade', () => {
  it.each([
    ['2020-02-18', 'open'],
    ['2022-05-03', 'open'],
    ['2022-05-04', 'lastDay'],
    ['2022-05-05', 'closed'],
    ['2026-11-23', 'closed'],
  ] as const)('is, on %s, %s', (today, expected) => {
    expect(upgradeWindow(today)).toBe(expected);
  });

  it.each<[string, Span, boolean, boolean]>([
    ['the day before the change', on('2020-02-17'), true, false],
    ['the day of the change', on('2020-02-18'), false, false],
    ['in the autumn before', { from: '2019-09-01', to: '2019-11-30' }, true, false],
    ['some time up to the change', { from: '2019-01-01', to: '2020-02-17' }, true, false],
    ['some time up to and on the change', { from: '2019-01-01', to: '2020-02-18' }, false, false],
    ['in the year of the change', { from: '2020-01-01', to: '2020-12-31' }, false, false],
    ['in the month of the change', { from: '2020-02-01', to: '2020-02-29' }, false, false],
    ['soon after, on an order that may be older', on('2020-06-01'), false, false],
    ['on the last day that an old order may have led to', on('2020-12-31'), false, false],
    ['the day after that', on('2021-01-01'), false, true],
    ['around that day', { from: '2020-12-31', to: '2021-01-31' }, false, false],
    ['long after', { from: '2021-01-01', to: '2021-12-31' }, false, true],
  ])('concerns a card by when it was issued: %s', (_, issued, isBefore, isLongAfter) => {
    expect(isIssuedBeforeChange(issued)).toBe(isBefore);
    expect(isIssuedLongAfterChange(issued)).toBe(isLongAfter);
  });

  it('never finds a card to be issued both before the change and long after it', () => {
    fc.assert(
      fc.property(span, (issued) => {
        expect(isIssuedBeforeChange(issued) && isIssuedLongAfterChange(issued)).toBe(false);
      }),
    );
  });
});

describe('a card', () => {
  const card: IssuedCard = {
    id: 'c_4711',
    ending: '4711',
    kind: 'ordinary',
    issuer: 'stockholm',
    orderedOn: '2019-09-01',
    issuedOn: '2019-10-10',
    state: 'ACTIVE',
    expiresOn: '2027-10-10',
    assurance: 2,
  };

  it.each([
    ['2022-05-03', false],
    ['2022-05-04', false],
    ['2022-05-05', true],
    ['2026-11-23', true],
  ] as const)('that was never upgraded is, on %s, dead: %s', (today, expected) => {
    expect(areOldCertificatesDead(today)).toBe(expected);
    expect(isDead(card, today)).toBe(expected);
    expect(isDead({ ...card, assurance: 3 }, today)).toBe(false);
  });

  it.each([
    ['2027-10-09', false],
    ['2027-10-10', false],
    ['2027-10-11', true],
  ] as const)('is good through the day that is printed on it: expired on %s is %s', (today, expected) => {
    expect(isExpired(card, today)).toBe(expected);
  });

  it('has expired when the ledger says so, whatever is printed', () => {
    expect(isExpired({ ...card, state: 'EXPIRED' }, '2026-11-23')).toBe(true);
  });

  it('can be revoked while it is in use or waits at the office, through its last day, and only where it was issued', () => {
    const states = ['ACTIVE', 'AWAITING_HANDOVER', 'EXPIRED', 'VOIDED', 'DESTROYED'] as const;
    const inState = (state: (typeof states)[number]): Card =>
      state === 'AWAITING_HANDOVER' ? { ...card, state, photoSite: undefined } : { ...card, state };
    const can = (one: Card, today: Day = '2027-10-10') => isRevocable(one, today);
    expect(states.filter((state) => can(inState(state)))).toEqual(['ACTIVE', 'AWAITING_HANDOVER']);
    expect(states.filter((state) => can(inState(state), '2027-10-11'))).toEqual([]);
    expect(states.filter((state) => can({ ...inState(state), issuer: 'other' }))).toEqual([]);
  });

  it('is issued once it has a day of issue', () => {
    const ordered: Card = {
      id: 'c_1',
      ending: '0001',
      kind: 'ordinary',
      issuer: 'stockholm',
      orderedOn: '2026-11-01',
      state: 'ORDERED',
    };
    expect(isIssued(ordered)).toBe(false);
    expect(isIssued({ ...ordered, state: 'LAPSED' })).toBe(false);
    expect(isIssued(card)).toBe(true);
  });
});

describe('days', () => {
  it('are counted across years, leap days and the turns of the clock', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(addDays('2027-02-28', 1)).toBe('2027-03-01');
    expect(addDays('2026-03-28', 2)).toBe('2026-03-30');
    expect(addDays('2026-10-26', -2)).toBe('2026-10-24');
  });

  it('are counted back as they were counted', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: -5000, max: 5000 }), (from, days) => {
        expect(addDays(addDays(from, days), -days)).toBe(from);
      }),
    );
  });

  it('sort as they fall', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: 1, max: 5000 }), (from, days) => {
        expect(addDays(from, days) > from).toBe(true);
      }),
    );
  });

  it('stay in the month they are moved to, on the same date or on its last', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: -40, max: 40 }), (from, months) => {
        const moved = addMonths(from, months);
        expect(monthsOf(moved)).toBe(monthsOf(from) + months);
        expect(
          dateOf(moved) === dateOf(from) || (dateOf(moved) < dateOf(from) && dateOf(addDays(moved, 1)) === 1),
        ).toBe(true);
      }),
    );
  });
});

function on(one: Day): Span {
  return { from: one, to: one };
}

function standing(ordered: Span, today: Day): string {
  if (isOrderFresh(ordered, today)) return 'fresh';
  return isOrderLapsed(ordered, today) ? 'lapsed' : 'uncertain';
}

const monthsOf = (one: Day): number => Number(one.slice(0, 4)) * 12 + Number(one.slice(5, 7));
const dateOf = (one: Day): number => Number(one.slice(8));

const day = fc
  .date({ min: new Date('2010-01-01'), max: new Date('2039-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10) as Day);
const span = fc.tuple(day, fc.nat(800)).map(([from, days]): Span => ({ from, to: addDays(from, days) }));
