/** One PostgreSQL server for the tests of a file, and a database of its own for each of them. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../src/storage/embedded-postgres.ts';
import { ifWeDie } from './built-product.ts';

/** In milliseconds: how long a statement of ours may take. */
const ONE_STATEMENT = 30_000;

export type DatabaseServer = {
  /** Gone with the server; for whatever else a test keeps. */
  folder: string;
  /** Makes an empty database, and returns its URL. */
  create: () => Promise<string>;
  stop: () => Promise<void>;
};

export async function startDatabaseServer(): Promise<DatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  // The account that PostgreSQL runs as is another, if we are root.
  chmodSync(folder, 0o755);
  const server = await startEmbeddedPostgres(join(folder, 'postgres'), { isThrowaway: true });
  const [pid = ''] = readFileSync(join(server.folder, 'data/postmaster.pid'), 'utf8').split('\n');
  const forget = ifWeDie('kill -QUIT "$0"; rm -rf "$1" "$2"', pid, server.folder, folder);
  let made = 0;
  return {
    folder,
    async create() {
      const name = `faults_${++made}`;
      await withClient(server.url, (client) => client.query(`create database ${name}`));
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    async stop() {
      await server.stop();
      forget();
      for (const each of [server.folder, folder]) rmSync(each, { recursive: true, force: true });
    },
  };
}

export async function withClient<Result>(url: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: ONE_STATEMENT,
    statement_timeout: ONE_STATEMENT,
    query_timeout: ONE_STATEMENT + 2_000,
  });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

const UNFINISHED = `
  select id || case when turns = 0 then ' has not begun' else ' has ' || waiting || ' messages that wait' end as what
    from conversations where waiting > 0 or turns = 0
  union all
  select reference || ' is ' || state from requests where state in ('open', 'unsettled')`;

/** Waits until nobody is at work on these rows, and nobody will be. Returns what is not done when patience ends. */
export async function untilQuiet(client: Client, patience: number): Promise<string[]> {
  for (const end = Date.now() + patience; ;) {
    const { rows } = await client.query<{ what: string }>(UNFINISHED);
    if (rows.length === 0 || Date.now() > end) return rows.map(({ what }) => what);
    await wait(100);
  }
}
