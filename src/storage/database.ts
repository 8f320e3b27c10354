/**
 * PostgreSQL, by its URL: statements, and what wakes others up.
 *
 * Everything here ends within its time limits. A database that cannot be used
 * stops the start with one sentence; one that goes away later makes the
 * statement fail, and the next one finds it again.
 */
import pg from 'pg';
import { StartupProblem } from '../startup-problem.ts';
import { migrate, type Migrations } from './migration.ts';

/** One that has a name is prepared, once a connection. */
export type Statement = { name?: string; text: string };

export type Database = {
  /** Runs one statement, in a transaction of its own. */
  run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /** Tells everybody who listens on this database. A message is short, and may be lost. */
  tell(channel: string, message: string): Promise<void>;
  /** Listens on a connection of its own, which is made again when it is lost, until it is told to stop. */
  listen(channel: string, hear: (message: string) => void): Promise<() => Promise<void>>;
  /** How many connections listen there, of all processes. */
  listeners(channel: string): Promise<number>;
  /** Of the connections that statements run on: how many are open, how many of those are idle, and who waits for one. */
  connections(): { open: number; idle: number; waited: number };
  /** Whether it answers. */
  isUp(): Promise<boolean>;
  close(): Promise<void>;
};

/** In milliseconds. */
const CONNECTING = 5_000;
const STATEMENT = 10_000;
const LISTENING_AGAIN = 1_000;
/** Connections of one process. A turn holds one for a statement at a time. */
const CONNECTIONS = 20;
const IDLE = 300_000;
/** Every statement has one good plan, and planning it anew costs more than running it. */
const PLANNED_ONCE = '-c plan_cache_mode=force_generic_plan';

/** Opens the database and brings it up to date. */
export async function openDatabase(
  url: string,
  migrations: readonly Migrations[],
  onMistake: (mistake: unknown) => void,
): Promise<Database> {
  const options = { connectionString: readable(url), connectionTimeoutMillis: CONNECTING, options: PLANNED_ONCE };
  await migrate(options, migrations).catch((mistake: unknown) => {
    throw asStartupProblem(mistake, url);
  });
  const pool = new pg.Pool({
    ...options,
    max: CONNECTIONS,
    idleTimeoutMillis: IDLE,
    statement_timeout: STATEMENT,
    query_timeout: STATEMENT + 2_000,
  });
  // A connection that dies while nobody uses it. The pool has let go of it already.
  pool.on('error', onMistake);

  let isClosed = false;
  const listeners = new Set<pg.Client>();
  /** Those that are just being made, which might come into being after all others have been ended. */
  const beginning = new Set<Promise<unknown>>();

  const listen: Database['listen'] = async (channel, hear) => {
    const client = new pg.Client({ ...options, keepAlive: true });
    let stop = async (): Promise<void> => {
      listeners.delete(client);
      await client.end().catch(() => undefined);
    };
    const again = () => {
      if (!listeners.delete(client) || isClosed) return;
      client.end().catch(() => undefined);
      const timer = setTimeout(() => {
        // Nobody would end it any more, and the process would not end of itself.
        if (isClosed) return;
        listen(channel, hear).then((stopNext) => {
          stop = stopNext;
        }, onMistake);
      }, LISTENING_AGAIN).unref();
      stop = () => {
        clearTimeout(timer);
        return Promise.resolve();
      };
    };
    listeners.add(client);
    client.on('error', again);
    client.on('end', again);
    client.on('notification', ({ payload = '' }) => {
      hear(payload);
    });
    const begun = client.connect().then(() => client.query(listening(channel)));
    beginning.add(begun);
    try {
      await begun;
    } catch (mistake) {
      again();
      throw mistake;
    } finally {
      beginning.delete(begun);
    }
    return () => stop();
  };

  return {
    async run<Row extends object>(statement: Statement, values: readonly unknown[]) {
      const { text } = statement;
      const asked = { values: [...values] };
      const { rows } = await pool.query<Row>({ ...statement, ...asked }).catch((mistake: unknown) => {
        if (!isPlanOutdated(mistake)) throw mistake;
        return pool.query<Row>({ text, ...asked });
      });
      return rows;
    },
    async tell(channel, message) {
      await pool.query({ name: 'tell', text: 'select pg_notify($1, $2)', values: [channel, message] });
    },
    listen,
    async listeners(channel) {
      // Whoever listens does so on a connection of its own, and does nothing else there.
      const { rows } = await pool.query<{ count: number }>(
        'select count(*)::integer from pg_stat_activity where datname = current_database() and query = $1',
        [listening(channel)],
      );
      return rows[0]?.count ?? 0;
    },
    connections: () => ({ open: pool.totalCount, idle: pool.idleCount, waited: pool.waitingCount }),
    isUp: () =>
      pool.query({ name: 'ping', text: 'select 1' }).then(
        () => true,
        () => false,
      ),
    async close() {
      isClosed = true;
      await Promise.allSettled(beginning);
      await Promise.all([...listeners].map((client) => client.end().catch(() => undefined)));
      await pool.end();
    },
  };
}

const listening = (channel: string): string => `listen ${pg.escapeIdentifier(channel)}`;

/** Unique violations are answers to some statements: the row is there already. */
export const isDuplicate = (mistake: unknown): boolean =>
  mistake instanceof pg.DatabaseError && mistake.code === '23505';

/** A newer version has added a column to what was prepared here. Nothing has been done, and may be asked for anew. */
const isPlanOutdated = (mistake: unknown): boolean =>
  mistake instanceof pg.DatabaseError && mistake.code === '0A000' && mistake.message.startsWith('cached plan');

function readable(url: string): string {
  try {
    new URL(url);
    return url;
  } catch {
    throw new StartupProblem(
      'databaseCannotBeReached',
      'DATABASE_URL is no address; write it as postgresql://user:password@host:5432/database.',
    );
  }
}

/** Says where, but neither as whom nor with which password. */
export function asStartupProblem(mistake: unknown, url: string): unknown {
  if (mistake instanceof StartupProblem) return mistake;
  const { host, pathname, searchParams } = new URL(url);
  const where = `${searchParams.get('host') ?? host}${pathname}`;
  const code = mistake instanceof Error && 'code' in mistake ? String(mistake.code) : '';
  if (code === '53100')
    return new StartupProblem('diskIsFull', `The disk of the database at ${where} is full; make room and start again.`);
  if (code === '28P01' || code === '28000')
    return new StartupProblem(
      'databaseCannotBeReached',
      `The database at ${where} does not accept the user and password of DATABASE_URL.`,
    );
  if (code === '3D000')
    return new StartupProblem(
      'databaseCannotBeReached',
      `There is no database ${pathname.slice(1)} at ${host}; create it, or mend DATABASE_URL.`,
    );
  if (/^[0-9A-Z]{5}$/.test(code) && !/^(08|57)/.test(code))
    return new StartupProblem(
      'databaseIsBroken',
      `The database at ${where} could not be brought up to date (PostgreSQL says ${code}); restore it from a backup, or use another.`,
    );
  return new StartupProblem(
    'databaseCannotBeReached',
    `The database at ${where} does not answer${code && ` (${code})`}; start it, or mend DATABASE_URL.`,
  );
}
