/** What the ledger knows of cards, and what it does when it is asked to revoke one. */
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Card, CardState, Happening, RevocationOrder, Revoked } from '../../../src/ledger/cards.ts';
import { type Entry, entryOf, seal, verifyChain } from '../../../src/ledger/chain.ts';
import { createEventStore, createMemoryEventStore, pagesOf } from '../../../src/ledger/event-store.ts';
import { receiptNumbers } from '../../../src/ledger/registry.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import {
  certificatesOf,
  fromSkane,
  life,
  newHolder,
  newOwned,
  NOW,
  orderFor,
  type Owned,
  recordAll,
  registryOf,
  stepTo,
} from './lives.ts';

const url = await createDatabase();
const databases = [await openTestDatabase(url), await openTestDatabase(url), await openTestDatabase(url)];
const [store] = databases.map(createEventStore);
if (!store) throw new Error('There is no store');
afterAll(() => Promise.all(databases.map((database) => database.close())));

/** As domain knowledge has it, written once more. */
const allowed: Record<CardState, CardState[]> = {
  ORDERED: ['PHOTOGRAPHED', 'IN_PRODUCTION', 'LAPSED', 'CANCELLED'],
  PHOTOGRAPHED: ['IN_PRODUCTION', 'CANCELLED'],
  IN_PRODUCTION: ['AWAITING_HANDOVER', 'CANCELLED'],
  AWAITING_HANDOVER: ['ACTIVE', 'REVOKED', 'VOIDED'],
  ACTIVE: ['REVOKED', 'EXPIRED'],
  REVOKED: ['DESTROYED'],
  EXPIRED: ['DESTROYED'],
  LAPSED: [],
  CANCELLED: [],
  VOIDED: [],
  DESTROYED: [],
};
const wayTo: Record<CardState, CardState[]> = {
  ORDERED: ['ORDERED'],
  PHOTOGRAPHED: ['ORDERED', 'PHOTOGRAPHED'],
  IN_PRODUCTION: ['ORDERED', 'PHOTOGRAPHED', 'IN_PRODUCTION'],
  AWAITING_HANDOVER: ['ORDERED', 'PHOTOGRAPHED', 'IN_PRODUCTION', 'AWAITING_HANDOVER'],
  ACTIVE: ['ORDERED', 'PHOTOGRAPHED', 'IN_PRODUCTION', 'AWAITING_HANDOVER', 'ACTIVE'],
  REVOKED: ['ORDERED', 'PHOTOGRAPHED', 'IN_PRODUCTION', 'AWAITING_HANDOVER', 'REVOKED'],
  EXPIRED: ['ORDERED', 'PHOTOGRAPHED', 'IN_PRODUCTION', 'AWAITING_HANDOVER', 'ACTIVE', 'EXPIRED'],
  LAPSED: ['ORDERED', 'LAPSED'],
  CANCELLED: ['ORDERED', 'CANCELLED'],
  VOIDED: ['ORDERED', 'PHOTOGRAPHED', 'IN_PRODUCTION', 'AWAITING_HANDOVER', 'VOIDED'],
  DESTROYED: ['ORDERED', 'PHOTOGRAPHED', 'IN_PRODUCTION', 'AWAITING_HANDOVER', 'REVOKED', 'DESTROYED'],
};
const states = Object.keys(allowed) as CardState[];

/** An own ledger, with a card in that state. */
async function cardThatIs(state: CardState, given: Parameters<typeof life>[1] = {}) {
  let at = NOW;
  const registry = registryOf(createMemoryEventStore(), () => at);
  const owned = newOwned();
  for (const step of wayTo[state]) expect([step, await stepTo(registry, owned, step, given)]).toEqual([step, true]);
  const cardNow = async (): Promise<Card | undefined> => (await registry.cardsOf(owned.holder))[0];
  const on = (day: string) => {
    at = `${day}T11:00:00.000Z`;
  };
  return { registry, owned, cardNow, on };
}

describe('a card', () => {
  it.each(states)('that is %s goes where it may, and nowhere else', async (from) => {
    const reached: CardState[] = [];
    for (const to of states) {
      const { registry, owned, cardNow } = await cardThatIs(from, { kind: 'RESERVE' });
      const isTaken = await stepTo(registry, owned, to);
      expect((await cardNow())?.state).toBe(isTaken ? to : from);
      if (isTaken) reached.push(to);
    }
    expect(reached.sort()).toEqual(allowed[from].sort());
  });

  it('is produced without a photo only if it is a reserve card', async () => {
    const { registry, owned } = await cardThatIs('ORDERED');
    expect(await registry.record([{ type: 'card.produced', ...owned }], 'tests')).toEqual({
      problems: [
        '1: card.produced is impossible, for an ordinary card cannot be produced before its holder is photographed.',
      ],
    });
  });

  it('has lapsed when its order is more than three months old, and not before', async () => {
    const { registry, owned, cardNow, on } = await cardThatIs('ORDERED', { orderedOn: '2026-11-30' });
    on('2027-02-28');
    expect(await cardNow()).toMatchObject({ state: 'ORDERED', lapsesOn: '2027-02-28' });
    on('2027-03-01');
    expect((await cardNow())?.state).toBe('LAPSED');
    expect(await stepTo(registry, owned, 'PHOTOGRAPHED')).toBe(false);
    expect(await stepTo(registry, owned, 'LAPSED')).toBe(true);
  });

  it('is usable through the day printed on it, and has expired on the next', async () => {
    const { registry, owned, cardNow, on } = await cardThatIs('ACTIVE', { expiresOn: '2027-01-10' });
    on('2027-01-10');
    expect(await cardNow()).toMatchObject({ state: 'ACTIVE', usable: true });
    on('2027-01-11');
    expect(await cardNow()).toMatchObject({ state: 'EXPIRED', usable: false });
    expect(await stepTo(registry, owned, 'REVOKED')).toBe(false);
    expect(await stepTo(registry, owned, 'DESTROYED')).toBe(true);
  });

  it.each([
    ['2022-05-04', true],
    ['2022-05-05', false],
  ])('with old certificates only is usable on %s: %s', async (day, usable) => {
    const { cardNow, on } = await cardThatIs('ACTIVE', { loa: 2 });
    on(day);
    expect(await cardNow()).toMatchObject({ state: 'ACTIVE', usable });
  });

  it('that was upgraded is usable again', async () => {
    const { registry, owned, cardNow } = await cardThatIs('ACTIVE', { loa: 2 });
    const [certificate] = certificatesOf('new', { origin: 'UPGRADE' });
    if (certificate) await recordAll(registry, [{ type: 'certificate.issued', ...owned, certificate }]);
    expect(await cardNow()).toMatchObject({ usable: true });
    expect((await cardNow())?.certificates.map(({ origin }) => origin)).toEqual(['INITIAL', 'INITIAL', 'UPGRADE']);
  });

  it('shows no more of its number than the end', async () => {
    const { registry, owned, cardNow } = await cardThatIs('ACTIVE');
    await registry.revoke(orderFor(owned));
    expect(await cardNow()).toMatchObject({ ending: '4711', receipt: { ending: '4711' } });
    expect(JSON.stringify(await cardNow())).not.toContain('0000004711');
  });

  it('of another region was ordered, as far as anybody here knows, when it was issued', async () => {
    const [registry, owned] = [registryOf(), newOwned()];
    await recordAll(registry, [fromSkane(owned)]);
    expect(await registry.cardsOf(owned.holder)).toMatchObject([{ orderedOn: '2025-12-01', state: 'ACTIVE' }]);
  });

  it('that is said to be destroyed while in use is in use until it is revoked', async () => {
    const { registry, owned, cardNow } = await cardThatIs('ACTIVE');
    await recordAll(registry, [{ type: 'card.destructionReported', ...owned }]);
    expect((await cardNow())?.state).toBe('ACTIVE');
  });
});

describe('what is reported', () => {
  it('is kept all of it or nothing, and each problem is told with its place', async () => {
    const [registry, owned] = [registryOf(), newOwned()];
    const [ordered, photographed] = life(owned);
    const stranger: Happening = { type: 'card.voided', ...newOwned() };
    const happenings = [ordered, stranger, photographed, ordered].flatMap((each) => (each ? [each] : []));
    expect(await registry.record(happenings, 'tests')).toEqual({
      problems: [
        '2: card.voided is impossible, for this holder has no such card.',
        '4: card.ordered is impossible, for there is such a card already.',
      ],
    });
    expect((await registry.head()).position).toBe(0);
  });

  it.each([
    ['in memory', registryOf()],
    ['in PostgreSQL', registryOf(store)],
  ])('of a card that somebody else has is refused, %s', async (_, registry) => {
    const owned = newOwned();
    await recordAll(registry, life(owned));
    const { problems } = await registry.record(life({ ...owned, holder: newHolder() }).slice(0, 1), 'tests');
    expect(problems).toEqual(['1: card.ordered is impossible, for there is such a card already.']);
  });

  it('gives nobody two ordinary cards in use from one issuer, but a reserve card, and one from elsewhere', async () => {
    const [registry, first] = [registryOf(), newOwned()];
    const other = () => newOwned(first.holder);
    await recordAll(registry, [...life(first), ...life(other(), { kind: 'RESERVE' }), fromSkane(other())]);
    const second = other();
    const { problems } = await registry.record(life(second), 'tests');
    expect(problems).toEqual([
      '5: card.handedOver is impossible, for the holder has an active ordinary card of that issuer already.',
    ]);
    await registry.revoke(orderFor(first));
    expect(await registry.record(life(second), 'tests')).toEqual({ problems: [] });
    const { problems: again } = await registry.record([fromSkane(other())], 'tests');
    expect(again).toHaveLength(1);
  });

  it.each(['\0', '\ud800', '\u2028'])('with a character that cannot be kept is refused (%j)', async (character) => {
    const registry = registryOf(store);
    const { problems } = await registry.record(life(newOwned(), { number: `1234${character}` }).slice(0, 1), 'tests');
    expect(problems).toEqual(['1: card.ordered is impossible, for it has characters that cannot be kept.']);
  });
});

describe.each([
  ['in memory', () => createMemoryEventStore()],
  ['in PostgreSQL', () => store],
])('a revocation, %s', (_, storeOf) => {
  const inUse = async (given: Parameters<typeof life>[1] = {}, until = 5) => {
    const registry = registryOf(storeOf());
    const owned = newOwned();
    await recordAll(registry, life(owned, given).slice(0, until));
    return { registry, owned };
  };
  const numberOf = (revoked: Revoked) => (revoked.outcome === 'revoked' ? revoked.receipt.number : undefined);

  it.each([
    ['in use', 5],
    ['on its way to its holder', 4],
  ])('of a card that is %s revokes it with all its certificates', async (_state, until) => {
    const { registry, owned } = await inUse({}, until);
    const revoked = await registry.revoke(orderFor(owned));
    expect(revoked).toMatchObject({
      outcome: 'revoked',
      isNew: true,
      receipt: { card: owned.card, ending: '4711', reason: 'LOST', reasonCode: 1, at: NOW },
    });
    const [card] = await registry.cardsOf(owned.holder);
    expect(card).toMatchObject({ state: 'REVOKED', usable: false, receipt: { number: numberOf(revoked) } });
    expect(card?.certificates.map(({ state }) => state)).toEqual(['REVOKED', 'REVOKED']);
  });

  it('is answered alike whenever its errand is sent again, also when its holder is protected meanwhile', async () => {
    const { registry, owned } = await inUse();
    const order = orderFor(owned);
    const first = await registry.revoke(order);
    await recordAll(registry, [{ type: 'holder.protected', holder: owned.holder }]);
    expect(await registry.revoke(order)).toEqual(first);
    expect(await registry.revoke({ ...order, key: 'another' })).toEqual({ outcome: 'unknown' });
  });

  it('under another key gives the first receipt, and so does that key ever after', async () => {
    const { registry, owned } = await inUse();
    const first = await registry.revoke(orderFor(owned));
    const again = orderFor(owned, { reason: 'MALFUNCTION' });
    expect(await registry.revoke(again)).toEqual({ ...first, isNew: false });
    expect(await registry.revoke(again)).toEqual({ ...first, isNew: false });
    await recordAll(registry, [{ type: 'card.destroyed', ...owned }]);
    expect(await registry.cardsOf(owned.holder)).toMatchObject([{ state: 'DESTROYED', receipt: { reason: 'LOST' } }]);
  });

  it('under a key that was used for something else is not made', async () => {
    const { registry, owned } = await inUse();
    const other = newOwned();
    await recordAll(registry, life(other));
    const order = orderFor(owned);
    await registry.revoke(order);
    expect(await registry.revoke({ ...order, ...other })).toEqual({ outcome: 'keyReused' });
    expect(await registry.revoke({ ...order, reason: 'MALFUNCTION' })).toEqual({ outcome: 'keyReused' });
    expect(await registry.revoke({ ...order, channel: 'servicedesk' })).toEqual({ outcome: 'keyReused' });
    expect(await registry.revoke({ ...order, ...other, client: 'another' })).toMatchObject({ isNew: true });
  });

  it('of an expired card is a no-op that is kept, and the same answer even when it is asked again', async () => {
    const { registry, owned } = await inUse({ expiresOn: '2026-11-22' });
    const order = orderFor(owned);
    const { position } = await registry.head();
    expect(await registry.revoke(order)).toEqual({ outcome: 'expired' });
    expect((await registry.head()).position).toBe(position + 1);
    expect(await registry.revoke(order)).toEqual({ outcome: 'expired' });
    expect((await registry.head()).position).toBe(position + 1);
  });

  it('of a card that was never in anybody’s hands is declined', async () => {
    const { registry, owned } = await inUse({}, 3);
    const order = orderFor(owned);
    expect(await registry.revoke(order)).toEqual({ outcome: 'notInUse' });
    await recordAll(registry, life(owned).slice(3));
    expect(await registry.revoke(order)).toEqual({ outcome: 'notInUse' });
    expect(await registry.revoke(orderFor(owned))).toMatchObject({ outcome: 'revoked' });
  });

  it('of another region’s card is left to that region', async () => {
    const [registry, owned] = [registryOf(storeOf()), newOwned()];
    await recordAll(registry, [fromSkane(owned)]);
    expect(await registry.revoke(orderFor(owned))).toEqual({ outcome: 'otherRegion' });
  });

  it('of a card that is unknown, somebody else’s or a protected person’s is answered alike, and leaves no trace', async () => {
    const { registry, owned } = await inUse();
    const hidden = newOwned();
    await recordAll(registry, [...life(hidden), { type: 'holder.protected', holder: hidden.holder }]);
    const { position } = await registry.head();
    const orders = [newOwned(), { ...owned, holder: newHolder() }, hidden, newOwned(owned.holder)];
    for (const each of orders) expect(await registry.revoke(orderFor(each))).toEqual({ outcome: 'unknown' });
    expect((await registry.head()).position).toBe(position);
  });

  it('has a receipt that its holder finds again, and nobody else', async () => {
    const { registry, owned } = await inUse();
    const revoked = await registry.revoke(orderFor(owned));
    const number = numberOf(revoked) ?? '';
    expect(number).toMatch(/^S(-[0-9A-F]{4}){3}$/);
    expect(await registry.receiptOf(owned.holder, number)).toEqual('receipt' in revoked && revoked.receipt);
    expect(await registry.receiptOf(newHolder(), number)).toBeUndefined();
    await recordAll(registry, [{ type: 'holder.protected', holder: owned.holder }]);
    expect(await registry.receiptOf(owned.holder, number)).toBeUndefined();
    await recordAll(registry, [{ type: 'holder.unprotected', holder: owned.holder }]);
    expect(await registry.receiptOf(owned.holder, number)).toBeDefined();
  });

  it('takes the next number if another receipt has its own', async () => {
    const events = storeOf();
    const { registry, owned } = { registry: registryOf(events), owned: newOwned() };
    const thief = newOwned();
    await recordAll(registry, [...life(owned), ...life(thief)]);
    const order = orderFor(owned);
    const [first = '', second] = receiptNumbers(order);
    const { last: _, ...head } = await events.head();
    const certificates = certificatesOf(thief.card).map(({ serial }) => serial);
    const stolen = { ...orderFor(thief), type: 'card.revoked', receipt: first, certificates } as const;
    expect(await events.append(head, [seal(head, { event: stolen, at: NOW, client: 'tests' }).link])).toBe(true);
    expect(numberOf(await registry.revoke(order))).toBe(second);
  });

  it.each([
    ['LOST', 1],
    ['CODES_COMPROMISED', 1],
    ['DETAILS_INCORRECT', 3],
    ['MALFUNCTION', 5],
  ] as const)('for %s has the code %d', async (reason, reasonCode) => {
    const { registry, owned } = await inUse();
    expect(await registry.revoke(orderFor(owned, { reason }))).toMatchObject({ receipt: { reason, reasonCode } });
  });

  it('for a malfunction says that the card is superseded as long as a replacement is ordered', async () => {
    const { registry, owned } = await inUse();
    const revoked = await registry.revoke(orderFor(owned, { reason: 'MALFUNCTION' }));
    const codeNow = async () => (await registry.receiptOf(owned.holder, numberOf(revoked) ?? ''))?.reasonCode;
    const [reserve, replacement] = [newOwned(owned.holder), newOwned(owned.holder)];
    await recordAll(registry, life(reserve, { kind: 'RESERVE' }));
    expect(await codeNow()).toBe(5);
    await recordAll(registry, life(replacement, { orderedOn: '2026-11-23' }).slice(0, 1));
    expect(await codeNow()).toBe(4);
    await recordAll(registry, [{ type: 'card.cancelled', ...replacement }]);
    expect(await codeNow()).toBe(5);
  });
});

describe('a holder', () => {
  it('has one opaque name, another with another key', () => {
    const registry = registryOf();
    expect(registry.holderFor('someone')).toMatch(/^h_[A-Za-z0-9_-]{43}$/);
    expect(registry.holderFor('someone')).toBe(registryOf().holderFor('someone'));
    expect(registry.holderFor('someone')).not.toBe(registry.holderFor('someone else'));
  });

  it('who is protected is looked up no deeper than one nobody has heard of', async () => {
    const registry = registryOf(store);
    const owned = newOwned();
    await recordAll(registry, [...life(owned), { type: 'holder.protected', holder: owned.holder }]);
    expect(await registry.cardsOf(owned.holder)).toEqual([]);
    expect(await store.entriesOf(owned.holder)).toEqual([]);
    await recordAll(registry, [{ type: 'holder.unprotected', holder: owned.holder }]);
    expect(await registry.cardsOf(owned.holder)).toHaveLength(1);
  });
});

describe('several processes on one ledger', () => {
  type Command = { at: number; kind: number; card: number; key: number; reason: 'LOST' | 'MALFUNCTION' };
  const command: fc.Arbitrary<Command> = fc.record({
    at: fc.nat(2),
    kind: fc.nat(11),
    card: fc.nat(2),
    key: fc.nat(4),
    reason: fc.constantFrom('LOST', 'MALFUNCTION'),
  });

  it('revoke no card twice, answer an errand alike, and keep one whole chain, whatever is asked of them', async () => {
    const registries = databases.map((database) => registryOf(createEventStore(database)));
    const rounds = fc.array(fc.array(command, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(rounds, async (round) => {
        const holder = newHolder();
        const cards = [newOwned(holder), newOwned(holder), newOwned(holder)];
        const client = `client of ${holder}`;
        const answers: { order: RevocationOrder; revoked: Revoked }[] = [];
        const run = async ({ at, kind, card, key, reason }: Command): Promise<void> => {
          const [registry, owned] = [registries[at], cards[card]];
          if (!registry || !owned) throw new Error('There is no such process or card');
          const happening = happeningsOf(owned, card === 0 ? 'ORDINARY' : 'RESERVE')[kind];
          if (happening) await registry.record([happening], client);
          else {
            const order = orderFor(owned, { reason, client, key: `key-${key}` });
            answers.push({ order, revoked: await registry.revoke(order) });
          }
        };
        await recordAll(registries[0] ?? registryOf(), life(cards[0] ?? newOwned()).slice(0, 4));
        for (const together of round) await Promise.all(together.map(run));

        const entries = await entriesOf(holder);
        const revokedCards = entries.flatMap((entry) => (entry.type === 'card.revoked' ? [entry.card] : []));
        expect(revokedCards).toEqual([...new Set(revokedCards)]);
        expectAlike(answers, entries);
        const { last, ...head } = await store.head();
        expect(last).toBe(head.position);
        expect((await verifyChain(pagesOf(store, last), { noted: [head] })).outcome).toBe('whole');
      }),
      { numRuns: 25 },
    );
  });

  /** Everything that may happen to a card, three of them left to revocations. */
  const happeningsOf = (owned: Owned, kind: 'ORDINARY' | 'RESERVE'): Happening[] => [
    ...life(owned, { kind }),
    { type: 'card.destroyed', ...owned },
    { type: 'card.expired', ...owned },
    { type: 'card.voided', ...owned },
    { type: 'card.cancelled', ...owned },
  ];

  const entriesOf = async (holder: string): Promise<Entry[]> => (await store.read({ holders: [holder] })).entries;

  /** An errand is one by its client and key; what it was decided on is what was kept first. */
  function expectAlike(answers: readonly { order: RevocationOrder; revoked: Revoked }[], entries: readonly Entry[]) {
    const receipts = new Map<string, string>();
    for (const entry of entries) if (entry.type === 'card.revoked') receipts.set(entry.card, entry.receipt);
    for (const { order, revoked } of answers) {
      const decided = entries.filter((entry) => 'key' in entry && entry.key === order.key);
      expect(decided.length).toBeLessThanOrEqual(1);
      const [kept] = decided;
      if (!kept || !('key' in kept)) {
        expect(revoked).toEqual({ outcome: 'unknown' });
      } else if (kept.card !== order.card || kept.reason !== order.reason) {
        expect(['keyReused', 'unknown']).toContain(revoked.outcome);
      } else if (revoked.outcome === 'revoked') {
        expect(revoked.receipt.number).toBe(receipts.get(order.card));
        expect(revoked.isNew).toBe(kept.type === 'card.revoked');
      } else if (revoked.outcome !== 'unknown') {
        expect(kept).toMatchObject({ type: 'revocation.declined', outcome: revoked.outcome });
      }
    }
  }
});

describe('the chain', () => {
  it('is as long as what was kept, and its lines tell it', async () => {
    const [registry, owned] = [registryOf(), newOwned()];
    await recordAll(registry, life(owned));
    await registry.revoke(orderFor(owned));
    const lines = await registry.lines(0, 10);
    const { position, hash } = await registry.head();
    expect(position).toBe(6);
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).toContain(`"hash":"${hash}"`);
    expect(await registry.lines(4, 1)).toEqual(lines.slice(4, 5));
    expect(lines.map(entryOf).map(({ type }) => type)).toContain('card.revoked');
  });
});
