/** The built product in a process of its own, as whoever runs it starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { root } from './product.ts';
import { keepMetrics, keepWritten } from './written.ts';

export type Serving = {
  origin: string;
  process: ChildProcess;
  /** Everything it has logged so far. */
  log: () => string;
  /** Waits until it has logged it: what it has written reaches us after what it has answered. */
  logged: (text: RegExp) => Promise<void>;
  /** Everything it has said on standard error so far. */
  err: () => string;
  /** Asks it to stop, and gives its exit code. */
  stop: () => Promise<number | null>;
};

export type Ended = { code: number | null; err: string };

/** Starts it, and gives up if it ends before it is ready. */
export async function startServing(environment: Record<string, string>, ...args: string[]): Promise<Serving> {
  const started = spawnServing(environment, args);
  const ready = await Promise.race([started.ready, started.ended]);
  if (typeof ready !== 'string') throw new Error(`It ended with ${ready.code}: ${ready.err}`);
  return {
    origin: ready,
    process: started.process,
    log: started.log,
    async logged(text) {
      while (!text.test(started.log())) {
        const isMore = once(started.process.stdout, 'data').then(() => true);
        if (!(await Promise.race([isMore, started.ended.then(() => false)])))
          throw new Error(`It never logged ${text}`);
      }
    },
    err: started.err,
    async stop() {
      await keepMetrics(ready);
      started.process.kill('SIGTERM');
      return (await started.ended).code;
    },
  };
}

/** Starts it in order to see it fail. */
export async function failToServe(environment: Record<string, string>, ...args: string[]): Promise<Ended> {
  const { process: child, ready, ended } = spawnServing(environment, args);
  const how = await Promise.race([ready, ended]);
  if (typeof how !== 'string') return how;
  child.kill('SIGTERM');
  await ended;
  throw new Error('It started');
}

/** A port that nobody listens on, for a server whose address has to be known before it starts. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port is free');
  return address.port;
}

/** What DIRECT_LINE_HUBS says of a hub that has this secret, and its pages there. */
export const hub = (name: string, secret: string, ...origins: string[]): string =>
  [name, createHash('sha256').update(secret).digest('hex'), origins.join('+')].join(':');

function spawnServing(environment: Record<string, string>, args: readonly string[]) {
  const child = spawn(process.execPath, [join(root, 'dist/kortlotsen.js'), 'serve', ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', keepWritten('log'));
  child.stderr.on('data', keepWritten('errors'));
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  const ended = once(child, 'close').then(([code]: (number | null)[]): Ended => ({ code: code ?? null, err }));
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      err += `${line}\n`;
      const origin = /^Kortlotsen is at (\S+)\./.exec(line)?.[1];
      if (origin) resolve(origin);
    });
  });
  return { process: child, ended, ready, log: () => out, err: () => err };
}
