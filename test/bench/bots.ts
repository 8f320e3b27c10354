/** The bots, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Bot = {
  name: string;
  url: string;
  pid: number;
  /** In bytes, of what is in use once its garbage is collected. */
  heapInUse: () => Promise<number>;
  stop: () => Promise<void>;
};

/** Of the Bot Framework's own names; and of what it keeps: nothing, or ConversationState and UserState in its memory. */
export const startEchoBot = (
  keeps: 'nothing' | 'state',
  settings: Record<string, string>,
  profiles?: string,
): Promise<Bot> =>
  start(
    keeps === 'nothing' ? 'EchoBot' : 'EchoBot with state',
    [join(import.meta.dirname, 'echo-bot.js'), keeps],
    settings,
    profiles,
  );

/** At a fixed time, so that the same question always has the same answer. */
export const startKortlotsen = (
  databaseUrl: string,
  profiles?: string,
  settings: Record<string, string> = {},
): Promise<Bot> =>
  start(
    'Kortlotsen',
    ['dist/kortlotsen.js', 'serve', '--at', '2026-11-23T08:00'],
    { DATABASE_URL: databaseUrl, PORT: '0', LOG_LEVEL: 'warn', ...settings },
    profiles,
  );

/** What is run in a bot before its program. */
const TELLS_ITS_HEAP = `process.on('SIGUSR2', () => {
  gc();
  process.stderr.write('Its heap is ' + process.memoryUsage().heapUsed + '\\n');
});`;

async function start(
  name: string,
  program: string[],
  settings: Record<string, string>,
  profiles?: string,
): Promise<Bot> {
  const flags = [
    '--expose-gc',
    `--import=data:text/javascript,${encodeURIComponent(TELLS_ITS_HEAP)}`,
    ...(profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : []),
  ];
  const bot = spawn(process.execPath, [...flags, ...program], {
    // Nothing that this shell happens to set for a bot.
    env: { PATH: process.env.PATH, TZ: process.env.TZ, ...settings },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const told: ((heap: number) => void)[] = [];
  const url = await addressOf(bot, name, (heap) => told.shift()?.(heap));
  return {
    name,
    url,
    pid: bot.pid ?? 0,
    heapInUse: () =>
      new Promise((resolve) => {
        told.push(resolve);
        bot.kill('SIGUSR2');
      }),
    async stop() {
      if (bot.exitCode !== null || bot.signalCode !== null) return;
      const ended = once(bot, 'exit');
      bot.kill('SIGTERM');
      await ended;
    },
  };
}

/** All say where they are, once they are there. Whatever else they say is passed on. */
function addressOf(
  bot: ChildProcess & { stderr: NodeJS.ReadableStream },
  name: string,
  onHeap: (bytes: number) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: bot.stderr }).on('line', (line) => {
      const [, url] = / is at (http:\S+)\. /.exec(line) ?? [];
      const [, heap] = /^Its heap is (\d+)$/.exec(line) ?? [];
      if (url) resolve(url);
      else if (heap) onHeap(Number(heap));
      else process.stderr.write(`${name}: ${line}\n`);
    });
    bot.once('error', reject);
    bot.once('exit', (code) => {
      reject(new Error(`${name} has ended with ${code ?? 'a signal'} before it was ready`));
    });
  });
}
