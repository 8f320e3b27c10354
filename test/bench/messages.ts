/**
 * How many whole turns a second Kortlotsen takes through `/api/messages`, kept
 * in PostgreSQL before they are answered, next to a bare EchoBot of botbuilder
 * that keeps nothing; and where the time goes. Never a test, for a figure
 * depends on the machine; but it fails if any message went unanswered or was
 * answered in wrong order. Run from the project's folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bot, startEchoBot, startKortlotsen } from './bots.ts';
import { spentIn } from './cpu-profile.ts';
import { type Database, startDatabase } from './database.ts';
import { createLoad, type Load } from './load.ts';
import { usageOf } from './processes.ts';
import { type Flood, type Profiled, rateOf, reportOf, type Result, whereItGoes } from './report.ts';

const STUDENTS = 64;
const ROUNDS = 2;
/** In seconds. The first can be said on the command line. */
const FLOOD = Number(process.argv[2] ?? 15);
const PROFILED = 8;
const STREAM = 10;
/** V8 has compiled what is worth it after so many turns; a machine that is busy otherwise is not waited for longer. */
const WARM = 3_000;
const WARMING_AT_MOST = 30;
/** Of what a bot can take at most. */
const MODERATELY = 0.5;

type Candidate = { bot: Bot; load: Load; floods: Flood[] };

const database = await startDatabase();
const profiles = await mkdtemp(join(tmpdir(), 'kortlotsen-profiles-'));
const running = new Set<Candidate>();
const problems: string[] = [];
const makers: ((profiles?: string) => Promise<Bot>)[] = [
  startEchoBot,
  (folder) => startKortlotsen(database.url, folder),
];
try {
  await bench(database);
} finally {
  await Promise.all([...running].map(end));
  await database.stop();
  await rm(profiles, { recursive: true, force: true });
}
if (problems.length > 0) {
  tell(`${problems.length} things went wrong, such as:\n${problems.slice(0, 10).join('\n')}`);
  process.exitCode = 1;
}

async function bench({ pid, work }: Database): Promise<void> {
  const candidates: Candidate[] = [];
  for (const make of makers) candidates.push(await begin(make));

  for (const candidate of candidates) await warm(candidate);

  const results: Result[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    for (const candidate of candidates) candidate.floods.push(await flood(candidate, round));
  }
  for (const { bot, load, floods } of candidates) {
    const perSecond = Math.round(MODERATELY * rateOf({ floods }));
    tell(`${bot.name}: ${perSecond} turns a second for ${STREAM} s`);
    const stream = await load.stream(perSecond, STREAM);
    results.push({ name: bot.name, floods, perSecond, stream, memory: usageOf(bot.pid)?.memory });
  }
  await Promise.all(candidates.map(end));
  print(reportOf(results));

  const profiled: Profiled[] = [];
  for (const make of makers) profiled.push(await profile(make));
  print(whereItGoes(profiled));

  /** The bots take turns, so that what disturbs the machine disturbs them alike. */
  async function flood({ bot, load }: Candidate, round: number): Promise<Flood> {
    tell(`${bot.name}: round ${round} of ${ROUNDS}, ${STUDENTS} students at once for ${FLOOD} s`);
    await load.flood(1);
    const [bots, databases, own, begun] = [usageOf(bot.pid), usageOf(pid), process.cpuUsage(), await work()];
    const measured = await load.flood(FLOOD);
    const { user, system } = process.cpuUsage(own);
    const [botAfter, databaseAfter, done] = [usageOf(bot.pid), usageOf(pid), await work()];
    return {
      ...measured,
      botCpu: botAfter && bots && botAfter.cpu - bots.cpu,
      databaseCpu: databaseAfter && databases && databaseAfter.cpu - databases.cpu,
      ownCpu: (user + system) / 1_000,
      transactions: done.transactions - begun.transactions,
      syncs: done.syncs - begun.syncs,
      logged: done.logged - begun.logged,
    };
  }
}

/** In a run of its own, since a profile is not for nothing. */
async function profile(make: (typeof makers)[number]): Promise<Profiled> {
  const folder = await mkdtemp(join(profiles, 'bot-'));
  const candidate = await begin(make, folder);
  const { bot, load } = candidate;
  await warm(candidate);
  tell(`${bot.name}: where the time goes, ${PROFILED} s`);
  const from = microseconds();
  const { turns } = await load.flood(PROFILED);
  const to = microseconds();
  await end(candidate);
  return { name: bot.name, turns, spent: spentIn(folder, from, to) };
}

async function begin(make: (typeof makers)[number], folder?: string): Promise<Candidate> {
  const bot = await make(folder);
  const candidate = { bot, load: await createLoad(bot.name, bot.url, STUDENTS), floods: [] };
  running.add(candidate);
  return candidate;
}

/** Until it is as fast as it gets. */
async function warm({ bot, load }: Candidate): Promise<void> {
  tell(`${bot.name}: warming up`);
  let turns = 0;
  for (let seconds = 0; turns < WARM && seconds < WARMING_AT_MOST; seconds += 2) turns += (await load.flood(2)).turns;
}

async function end(candidate: Candidate): Promise<void> {
  running.delete(candidate);
  await candidate.bot.stop();
  candidate.load.close();
  problems.push(...candidate.load.problems());
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
