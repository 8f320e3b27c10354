/**
 * What a turn costs: CPU and wall time, as a whole and by stage; how soon the
 * terminal is ready; and how much memory it takes. Never a test, for a figure
 * depends on the machine. Run from the project's folder.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Day } from '../../dialogs/card-validity.ts';
import type { Heard } from '../../dialogs/vocabulary.ts';
import { createCalendar } from '../../src/calendar.ts';
import { createContent, readFiles } from '../../src/content.ts';
import { createConversations } from '../../src/conversations/conversations.ts';
import { createMemoryStore } from '../../src/conversations/memory-store.ts';
import { createDemonstrationLedger } from '../../src/ledger/demonstration-ledger.ts';
import { mask } from '../../src/masking.ts';
import { begin, takeTurn, type Turn } from '../../src/turn.ts';
import { modelFor } from '../../src/understanding/model-file.ts';
import { createUnderstanding, lessonsOf } from '../../src/understanding/understanding.ts';

const TODAY: Day = '2026-11-23';
const now = () => new Date(`${TODAY}T08:00:00+01:00`);
const ROUNDS = 100;
const STARTS = 5;

const chats = [
  ['jag har slagit fel kod tre gånger', 'när är sös öppet på onsdag?', 'nej jag har kastat brevet', 'tack'],
  ['någon har snott kortet', 'ja', 'kolla mitt kort'],
  ['kan jag uppgradera mitt kort?', 'nej', 'ordinarie', '2019', 'hur får jag reservkort'],
  ['kortet är klart och jag har fått koderna, var hämtar jag', 'sös', 'båda', 'vad ska jag ha med mig dit'],
  ['hej', 'vad kan du', 'kortet går ut om tre veckor', 'asdf qwer', 'börja om'],
];

const content = createContent(readFiles(join(process.cwd(), 'content')).reading);
const understanding = createUnderstanding(
  content,
  modelFor({ folders: [join(process.cwd(), 'dist')], isOwn: true }, lessonsOf(content)),
);
const calendar = createCalendar(content);
const world = {
  content,
  understanding,
  calendar,
  proofLasts: { minutes: 30, idleMinutes: 10 },
  now,
  onTurn: () => undefined,
  onMistake: (mistake: unknown) => {
    throw mistake;
  },
};

type Sample = { wall: number; cpu: number };

const samples: Sample[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const { ledger, personOf } = createDemonstrationLedger(now);
  const person = personOf('active');
  const proving = { way: 'known', person } as const;
  const conversations = createConversations({ ...world, ledger, proving, store: createMemoryStore() });
  for (const [index, chat] of chats.entries()) {
    const id = `${round}-${index}`;
    const place = { conversation: id, channel: 'bench', isPushed: false };
    await conversations.open(place, person);
    for (const [index, text] of chat.entries()) {
      const message = { ...place, id: String(index), text };
      samples.push(await measured(async () => (await conversations.accept(message)).answered));
    }
  }
}

const stages: Record<string, number[]> = { mask: [], understand: [], calendar: [], transition: [], speak: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const chat of chats) {
    let turn: Turn = begin({ conversation: 'c', proof: undefined }, calendar.momentAt(now()));
    for (const text of chat) {
      const { text: masked } = staged('mask', () => mask(text, turn.asked.fact, content.masked));
      const { wishes, askedDay } = staged('understand', () =>
        understanding.hear(masked, { asked: turn.asked, suggests: [] }, TODAY),
      );
      const moment = staged('calendar', () => calendar.momentAt(now(), askedDay));
      const events = wishes.map((wish): Heard => ({ ...moment, ...wish }));
      turn = staged('transition', () => takeTurn(turn.saved, events));
      staged('speak', () => turn.replies.map((reply) => content.speak(reply, TODAY)));
    }
  }
}

const starts: number[] = [];
for (let start = 0; start < STARTS; start++) starts.push(await timeToReady());

print(`${samples.length} turns, ${ROUNDS} rounds of ${chats.length} chats, Node ${process.version}`);
print(row('', ['p50', 'p95', 'p99']));
print(row('turn, wall ms', percentiles(samples.map(({ wall }) => wall))));
print(row('turn, CPU ms', percentiles(samples.map(({ cpu }) => cpu))));
for (const [name, times] of Object.entries(stages)) print(row(`  ${name}, wall ms`, percentiles(times)));
print(row('terminal ready, ms', percentiles(starts)));
const { rss, heapUsed } = process.memoryUsage();
print(`memory: ${Math.round(rss / 1e6)} MB resident, ${Math.round(heapUsed / 1e6)} MB of it heap in use`);

async function measured(work: () => Promise<unknown>): Promise<Sample> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: performance.now() - start, cpu: (user + system) / 1000 };
}

function staged<Result>(stage: keyof typeof stages, work: () => Result): Result {
  const start = performance.now();
  const result = work();
  stages[stage]?.push(performance.now() - start);
  return result;
}

/** From the start of the process to its welcome, in milliseconds. */
async function timeToReady(): Promise<number> {
  const start = performance.now();
  const terminal = spawn(process.execPath, ['dist/kortlotsen.js', 'converse', '--json'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(terminal.stdout, 'data');
  const ready = performance.now() - start;
  terminal.stdin.end();
  await once(terminal, 'exit');
  return ready;
}

function percentiles(values: readonly number[]): string[] {
  const sorted = [...values].sort((one, other) => one - other);
  return [0.5, 0.95, 0.99].map((share) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2));
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(24) + cells.map((cell) => cell.padStart(10)).join('');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
