/**
 * How many whole turns a second Kortlotsen takes through `/api/messages`,
 * signed and kept in PostgreSQL before they are answered, next to EchoBots of
 * botbuilder; how soon each answers, how much memory it takes, how all this
 * grows with what is stored, and where the time goes. Never a test, for a
 * figure depends on the machine; but it fails if any message went unanswered or
 * was answered in wrong order. Run from the project's folder. What is named on
 * the command line, of `turns`, `memory`, `growth` and `profile`, is measured;
 * else everything. The figures are Markdown, on standard output.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMicrosoft } from '../src/channels/bot-framework/microsoft.ts';
import { type Bot, startEchoBot, startKortlotsen } from './bots.ts';
import { spentIn } from './cpu-profile.ts';
import { type Database, startDatabase } from './database.ts';
import { createLoad, type Load, type Measured } from './load.ts';
import { usageOf } from './processes.ts';
import {
  type Cost,
  type Grown,
  growthReport,
  machine,
  needsReport,
  type Period,
  type Profiled,
  rateOf,
  type Result,
  turnsReport,
  whereItGoes,
} from './report.ts';
import { fill, saidIn, sizeOf } from './stored.ts';
import { openWebChats } from './web-chats.ts';

const STUDENTS = 64;
const ROUNDS = 3;
/** In seconds. */
const FLOOD = 7;
const STREAM = 7;
const PROFILED = 8;
/** V8 has compiled what is worth it after so many turns; a machine that is busy otherwise is not waited for longer. */
const WARM = 3_000;
const WARMING_AT_MOST = 20;
/** Of what a bot can take at most. */
const MODERATELY = 0.6;
/** Shorter than the others and more of them, for what disturbs the machine must not look like growth. */
const GROWTH_ROUNDS = 6;
const GROWTH_STREAM = 4;
/** What memory they take is told of ten thousand. */
const OPEN_CHATS = 3_000;
const OPEN_WEB_CHATS = 1_500;
const STORED = [1_000, 100_000, 1_000_000];

type Candidate = { bot: Bot; load: Load };

const asked = process.argv.slice(2);
const isAsked = (part: 'turns' | 'memory' | 'growth' | 'profile') => asked.length === 0 || asked.includes(part);

const database = await startDatabase();
const microsoft = await openMicrosoft();
const profiles = await mkdtemp(join(tmpdir(), 'kortlotsen-profiles-'));
const running = new Set<Candidate>();
const problems: string[] = [];
/** Everybody on the web writes from an address of their own. */
const environment = { ...microsoft.environment, KORTLOTSEN_TRUSTED_PROXIES: '127.0.0.1' };
const makers: ((profiles?: string) => Promise<Bot>)[] = [
  (folder) => startEchoBot('nothing', microsoft.environment, folder),
  (folder) => startEchoBot('state', microsoft.environment, folder),
  (folder) => startKortlotsen(database.url, folder, environment),
];
try {
  await bench(database);
} finally {
  await Promise.all([...running].map(end));
  microsoft.close();
  await database.stop();
  await rm(profiles, { recursive: true, force: true });
}
if (problems.length > 0) {
  tell(`${problems.length} things went wrong, such as:\n${problems.slice(0, 10).join('\n')}`);
  process.exitCode = 1;
}

async function bench(server: Database): Promise<void> {
  print(machine());
  const results = isAsked('turns') || isAsked('memory') ? await compare() : [];
  if (results.length > 0) print(turnsReport(results));
  const grown = isAsked('growth') ? await grow(server) : [];
  if (grown.length > 0) print(growthReport(grown));
  const own = results.at(-1);
  if (own && asked.length === 0) print(needsReport(own, grown));
  if (isAsked('profile')) {
    const profiled: Profiled[] = [];
    for (const make of makers) profiled.push(await profile(make));
    print(whereItGoes(profiled));
  }
}

/** The bots take turns, so that what disturbs the machine disturbs them alike. */
async function compare(): Promise<Result[]> {
  const candidates: Candidate[] = [];
  for (const make of makers) candidates.push(await begin(await make()));
  for (const candidate of candidates) await warm(candidate);
  const results = candidates.map((candidate): Result & Candidate => ({
    ...candidate,
    name: candidate.bot.name,
    flood: [],
    moderate: [],
    memory: undefined,
    chats: undefined,
    webChats: undefined,
  }));
  if (isAsked('turns')) {
    for (let round = 1; round <= ROUNDS; round++) {
      for (const { bot, load, flood } of results) {
        tell(`${bot.name}: round ${round} of ${ROUNDS}, ${STUDENTS} students at once for ${FLOOD} s`);
        flood.push(await costing(bot, () => load.flood(FLOOD)));
      }
    }
    for (let round = 1; round <= ROUNDS; round++) {
      for (const { bot, load, flood, moderate } of results) {
        const perSecond = Math.round(MODERATELY * rateOf(flood));
        tell(`${bot.name}: round ${round} of ${ROUNDS}, ${perSecond} turns a second for ${STREAM} s`);
        moderate.push(await costing(bot, () => load.stream(perSecond, STREAM)));
      }
    }
  }
  if (isAsked('memory')) {
    for (const result of results) {
      const { bot, load } = result;
      tell(`${bot.name}: ${OPEN_CHATS} open conversations`);
      const before = await bot.memory();
      await load.openChats(OPEN_CHATS);
      const { heap, resident } = await bot.memory();
      result.memory = resident;
      result.chats = ((heap - before.heap) / OPEN_CHATS) * 10_000;
      if (bot.name === 'Kortlotsen') result.webChats = await memoryOfWebChats(bot);
    }
  }
  await Promise.all(candidates.map(end));
  return results;
}

/** Of ten thousand, in bytes. */
async function memoryOfWebChats(bot: Bot): Promise<number> {
  tell(`${bot.name}: ${OPEN_WEB_CHATS} open web chats`);
  const before = await bot.memory();
  const { close } = await openWebChats(bot.url, OPEN_WEB_CHATS);
  const after = await bot.memory();
  close();
  return ((after.heap - before.heap) / OPEN_WEB_CHATS) * 10_000;
}

/** The same load on databases that hold more and more. */
async function grow(server: Database): Promise<Grown[]> {
  const start = async (url: string, stored: number) =>
    begin(await startKortlotsen(url, undefined, environment), stored);
  const first = await start(await server.another('to_fill_from'), 0);
  await warm(first);
  const said = await saidIn(server.urlOf('to_fill_from'));
  await end(first);
  const grown: (Grown & Candidate)[] = [];
  for (const stored of STORED) {
    tell(`Kortlotsen: ${stored} stored conversations are filled in`);
    const url = await server.another(`holding_${stored}`);
    const candidate = await start(url, stored);
    await fill(url, said, stored);
    grown.push({ ...candidate, stored, size: await sizeOf(url), periods: [] });
  }
  for (const candidate of grown) await warm(candidate);
  const [least] = grown;
  const most = least ? rateOf([await least.load.flood(FLOOD)]) : 0;
  const perSecond = Math.round(MODERATELY * most);
  for (let round = 1; round <= GROWTH_ROUNDS; round++) {
    tell(`Kortlotsen: round ${round} of ${GROWTH_ROUNDS}, ${perSecond} turns a second for ${GROWTH_STREAM} s each`);
    // Not always in the same order: whoever comes after the largest may have to wait for its writing.
    for (const { bot, load, periods } of round % 2 === 0 ? grown : grown.toReversed()) {
      periods.push(await costing(bot, () => load.stream(perSecond, GROWTH_STREAM)));
    }
  }
  await Promise.all(grown.map(end));
  return grown;
}

/** In a run of its own, since a profile is not for nothing. */
async function profile(make: (typeof makers)[number]): Promise<Profiled> {
  const folder = await mkdtemp(join(profiles, 'bot-'));
  const candidate = await begin(await make(folder));
  const { bot, load } = candidate;
  await warm(candidate);
  tell(`${bot.name}: where the time goes, ${PROFILED} s`);
  const from = microseconds();
  const { turns } = await load.flood(PROFILED);
  const to = microseconds();
  await end(candidate);
  return { name: bot.name, turns, spent: spentIn(folder, from, to) };
}

async function costing(bot: Bot, work: () => Promise<Measured>): Promise<Period> {
  const before = await costOf(bot);
  const measured = await work();
  const after = await costOf(bot);
  const spent = (of: keyof Cost) => {
    const [one, other] = [before[of], after[of]];
    return one === undefined || other === undefined ? undefined : other - one;
  };
  return {
    ...measured,
    cost: {
      bot: spent('bot'),
      database: spent('database'),
      generator: spent('generator'),
      transactions: spent('transactions'),
      syncs: spent('syncs'),
      logged: spent('logged'),
    },
  };
}

async function costOf({ pid }: Bot): Promise<Cost> {
  const { user, system } = process.cpuUsage();
  const work = await database.work();
  return {
    bot: usageOf(pid)?.cpu,
    database: usageOf(database.pid)?.cpu,
    generator: (user + system) / 1_000,
    ...work,
  };
}

async function begin(bot: Bot, stored = 0): Promise<Candidate> {
  const candidate = { bot, load: await createLoad(bot, microsoft, STUDENTS, stored) };
  running.add(candidate);
  return candidate;
}

/** Until it is as fast as it gets. */
async function warm({ bot, load }: Candidate): Promise<void> {
  tell(`${bot.name}: warming up`);
  let turns = 0;
  for (let seconds = 0; turns < WARM && seconds < WARMING_AT_MOST; seconds += 2) turns += (await load.flood(2)).turns;
}

async function end({ bot, load }: Candidate): Promise<void> {
  for (const each of running) if (each.bot === bot) running.delete(each);
  await bot.stop();
  load.close();
  problems.push(...load.problems());
}

function microseconds(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** How far it has come. The figures are for standard output. */
function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function print(text: string): void {
  process.stdout.write(`\n${text}\n`);
}
