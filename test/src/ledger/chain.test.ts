/** Whatever is done to the chain behind the ledger's back is found, at its place. */
import { afterAll, describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import {
  type Dated,
  type Head,
  lineOf,
  type Link,
  linkOf,
  noHead,
  seal,
  verifyChain,
} from '../../../src/ledger/chain.ts';
import { createEventStore, createMemoryEventStore, type EventStore } from '../../../src/ledger/event-store.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { fromSkane, life, newCard, newHolder, newOwned, NOW, orderFor, recordAll, registryOf } from './lives.ts';

const database = await openTestDatabase(await createDatabase());
afterAll(() => database.close());

/** A card's life until it is revoked, another's, an answer that changes nothing, and a holder's. */
async function filled(events: EventStore): Promise<{ chain: Link[]; head: Head }> {
  const [registry, owned] = [registryOf(events), newOwned()];
  await recordAll(registry, [...life(owned), fromSkane(newOwned())]);
  await registry.revoke(orderFor(owned));
  await registry.revoke(orderFor(owned));
  await recordAll(registry, [{ type: 'holder.registered', holder: newHolder(), nationalId: '19900101-••••' }]);
  const { last, ...head } = await events.head();
  return { chain: await events.page(0, last), head };
}
const { chain, head } = await filled(createMemoryEventStore());

async function* inPages(links: readonly Link[], size = 4): AsyncGenerator<readonly Link[]> {
  for (let at = 0; at < links.length; at += size) yield await Promise.resolve(links.slice(at, at + size));
}
const verify = (links: readonly Link[], noted: readonly Head[] = [head]) => verifyChain(inPages(links), { noted });
const brokenAt = async (links: readonly Link[], noted?: readonly Head[]) => {
  const verdict = await verify(links, noted);
  return verdict.outcome === 'broken' ? verdict.position : undefined;
};

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const changedAt = (place: number, change: (link: Link) => Link) =>
  chain.map((link, index) => (index === place ? change(link) : link));
/** Another character in its place, as a careful forger would choose it: still a digit, or a letter. */
const another = (character: string) =>
  character === '1' ? '2' : /\d/.test(character) ? '1' : character === 'a' ? 'b' : 'a';
const withOther = (text: string, at: number) => text.slice(0, at) + another(text[at] ?? '') + text.slice(at + 1);
const linkAt = (place: number): Link => chain[place] ?? { event: '', hash: '' };

/** Which changes of one character are not found where they were made. */
async function missed(place: number, text: string, linkFor: (text: string) => Link): Promise<string[]> {
  const changed = Array.from(text, (_, at) => withOther(text, at));
  expect(changed.length).toBeGreaterThan(60);
  const found = await Promise.all(changed.map((each) => brokenAt([...chain.slice(0, place), linkFor(each)], [])));
  return changed.filter((_, at) => found[at] !== place + 1);
}
const places = chain.map((_, index) => index);

/** A chain of these, each after the one before, whether they are possible or not. */
function sealed(events: readonly Dated['event'][], before = noHead): Link[] {
  let last = before;
  return events.map((event) => {
    const { link } = seal(last, { event, at: NOW, client: 'tests' });
    last = { position: last.position + 1, hash: link.hash };
    return link;
  });
}

describe('a chain', () => {
  it('that nobody has touched is whole, through its own head and through every one before', async () => {
    const heads = chain.map(({ hash }, index) => ({ position: index + 1, hash }));
    expect(await verify(chain, heads)).toEqual({ outcome: 'whole', events: 9, head });
    expect(await verify([], [noHead])).toEqual({ outcome: 'whole', events: 0, head: noHead });
  });

  it.each(places)('with any one character of event %d changed is broken there', async (place) => {
    const { event, hash } = linkAt(place);
    expect(await missed(place, event, (text) => ({ event: text, hash }))).toEqual([]);
  });

  it.each(places)('with any one character of hash %d changed is broken there', async (place) => {
    const { event, hash } = linkAt(place);
    expect(await missed(place, hash, (text) => ({ event, hash: text }))).toEqual([]);
  });

  it.each(places)('with any one character of line %d changed is broken there', async (place) => {
    expect(await missed(place, lineOf(linkAt(place)), linkOf)).toEqual([]);
  });

  it.each(places)('without event %d is broken there', async (place) => {
    expect(await brokenAt(chain.filter((_, index) => index !== place))).toBe(place + 1);
  });

  it.each(places)('with event %d repeated anywhere is broken there', async (place) => {
    const copy = chain[place];
    for (const where of [...places, chain.length]) {
      // Before itself, its copy is in its place and it is the one too many.
      const found = where === place ? place + 2 : where + 1;
      const changed = copy ? chain.toSpliced(where, 0, copy) : [];
      expect([where, await brokenAt(changed)]).toEqual([where, found]);
    }
  });

  it.each(places.slice(1))('with event %d before the one before is broken there', async (place) => {
    const [one, other] = [chain[place - 1], chain[place]];
    expect(await brokenAt(one && other ? chain.toSpliced(place - 1, 2, other, one) : [])).toBe(place);
  });

  it.each(places)(
    'with event %d changed and its hash made anew is broken at the next, or at the head',
    async (place) => {
      const changed = changedAt(place, ({ event }) => {
        const forged = event.replace('"client":"tests"', '"client":"thief"');
        expect(forged).not.toBe(event);
        return { event: forged, hash: hashOf(forged) };
      });
      expect(await brokenAt(changed)).toBe(Math.min(place + 2, chain.length));
    },
  );

  it('that was made anew from an event on is whole in itself, and found by a head that was noted', async () => {
    const owned = newOwned();
    const forged = [
      ...chain.slice(0, 7),
      ...sealed(life(owned).slice(0, 2), { position: 7, hash: chain[6]?.hash ?? '' }),
    ];
    expect(await brokenAt(forged, [])).toBeUndefined();
    expect(await brokenAt(forged)).toBe(9);
    expect(await brokenAt(chain.slice(0, 7), [])).toBeUndefined();
    expect(await brokenAt(chain.slice(0, 7))).toBe(8);
  });

  it('with a text that says the same in other ways is broken there', async () => {
    const ways = [
      (text: string) => `${text} `,
      (text: string) => text.replace(',', ', '),
      (text: string) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text) as object).reverse())),
      (text: string) => text.replace('"at"', '"\\u0061t"'),
    ];
    for (const way of ways) {
      const forged = changedAt(2, ({ event }) => ({ event: way(event), hash: hashOf(way(event)) }));
      expect(await verify(forged)).toMatchObject({ position: 3, problem: 'It is not canonical JSON.' });
    }
  });

  it('with an event of no known type, or not shaped as its type, is broken there', async () => {
    const forged = [{ type: 'card.unrevoked', card: newCard() }, { type: 'card.ordered' }].map((event) => {
      const text = canonicalize({
        ...event,
        holder: newHolder(),
        at: NOW,
        client: 'thief',
        position: head.position + 1,
        previous: head.hash,
      });
      return { event: text ?? '', hash: hashOf(text ?? '') };
    });
    for (const link of forged)
      expect(await verify([...chain, link])).toMatchObject({
        position: head.position + 1,
        problem: 'It is of no known type, or not as events of its type are.',
      });
  });

  it('with a step that is impossible is broken there, however well it is made', async () => {
    const [owned, other] = [newOwned(), newOwned()];
    const errand = { ...owned, reason: 'LOST', channel: 'chat', key: 'k' } as const;
    const certificates = [`${owned.card}-AUTH`, `${owned.card}-SIGN`];
    const revoked: Dated['event'] = { ...errand, type: 'card.revoked', receipt: 'S-0000-0000-0000', certificates };
    const declined: Dated['event'] = { ...errand, type: 'revocation.declined', outcome: 'expired' };
    const impossible: Dated['event'][][] = [
      [revoked, revoked],
      [revoked, { ...owned, type: 'card.handedOver' }],
      [declined],
      [{ ...revoked, certificates: [] }],
      [...life({ ...other, card: owned.card })],
      [{ ...revoked, holder: other.holder }],
    ];
    const faults = await Promise.all(impossible.map((events) => brokenAt(sealed([...life(owned), ...events]), [])));
    expect(faults).toEqual([7, 7, 6, 6, 6, 6]);
  });
});

describe('the tables of the ledger', () => {
  it('refuse to change, remove or empty what is kept', async () => {
    await filled(createEventStore(database));
    const forbidden = [
      "update ledger_events set hash = repeat('0', 64)",
      'delete from ledger_events where position = 3',
      'truncate ledger_events',
    ];
    for (const text of forbidden)
      await expect(database.run({ text }, [])).rejects.toThrow('The ledger is only added to');
  });

  it('read everything but the hash from the text, so that it cannot be said otherwise', async () => {
    const text = "insert into ledger_events (event, hash, holder) values ('{}', '', 'somebody')";
    await expect(database.run({ text }, [])).rejects.toThrow('non-DEFAULT value');
  });
});
