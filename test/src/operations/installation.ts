/**
 * A machine to install on, as far as this one can be: a prefix in place of
 * `/opt/kortlotsen`, a folder in place of `/etc/kortlotsen`, and the service
 * unit read and done as systemd would. What only a kernel can do, such as the
 * unit's walls, is not done.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse } from 'ini';
import { root } from '../../product.ts';

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
export const readUnit = (): Unit => parse(readOperations('kortlotsen@.service'), { bracketedArray: false }) as Unit;

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
      const child = spawn(file, args, {
        cwd: specified(String(Service.WorkingDirectory)),
        env: {
          PATH: '/usr/bin:/bin',
          ...settingsIn(list(Service.Environment).map(specified).join('\n')),
          ...settingsIn(readFileSync(specified(String(Service.EnvironmentFile)), 'utf8')),
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      started.push(child);
      const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
      return {
        origin: await readyAt(child, ended),
        stop() {
          child.kill(String(Service.KillSignal) as NodeJS.Signals);
          return ended;
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
export function readyAt(child: ChildProcess, ended: Promise<unknown>): Promise<string> {
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
