/**
 * Whole tables, out of a database and into an empty one, as PostgreSQL's COPY
 * writes them: text that every version of it reads.
 *
 * What goes out is of one moment, however long it takes and whoever goes on
 * writing; nobody changes the tables meanwhile. What comes in comes in whole, with every
 * constraint holding, or not at all.
 */
import type { Readable, Writable } from 'node:stream';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { asStartupProblem, type Database } from './database.ts';
import { migrate, MIGRATION_LOCK, type Migrations } from './migration.ts';

/** `size` is about how many bytes it takes. Columns that the database reckons itself are not among them. */
export type Table = { name: string; columns: string[]; size: number };

/** The last number that each sequence has given, by its name. A number is a string, since it may be large. */
export type Sequences = Record<string, string>;

/** What a database is at one moment. */
export type Moment = Pick<Database, 'run'> & {
  /** Those of ours, each after the ones it refers to. Those of pg-boss are not among them. */
  tables: Table[];
  sequences: Sequences;
  /** The rows of a table. How many they are is known when they have all been read. */
  read: (table: Pick<Table, 'name' | 'columns'>) => Readable & { rowCount: number };
};

/** A database that is being filled. */
export type Filling = Pick<Database, 'run'> & {
  /** Takes the rows of a table, in place of those it may have been made with. */
  write: (table: Pick<Table, 'name' | 'columns'>) => Promise<Writable & { rowCount: number }>;
  setSequences: (sequences: Sequences) => Promise<void>;
};

/** In milliseconds. */
const CONNECTING = 5_000;

/** How values are written, whatever the server is set to; and no limit to how long it takes. */
const MANNER = `set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local timezone = 'UTC';
  set local extra_float_digits = 3; set local search_path = public; set local statement_timeout = 0;
  set local idle_in_transaction_session_timeout = 0`;

const readTables = `select c.relname as name, pg_table_size(c.oid)::float8 as size,
    array(
      select a.attname::text from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum
    ) as columns,
    array(
      select f.relname::text from pg_constraint k join pg_class f on f.oid = k.confrelid
      where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid
    ) as refers
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by c.relname`;

const readSequences = `select sequencename as name, last_value::text as last from pg_sequences
  where schemaname = 'public' and last_value is not null`;

/** Reads a database as it is now. */
export async function readMoment<Result>(url: string, work: (moment: Moment) => Promise<Result>): Promise<Result> {
  return withClient(url, async (client) => {
    // The lock is had before the moment is, or the tables could be older than what is in them.
    await client.query('select pg_advisory_lock_shared($1)', [MIGRATION_LOCK]);
    await client.query('begin isolation level repeatable read read only');
    await client.query(MANNER);
    const { rows: tables } = await client.query<Table & { refers: string[] }>(readTables);
    const { rows: sequences } = await client.query<{ name: string; last: string }>(readSequences);
    return work({
      run: runOf(client),
      tables: inOrder(tables).map(({ name, columns, size }) => ({ name, columns, size })),
      sequences: Object.fromEntries(sequences.map(({ name, last }) => [name, last])),
      read: (table) => client.query(copyTo(`copy ${named(table)} to stdout`)),
    });
  });
}

/** Makes the tables of an empty database, and fills them. Nothing: it was not empty. */
export async function fillEmpty<Result>(
  url: string,
  migrations: readonly Migrations[],
  work: (filling: Filling) => Promise<Result>,
): Promise<Result | undefined> {
  return withClient(url, async (client) => {
    const { rows: tables } = await client.query(readTables);
    if (tables.length > 0) return undefined;
    await migrate(optionsOf(url), migrations);
    await client.query('begin');
    await client.query(MANNER);
    const result = await work({
      run: runOf(client),
      async write(table) {
        await client.query(`delete from ${pg.escapeIdentifier(table.name)}`);
        return client.query(copyFrom(`copy ${named(table)} from stdin`));
      },
      async setSequences(sequences) {
        for (const [name, last] of Object.entries(sequences))
          await client.query('select setval($1::regclass, $2::bigint)', [pg.escapeIdentifier(name), last]);
      },
    });
    await client.query('commit');
    // Nobody knows yet how many rows there are of what, and statements would be planned for none.
    await client.query('analyze');
    return result;
  });
}

const optionsOf = (url: string): pg.ClientConfig => ({
  connectionString: url,
  connectionTimeoutMillis: CONNECTING,
  keepAlive: true,
});

/** A transaction that is not committed is undone when the connection ends. */
async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client(optionsOf(url));
  // It fails the statement that is waited for, too.
  client.on('error', () => undefined);
  try {
    await client.connect().catch((mistake: unknown) => {
      throw asStartupProblem(mistake, url);
    });
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const runOf =
  (client: pg.Client): Database['run'] =>
  async <Row extends object>({ text }: { text: string }, values: readonly unknown[]) =>
    (await client.query<Row>(text, [...values])).rows;

const named = ({ name, columns }: Pick<Table, 'name' | 'columns'>): string =>
  `public.${pg.escapeIdentifier(name)} (${columns.map(pg.escapeIdentifier).join(', ')})`;

function inOrder<One extends { name: string; refers: string[] }>(tables: readonly One[]): One[] {
  const done: One[] = [];
  let left = [...tables];
  while (left.length > 0) {
    const ready = left.filter(({ refers }) => !left.some(({ name }) => refers.includes(name)));
    if (ready.length === 0) throw new Error('Tables refer to each other in a circle');
    done.push(...ready);
    left = left.filter((each) => !ready.includes(each));
  }
  return done;
}
