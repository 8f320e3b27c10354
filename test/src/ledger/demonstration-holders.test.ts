/** The people one may try the assistant as. */
import { afterAll, describe, expect, it } from '@jest/globals';
import type { Card } from '../../../src/ledger/cards.ts';
import { verifyChain } from '../../../src/ledger/chain.ts';
import {
  demonstrationIdentifier,
  type DemonstrationName,
  demonstrationNames,
  seedDemonstration,
} from '../../../src/ledger/demonstration-holders.ts';
import { createEventStore, createMemoryEventStore, pagesOf } from '../../../src/ledger/event-store.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { KEY, orderFor, recordAll, registryOf } from './lives.ts';

const TODAY = '2026-11-23';
const url = await createDatabase();
const databases = await Promise.all([1, 2, 3].map(() => openTestDatabase(url)));
afterAll(() => Promise.all(databases.map((database) => database.close())));

async function seeded() {
  const events = createMemoryEventStore();
  await seedDemonstration({ events, key: KEY }, TODAY);
  const registry = registryOf(events);
  const holderOf = (name: DemonstrationName) => registry.holderFor(demonstrationIdentifier(name, TODAY));
  const cardsOf = (name: DemonstrationName): Promise<Card[]> => registry.cardsOf(holderOf(name));
  return { events, registry, holderOf, cardsOf };
}

describe('a demonstration holder', () => {
  const ordinary = { kind: 'ORDINARY', ending: '4711', issuerOrg: 'SE2321000016', hasPhoto: true } as const;
  const inUse = {
    ...ordinary,
    state: 'ACTIVE',
    usable: true,
    orderedOn: '2025-11-23',
    issuedOn: '2025-12-23',
  } as const;
  const reserve = {
    ...{ kind: 'RESERVE', ending: '0815', hasPhoto: false, state: 'ACTIVE', usable: true },
    ...{ orderedOn: '2026-11-03', issuedOn: '2026-11-09', expiresOn: '2027-02-07' },
  } as const;

  it.each<[DemonstrationName, object[]]>([
    ['active', [{ ...inUse, expiresOn: '2030-12-23' }]],
    ['expiring', [{ ...inUse, issuedOn: '2022-01-23', expiresOn: '2026-12-28' }]],
    ['expired', [{ ...inUse, state: 'EXPIRED', usable: false, issuedOn: '2021-10-23', expiresOn: '2026-11-02' }]],
    ['reserve', [reserve]],
    ['order-lapsed', [{ ending: '1105', state: 'LAPSED', orderedOn: '2026-07-23', lapsesOn: '2026-10-23' }]],
    ['order-fresh', [{ ending: '1106', state: 'ORDERED', orderedOn: '2026-10-23', lapsesOn: '2027-01-23' }]],
    [
      'awaiting-handover',
      [{ ...ordinary, state: 'AWAITING_HANDOVER', photoSite: 'SODERSJUKHUSET', expiresOn: '2031-11-23' }],
    ],
    ['loa2', [{ ...inUse, usable: false, orderedOn: '2019-09-16', issuedOn: '2019-10-10', expiresOn: '2027-10-09' }]],
    [
      'revoked',
      [{ ...inUse, state: 'REVOKED', usable: false, receipt: { at: '2026-11-14T09:15:00.000Z', reason: 'LOST' } }],
    ],
    ['other-region', [{ kind: 'ORDINARY', ending: '3344', issuerOrg: 'SE2321000255', orderedOn: '2025-12-23' }]],
    ['protected', []],
    ['no-card', []],
    ['two-cards', [inUse, reserve]],
  ])('%s has the cards of its name', async (name, cards) => {
    const { cardsOf } = await seeded();
    const found = await cardsOf(name);
    expect(found).toMatchObject(cards);
    expect(found).toHaveLength(cards.length);
  });

  it('has four certificates, old ones for loa2, and one more for a card of another region', async () => {
    const { cardsOf } = await seeded();
    const levels = async (name: DemonstrationName) =>
      (await cardsOf(name)).flatMap(({ certificates }) => certificates.map(({ loa, origin }) => `${origin} ${loa}`));
    expect(await levels('active')).toEqual(Array(4).fill('INITIAL 3'));
    expect(await levels('loa2')).toEqual(Array(4).fill('INITIAL 2'));
    expect(await levels('other-region')).toEqual([...Array<string>(4).fill('INITIAL 3'), 'SUPPLEMENTARY 3']);
  });

  it('that is protected has a card, which shows when nobody protects them any more', async () => {
    const { registry, holderOf, cardsOf } = await seeded();
    await recordAll(registry, [{ type: 'holder.unprotected', holder: holderOf('protected') }]);
    expect(await cardsOf('protected')).toMatchObject([{ ending: '9090', state: 'ACTIVE' }]);
  });

  it('keeps what was done to them when the day is seeded again, and is fresh on the next', async () => {
    const { events, registry, holderOf, cardsOf } = await seeded();
    const [card] = await cardsOf('active');
    await registry.revoke(orderFor({ holder: holderOf('active'), card: card?.id ?? '' }));
    const { position } = await registry.head();
    await seedDemonstration({ events, key: KEY }, TODAY);
    expect((await registry.head()).position).toBe(position);
    expect(await cardsOf('active')).toMatchObject([{ state: 'REVOKED' }]);

    await seedDemonstration({ events, key: KEY }, '2026-11-24');
    const tomorrow = registry.holderFor(demonstrationIdentifier('active', '2026-11-24'));
    expect(await registry.cardsOf(tomorrow)).toMatchObject([{ state: 'ACTIVE' }]);
  });

  it('can be had on any day: also a leap day, and the last of a month', async () => {
    for (const day of ['2028-02-29', '2027-01-31', '2026-03-29', '2026-12-31'] as const) {
      const events = createMemoryEventStore();
      await seedDemonstration({ events, key: KEY }, day);
      const { last, ...head } = await events.head();
      expect(await verifyChain(pagesOf(events, last), { noted: [head] })).toMatchObject({ outcome: 'whole' });
    }
  });

  it('is there once, whoever seeds, and however many do at once', async () => {
    const stores = databases.map(createEventStore);
    await Promise.all([...stores, ...stores].map((events) => seedDemonstration({ events, key: KEY }, TODAY)));
    const [events = createMemoryEventStore()] = stores;
    const registry = registryOf(events);
    const holders = demonstrationNames.map((name) => registry.holderFor(demonstrationIdentifier(name, TODAY)));
    const { entries } = await events.read({ holders });
    expect(entries.filter(({ type }) => type === 'holder.registered')).toHaveLength(demonstrationNames.length);
    expect(entries).toHaveLength((await registry.head()).position);
    expect((await verifyChain(pagesOf(events, entries.length))).outcome).toBe('whole');
  });
});
