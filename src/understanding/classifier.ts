/**
 * Which intent a text has, learnt from what editors have written.
 *
 * Three witnesses are heard: one linear support vector machine an intent, the
 * nearest examples, and the paragraphs of guidance that answer the intent.
 * Their weights, and how sure a score makes us, are fitted on texts that the
 * machine at hand was not trained on.
 */
import { type Features, featuresOf } from './features.ts';

export type Example = { text: string; label: string };
/** For each label, the guidance that answers it. */
export type Evidence = Record<string, string>;

export type Model = {
  labels: string[];
  names: string[];
  /** Inverse document frequency of each name. */
  idf: Float32Array;
  /** One row a name, one column a label. */
  weights: Float32Array;
  bias: Float32Array;
  examples: { label: Int32Array; rows: Rows };
  evidence: Rows;
  calibration: Calibration;
};

/** Sparse vectors of length one, back to back. */
export type Rows = { starts: Int32Array; names: Int32Array; values: Float32Array };

/** How the witnesses are mixed, and how probable an intent must be to be answered without asking back. */
export type Calibration = Mixture & { answerAt: number };
type Mixture = { machine: number; neighbours: number; evidence: number };

export type Candidate = { label: string; probability: number };

/** What spoke for a label, the strongest first: examples by their place in the training, and names of features. */
export type Explanation = {
  examples: { place: number; similarity: number }[];
  features: { name: string; weight: number }[];
  evidence: number;
};

export type Classifier = {
  /** Every label with its probability, the likeliest first. */
  classify(text: string): Candidate[];
  scores(text: string): Scores;
  explain(text: string, label: string): Explanation;
};

export type Scores = Record<keyof Mixture, Float32Array>;

const MISTAKE_COST = 0.6;
const POSITIVES_COUNT = 4;
const PASSES = 8;
const NEIGHBOURS = 3;
const FOLDS = 3;
/** A name that so many examples have tells neighbours from strangers no longer. */
const COMMONEST = 600;
const EXPLAINED = 5;

/** How often what is answered without asking back should be right, on texts the machine was not trained on. */
const PRECISION = 0.92;

/** Trains on all examples, and calibrates on what the others teach of each fold. Takes seconds for thousands. */
export function train(examples: readonly Example[], evidence: Evidence): Model {
  const calibration = fit(outOfFold(examples, evidence, FOLDS));
  return { ...trainOnce(examples, evidence), calibration };
}

export function createClassifier(model: Model): Classifier {
  const { labels, weights, bias, examples, calibration } = model;
  const indexOf = new Map(model.names.map((name, index) => [name, index]));
  const nearby = transpose(examples.rows, model.names.length, COMMONEST);
  const spoken = transpose(model.evidence, model.names.length, Infinity);
  const similarity = new Float32Array(examples.label.length);

  const scores = (text: string): Scores => {
    const vector = vectorOf(featuresOf(text), indexOf, model.idf);
    const machine = Float32Array.from(bias);
    const evidence = new Float32Array(labels.length);
    similarity.fill(0);
    for (const [name, value] of vector) {
      const first = name * labels.length;
      for (let label = 0; label < labels.length; label++) {
        machine[label] = (machine[label] ?? 0) + value * (weights[first + label] ?? 0);
      }
      gather(nearby, name, value, similarity);
      gather(spoken, name, value, evidence);
    }
    return { machine, neighbours: nearest(similarity, examples.label, labels.length), evidence };
  };

  return {
    scores,
    classify(text) {
      const probabilities = mix(scores(text), calibration);
      return labels
        .map((label, index) => ({ label, probability: at(probabilities, index) }))
        .sort((one, other) => other.probability - one.probability);
    },
    explain(text, label) {
      const { evidence } = scores(text);
      const column = labels.indexOf(label);
      const spoke = vectorOf(featuresOf(text), indexOf, model.idf).map(([name, value]) => ({
        name: model.names[name] ?? '',
        weight: value * at(weights, name * labels.length + column),
      }));
      const near = [...similarity]
        .map((each, place) => ({ place, similarity: each }))
        .filter(({ place }) => at(examples.label, place) === column);
      return {
        examples: near.sort((one, other) => other.similarity - one.similarity).slice(0, EXPLAINED),
        features: spoke.sort((one, other) => other.weight - one.weight).slice(0, EXPLAINED),
        evidence: at(evidence, column),
      };
    },
  };
}

export type Judged = { truth: number; scores: Scores };

/** What a model says of examples that it was not trained on, each of them once. */
export function outOfFold(examples: readonly Example[], evidence: Evidence, folds: number) {
  const labels = labelsOf(examples);
  const seen = new Map<string, number>();
  const foldOf = examples.map(({ label }) => {
    const count = seen.get(label) ?? 0;
    seen.set(label, count + 1);
    return count % folds;
  });
  const judged: Judged[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const others = examples.filter((_, index) => foldOf[index] !== fold);
    const calibration = { machine: 1, neighbours: 1, evidence: 1, answerAt: 1 };
    const classifier = createClassifier({ ...trainOnce(others, evidence, labels), calibration });
    examples.forEach(({ text, label }, index) => {
      if (foldOf[index] === fold) judged.push({ truth: labels.indexOf(label), scores: classifier.scores(text) });
    });
  }
  return judged;
}

export function mix(scores: Scores, { machine, neighbours, evidence }: Mixture): Float32Array {
  const total = scores.machine.map(
    (score, label) =>
      machine * score + neighbours * at(scores.neighbours, label) + evidence * at(scores.evidence, label),
  );
  const highest = Math.max(...total);
  const powers = total.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((one, other) => one + other, 0);
  return powers.map((power) => power / sum);
}

/** The mixture that makes the truth likeliest, found by walking downhill in ever smaller steps. */
export function fit(judged: Judged[]): Calibration {
  const sample = judged.filter((_, index) => index % 3 === 0);
  const loss = (calibration: Mixture) =>
    sample.reduce((sum, { truth, scores }) => sum - Math.log(at(mix(scores, calibration), truth) + 1e-9), 0);

  let best: Mixture = { machine: 4, neighbours: 4, evidence: 1 };
  let lowest = loss(best);
  for (let step = 2; step > 0.05;) {
    const before = lowest;
    for (const witness of ['machine', 'neighbours', 'evidence'] as const) {
      for (const change of [step, -step]) {
        const changed = { ...best, [witness]: Math.max(0, best[witness] + change) };
        const changedLoss = loss(changed);
        if (changedLoss < lowest) [best, lowest] = [changed, changedLoss];
      }
    }
    if (lowest === before) step /= 2;
  }
  return { ...best, answerAt: sureFrom(judged, best) };
}

/** The lowest probability from which on enough of the answers are right. */
function sureFrom(judged: Judged[], mixture: Mixture): number {
  const answers = judged
    .map(({ truth, scores }) => {
      const probabilities = mix(scores, mixture);
      const probability = Math.max(...probabilities);
      return { probability, isRight: probabilities.indexOf(probability) === truth };
    })
    .sort((one, other) => other.probability - one.probability);
  let right = 0;
  let sureFrom = 1;
  answers.forEach(({ probability, isRight }, index) => {
    right += Number(isRight);
    if (right / (index + 1) >= PRECISION) sureFrom = probability;
  });
  return sureFrom;
}

const labelsOf = (examples: readonly Example[]) => [...new Set(examples.map(({ label }) => label))].sort();

function trainOnce(
  examples: readonly Example[],
  evidence: Evidence,
  labels = labelsOf(examples),
): Omit<Model, 'calibration'> {
  const features = examples.map(({ text }) => featuresOf(text));
  const { names, idf } = weigh(features);
  const indexOf = new Map(names.map((name, index) => [name, index]));
  const rows = rowsOf(features.map((each) => vectorOf(each, indexOf, idf)));
  const label = Int32Array.from(examples, (example) => labels.indexOf(example.label));

  const weights = new Float32Array(names.length * labels.length);
  const bias = new Float32Array(labels.length);
  labels.forEach((_, index) => {
    const machine = trainMachine(rows, label, index, names.length);
    bias[index] = machine.bias;
    machine.weights.forEach((weight, name) => (weights[name * labels.length + index] = weight));
  });
  const spoken = labels.map((each) => vectorOf(featuresOf(evidence[each] ?? ''), indexOf, idf));
  return { labels, names, idf, weights, bias, examples: { label, rows }, evidence: rowsOf(spoken) };
}

/** Names that stand in a single example only tell that example apart, and are left out. */
function weigh(features: readonly Features[]): { names: string[]; idf: Float32Array } {
  const counts = new Map<string, number>();
  for (const each of features) for (const name of each.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  const kept = [...counts].filter(([, count]) => count > 1);
  return {
    names: kept.map(([name]) => name),
    idf: Float32Array.from(kept, ([, count]) => Math.log((1 + features.length) / (1 + count)) + 1),
  };
}

type Vector = [name: number, value: number][];

function vectorOf(features: Features, indexOf: ReadonlyMap<string, number>, idf: Float32Array): Vector {
  const vector: Vector = [];
  for (const [name, count] of features) {
    const index = indexOf.get(name);
    if (index !== undefined) vector.push([index, count * at(idf, index)]);
  }
  const length = Math.sqrt(vector.reduce((sum, [, value]) => sum + value * value, 0)) || 1;
  return vector.map(([name, value]) => [name, value / length]);
}

function rowsOf(vectors: readonly Vector[]): Rows {
  const flat = vectors.flat();
  const starts = new Int32Array(vectors.length + 1);
  vectors.forEach((vector, index) => (starts[index + 1] = at(starts, index) + vector.length));
  return {
    starts,
    names: Int32Array.from(flat, ([name]) => name),
    values: Float32Array.from(flat, ([, value]) => value),
  };
}

/** From which names a row has, to which rows have a name; without the names that more rows have than `commonest`. */
function transpose({ starts, names, values }: Rows, width: number, commonest: number): Rows {
  const counts = new Int32Array(width);
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
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

function gather({ starts, names, values }: Rows, row: number, factor: number, into: Float32Array): void {
  const end = starts[row + 1] ?? 0;
  for (let index = starts[row] ?? 0; index < end; index++) {
    const target = names[index] ?? 0;
    into[target] = (into[target] ?? 0) + factor * (values[index] ?? 0);
  }
}

/** The mean similarity of each label's nearest examples. */
function nearest(similarity: Float32Array, label: Int32Array, labels: number): Float32Array {
  const tops = new Float32Array(labels * NEIGHBOURS);
  for (let example = 0; example < similarity.length; example++) {
    const first = (label[example] ?? 0) * NEIGHBOURS;
    let value = similarity[example] ?? 0;
    for (let place = first; place < first + NEIGHBOURS && value > 0; place++) {
      const held = tops[place] ?? 0;
      if (value > held) [tops[place], value] = [value, held];
    }
  }
  return Float32Array.from({ length: labels }, (_, each) => {
    const own = tops.subarray(each * NEIGHBOURS, (each + 1) * NEIGHBOURS);
    return own.reduce((one, other) => one + other, 0) / NEIGHBOURS;
  });
}

/**
 * One label against the rest: squared hinge loss by dual coordinate descent,
 * which lets go of examples that stay clear of the border (Hsieh et al. 2008).
 */
function trainMachine({ starts, names, values }: Rows, label: Int32Array, positive: number, width: number) {
  const weights = new Float32Array(width);
  const alpha = new Float32Array(label.length);
  const order = Int32Array.from({ length: label.length }, (_, index) => index);
  const random = randomSequence(positive + 1);
  let active = order.length;
  let bias = 0;
  let steepest = Infinity;

  for (let pass = 0; pass < PASSES; pass++) {
    let steepestNow = 0;
    for (let place = 0; place < active; place++) {
      const other = place + Math.floor(random() * (active - place));
      const row = order[other] ?? 0;
      order[other] = order[place] ?? 0;
      order[place] = row;

      const isPositive = label[row] === positive;
      const sign = isPositive ? 1 : -1;
      const slack = 1 / (2 * MISTAKE_COST * (isPositive ? POSITIVES_COUNT : 1));
      const end = starts[row + 1] ?? 0;
      let margin = bias;
      for (let index = starts[row] ?? 0; index < end; index++) {
        margin += (weights[names[index] ?? 0] ?? 0) * (values[index] ?? 0);
      }
      const before = alpha[row] ?? 0;
      const slope = sign * margin - 1 + slack * before;
      if (before === 0 && slope > steepest) {
        active--;
        order[place] = order[active] ?? 0;
        order[active] = row;
        place--;
        continue;
      }
      if (before > 0 || slope < 0) steepestNow = Math.max(steepestNow, Math.abs(slope));
      // A row has length one, and the bias counts as one name more.
      const after = Math.max(0, before - slope / (2 + slack));
      const change = (after - before) * sign;
      if (change === 0) continue;
      alpha[row] = after;
      bias += change;
      for (let index = starts[row] ?? 0; index < end; index++) {
        const name = names[index] ?? 0;
        weights[name] = (weights[name] ?? 0) + change * (values[index] ?? 0);
      }
    }
    steepest = steepestNow || Infinity;
  }
  return { weights, bias };
}

/** The same sequence every time (mulberry32), so that the same examples make the same model. */
function randomSequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The numbers of a typed array that is known to reach that far. */
const at = (array: Float32Array | Int32Array, index: number): number => array[index] ?? 0;
