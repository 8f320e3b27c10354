/**
 * The product as its users run it: processes of `kortlotsen serve`, or of
 * another of its commands, which can be killed and started again at the same
 * address.
 *
 * They run from a copy of the build, so that a build meanwhile pulls nothing
 * away from under one that is started again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '../..');

/** Whether there is time for many more students and kills. */
export const isLong = process.env.KORTLOTSEN_FAULTS === 'long';

/** What is written to a human is not answered by the bot. Where nobody is, a case is kept, and the bot goes on. */
export const nobodyAtTheDesk = { SERVICEDESK_HOURS: 'sön 03:00-03:01' };

export type Product = {
  /** Where each process is reached. */
  origins: readonly string[];
  /** What the connections of each process are called in the database. */
  names: readonly string[];
  /** Ends one of them as a power cut would. */
  kill: (nth: number) => Promise<void>;
  /** Sends one of them a signal, if it runs. */
  signal: (nth: number, signal: NodeJS.Signals) => void;
  /** Asks one of them to end, and gives its exit code. */
  end: (nth: number) => Promise<number | null>;
  /** Starts one that has ended, where it was; from another copy, if that is given. Resolves when it serves. */
  restart: (nth: number, from?: string) => Promise<void>;
  /** Every line that a process has written, besides where it is: only warnings and mistakes are. */
  logged: () => string[];
  stop: () => Promise<void>;
};

const READY = 'Kortlotsen is at http';
/** In milliseconds. */
const STARTING = 90_000;
const STOPPING = 15_000;

/** What is run: `serve`, or another command that serves. */
export type Manner = {
  command: readonly string[];
  /** What its connections are called in the database, before a number. */
  name: string;
  count: number;
  /** Besides its port and its name. */
  environment: (nth: number) => Record<string, string>;
};

/** Runs processes from a copy of the build. */
export async function startProduct(home: string, { command, name, count, environment }: Manner): Promise<Product> {
  const ports = await freePorts(count);
  const names = ports.map((_, nth) => `${name} ${nth}`);
  const lines: string[] = [];
  const running = new Map<number, Started>();

  const start = async (nth: number, from = home): Promise<void> => {
    const env = {
      LOG_LEVEL: 'warn',
      NODE_ENV: 'development',
      ...environment(nth),
      PATH: process.env.PATH,
      PORT: String(ports[nth]),
      PGAPPNAME: names[nth],
    };
    const started = launch([programIn(from), ...command], env, (line) => {
      if (!line.startsWith(READY)) lines.push(line);
    });
    running.set(nth, started);
    await started.ready;
  };
  const endOne = async (nth: number, signal: NodeJS.Signals): Promise<number | null> => {
    const started = running.get(nth);
    running.delete(nth);
    return (await started?.end(signal)) ?? null;
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...running.keys()].map((nth) => endOne(nth, 'SIGTERM')));
  };

  try {
    // One after the other would take as long, and starting at once is a fault to withstand, too.
    await Promise.all(ports.map((_, nth) => start(nth)));
  } catch (mistake) {
    await stop();
    throw mistake;
  }
  return {
    origins: ports.map((port) => `http://127.0.0.1:${port}`),
    names,
    async kill(nth) {
      await endOne(nth, 'SIGKILL');
    },
    end: (nth) => endOne(nth, 'SIGTERM'),
    restart: start,
    signal: (nth, signal) => running.get(nth)?.signal(signal),
    logged: () => [...lines],
    stop,
  };
}

/** Runs a command that ends by itself. */
export async function runToItsEnd(
  home: string,
  command: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ status: number | null; told: string }> {
  const env = { ...environment, PATH: process.env.PATH };
  const child = spawn(process.execPath, [programIn(home), ...command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      told += data.toString();
    });
  }
  await once(child, 'close');
  return { status: child.exitCode, told };
}

const programIn = (home: string): string => join(home, 'dist/kortlotsen.js');

type Started = {
  ready: Promise<void>;
  signal: (signal: NodeJS.Signals) => void;
  end: (signal: NodeJS.Signals) => Promise<number | null>;
};

function launch(command: readonly string[], env: NodeJS.ProcessEnv, complain: (line: string) => void): Started {
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const forget = ifWeDie('kill -KILL "$0"', String(child.pid));
  child.once('exit', forget);
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', complain);
  let isEnding = false;
  child.once('exit', (code, signal) => {
    if (!isEnding) complain(`A process has ended by itself: ${code ?? signal}`);
  });
  return {
    ready: readinessOf(child, child.stderr),
    signal: (signal) => void child.kill(signal),
    end(signal) {
      isEnding = true;
      return end(child, signal);
    },
  };
}

function readinessOf(child: ChildProcess, stderr: Readable): Promise<void> {
  let told = '';
  return new Promise((resolve, reject) => {
    const fail = () => {
      reject(new Error(`A process of the product is not ready. It says: ${told}`));
    };
    const late = setTimeout(fail, STARTING);
    child.once('error', fail);
    child.once('exit', () => {
      clearTimeout(late);
      fail();
    });
    stderr.on('data', (data: Buffer) => {
      told += data.toString();
      if (!told.includes(READY)) return;
      clearTimeout(late);
      resolve();
    });
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), STOPPING);
  await exited;
  clearTimeout(late);
  return child.exitCode;
}

/**
 * Runs a line of shell when this process ends in whichever way, also when it is
 * killed. Returns how to call that off.
 */
export function ifWeDie(line: string, ...values: string[]): () => void {
  const guard = spawn('/bin/sh', ['-c', `read -r _; ${line}`, ...values], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Out of reach of the Ctrl+C of our terminal.
    detached: true,
  });
  guard.on('error', () => undefined);
  guard.unref();
  return () => {
    guard.kill('SIGKILL');
  };
}

/** The parts of the product that a build writes or an editor may be writing, and links to the rest. Says where. */
export function copyBuild(folder: string): string {
  const home = mkdtempSync(join(folder, 'product-'));
  for (const name of ['dist', 'content']) cpSync(join(root, name), join(home, name), { recursive: true });
  for (const name of ['src', 'node_modules', 'package.json']) symlinkSync(join(root, name), join(home, name));
  return home;
}

/** Each is held until all are found, so that they are different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => promisify(server.close.bind(server))()));
  return ports;
}

/** What processes have logged besides what they always do, and how often. */
export function countedMistakes(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of lines.filter((each) => !each.includes('"level":30'))) {
    const what = /"message":"([^"]*)"/.exec(line)?.[1] ?? line;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} times: ${what}`);
}
