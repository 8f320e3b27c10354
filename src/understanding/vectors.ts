/** Sparse vectors, and what is done with many of them. */
import type { Features } from './features.ts';

/** Sparse vectors, back to back. */
export type Rows = { starts: Int32Array; names: Int32Array; values: Float32Array };
export type Vector = [name: number, value: number][];

/** The names that count, and how telling each is: its inverse document frequency. */
export type Vocabulary = { names: string[]; idf: Float32Array };

/** The numbers of a typed array that is known to reach that far. */
export const at = (array: Float32Array | Int32Array, index: number): number => array[index] ?? 0;

/** Names that stand in a single text only tell that text apart, and are left out. */
export function vocabularyOf(features: readonly Features[]): Vocabulary {
  const counts = new Map<string, number>();
  for (const each of features) for (const name of each.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  const kept = [...counts].filter(([, count]) => count > 1);
  return {
    names: kept.map(([name]) => name),
    idf: Float32Array.from(kept, ([, count]) => Math.log((1 + features.length) / (1 + count)) + 1),
  };
}

/**
 * A text as the names it has. What nobody has written before makes the vector
 * shorter than one: of such a text we are less sure.
 */
export function createVectorMaker({ names, idf }: Vocabulary): (features: Features) => Vector {
  const indexOf = new Map(names.map((name, index) => [name, index]));
  return (features) => {
    const vector: Vector = [];
    let square = 0;
    for (const [name, count] of features) {
      const index = indexOf.get(name);
      const value = count * (index === undefined ? UNKNOWN : at(idf, index));
      square += value * value;
      if (index !== undefined) vector.push([index, value]);
    }
    const length = Math.sqrt(square) || 1;
    return vector.map(([name, value]) => [name, value / length]);
  };
}

/** How telling a name is that nobody has written, found by cross-validation; a rare one has about 8. */
const UNKNOWN = 4;

export function rowsOf(vectors: readonly Vector[]): Rows {
  const flat = vectors.flat();
  const starts = new Int32Array(vectors.length + 1);
  vectors.forEach((vector, index) => (starts[index + 1] = at(starts, index) + vector.length));
  return {
    starts,
    names: Int32Array.from(flat, ([name]) => name),
    values: Float32Array.from(flat, ([, value]) => value),
  };
}

/** How much each row has in common with a vector. */
export function similarities({ starts, names, values }: Rows, vector: Vector, width: number): Float32Array {
  const weights = new Float32Array(width);
  for (const [name, value] of vector) weights[name] = value;
  return Float32Array.from({ length: starts.length - 1 }, (_, row) => {
    let sum = 0;
    const end = at(starts, row + 1);
    for (let index = at(starts, row); index < end; index++) sum += at(weights, at(names, index)) * at(values, index);
    return sum;
  });
}

/** From which names a row has, to which rows have a name; without the names that more rows have than `commonest`. */
export function transpose({ starts, names, values }: Rows, width: number, commonest: number): Rows {
  const counts = new Int32Array(width);
  for (const name of names) counts[name] = at(counts, name) + 1;
  const columns = new Int32Array(width + 1);
  counts.forEach((count, name) => (columns[name + 1] = at(columns, name) + (count > commonest ? 0 : count)));

  const next = columns.slice(0, width);
  const transposed = {
    starts: columns,
    names: new Int32Array(at(columns, width)),
    values: new Float32Array(at(columns, width)),
  };
  for (let row = 0; row + 1 < starts.length; row++) {
    for (let index = at(starts, row); index < at(starts, row + 1); index++) {
      const name = at(names, index);
      if (at(counts, name) > commonest) continue;
      const place = at(next, name);
      next[name] = place + 1;
      transposed.names[place] = row;
      transposed.values[place] = at(values, index);
    }
  }
  return transposed;
}
