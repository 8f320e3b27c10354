/** Cards at every turn of their lives, of holders nobody else has. */
import { randomBytes } from 'node:crypto';
import {
  type CardState,
  type Certificate,
  type Happening,
  type Registry,
  type RevocationOrder,
  type Revoked,
} from '../../../src/ledger/cards.ts';
import { createMemoryEventStore, type EventStore } from '../../../src/ledger/event-store.ts';
import { createRegistry } from '../../../src/ledger/registry.ts';

export const NOW = '2026-11-23T07:00:00.000Z';
export const KEY = 'a key of the tests';

export const registryOf = (events: EventStore = createMemoryEventStore(), at: () => string = () => NOW): Registry =>
  createRegistry({ events, now: () => new Date(at()), key: KEY });

export const newHolder = (): string => `h_${randomBytes(32).toString('base64url')}`;
export const newCard = (): string => `c_${randomBytes(12).toString('hex')}`;

export type Owned = { holder: string; card: string };
export const newOwned = (holder = newHolder()): Owned => ({ holder, card: newCard() });

export const certificatesOf = (card: string, changes: Partial<Certificate> = {}): Certificate[] =>
  (['AUTH', 'SIGN'] as const).map((usage) => ({
    serial: `${card}-${usage}`,
    subjectType: 'HSA_ID',
    usage,
    loa: 3,
    notAfter: '2031-10-23',
    origin: 'INITIAL',
    ...changes,
  }));

export type Life = {
  kind?: 'ORDINARY' | 'RESERVE';
  number?: string;
  orderedOn?: string;
  expiresOn?: string;
  loa?: 2 | 3;
};

/** From the order until it is in use, a step each. */
export function life({ holder, card }: Owned, given: Life = {}): Happening[] {
  const { kind = 'ORDINARY', number = '9752260000004711', orderedOn = '2026-10-23' } = given;
  const { expiresOn = '2031-10-23', loa = 3 } = given;
  const certificates = certificatesOf(card, { loa });
  return [
    { type: 'card.ordered', holder, card, order: `order-${card}`, number, kind, orderedOn },
    { type: 'card.photographed', holder, card, site: 'LINDHAGEN' },
    { type: 'card.produced', holder, card },
    { type: 'card.dispatched', holder, card, issuedOn: '2026-10-30', expiresOn, certificates },
    { type: 'card.handedOver', holder, card },
  ];
}

export const fromSkane = ({ holder, card }: Owned): Happening => ({
  type: 'card.acknowledged',
  holder,
  card,
  number: '9752120000003344',
  issuerOrg: 'SE2321000255',
  issuedOn: '2025-12-01',
  expiresOn: '2030-12-01',
  certificates: certificatesOf(card),
});

export async function recordAll(registry: Registry, happenings: readonly Happening[]): Promise<void> {
  const { problems } = await registry.record(happenings, 'tests');
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

let orders = 0;
export const orderFor = (owned: Owned, changes: Partial<RevocationOrder> = {}): RevocationOrder => ({
  ...owned,
  reason: 'LOST',
  channel: 'chat',
  client: 'tests',
  key: `order-${++orders}`,
  ...changes,
});

/** Takes the step to a state, as it is reported or ordered, and tells whether it was taken. */
export async function stepTo(registry: Registry, owned: Owned, state: CardState, given: Life = {}): Promise<boolean> {
  if (state === 'REVOKED') {
    const revoked: Revoked = await registry.revoke(orderFor(owned));
    return revoked.outcome === 'revoked' && revoked.isNew;
  }
  const [ordered, photographed, produced, dispatched, handedOver] = life(owned, given);
  const steps: Record<Exclude<CardState, 'REVOKED'>, Happening | undefined> = {
    ORDERED: ordered,
    PHOTOGRAPHED: photographed,
    IN_PRODUCTION: produced,
    AWAITING_HANDOVER: dispatched,
    ACTIVE: handedOver,
    EXPIRED: { type: 'card.expired', ...owned },
    LAPSED: { type: 'card.lapsed', ...owned },
    CANCELLED: { type: 'card.cancelled', ...owned },
    VOIDED: { type: 'card.voided', ...owned },
    DESTROYED: { type: 'card.destroyed', ...owned },
  };
  const step = steps[state];
  return step !== undefined && (await registry.record([step], 'tests')).problems.length === 0;
}
