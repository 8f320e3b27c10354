/**
 * A machine to install on, as far as this one can be: a prefix in place of
 * `/opt/kortlotsen`, a folder in place of `/etc/kortlotsen`, and the service
 * unit read and done as systemd would. What only a kernel can do, such as the
 * unit's walls, is not done.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DockerfileParser } from 'dockerfile-ast';
import { parse } from 'ini';
import { root } from '../../product.ts';
import { keepWritten } from '../../written.ts';

export type Ran = { code: number; out: string; err: string };

export type Machine = {
  prefix: string;
  /** Where settings and secrets are. */
  etc: string;
  /** A clone that has been built, to change and install from. Its packages are a link. */
  clone: () => string;
  install: (clone: string, ...args: string[]) => Promise<Ran>;
  /** Runs a command as `kortlotsen.sh` does. */
  run: (...args: string[]) => Promise<Ran>;
  /** Starts an instance as its unit says. Resolves when it serves. */
  start: (instance: number) => Promise<Instance>;
  /** Starts what a container starts, in a folder of its own that has to stay empty. */
  startContainer: () => Promise<Instance>;
  /** Ends what still runs, and leaves nothing. */
  clean: () => void;
};

export type Instance = {
  origin: string;
  /** Asks it to end, as systemd does, and says how it ended. */
  stop: () => Promise<number | null>;
};

export type Unit = Record<string, Record<string, string | string[]>>;

export const operations = join(root, 'src/operations');
export const readOperations = (name: string): string => readFileSync(join(operations, name), 'utf8');
export const readUnit = (): Unit => parse(readOperations('kortlotsen@.service'), { bracketedArray: false });

/**
 * A port that nobody listens on, and nobody will: it is below those that are given to whoever asks for any, as other
 * tests do meanwhile.
 */
export async function quietPort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(12_000, 32_000), '127.0.0.1');
    const isFree = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]);
    const address = server.address();
    server.close();
    if (isFree && typeof address === 'object' && address) return address.port;
  }
}

/** What the container's file says, instruction by instruction. */
export const readDockerfile = () =>
  DockerfileParser.parse(readOperations('Dockerfile'))
    .getInstructions()
    .map((each) => ({
      keyword: each.getKeyword(),
      args: each.getArguments().map((argument) => argument.getValue()),
      text: each.getRawArgumentsContent() ?? '',
    }));

/** What is run, as its list is written at the end of an instruction. */
export const commandIn = (text: string): string[] => JSON.parse(text.slice(text.indexOf('['))) as string[];

/** What a container starts, and with which settings of its own. */
export function startOfContainer() {
  const textOf = (keyword: string) => readDockerfile().findLast((each) => each.keyword === keyword)?.text ?? '';
  const [file = '', ...args] = [...commandIn(textOf('ENTRYPOINT')), ...commandIn(textOf('CMD'))];
  return { file, args, environment: settingsIn(textOf('ENV').replaceAll(' ', '\n')) };
}

const list = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat());

/** The settings in a file, as systemd, compose and Node read them where nothing is quoted. */
export const settingsIn = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => /^\w+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

export function makeMachine(): Machine {
  const home = mkdtempSync(join(tmpdir(), 'kortlotsen-installation-'));
  const [prefix, etc] = [join(home, 'opt'), join(home, 'etc')];
  mkdirSync(join(etc, 'secrets'), { recursive: true });
  const started: ChildProcess[] = [];
  const here = (text: string): string =>
    text
      .replaceAll('/opt/kortlotsen', prefix)
      .replaceAll('/etc/kortlotsen', etc)
      .replaceAll('/usr/bin/node', process.execPath);

  const script = join(home, 'kortlotsen.sh');
  writeFileSync(script, here(readOperations('kortlotsen.sh')));

  const begin = async (
    file: string,
    args: readonly string[],
    { cwd, env, signal }: { cwd: string; env: Record<string, string>; signal: string },
  ): Promise<Instance> => {
    const child = spawn(file, args, {
      cwd,
      env: { PATH: '/usr/bin:/bin', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(child);
    child.stdout.on('data', keepWritten('log'));
    child.stderr.on('data', keepWritten('errors'));
    const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
    const stop = () => {
      child.kill(signal as NodeJS.Signals);
      return ended;
    };
    return { origin: await readyAt(child, ended), stop };
  };

  const runToItsEnd = (file: string, args: readonly string[]): Promise<Ran> =>
    new Promise((resolve) => {
      execFile(file, args, { env: { PATH: process.env.PATH }, cwd: home }, (problem, out, err) => {
        resolve({ code: typeof problem?.code === 'number' ? problem.code : problem ? -1 : 0, out, err });
      });
    });

  return {
    prefix,
    etc,
    clone() {
      const clone = mkdtempSync(join(home, 'clone-'));
      for (const name of ['src', 'dialogs', 'content', 'dist'])
        cpSync(join(root, name), join(clone, name), {
          recursive: true,
          filter: (path) => !path.endsWith('.map') && !path.startsWith(join(root, 'dist/bench')),
        });
      for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE', 'README.md'])
        cpSync(join(root, name), join(clone, name));
      symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
      return clone;
    },
    install: (clone, ...args) =>
      runToItsEnd(process.execPath, [join(clone, 'src/operations/install.mjs'), '--to', prefix, ...args]),
    run: (...args) => runToItsEnd('/bin/sh', [script, ...args]),
    async start(instance) {
      const { Service = {} } = readUnit();
      const credentials = mkdtempSync(join(home, 'credentials-'));
      for (const line of list(Service.LoadCredential)) {
        const [name = '', file = ''] = line.split(':');
        cpSync(here(file), join(credentials, name));
      }
      const specified = (text: string) =>
        here(text)
          .replaceAll('%i', String(instance))
          .replaceAll('%d', credentials)
          .replaceAll('%S', join(home, 'state'));
      const [file = '', ...args] = specified(String(Service.ExecStart)).split(' ');
      return begin(file, args, {
        cwd: specified(String(Service.WorkingDirectory)),
        env: {
          ...settingsIn(list(Service.Environment).map(specified).join('\n')),
          ...settingsIn(readFileSync(specified(String(Service.EnvironmentFile)), 'utf8')),
        },
        signal: String(Service.KillSignal),
      });
    },
    async startContainer() {
      const { args, environment } = startOfContainer();
      const inside = args.map((arg) => arg.replace(/^\/kortlotsen\//, `${prefix}/current/`));
      const cwd = mkdtempSync(join(home, 'container-'));
      const env = {
        ...environment,
        ...settingsIn(readFileSync(join(etc, 'kortlotsen.env'), 'utf8')),
        DATABASE_URL_FILE: join(etc, 'secrets/DATABASE_URL'),
        PORT: '0',
      };
      const { origin, stop } = await begin(process.execPath, inside, { cwd, env, signal: 'SIGTERM' });
      return {
        origin: origin.replace('0.0.0.0', '127.0.0.1'),
        async stop() {
          const code = await stop();
          return readdirSync(cwd).length === 0 ? code : null;
        },
      };
    },
    clean() {
      for (const child of started) child.kill('SIGKILL');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Where it says that it serves. */
function readyAt(child: ChildProcess, ended: Promise<unknown>): Promise<string> {
  let told = '';
  return new Promise((resolve, reject) => {
    void ended.then(() => {
      reject(new Error(`It ended before it served: ${told}`));
    });
    if (!child.stderr) return;
    createInterface({ input: child.stderr }).on('line', (line) => {
      told += `${line}\n`;
      const origin = /^Kortlotsen is at (\S+)\. /.exec(line)?.[1];
      if (origin) resolve(origin);
    });
  });
}
