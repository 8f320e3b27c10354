/** The people one may try the assistant as, with cards dated relative to the day it is tried on. */
import { instantOf, timeOf } from '../calendar.ts';
import { addDays, addMonths, type Card, type Day } from '../../dialogs/card-validity.ts';

export type Holder = { id: string; isProtected: boolean; cards: Card[] };

export const demonstrationNames = [
  'active',
  'expiring',
  'expired',
  'reserve',
  'order-lapsed',
  'order-fresh',
  'awaiting-handover',
  'loa2',
  'revoked',
  'other-region',
  'protected',
  'no-card',
  'two-cards',
] as const;

export type DemonstrationName = (typeof demonstrationNames)[number];

export function demonstrationHolders(today: Day): Holder[] {
  return demonstrationNames.map((id) => ({ id, isProtected: id === 'protected', cards: cardsOf(id, today) }));
}

function cardsOf(name: DemonstrationName, today: Day): Card[] {
  const ordered = { kind: 'ordinary', issuer: 'stockholm', orderedOn: addMonths(today, -12) } as const;
  const ordinary = {
    ...ordered,
    number: '9752260000004711',
    state: 'ACTIVE',
    issuedOn: addMonths(today, -11),
    expiresOn: addMonths(today, 49),
    assurance: 3,
  } as const;
  const reserve = {
    ...ordinary,
    number: '9752260000000815',
    kind: 'reserve',
    orderedOn: addDays(today, -20),
    issuedOn: addDays(today, -14),
    expiresOn: addDays(today, 76),
  } as const;

  const cards: Record<DemonstrationName, Card[]> = {
    active: [ordinary],
    expiring: [{ ...ordinary, issuedOn: addMonths(today, -58), expiresOn: addDays(today, 35) }],
    expired: [{ ...ordinary, state: 'EXPIRED', issuedOn: addMonths(today, -61), expiresOn: addDays(today, -21) }],
    reserve: [reserve],
    'order-lapsed': [{ ...ordered, number: '9752260000001105', state: 'LAPSED', orderedOn: addMonths(today, -4) }],
    'order-fresh': [{ ...ordered, number: '9752260000001106', state: 'ORDERED', orderedOn: addMonths(today, -1) }],
    'awaiting-handover': [
      {
        ...ordinary,
        state: 'AWAITING_HANDOVER',
        photoSite: 'sodersjukhuset',
        issuedOn: addDays(today, -5),
        expiresOn: addMonths(today, 60),
      },
    ],
    loa2: [{ ...ordinary, orderedOn: '2019-09-16', issuedOn: '2019-10-10', expiresOn: '2027-10-09', assurance: 2 }],
    revoked: [
      {
        ...ordinary,
        state: 'REVOKED',
        receipt: { number: 'S-20C1-77AE', card: ordinary.number, at: revokedAt(today) },
      },
    ],
    'other-region': [{ ...ordinary, number: '9752120000003344', issuer: 'other' }],
    protected: [{ ...ordinary, number: '9752260000009090' }],
    'no-card': [],
    'two-cards': [ordinary, reserve],
  };
  return cards[name];
}

function revokedAt(today: Day): string {
  const time = timeOf(`${addDays(today, -9)}T10:15`);
  if (!time) throw new Error(`${today} is no day`);
  return instantOf(time);
}
