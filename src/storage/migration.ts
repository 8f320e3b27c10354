/**
 * Brings a database up to date while processes of the version before go on
 * serving on it.
 *
 * One process does it, and the others wait for it. A change to a table that is
 * in use waits for its lock no longer than a student does not notice, since
 * everybody else queues up behind it; then it lets them by, and tries again. A
 * database that is newer than the program is left as it is: what was added
 * does no harm to whoever does not know of it. What does harm, such as letting
 * go of a column, is a file named `…_needs-0019`: no version that ends before
 * 0019 starts on that database any more, and says so.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type RunnerOption, runner } from 'node-pg-migrate';
import pg from 'pg';
import { StartupProblem } from '../startup-problem.ts';

/** A folder of migrations, as SQL, and the table that tells which of them have been made. */
export type Migrations = {
  folder: string;
  table: string;
  /** The names of those that are to be made, where the database is to be as old as what is put in it. */
  only?: readonly string[];
};

export type Patience = {
  /** In milliseconds: how long others may be kept waiting behind a change that waits for its lock. */
  lock: number;
  /** In milliseconds: for how long to try again. */
  altogether: number;
};

/** What processes that start at once agree on, so that one of them migrates. Any number would do. */
export const MIGRATION_LOCK = 4_711_022;
const OLDEST_SERVER = 14;
/** In milliseconds. A change of a large table may take as long, and so may waiting for whoever makes it. */
const LONGEST = 600_000;
const PATIENCE: Patience = { lock: 1_000, altogether: 120_000 };
/** In milliseconds, between two tries: others get on meanwhile. */
const PAUSE = 500;
/** What PostgreSQL calls a lock that was not to be had, and one that two wait for each other for. */
const IS_IN_USE = ['55P03', '40P01'];

export async function migrate(
  connection: pg.ClientConfig,
  all: readonly Migrations[],
  { lock, altogether }: Patience = PATIENCE,
): Promise<void> {
  const client = new pg.Client({ ...connection, statement_timeout: LONGEST, keepAlive: true });
  // It fails the statement that is waited for, too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await requireServer(client);
    const missing = await Promise.all(all.map((each) => isMissingSome(client, each)));
    if (!missing.some(Boolean)) return;
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const end = performance.now() + altogether;
    for (const each of all) await patiently(client, end, () => makeMissing(client, each, lock));
  } finally {
    // The lock goes with the connection.
    await client.end().catch(() => undefined);
  }
}

async function requireServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
  const version = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  if (version >= OLDEST_SERVER) return;
  const problem = `The database is PostgreSQL ${version}, and at least ${OLDEST_SERVER} is needed.`;
  throw new StartupProblem('databaseIsBroken', problem);
}

/** Of most starts nothing is, and then nobody is waited for. */
async function isMissingSome(client: pg.Client, { folder, table }: Migrations): Promise<boolean> {
  const known = await migrationsIn(folder);
  const { rows: tables } = await client.query<{ is_there: boolean }>('select to_regclass($1) is not null as is_there', [
    `public.${table}`,
  ]);
  if (!tables[0]?.is_there) return true;
  const { rows } = await client.query<{ name: string }>(`select name from public.${pg.escapeIdentifier(table)}`);
  const made = new Set(rows.map(({ name }) => name));
  const newest = Math.max(...known.map(numberOf));
  const needed = Math.max(0, ...[...made].filter((name) => !known.includes(name)).map(neededBy));
  if (needed > newest) {
    throw new StartupProblem(
      'databaseIsBroken',
      `The database is of a newer version, and this one is too old for it (it ends at migration ${newest}, and at least ${needed} is needed); start the newer one, or restore a backup from before it.`,
    );
  }
  return known.some((name) => !made.has(name));
}

/** The names of all migrations in a folder. */
export const migrationsIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.sql')).map((name) => basename(name, '.sql'));

const numberOf = (name: string): number => Number.parseInt(name, 10);
const neededBy = (name: string): number => Number(/_needs-(\d{4})$/.exec(name)?.[1] ?? 0);

/** Those that were made before one had to wait stay made. */
async function patiently(client: pg.Client, end: number, make: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await make();
      return;
    } catch (mistake) {
      if (!(mistake instanceof pg.DatabaseError) || !IS_IN_USE.includes(mistake.code ?? '')) throw mistake;
      await client.query('rollback');
      if (performance.now() > end) {
        throw new StartupProblem(
          'databaseCannotBeReached',
          'The database could not be brought up to date, since its tables are in use without a pause; end what holds them, and start again.',
        );
      }
      await wait(PAUSE + Math.random() * PAUSE);
    }
  }
}

const makeMissing = (client: pg.Client, { folder, table, only }: Migrations, lock: number) =>
  runner({
    dbClient: client,
    dir: join(folder, '*.sql'),
    useGlob: true,
    direction: 'up',
    migrationsTable: table,
    noLock: true,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    migrationLoaderStrategies: [{ extensions: ['.sql'], loader: loading(lock, only) }],
  });

/** An index that is made beside those who write holds nobody up, takes no transaction, and a statement at a time. */
const loading =
  (lock: number, only: readonly string[] | undefined): Loader =>
  (files) =>
    Promise.all(
      files
        .filter((file) => only?.includes(basename(file, '.sql')) ?? true)
        .map(async (file) => {
          const text = await readFile(file, 'utf8');
          const isBeside = /\bconcurrently\b/i.test(text);
          return {
            id: file,
            filePaths: [file],
            actions: {
              up(migration) {
                if (isBeside) migration.noTransaction();
                else migration.sql(`set local lock_timeout = ${lock}`);
                const statements = isBeside ? text.split(';').filter((each) => each.trim() !== '') : [text];
                for (const statement of statements) migration.sql(statement);
              },
              down: false,
            },
          };
        }),
    );

type Strategy = NonNullable<RunnerOption['migrationLoaderStrategies']>[number];
type Loader = Exclude<Strategy['loader'], string>;

function silent(): void {
  // What a migration does is told by its file.
}
