/**
 * `npm run bench:understanding`: our understanding and what one could pick
 * instead, on the same divisions, in one run.
 */
import { fork } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { createContent, readFiles } from '../../../src/content.ts';
import { figure, percentile, sum, table } from '../statistics.ts';
import { contentDatasets, type Dataset, massiveDatasets } from './datasets.ts';
import { engines } from './engines.ts';
import type { Measured, Task } from './measure.ts';

const { values } = parseArgs({
  options: {
    massive: { type: 'string' },
    /** The part of MASSIVE that is asked. Whatever is chosen by looking at figures is chosen on `dev`. */
    part: { type: 'string', default: 'test' },
    folds: { type: 'string', default: '5' },
    seeds: { type: 'string', default: '5' },
    engine: { type: 'string', multiple: true },
    minutes: { type: 'string', default: '5' },
  },
});
if (values.part !== 'dev' && values.part !== 'test') throw new Error('--part is dev or test');

const content = createContent(readFiles(join(process.cwd(), 'content')).reading);
const datasets: Dataset[] = [
  ...contentDatasets(content, Number(values.folds)),
  ...(values.massive ? massiveDatasets(values.massive, Number(values.seeds), values.part) : []),
];
const names = values.engine ?? Object.keys(engines);
const patience = Number(values.minutes) * 60_000;

/** What an engine came to on each division; nothing for one that did not finish in time. */
type Row = { engine: string; dataset: string; measured: (Measured | undefined)[] };

const rows: Row[] = [];
const bar = new SingleBar(
  {
    format: '{bar} {percentage} %  {value}/{total}  {engine}',
    stream: process.stderr,
    noTTYOutput: true,
    notTTYSchedule: 30_000,
  },
  Presets.shades_classic,
);
bar.start(names.length * datasets.length, 0, { engine: '' });
for (const [place, dataset] of datasets.entries()) {
  for (const engine of names) {
    const row = rows.find((each) => each.engine === engine && each.dataset === dataset.name) ?? {
      engine,
      dataset: dataset.name,
      measured: [],
    };
    if (row.measured.length === 0) rows.push(row);
    bar.update({ engine: `${engine}, ${dataset.name}` });
    // An engine that was too slow once is too slow the next time.
    row.measured.push(row.measured.includes(undefined) ? undefined : await measured({ engine, dataset }));
    bar.increment();
  }
  if (datasets[place + 1]?.name !== dataset.name) print(dataset.name);
}
bar.stop();

function measured(task: Task): Promise<Measured | undefined> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'measure.js'), { execArgv: ['--expose-gc'] });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      resolve(undefined);
    }, patience);
    child.once('message', (message: Measured) => {
      clearTimeout(timer);
      resolve(message);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      if (code === 1) reject(new Error(`${task.engine} failed on ${task.dataset.name}`));
    });
    child.send(task);
  });
}

function mean(all: readonly number[]): number {
  return sum(all) / all.length;
}

function spread(all: readonly number[]): number {
  return Math.sqrt(mean(all.map((each) => (each - mean(all)) ** 2)));
}

/** The engines on one dataset, as soon as they are done with it: what is slow does not keep the rest waiting. */
function print(dataset: string): void {
  const [first] = datasets.filter(({ name }) => name === dataset);
  const outsides = first?.outside.map(({ name }) => name) ?? [];
  const count = datasets.filter(({ name }) => name === dataset).length;
  const described = first
    ? `${new Set(first.train.map(({ label }) => label)).size} labels, ${first.train.length} taught, ${first.test.length} asked, ${count} divisions`
    : '';
  const line = ({ engine, measured: all }: Row): string[] => {
    const done = all.flatMap((each) => each ?? []);
    if (done.length < all.length) return [engine, `not done in ${values.minutes} min`];
    const accuracies = done.map(({ accuracy }) => accuracy);
    const asked = done.flatMap((each) => each.asked);
    return [
      engine,
      figure(mean(accuracies), 3),
      `± ${figure(spread(accuracies), 3)}`,
      ...outsides.map((name) => figure(mean(done.map(({ auroc }) => auroc[name] ?? NaN)), 3)),
      figure(percentile(asked, 0.5)),
      figure(percentile(asked, 0.99)),
      figure(mean(done.map(({ trained }) => trained)) / 1_000, 1),
      figure(mean(done.map(({ memory }) => memory)) / 1e6),
    ];
  };
  const head = ['', 'accuracy', '', ...outsides.map((name) => `AUROC ${name}`), 'µs p50', 'µs p99', 'training s', 'MB'];
  process.stdout.write(
    `\n${dataset}: ${described}\n${table([head, ...rows.filter((each) => each.dataset === dataset).map(line)])}\n`,
  );
}
process.stdout.write(`\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}\n`);
