/** The figures, as Markdown. */
import { cpus } from 'node:os';
import { mostOf, partNames, type Spent } from './cpu-profile.ts';
import type { Work } from './database.ts';
import type { Measured } from './load.ts';
import { type Needs, needsOf } from './needs.ts';
import { figure, percentile, sum } from './statistics.ts';

/** CPU in milliseconds, of the bot, of PostgreSQL and of the load generator; and what PostgreSQL has done. */
export type Cost = Record<'bot' | 'database' | 'generator' | keyof Work, number | undefined>;
export type Period = Measured & { cost: Cost };
export type Result = {
  name: string;
  /** As much as it takes; and at 60 % of that. */
  flood: Period[];
  moderate: Period[];
  /** In bytes: all that is resident; and of the heap, what ten thousand open conversations take, or web chats. */
  memory: number | undefined;
  chats: number | undefined;
  webChats: number | undefined;
};
/** `size` is of the database, in bytes. */
export type Grown = { stored: number; size: number; periods: Period[] };
export type Profiled = { name: string; turns: number; spent: Spent };

const MOST = 25;
const SHARES = [0.5, 0.95, 0.99];

const all = (periods: readonly Measured[], of: 'turns' | 'seconds' | 'replies'): number =>
  sum(periods.map((period) => period[of]));

/** A second. */
export const rateOf = (periods: readonly Measured[]): number => all(periods, 'turns') / all(periods, 'seconds');

export function machine(): string {
  const [cpu] = cpus();
  return `Node ${process.version}, ${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}`;
}

export function turnsReport(results: readonly Result[]): string {
  const [first] = results;
  const row = (name: string, cell: (result: Result) => string) => [name, ...results.map(cell)];
  const latencies = (periods: (result: Result) => Period[]) =>
    SHARES.map((share) => row(`latency p${share * 100}, ms`, (result) => figure(latency(periods(result), share), 1)));
  return table([
    row('', ({ name }) => name),
    row('**as much as it takes**, turns/s', ({ flood }) => `**${figure(rateOf(flood))}**`),
    row('by round', ({ flood }) => flood.map((each) => figure(rateOf([each]))).join(', ')),
    row('of the EchoBot’s', ({ flood }) => `${figure(first && (rateOf(flood) / rateOf(first.flood)) * 100)} %`),
    ...latencies(({ flood }) => flood),
    row('replies a turn', ({ flood }) => figure(all(flood, 'replies') / all(flood, 'turns'), 1)),
    row('its CPU, ms a turn', ({ flood }) => figure(perTurn(flood, 'bot'), 2)),
    row('PostgreSQL, CPU ms a turn', ({ flood }) => figure(perTurn(flood, 'database'), 2)),
    row('PostgreSQL, transactions a turn', ({ flood }) => figure(perTurn(flood, 'transactions'), 1)),
    row('PostgreSQL, syncs a turn', ({ flood }) => figure(perTurn(flood, 'syncs'), 2)),
    row('PostgreSQL, kB of its log a turn', ({ flood }) => figure(ratio(perTurn(flood, 'logged'), 1_000), 1)),
    row('load generator, CPU ms a turn', ({ flood }) => figure(perTurn(flood, 'generator'), 2)),
    row('**open loop, 60 % of that**, turns/s', ({ moderate }) => figure(rateOf(moderate))),
    ...latencies(({ moderate }) => moderate),
    row('its CPU, ms a turn', ({ moderate }) => figure(perTurn(moderate, 'bot'), 2)),
    row('**memory**, MB', ({ memory }) => figure(ratio(memory, 1e6))),
    row('for 10,000 open conversations, MB', ({ chats }) => figure(ratio(chats, 1e6), 1)),
    row('for 10,000 open web chats, MB', ({ webChats }) => figure(ratio(webChats, 1e6))),
  ]);
}

export function growthReport(grown: readonly Grown[]): string {
  const [first] = grown;
  return table([
    [
      'stored conversations',
      'on disk, MB',
      'turns/s',
      'p50, ms',
      'p95, ms',
      'p99, ms',
      'p50, to the first',
      'p99, to the first',
      'CPU ms a turn',
      'PostgreSQL, CPU ms a turn',
    ],
    ...grown.map(({ stored, size, periods }) => [
      stored.toLocaleString('en'),
      figure(size / 1e6),
      figure(rateOf(periods)),
      ...SHARES.map((share) => figure(latency(periods, share), 1)),
      ...[0.5, 0.99].map((share) => `${figure(first && latency(periods, share) / latency(first.periods, share), 2)} ×`),
      figure(perTurn(periods, 'bot'), 2),
      figure(perTurn(periods, 'database'), 2),
    ]),
  ]);
}

export function needsReport({ moderate, memory, webChats }: Result, grown: readonly Grown[]): string {
  const largest = grown.at(-1);
  const turn = {
    bot: perTurn(moderate, 'bot') ?? NaN,
    database: perTurn(moderate, 'database') ?? NaN,
    logged: perTurn(moderate, 'logged') ?? NaN,
    replies: all(moderate, 'replies') / sum(moderate.map(({ latencies }) => latencies.length)),
  };
  const sizes = {
    process: memory ?? NaN,
    webChat: (webChats ?? NaN) / 10_000,
    stored: largest ? largest.size / largest.stored : NaN,
  };
  const needs = [10_000, 100_000].map((students) => needsOf(students, turn, sizes));
  const row = (name: string, cell: (each: Needs) => string) => [name, ...needs.map(cell)];
  return table([
    row('a region of so many students', ({ students }) => students.toLocaleString('en')),
    row('turns/s, in the hour from eight', ({ turns }) => figure(turns, 1)),
    row('turns/s, in its busiest minute', ({ turnsAtMost }) => figure(turnsAtMost)),
    row('chats begun in that minute', ({ beginningsAMinute }) => figure(beginningsAMinute)),
    row('web chats open, if all come by the web', ({ openWebChats }) => openWebChats.toLocaleString('en')),
    row('replies/s to Teams, if all come by Teams', ({ replies }) => figure(replies)),
    row('Kortlotsen, cores busy', ({ botCores }) => figure(botCores, 2)),
    row('**processes**, one of which may die', ({ processes }) => `**${processes}**`),
    row('PostgreSQL, cores busy', ({ databaseCores }) => figure(databaseCores, 2)),
    row('PostgreSQL, connections at most', ({ connections }) => figure(connections)),
    row('memory of all processes, GB', ({ memory: bytes }) => figure(bytes / 1e9, 1)),
    row('on disk afterwards, GB', ({ disk }) => figure(disk / 1e9, 1)),
    row('PostgreSQL’s log, MB/s', ({ logged }) => figure(logged / 1e6, 1)),
  ]);
}

const latency = (periods: readonly Measured[], share: number): number =>
  percentile(
    periods.flatMap(({ latencies }) => latencies),
    share,
  );

/** Of all rounds together; nothing, if any of them has nothing. */
function perTurn(periods: readonly Period[], of: keyof Cost): number | undefined {
  const known = periods.map(({ cost }) => cost[of]).filter((value) => value !== undefined);
  const answered = sum(periods.map(({ latencies }) => latencies.length));
  return known.length === periods.length ? sum(known) / answered : undefined;
}

const ratio = (value: number | undefined, unit: number): number | undefined => value && value / unit;

export function whereItGoes(profiled: readonly Profiled[]): string {
  const timeOf = ({ spent, turns }: Profiled, part: string) => (spent.parts.get(part) ?? 0) / turns;
  const totals = profiled.map(({ spent, turns }) => sum([...spent.parts.values()]) / turns);
  const shared = (each: Profiled, index: number, part: string) => {
    const time = timeOf(each, part);
    return `${figure(time)} (${figure((time / (totals[index] ?? NaN)) * 100)} %)`;
  };
  const parts = table([
    ['µs a turn, profiled', ...profiled.map(({ name }) => name)],
    ...partNames.map((part) => [part, ...profiled.map((each, index) => shared(each, index, part))]),
    ['all', ...totals.map((total) => figure(total))],
  ]);
  const functions = profiled.map(({ name, spent }) =>
    [
      `${name}, the functions that take most by themselves:\n`,
      ...mostOf(spent, MOST).map(([where, share]) => `- ${figure(share * 100, 1)} % \`${where}\``),
    ].join('\n'),
  );
  return [parts, ...functions].join('\n\n');
}

function table(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head = [], ...rest] = rows;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rest.map(line)].join('\n');
}
