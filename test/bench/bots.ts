/** The bots, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Bot = { name: string; url: string; pid: number; stop: () => Promise<void> };

/** `profiles` is a folder for the CPU profile that a bot then writes as it stops. */
export const startEchoBot = (profiles?: string): Promise<Bot> =>
  start('echo', [join(import.meta.dirname, 'echo-bot.js')], {}, profiles);

/** At a fixed time, so that the same question always has the same answer. */
export const startKortlotsen = (
  databaseUrl: string,
  profiles?: string,
  settings: Record<string, string> = {},
): Promise<Bot> =>
  start(
    'kortlotsen',
    ['dist/kortlotsen.js', 'serve', '--at', '2026-11-23T08:00'],
    { DATABASE_URL: databaseUrl, PORT: '0', LOG_LEVEL: 'warn', ...settings },
    profiles,
  );

async function start(
  name: string,
  program: string[],
  settings: Record<string, string>,
  profiles?: string,
): Promise<Bot> {
  const flags = profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [];
  const bot = spawn(process.execPath, [...flags, ...program], {
    // Nothing that this shell happens to set for a bot.
    env: { PATH: process.env.PATH, TZ: process.env.TZ, ...settings },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const url = await addressOf(bot, name);
  return {
    name,
    url,
    pid: bot.pid ?? 0,
    async stop() {
      if (bot.exitCode !== null || bot.signalCode !== null) return;
      const ended = once(bot, 'exit');
      bot.kill('SIGTERM');
      await ended;
    },
  };
}

/** Both say where they are, once they are there. Whatever else they say is passed on. */
function addressOf(bot: ChildProcess & { stderr: NodeJS.ReadableStream }, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: bot.stderr }).on('line', (line) => {
      const [, url] = / is at (http:\S+)\. /.exec(line) ?? [];
      if (url) resolve(url);
      else process.stderr.write(`${name}: ${line}\n`);
    });
    bot.once('error', reject);
    bot.once('exit', (code) => {
      reject(new Error(`${name} has ended with ${code ?? 'a signal'} before it was ready`));
    });
  });
}
