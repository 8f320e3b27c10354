/** What a day asks to be reminded of, with the days around each boundary. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addDays, addMonths, type Card, type Day, lapsesOn } from '../../dialogs/card-validity.ts';
import { hasMoreToCome, nextReminder, type Reminding, remindersOn } from '../../dialogs/due-reminders.ts';
import { ordinary, reserve } from './events.ts';

const expiring = (expiresOn: Day, changes: Partial<Card> = {}): Card =>
  ({ ...ordinary, expiresOn, issuedOn: '2021-12-23', orderedOn: '2021-11-23', ...changes }) as Card;
const { id, ending, kind, issuer } = ordinary;
const order = (orderedOn: Day, changes: Partial<Card> = {}): Card =>
  ({ id, ending, kind, issuer, state: 'ORDERED', orderedOn, ...changes }) as Card;
const waiting = (issuedOn: Day, changes: Partial<Card> = {}): Card =>
  ({ ...ordinary, state: 'AWAITING_HANDOVER', photoSite: 'lindhagen', issuedOn, ...changes }) as Card;

const stagesOn = (today: Day, ...cards: Card[]) => remindersOn(today, cards).map(({ stage }) => stage);

describe('a card that expires', () => {
  it.each<[string, Day, Day]>([
    ['in winter', '2027-01-18', '2026-11-23'],
    ['across the year’s end', '2027-02-26', '2027-01-01'],
    ['on the first day of a year', '2027-01-01', '2026-11-06'],
    ['eight weeks from a leap day', '2028-04-25', '2028-02-29'],
    ['across a leap day', '2028-04-24', '2028-02-28'],
    ['when summer time begins in between', '2027-04-25', '2027-02-28'],
  ])('is reminded of from eight weeks before, through its last day: %s', (_when, expires, from) => {
    expect(stagesOn(addDays(from, -1), expiring(expires))).toEqual([]);
    expect(stagesOn(from, expiring(expires))).toEqual(['renew']);
    expect(stagesOn(expires, expiring(expires))).toEqual(['renew']);
    expect(stagesOn(addDays(expires, 1), expiring(expires))).toEqual([]);
  });

  const today = '2026-11-23';
  it.each<[string, Card[]]>([
    ['it is revoked', [expiring('2026-12-01', { state: 'REVOKED' })]],
    ['it is destroyed', [expiring('2026-12-01', { state: 'DESTROYED' })]],
    ['it has expired', [expiring('2026-12-01', { state: 'EXPIRED' })]],
    ['its certificates are dead', [expiring('2026-12-01', { assurance: 2 })]],
    ['it is another region’s', [expiring('2026-12-01', { issuer: 'other' })]],
    ['it is a reserve card, which is not renewed', [expiring('2026-12-01', { kind: 'reserve' })]],
    ['a newer is ordered', [expiring('2026-12-01'), order('2026-11-20', { id: 'c_new' })]],
    ['a newer is being made', [expiring('2026-12-01'), order('2026-11-01', { id: 'c_new', state: 'IN_PRODUCTION' })]],
    ['a newer is in use', [expiring('2026-12-01'), { ...ordinary, id: 'c_new' }]],
  ])('is not reminded of when %s', (_why, cards) => {
    expect(stagesOn(today, ...cards)).toEqual([]);
  });

  it.each<[string, Card]>([
    ['the newer order has lapsed', order('2026-08-01', { id: 'c_new', state: 'LAPSED' })],
    ['the newer order may have lapsed today', order('2026-08-23', { id: 'c_new' })],
    ['the newer order is cancelled', order('2026-11-01', { id: 'c_new', state: 'CANCELLED' })],
    [
      'the newer is revoked',
      { ...expiring('2031-01-01'), id: 'c_new', orderedOn: '2026-10-01', state: 'REVOKED' } as Card,
    ],
    ['only a reserve card is newer', { ...reserve, orderedOn: '2026-11-01' }],
  ])('is reminded of though %s', (_what, newer) => {
    expect(stagesOn(today, expiring('2026-12-01'), newer)).toEqual(['renew']);
  });
});

describe('an order', () => {
  it.each<[string, Day, Day]>([
    ['in autumn', '2026-08-23', '2026-11-23'],
    ['across the year’s end', '2026-10-05', '2027-01-05'],
    ['from a day that its last month does not have', '2026-11-30', '2027-02-28'],
    ['to a leap day', '2027-11-30', '2028-02-29'],
  ])('is reminded of from two weeks before it lapses until the day before: %s', (_when, ordered, lapses) => {
    expect(lapsesOn(ordered)).toBe(lapses);
    expect(stagesOn(addDays(lapses, -15), order(ordered))).toEqual([]);
    expect(stagesOn(addDays(lapses, -14), order(ordered))).toEqual(['lapses']);
    expect(stagesOn(addDays(lapses, -1), order(ordered))).toEqual(['lapses']);
    expect(stagesOn(lapses, order(ordered))).toEqual([]);
  });

  it.each<[string, Card[]]>([
    ['they are photographed', [order('2026-09-01', { state: 'PHOTOGRAPHED' })]],
    ['it is cancelled', [order('2026-09-01', { state: 'CANCELLED' })]],
    ['it is of a reserve card, which takes no photo', [order('2026-09-01', { kind: 'reserve' })]],
    ['there is a newer', [order('2026-09-01'), order('2026-11-01', { id: 'c_new' })]],
  ])('is not reminded of when %s', (_why, cards) => {
    expect(stagesOn('2026-11-23', ...cards)).toEqual([]);
  });
});

describe('a card that waits', () => {
  it('is reminded of from the day it was issued, also a reserve card, until it has expired', () => {
    expect(stagesOn('2026-11-23', waiting('2026-11-23'))).toEqual(['pickup']);
    expect(stagesOn('2026-11-23', waiting('2026-11-20', { kind: 'reserve', photoSite: undefined }))).toEqual([
      'pickup',
    ]);
    expect(stagesOn('2031-01-01', waiting('2026-11-23'))).toEqual([]);
  });

  it('is not reminded of once it is handed over, or a newer is', () => {
    expect(stagesOn('2026-11-24', { ...ordinary, issuedOn: '2026-11-23' })).toEqual([]);
    const newer = { ...ordinary, id: 'c_new', orderedOn: '2026-10-01' } as const;
    expect(stagesOn('2026-11-24', waiting('2026-11-20', { orderedOn: '2026-09-01' }), newer)).toEqual([]);
  });
});

describe('what is said next', () => {
  const today = '2026-11-23';
  const cards = [expiring('2026-12-01'), waiting('2026-11-20', { id: 'c_waits', kind: 'reserve' })];
  const next = (said: Reminding['said'] = [], since: Day = '2026-11-01') => {
    const due = nextReminder({ since, said }, cards, today);
    return due && [due.card.id, due.stage];
  };

  it('is what came last, then on another day what came before it, and each once', () => {
    const [waits, expires] = [
      { card: 'c_waits', stage: 'pickup', on: '2026-11-22' },
      { card: ordinary.id, stage: 'renew', on: '2026-11-21' },
    ] as const;
    expect(next()).toEqual(['c_waits', 'pickup']);
    expect(next([waits])).toEqual([ordinary.id, 'renew']);
    expect(next([expires])).toEqual(['c_waits', 'pickup']);
    expect(next([waits, expires])).toBeUndefined();
  });

  it('is nothing on a day when something has been said, nor on the day they asked for it', () => {
    expect(next([{ card: 'c_waits', stage: 'pickup', on: today }])).toBeUndefined();
    expect(next([], today)).toBeUndefined();
    expect(next([], '2026-11-22')).toBeDefined();
  });

  it('is said of another stage of the same card', () => {
    expect(next([{ card: 'c_waits', stage: 'lapses', on: '2026-10-01' }])).toEqual(['c_waits', 'pickup']);
  });

  const day = fc.integer({ min: 0, max: 3_000 }).map((days) => addDays('2022-05-05', days));
  const anyCard = fc
    .tuple(
      fc.nat(6),
      day,
      fc.constantFrom('ACTIVE', 'ORDERED', 'AWAITING_HANDOVER', 'REVOKED', 'IN_PRODUCTION'),
      fc.boolean(),
    )
    .map(([nth, orderedOn, state, isOrdinary]) => ({
      ...ordinary,
      ...{ id: `c_${nth}`, kind: isOrdinary ? 'ordinary' : 'reserve', state, orderedOn, photoSite: undefined },
      ...{ issuedOn: addDays(orderedOn, 10), expiresOn: addMonths(orderedOn, 60) },
    }))
    .map((card) => card as Card);

  it('is, day after day, each stage of each card at most once, one a day, and always of what is due', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyCard, { selector: ({ id }) => id, maxLength: 4 }), day, (held, first) => {
        const said: { card: string; stage: 'renew' | 'lapses' | 'pickup'; on: Day }[] = [];
        for (let nth = 0; nth < 20; nth++) {
          const on = addDays(first, nth);
          for (const _twice of [1, 2]) {
            const due = nextReminder({ since: addDays(first, -1), said }, held, on);
            if (!due) continue;
            expect(remindersOn(on, held)).toContainEqual(due);
            expect(hasMoreToCome(held, on)).toBe(true);
            said.push({ card: due.card.id, stage: due.stage, on });
          }
        }
        expect(new Set(said.map(({ card, stage }) => `${card} ${stage}`)).size).toBe(said.length);
        expect(new Set(said.map(({ on }) => on)).size).toBe(said.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('what may come of a card', () => {
  it.each<[string, boolean, Card]>([
    ['in use', true, { ...ordinary }],
    ['ordered', true, order('2026-10-23')],
    ['being made', true, order('2026-01-23', { state: 'IN_PRODUCTION' })],
    ['revoked', false, expiring('2030-01-01', { state: 'REVOKED' })],
    ['that has expired', false, expiring('2026-11-22')],
    ['whose order has lapsed', false, order('2026-08-23')],
  ])('%s is something: %s', (_what, isSomething, card) => {
    expect(hasMoreToCome([card], '2026-11-23')).toBe(isSomething);
  });
});
