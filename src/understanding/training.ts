/**
 * Training a model on what editors have written, and finding out how far to
 * believe it.
 */
import {
  type Calibration,
  createClassifier,
  type Lessons,
  type Machine,
  mix,
  type Mixture,
  type Model,
  type Scores,
  type Spoken,
} from './classifier.ts';
import { createFeatureReader } from './features.ts';
import { randomFrom } from './random.ts';
import { at, createVectorMaker, type Rows, rowsOf, type Vocabulary, vocabularyOf } from './vectors.ts';

const MISTAKE_COST = 0.6;
const POSITIVES_COUNT = 4;
const PASSES = 8;
const BAYES_COUNTS = 0.03;
const BAYES_UNSEEN = 0.02;
const FOLDS = 3;

/** How often what is answered without asking back should be right, on texts the machine was not trained on. */
const PRECISION = 0.92;

/** Trains on all examples, and calibrates on what the others teach of each fold. Takes seconds for thousands. */
export function train(lessons: Lessons): Model {
  return { ...trainOnce(lessons, labelsOf(lessons)), calibration: fit(outOfFold(lessons)) };
}

type Judged = { truth: number; scores: Scores };

/** What a model says of examples that it was not trained on, each of them once. */
function outOfFold(lessons: Lessons): Judged[] {
  const labels = labelsOf(lessons);
  const fold = foldsOf(lessons.examples, FOLDS);
  const calibration = { machine: 1, evidence: 1, answerAt: 1 };
  return Array.from({ length: FOLDS }, (_, held) => {
    const others = lessons.examples.filter((_example, index) => fold[index] !== held);
    const classifier = createClassifier({ ...trainOnce({ ...lessons, examples: others }, labels), calibration });
    return lessons.examples
      .filter((_example, index) => fold[index] === held)
      .map(({ text, label }) => ({ truth: labels.indexOf(label), scores: classifier.scores(text) }));
  }).flat();
}

/** In which fold each example is, so that every label is spread evenly over them. */
export function foldsOf(examples: readonly { label: string }[], folds: number): number[] {
  const seen = new Map<string, number>();
  return examples.map(({ label }) => {
    const count = seen.get(label) ?? 0;
    seen.set(label, count + 1);
    return count % folds;
  });
}

/** The mixture that makes the truth likeliest, found by walking downhill in ever smaller steps. */
function fit(judged: Judged[]): Calibration {
  const loss = (mixture: Mixture) =>
    judged.reduce((sum, { truth, scores }) => sum - Math.log(at(mix(scores, mixture), truth) + 1e-9), 0);

  let best: Mixture = { machine: 4, evidence: 1 };
  let lowest = loss(best);
  for (let step = 2; step > 0.05;) {
    const before = lowest;
    for (const witness of ['machine', 'evidence'] as const) {
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

const labelsOf = ({ examples }: Lessons) => [...new Set(examples.map(({ label }) => label))].sort();

export function trainOnce({ examples, evidence, synonyms }: Lessons, labels: string[]): Omit<Model, 'calibration'> {
  const featuresOf = createFeatureReader(synonyms);
  const features = examples.map(({ text }) => featuresOf(text));
  const vocabulary = vocabularyOf(features);
  const vectorOf = createVectorMaker(vocabulary);
  const label = Int32Array.from(examples, (example) => labels.indexOf(example.label));
  const spoken: Spoken = { label, rows: rowsOf(features.map(vectorOf)) };
  const paragraphs = labels.flatMap((each, index) => (evidence[each] ?? []).map((text) => ({ index, text })));
  return {
    synonyms,
    labels,
    ...trainMachines(spoken, labels.length, vocabulary),
    examples: spoken,
    paragraphs: {
      label: Int32Array.from(paragraphs, ({ index }) => index),
      rows: rowsOf(paragraphs.map(({ text }) => vectorOf(featuresOf(text)))),
    },
  };
}

/**
 * A machine a label, leant a little towards what Bayes would say (complement
 * Naive Bayes, Rennie et al. 2003). Where few examples have a name, the machine
 * knows little of it and counting knows more.
 */
function trainMachines({ label, rows }: Spoken, labels: number, vocabulary: Vocabulary): Machine {
  const width = vocabulary.names.length;
  const weights = countedWeights(rows, label, labels, width);
  const bias = new Float32Array(labels);
  for (let each = 0; each < labels; each++) {
    const machine = trainMachine(rows, label, each, width);
    bias[each] = machine.bias;
    machine.weights.forEach(
      (weight, name) => (weights[name * labels + each] = at(weights, name * labels + each) + weight),
    );
  }
  return { vocabulary, weights, bias };
}

function countedWeights({ starts, names, values }: Rows, label: Int32Array, labels: number, width: number) {
  const counts = new Float32Array(width * labels);
  const ofName = new Float32Array(width);
  const ofLabel = new Float32Array(labels);
  let all = 0;
  label.forEach((column, row) => {
    for (let index = at(starts, row); index < at(starts, row + 1); index++) {
      const [name, value] = [at(names, index), at(values, index)];
      counts[name * labels + column] = at(counts, name * labels + column) + value;
      ofName[name] = at(ofName, name) + value;
      ofLabel[column] = at(ofLabel, column) + value;
      all += value;
    }
  });
  const unseen = BAYES_UNSEEN * width;
  return counts.map((count, place) => {
    const [name, column] = [Math.floor(place / labels), place % labels];
    const here = (count + BAYES_UNSEEN) / (at(ofLabel, column) + unseen);
    const elsewhere = (at(ofName, name) - count + BAYES_UNSEEN) / (all - at(ofLabel, column) + unseen);
    return BAYES_COUNTS * Math.log(here / elsewhere);
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
  const random = randomFrom(positive + 1);
  const squares = Float32Array.from(label, (_, row) => squareOf(values, at(starts, row), at(starts, row + 1)));
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
      const after = Math.max(0, before - slope / (at(squares, row) + slack));
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

/** The square of a row's length, and one more for the bias, which counts as a name that every row has. */
const squareOf = (values: Float32Array, from: number, to: number): number =>
  values.subarray(from, to).reduce((sum, value) => sum + value * value, 1);
