/** The figures, as tables. */
import { cpus } from 'node:os';
import { mostOf, partNames, type Spent } from './cpu-profile.ts';
import type { Work } from './database.ts';
import type { Measured } from './load.ts';
import { figure, percentile, sum, table } from './statistics.ts';

/** CPU in milliseconds, of the bot, of PostgreSQL and of the load generator. */
export type Flood = Measured & Work & { botCpu: number | undefined; databaseCpu: number | undefined; ownCpu: number };
export type Result = { name: string; floods: Flood[]; perSecond: number; stream: Measured; memory: number | undefined };
export type Profiled = { name: string; turns: number; spent: Spent };

const MOST = 20;

export const rateOf = ({ floods }: Pick<Result, 'floods'>): number =>
  sum(floods.map(({ turns }) => turns)) / sum(floods.map(({ seconds }) => seconds));

export function reportOf(results: readonly Result[]): string {
  const [first] = results;
  const row = (name: string, cell: (result: Result) => string) => [name, ...results.map(cell)];
  const perTurn = (name: string, of: (flood: Flood) => number | undefined, digits = 2) =>
    row(name, ({ floods }) => figure(ratio(floods.map(of), floods), digits));
  const latency = (share: number) =>
    row(`  latency p${share * 100}, ms`, ({ floods }) =>
      figure(
        percentile(
          floods.flatMap(({ latencies }) => latencies),
          share,
        ),
        1,
      ),
    );
  const latencyThen = (share: number) =>
    row(`  latency p${share * 100}, ms`, ({ stream }) => figure(percentile(stream.latencies, share), 1));

  const [cpu] = cpus();
  return [
    `Node ${process.version}, ${cpus().length} × ${cpu?.model ?? 'CPU'}`,
    table([
      row('', ({ name }) => name),
      row('as much as it takes, turns/s', (result) => figure(rateOf(result))),
      row('  by round', ({ floods }) => floods.map(({ turns, seconds }) => figure(turns / seconds)).join(', ')),
      row('  of the first', (result) => `${figure(first && (rateOf(result) / rateOf(first)) * 100)} %`),
      ...[0.5, 0.95, 0.99].map(latency),
      perTurn('  replies a turn', ({ replies }) => replies, 1),
      perTurn('  its CPU, ms a turn', ({ botCpu }) => botCpu),
      perTurn('  PostgreSQL, CPU ms a turn', ({ databaseCpu }) => databaseCpu),
      perTurn('  PostgreSQL, transactions a turn', ({ transactions }) => transactions, 1),
      perTurn('  PostgreSQL, syncs a turn', ({ syncs }) => syncs, 2),
      perTurn('  PostgreSQL, kB of its log a turn', ({ logged }) => logged / 1_000, 1),
      row('  load generator, share of a CPU', ({ floods }) => {
        const wall = sum(floods.map(({ seconds }) => seconds)) * 1_000;
        return `${figure((sum(floods.map(({ ownCpu }) => ownCpu)) / wall) * 100)} %`;
      }),
      row('at a moderate rate, turns/s', ({ perSecond }) => figure(perSecond)),
      ...[0.5, 0.95, 0.99].map(latencyThen),
      row('memory, MB', ({ memory }) => figure(memory && memory / 1e6)),
    ]),
  ].join('\n\n');
}

/** Of all rounds together; nothing, if any of them has nothing. */
function ratio(values: readonly (number | undefined)[], floods: readonly Flood[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? sum(known) / sum(floods.map(({ turns }) => turns)) : undefined;
}

export function whereItGoes(profiled: readonly Profiled[]): string {
  const perTurn = ({ spent, turns }: Profiled, part: string) => (spent.parts.get(part) ?? 0) / turns;
  const totals = profiled.map(({ spent, turns }) => sum([...spent.parts.values()]) / turns);
  const shared = (each: Profiled, index: number, part: string) => {
    const time = perTurn(each, part);
    return [figure(time), `${figure((time / (totals[index] ?? NaN)) * 100, 1)} %`];
  };
  const parts = table([
    ['µs a turn, profiled', ...profiled.flatMap(({ name }) => [name, ''])],
    ...partNames.map((part) => [`  ${part}`, ...profiled.flatMap((each, index) => shared(each, index, part))]),
    ['  all', ...totals.flatMap((total) => [figure(total), ''])],
  ]);
  const functions = profiled.map(({ name, spent }) =>
    [
      `${name}, the functions that take most by themselves`,
      ...mostOf(spent, MOST).map(([where, share]) => `${figure(share * 100, 1).padStart(6)} %  ${where}`),
    ].join('\n'),
  );
  return [parts, ...functions].join('\n\n');
}
