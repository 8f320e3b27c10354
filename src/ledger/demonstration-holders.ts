/**
 * The people one may try the assistant as, with cards dated relative to the day
 * it is tried on.
 *
 * Each day has holders of its own: on a new day all cards are fresh, and what
 * was done to them during a day is kept. They are to be seeded in development
 * only.
 */
import { createHash } from 'node:crypto';
import { addDays, addMonths, type Day } from '../../dialogs/card-validity.ts';
import { timeOf } from '../calendar.ts';
import type { Certificate } from './cards.ts';
import type { Dated } from './chain.ts';
import type { EventStore } from './event-store.ts';
import type { LedgerEvent } from './history.ts';
import { createJournal } from './journal.ts';
import { holderNamed, receiptNumbers } from './registry.ts';

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

export const demonstrationIdentifier = (name: string, day: Day): string => `${name} ${day}`;

/** Who gets them, when they are not there already. Of many that seed the same day at once, one does it. */
export function seedDemonstration({ events, key }: { events: EventStore; key: string }, day: Day): Promise<void> {
  const happenings = demonstrationHappenings(day, (identifier) => holderNamed(key, identifier));
  return createJournal(events)({
    asks: { holders: [...new Set(happenings.map(({ event }) => event.holder))] },
    decide: ({ histories }) => ({
      events: happenings.filter(({ event }) => !histories.has(event.holder)),
      answer: undefined,
    }),
  });
}

/** All that has happened to all of them until that day. */
export const demonstrationHappenings = (today: Day, holderFor: (identifier: string) => string): Dated[] =>
  demonstrationNames.flatMap((name) => {
    const holder = holderFor(demonstrationIdentifier(name, today));
    const registered: Step = { on: addMonths(today, -13), type: 'holder.registered' };
    return [registered, ...happeningsOf(name, holder, today)].map(({ on, time = '09:00', ...event }) => ({
      event: { ...event, holder },
      at: instantOn(on, time),
      client: 'demonstration',
    }));
  });

/** Something that happens on a day, to a holder not said yet. */
type Step = WithoutHolder<LedgerEvent> & { on: Day; time?: string };
type WithoutHolder<Event> = Event extends LedgerEvent ? Omit<Event, 'holder'> : never;

type Issued = { number: string; kind: 'ORDINARY' | 'RESERVE'; orderedOn: Day; issuedOn: Day; expiresOn: Day };

function happeningsOf(name: DemonstrationName, holder: string, today: Day): Step[] {
  const card = cardNamed(holder, 'ordinary');
  const ordinary: Issued = {
    number: '9752260000004711',
    kind: 'ORDINARY',
    orderedOn: addMonths(today, -12),
    issuedOn: addMonths(today, -11),
    expiresOn: addMonths(today, 49),
  };
  const reserve: Issued = {
    number: '9752260000000815',
    kind: 'RESERVE',
    orderedOn: addDays(today, -20),
    issuedOn: addDays(today, -14),
    expiresOn: addDays(today, 76),
  };

  switch (name) {
    case 'active':
      return inUse(card, ordinary);
    case 'expiring':
      return inUse(card, { ...ordinary, issuedOn: addMonths(today, -58), expiresOn: addDays(today, 35) });
    case 'expired':
      return inUse(card, { ...ordinary, issuedOn: addMonths(today, -61), expiresOn: addDays(today, -21) });
    case 'reserve':
      return inUse(cardNamed(holder, 'reserve'), reserve);
    case 'order-lapsed':
      return [order(card, { ...ordinary, number: '9752260000001105', orderedOn: addMonths(today, -4) })];
    case 'order-fresh':
      return [order(card, { ...ordinary, number: '9752260000001106', orderedOn: addMonths(today, -1) })];
    case 'awaiting-handover': {
      const fresh = { ...ordinary, issuedOn: addDays(today, -5), expiresOn: addMonths(today, 60) };
      return dispatched(card, fresh, { site: 'SODERSJUKHUSET' });
    }
    case 'loa2': {
      const old = { ...ordinary, orderedOn: '2019-09-16', issuedOn: '2019-10-10', expiresOn: '2027-10-09' } as const;
      return inUse(card, old, { loa: 2, notAfter: '2022-05-04' });
    }
    case 'revoked':
      return [...inUse(card, ordinary), revoked(holder, card, addDays(today, -9))];
    case 'other-region':
      return acknowledged(card, { ...ordinary, number: '9752120000003344' });
    case 'protected':
      return [
        ...inUse(card, { ...ordinary, number: '9752260000009090' }),
        { on: ordinary.issuedOn, time: '10:00', type: 'holder.protected' },
      ];
    case 'no-card':
      return [];
    case 'two-cards':
      return [...inUse(card, ordinary), ...inUse(cardNamed(holder, 'reserve'), reserve)];
  }
}

const order = (card: string, { number, kind, orderedOn }: Issued): Step => ({
  on: orderedOn,
  type: 'card.ordered',
  card,
  order: `demonstration-${digestOf(card).slice(0, 8)}`,
  number,
  kind,
  orderedOn,
});

type Details = { site?: 'LINDHAGEN' | 'SODERSJUKHUSET'; loa?: 2 | 3; notAfter?: Day };

function dispatched(card: string, issued: Issued, { site = 'LINDHAGEN', loa = 3, notAfter }: Details = {}): Step[] {
  const { kind, orderedOn, issuedOn, expiresOn } = issued;
  const photographed: Step = { on: addDays(orderedOn, 2), type: 'card.photographed', card, site };
  const certificates = initialCertificates(card, loa, notAfter ?? expiresOn);
  return [
    order(card, issued),
    ...(kind === 'ORDINARY' ? [photographed] : []),
    { on: addDays(orderedOn, 4), type: 'card.produced', card },
    { on: dispatchedOn(issued), type: 'card.dispatched', card, issuedOn, expiresOn, certificates },
  ];
}

function inUse(card: string, issued: Issued, details?: Details): Step[] {
  const handedOver: Step = { on: addDays(dispatchedOn(issued), 3), type: 'card.handedOver', card };
  return [...dispatched(card, issued, details), handedOver];
}

/** Some of the cards are dated to be issued before they were ordered. */
const dispatchedOn = ({ orderedOn, issuedOn }: Issued): Day => {
  const soonest = addDays(orderedOn, 6);
  return issuedOn > soonest ? issuedOn : soonest;
};

function revoked(holder: string, card: string, on: Day): Step {
  const key = 'demonstration';
  const [receipt = ''] = receiptNumbers({ holder, card, key: `${key} ${card}` });
  return {
    ...{ on, time: '10:15', type: 'card.revoked', card, reason: 'LOST', channel: 'servicedesk' },
    key: `${key} ${card}`,
    receipt,
    certificates: initialCertificates(card, 3, on).map(({ serial }) => serial),
  };
}

function acknowledged(card: string, { number, issuedOn, expiresOn }: Issued): Step[] {
  const certificates = initialCertificates(card, 3, expiresOn);
  const supplementary: Certificate = {
    serial: serialOf(card, 'supplementary'),
    subjectType: 'HSA_ID',
    usage: 'AUTH',
    loa: 3,
    notAfter: expiresOn,
    origin: 'SUPPLEMENTARY',
  };
  const [known, granted] = [addDays(issuedOn, 30), addDays(issuedOn, 32)];
  return [
    { on: known, type: 'card.acknowledged', card, number, issuerOrg: OTHER_REGION, issuedOn, expiresOn, certificates },
    { on: granted, type: 'certificate.issued', card, certificate: supplementary },
  ];
}

/** Region Skåne. */
const OTHER_REGION = 'SE2321000255';

const initialCertificates = (card: string, loa: 2 | 3, notAfter: Day): Certificate[] =>
  (['HSA_ID', 'PERSON_ID'] as const).flatMap((subjectType) =>
    (['AUTH', 'SIGN'] as const).map((usage) => ({
      ...{ serial: serialOf(card, `${subjectType} ${usage}`), subjectType, usage, loa, notAfter },
      origin: 'INITIAL' as const,
    })),
  );

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const cardNamed = (holder: string, which: string): string => `c_${digestOf(`${holder} ${which}`).slice(0, 24)}`;
const serialOf = (card: string, which: string): string => digestOf(`${card} ${which}`).slice(0, 32);

function instantOn(day: Day, time: string): string {
  const at = timeOf(`${day}T${time}`);
  if (!at) throw new Error(`${day} is no day`);
  return at.toISOString();
}
