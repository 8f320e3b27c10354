/**
 * Where the ledger's events are kept: in PostgreSQL, or in memory for a product
 * that is only tried.
 *
 * What a decision needs is read in one statement, so it was all so at one
 * moment. Events are added only after the head one has seen: of two that
 * decided at the same time, one adds and the other decides again.
 */
import type { Database, Statement } from '../storage/database.ts';
import { type Entry, entryOf, type Head, type Link, noHead } from './chain.ts';
import { isNewCard } from './history.ts';

export type Errand = { client: string; key: string };

/** What a decision asks about. */
export type Asked = {
  holders: readonly string[];
  errands?: readonly Errand[];
  cards?: readonly string[];
  receipts?: readonly string[];
};

export type Snapshot = {
  head: Head;
  /** All events of the holders, in order. */
  entries: Entry[];
  /** What was decided on those errands before. */
  decided: Entry[];
  /** Which of those cards and receipts there are, whoever has them. */
  cards: string[];
  receipts: string[];
};

export type EventStore = {
  read: (asked: Asked) => Promise<Snapshot>;
  /** The events of a holder, in order. Of one that is protected there are none, in no more time than of nobody. */
  entriesOf: (holder: string) => Promise<Entry[]>;
  /** Adds all of them, or none if the head is another by now. */
  append: (head: Head, links: readonly Link[]) => Promise<boolean>;
  /** `last` is the position of the last event that is kept; it is the head's, unless somebody was at the tables. */
  head: () => Promise<Head & { last: number }>;
  page: (after: number, limit: number) => Promise<Link[]>;
};

const PAGE = 2_000;

/** Everything up to a position. */
export async function* pagesOf({ page }: EventStore, upTo: number): AsyncGenerator<Link[]> {
  for (let after = 0; after < upTo; after += PAGE) {
    const links = await page(after, Math.min(PAGE, upTo - after));
    if (links.length === 0) return;
    yield links;
  }
}

const read: Statement = {
  name: 'ledger-read',
  text: `select h.position, h.hash,
      array(select event from ledger_events where holder = any ($1::text[]) order by position) as entries,
      array(
        select event from unnest($2::text[], $3::text[]) as errand (client, key)
        join ledger_events e on e.client = errand.client and e.key = errand.key
      ) as decided,
      array(
        select card from ledger_events
        where card = any ($4::text[]) and type in ('card.ordered', 'card.acknowledged')
      ) as cards,
      array(select receipt from ledger_events where receipt = any ($5::text[])) as receipts
    from ledger_head h`,
};

/** The question of protection is answered first, and once; if they are, nothing more is looked for. */
const entriesOf: Statement = {
  name: 'ledger-entries-of',
  text: `select event from ledger_events
    where holder = $1 and not coalesce((
      select type = 'holder.protected' from ledger_events
      where holder = $1 and type in ('holder.protected', 'holder.unprotected') order by position desc limit 1
    ), false)
    order by position`,
};

const append: Statement = {
  name: 'ledger-append',
  text: `with moved as (
      update ledger_head set position = $3, hash = $4 where position = $1 and hash = $2 returning position
    )
    insert into ledger_events (event, hash)
    select event, added.hash from moved, unnest($5::text[], $6::text[]) as added (event, hash)
    returning position`,
};

const head: Statement = {
  name: 'ledger-head',
  text: `select position, hash, coalesce((select max(position) from ledger_events), 0) as last from ledger_head`,
};

const page: Statement = {
  name: 'ledger-page',
  text: 'select event, hash from ledger_events where position > $1 order by position limit $2',
};

type Read = Head & { entries: string[]; decided: string[]; cards: string[]; receipts: string[] };

export function createEventStore(database: Pick<Database, 'run'>): EventStore {
  const one = async <Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row> => {
    const [row] = await database.run<Row>(statement, values);
    if (!row) throw new Error('The ledger has no head');
    return row;
  };
  return {
    async read({ holders, errands = [], cards = [], receipts = [] }) {
      const row = await one<Read>(read, [
        holders,
        errands.map(({ client }) => client),
        errands.map(({ key }) => key),
        cards,
        receipts,
      ]);
      return {
        head: { position: row.position, hash: row.hash },
        entries: row.entries.map(entryOf),
        decided: row.decided.map(entryOf),
        cards: row.cards,
        receipts: row.receipts,
      };
    },
    async entriesOf(holder) {
      const rows = await database.run<{ event: string }>(entriesOf, [holder]);
      return rows.map(({ event }) => entryOf(event));
    },
    async append(before, links) {
      const last = links.at(-1);
      if (!last) return true;
      const rows = await database.run(append, [
        before.position,
        before.hash,
        before.position + links.length,
        last.hash,
        links.map(({ event }) => event),
        links.map(({ hash }) => hash),
      ]);
      return rows.length === links.length;
    },
    head: () => one(head, []),
    page: (after, limit) => database.run(page, [after, limit]),
  };
}

export function createMemoryEventStore(): EventStore {
  const kept: { entry: Entry; link: Link }[] = [];
  const entries = () => kept.map(({ entry }) => entry);
  const headNow = (): Head => ({ position: kept.length, hash: kept.at(-1)?.link.hash ?? noHead.hash });
  return {
    read: ({ holders, errands = [], cards = [], receipts = [] }) =>
      Promise.resolve({
        head: headNow(),
        entries: entries().filter(({ holder }) => holders.includes(holder)),
        decided: entries().filter(
          (entry) => 'key' in entry && errands.some(({ client, key }) => client === entry.client && key === entry.key),
        ),
        cards: entries().flatMap((entry) => (isNewCard(entry) && cards.includes(entry.card) ? [entry.card] : [])),
        receipts: entries().flatMap((entry) =>
          entry.type === 'card.revoked' && receipts.includes(entry.receipt) ? [entry.receipt] : [],
        ),
      }),
    entriesOf(holder) {
      const theirs = entries().filter((entry) => entry.holder === holder);
      const last = theirs.findLast(({ type }) => type === 'holder.protected' || type === 'holder.unprotected');
      return Promise.resolve(last?.type === 'holder.protected' ? [] : theirs);
    },
    append(before, links) {
      if (before.position !== kept.length) return Promise.resolve(false);
      kept.push(...links.map((link) => ({ entry: entryOf(link.event), link })));
      return Promise.resolve(true);
    },
    head: () => Promise.resolve({ ...headNow(), last: kept.length }),
    page: (after, limit) => Promise.resolve(kept.slice(after, after + limit).map(({ link }) => link)),
  };
}
