/** One PostgreSQL server for the tests of a file, and a database of its own for each of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../src/storage/embedded-postgres.ts';
import { keepPeople } from '../written.ts';
import { ifWeDie } from './built-product.ts';

/** In milliseconds: how long a statement of ours may take. */
const ONE_STATEMENT = 30_000;
const STARTING = 60_000;

export type DatabaseServer = {
  /** Gone with the server; for whatever else a test keeps. */
  folder: string;
  /** Makes an empty database, and returns its URL. */
  create: () => Promise<string>;
  stop: () => Promise<void>;
};

/** One that dies, and comes back where it was with all that it has committed. */
export type MortalDatabaseServer = DatabaseServer & {
  /** Ends the server at once: by SIGKILL the one that watches over the others, by SIGQUIT all of them. */
  kill: (signal: 'SIGKILL' | 'SIGQUIT') => Promise<void>;
  /** Resolves when it answers. */
  restart: () => Promise<void>;
};

export async function startDatabaseServer(): Promise<DatabaseServer> {
  const { start, url } = await makeServer();
  return {
    ...start,
    async stop() {
      try {
        await keepPeople(url);
      } finally {
        await start.stop();
      }
    },
  };
}

/** How what was started for tests, to be fast and lost, is started to be killed. */
const MORTAL: Readonly<Record<string, string>> = { synchronous_commit: 'on', track_commit_timestamp: 'on' };

export async function startMortalDatabaseServer(): Promise<MortalDatabaseServer> {
  const { start, url, data } = await makeServer();
  // As it was started, word by word.
  const [, program = '', written = ''] =
    /^(\S+) "(.*)"\n$/s.exec(readFileSync(join(data, 'postmaster.opts'), 'utf8')) ?? [];
  const kept = written.split('" "').filter((each, index, all) => {
    const setting = each === '-c' ? (all[index + 1] ?? '') : each;
    return !Object.keys(MORTAL).some((name) => setting.startsWith(`${name}=`));
  });
  const settings = [...kept, ...Object.entries(MORTAL).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const sockets = new URL(url).searchParams.get('host') ?? '';
  const { uid, gid } = statSync(data);
  const account = process.getuid?.() === 0 ? { uid, gid } : {};
  let running: ChildProcess | undefined;
  const pidNow = (): number => Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);

  const isUp = (): Promise<boolean> =>
    withClient(url, (client) => client.query('select')).then(
      () => true,
      () => false,
    );
  const restart = async (): Promise<void> => {
    for (const end = Date.now() + STARTING; Date.now() < end;) {
      if (running?.exitCode !== null || running.signalCode !== null) {
        // It may have been taken away with the server that was started first.
        mkdirSync(sockets, { recursive: true, mode: 0o700 });
        chownSync(sockets, uid, gid);
        const options = {
          ...account,
          cwd: '/',
          env: { LC_ALL: 'C', TZ: 'UTC' },
          detached: true,
          stdio: 'ignore' as const,
        };
        // What is left of the one before may hold its memory for a moment; then it ends, and is started again.
        running = spawn(program, settings, options);
      }
      if (await isUp()) return;
      await wait(50);
    }
    throw new Error('PostgreSQL did not come back');
  };
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    const dying = running;
    const dead = dying && once(dying, 'exit');
    process.kill(pidNow(), signal);
    await dead;
  };

  process.kill(pidNow(), 'SIGQUIT');
  while (await isUp()) await wait(20);
  await restart();
  return {
    ...start,
    kill,
    restart,
    async stop() {
      try {
        await keepPeople(url);
      } finally {
        await kill('SIGQUIT');
        await start.stop();
      }
    },
  };
}

async function makeServer(): Promise<{ start: DatabaseServer; url: string; data: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  // The account that PostgreSQL runs as is another, if we are root.
  chmodSync(folder, 0o755);
  const server = await startEmbeddedPostgres(join(folder, 'postgres'), { isThrowaway: true });
  const data = join(server.folder, 'data');
  // Whichever it is by then.
  const forget = ifWeDie(
    'kill -QUIT "$(head -n 1 "$0/postmaster.pid")"; rm -rf "$1" "$2"',
    data,
    server.folder,
    folder,
  );
  let made = 0;
  const start: DatabaseServer = {
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
  return { start, url: server.url, data };
}

export async function withClient<Result>(url: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: ONE_STATEMENT,
    statement_timeout: ONE_STATEMENT,
    query_timeout: ONE_STATEMENT + 2_000,
  });
  // The server may die under it; then its next statement fails.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const UNFINISHED = `
  select id || case when turns = 0 then ' has not begun' else ' has ' || waiting || ' messages that wait' end as what
    from conversations where waiting > 0 or turns = 0
  union all
  select reference || ' is ' || state from requests where state in ('open', 'unsettled')
  union all
  select id || ' has not been delivered all' from conversations where is_pushed and replied_seq > delivered_seq`;

/** Waits until nobody is at work on these rows, and nobody will be. Returns what is not done when patience ends. */
export async function untilQuiet(client: Client, patience: number): Promise<string[]> {
  for (const end = Date.now() + patience; ;) {
    const { rows } = await client.query<{ what: string }>(UNFINISHED);
    if (rows.length === 0 || Date.now() > end) return rows.map(({ what }) => what);
    await wait(100);
  }
}
