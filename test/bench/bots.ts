/** The bots, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** In bytes: of the heap that is in use, and all that is resident. */
export type Memory = { heap: number; resident: number };

export type Bot = {
  name: string;
  url: string;
  pid: number;
  /** Once its garbage is collected. */
  memory: () => Promise<Memory>;
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
const TELLS_ITS_MEMORY = `process.on('SIGUSR2', () => {
  gc();
  const { heapUsed, rss } = process.memoryUsage();
  process.stderr.write('Its memory is ' + heapUsed + ' ' + rss + '\\n');
});`;

async function start(
  name: string,
  program: string[],
  settings: Record<string, string>,
  profiles?: string,
): Promise<Bot> {
  const flags = [
    '--expose-gc',
    `--import=data:text/javascript,${encodeURIComponent(TELLS_ITS_MEMORY)}`,
    ...(profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : []),
  ];
  const bot = spawn(process.execPath, [...flags, ...program], {
    // Nothing that this shell happens to set for a bot.
    env: { PATH: process.env.PATH, TZ: process.env.TZ, ...settings },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const told: ((memory: Memory) => void)[] = [];
  const url = await addressOf(bot, name, (memory) => told.shift()?.(memory));
  return {
    name,
    url,
    pid: bot.pid ?? 0,
    memory: () =>
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
  onMemory: (memory: Memory) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: bot.stderr }).on('line', (line) => {
      const [, url] = / is at (http:\S+)\. /.exec(line) ?? [];
      const [, heap, resident] = /^Its memory is (\d+) (\d+)$/.exec(line) ?? [];
      if (url) resolve(url);
      else if (heap) onMemory({ heap: Number(heap), resident: Number(resident) });
      else process.stderr.write(`${name}: ${line}\n`);
    });
    bot.once('error', reject);
    bot.once('exit', (code) => {
      reject(new Error(`${name} has ended with ${code ?? 'a signal'} before it was ready`));
    });
  });
}
