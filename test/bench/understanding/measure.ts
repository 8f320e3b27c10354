/** One engine on one division, in a process of its own, so that its memory is its own: run by `bench.ts`. */
import { engines } from './engines.ts';
import type { Dataset } from './datasets.ts';

export type Task = { engine: string; dataset: Dataset };
export type Measured = {
  accuracy: number;
  auroc: Record<string, number>;
  /** Milliseconds. */
  trained: number;
  /** Microseconds each. */
  asked: number[];
  /** Bytes beyond what Node had before. */
  memory: number;
};

const WARM_UP = 200;

async function measure({ engine, dataset }: Task): Promise<Measured> {
  const teach = engines[engine];
  if (!teach) throw new Error(`There is no engine called ${engine}`);
  const before = resident();
  const started = performance.now();
  const classify = await teach(dataset.train, dataset);
  const trained = performance.now() - started;
  for (const { text } of dataset.test.slice(0, WARM_UP)) await classify(text);

  const asked: number[] = [];
  const ask = async (text: string) => {
    const at = performance.now();
    const ranked = await classify(text);
    asked.push((performance.now() - at) * 1_000);
    return ranked.reduce((best, each) => (each.sureness > best.sureness ? each : best), { label: '', sureness: 0 });
  };
  const inside: number[] = [];
  let right = 0;
  for (const { text, label } of dataset.test) {
    const best = await ask(text);
    inside.push(best.sureness);
    right += Number(best.label === label);
  }
  const auroc: Record<string, number> = {};
  for (const { name, texts } of dataset.outside) {
    const outside: number[] = [];
    for (const text of texts) outside.push((await ask(text)).sureness);
    auroc[name] = areaUnder(inside, outside);
  }
  return { accuracy: right / dataset.test.length, auroc, trained, asked, memory: resident() - before };
}

function resident(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

/** How often a text that belongs is surer than one that does not; a tie counts half. */
function areaUnder(inside: readonly number[], outside: readonly number[]): number {
  const all = [...inside.map((value) => ({ value, isIn: true })), ...outside.map((value) => ({ value, isIn: false }))];
  all.sort((one, other) => one.value - other.value);
  let ranks = 0;
  for (let from = 0; from < all.length;) {
    let to = from;
    while (to < all.length && all[to]?.value === all[from]?.value) to++;
    const rank = (from + 1 + to) / 2;
    ranks += rank * all.slice(from, to).filter(({ isIn }) => isIn).length;
    from = to;
  }
  return (ranks - (inside.length * (inside.length + 1)) / 2) / (inside.length * outside.length || 1);
}

process.once('message', (task: Task) => {
  measure(task).then(
    (measured) => process.send?.(measured, () => process.exit(0)),
    (mistake: unknown) => {
      process.stderr.write(`${mistake instanceof Error ? (mistake.stack ?? mistake.message) : String(mistake)}\n`);
      process.exit(1);
    },
  );
});
