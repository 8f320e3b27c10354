/**
 * How well texts are understood that were not trained on: cross-validation
 * over the content, and the figures of whatever has been judged.
 */
import type { Intent } from '../../dialogs/intents.ts';
import { createClassifier, type Example, type Lessons } from './classifier.ts';
import { type Candidate, decide, type Decision, OUTSIDE } from './decision.ts';
import { randomFrom, shuffled } from './random.ts';
import { foldsOf, train } from './training.ts';

export type Judged = { text: string; truth: Intent; decision: Decision; candidates: Candidate[] };

/** A share from 0 to 1, and where 95 of 100 such measurements would lie. */
export type Share = { value: number; from: number; to: number };

export const measures = [
  'top1',
  'top2',
  'macroF1',
  'inScope',
  'coverage',
  'precision',
  'outsideAnswered',
  'outsideRecall',
  'calibrationError',
] as const;
export type Measure = (typeof measures)[number];
export type Figures = Record<Measure, Share>;

/** Texts of `truth` that were taken for `said`. */
export type Confusion = { truth: Intent; said: Intent; texts: string[]; share: number };
/** How often one is wrong when only the surest `coverage` of the texts are answered. */
export type RiskPoint = { coverage: number; risk: number };

/**
 * Repeated stratified cross-validation: in each round every example is judged
 * once, by a model that has seen none of its fold. Yields once a fold, so that
 * whoever waits can be shown how far it has come.
 */
export function* crossValidate(lessons: Lessons, { folds, rounds }: { folds: number; rounds: number }) {
  for (let round = 0; round < rounds; round++) {
    const examples = shuffled(lessons.examples, round + 1);
    const foldOf = foldsOf(examples, folds);
    for (let fold = 0; fold < folds; fold++) {
      const model = train({ ...lessons, examples: examples.filter((_, index) => foldOf[index] !== fold) });
      const classifier = createClassifier(model);
      const judge = ({ text, label }: Example): Judged => {
        const candidates = classifier.classify(text).map((each) => ({ ...each, intent: each.label as Intent }));
        return { text, truth: label as Intent, decision: decide(candidates, model.calibration.answerAt), candidates };
      };
      yield examples.filter((_, index) => foldOf[index] === fold).map(judge);
    }
  }
}

const RESAMPLES = 200;
const BINS = 10;

/** The figures, with intervals by the bootstrap: texts are drawn again and again, each with all its judgements. */
export function figuresOf(judged: readonly Judged[]): Figures {
  const byText = [...grouped(judged, ({ text }) => text).values()];
  const value = measure(judged);
  const draws = Array.from({ length: RESAMPLES }, (_, draw) => {
    const random = randomFrom(draw + 1);
    return measure(byText.flatMap(() => byText[Math.floor(random() * byText.length)] ?? []));
  });
  const share = (name: Measure): Share => {
    const sorted = draws.map((each) => each[name]).sort((one, other) => one - other);
    const at = (quantile: number) => sorted[Math.floor(quantile * (sorted.length - 1))] ?? value[name];
    return { value: value[name], from: at(0.025), to: at(0.975) };
  };
  return Object.fromEntries(measures.map((name) => [name, share(name)])) as Figures;
}

function measure(judged: readonly Judged[]): Record<Measure, number> {
  const isRight = ({ truth, candidates: [first] }: Judged) => first?.intent === truth;
  const isAmongTwo = ({ truth, candidates }: Judged) => candidates.slice(0, 2).some(({ intent }) => intent === truth);
  const isAnswered = ({ decision }: Judged) => decision === 'answer';
  const isInside = ({ truth }: Judged) => truth !== OUTSIDE;
  const inside = judged.filter(isInside);
  const outside = judged.filter((each) => !isInside(each));
  const answered = judged.filter(isAnswered);
  return {
    top1: shareOf(judged, isRight),
    top2: shareOf(judged, isAmongTwo),
    macroF1: macroF1(judged),
    inScope: shareOf(inside, isRight),
    coverage: shareOf(inside, isAnswered),
    precision: shareOf(answered, isRight),
    outsideAnswered: shareOf(outside, isAnswered),
    outsideRecall: shareOf(outside, isRight),
    calibrationError: calibrationError(judged, isRight),
  };
}

function shareOf<T>(all: readonly T[], isSo: (each: T) => boolean): number {
  return all.length === 0 ? 0 : all.filter(isSo).length / all.length;
}

function macroF1(judged: readonly Judged[]): number {
  const counts = new Map<Intent, { right: number; said: number; true: number }>();
  const of = (intent: Intent) => {
    const known = counts.get(intent) ?? { right: 0, said: 0, true: 0 };
    counts.set(intent, known);
    return known;
  };
  for (const { truth, candidates } of judged) {
    const said = candidates[0]?.intent ?? OUTSIDE;
    of(truth).true++;
    of(said).said++;
    if (said === truth) of(truth).right++;
  }
  const each = [...counts.values()].map(({ right, said, true: real }) => (2 * right) / (said + real));
  return each.reduce((sum, one) => sum + one, 0) / (each.length || 1);
}

/** How far the promised probabilities are from how often they come true (expected calibration error). */
function calibrationError(judged: readonly Judged[], isRight: (each: Judged) => boolean): number {
  const bins = grouped(judged, ({ candidates: [first] }) =>
    Math.min(BINS - 1, Math.floor((first?.probability ?? 0) * BINS)),
  );
  const gaps = [...bins.values()].map((bin) => {
    const promised = bin.reduce((sum, { candidates: [first] }) => sum + (first?.probability ?? 0), 0) / bin.length;
    return bin.length * Math.abs(promised - shareOf(bin, isRight));
  });
  return gaps.reduce((sum, gap) => sum + gap, 0) / (judged.length || 1);
}

/** What was taken for something else, the most frequent first. */
export function confusionsIn(judged: readonly Judged[]): Confusion[] {
  const wrong = judged.filter(({ truth, candidates: [first] }) => first?.intent !== truth);
  const pairs = grouped(wrong, ({ truth, candidates: [first] }) => `${truth} ${first?.intent ?? OUTSIDE}`);
  return [...pairs.values()]
    .flatMap((texts) => {
      const [first] = texts;
      const said = first?.candidates[0]?.intent;
      if (!first || !said) return [];
      const share = texts.length / judged.filter(({ truth }) => truth === first.truth).length;
      return [{ truth: first.truth, said, texts: [...new Set(texts.map(({ text }) => text))], share }];
    })
    .sort((one, other) => other.texts.length - one.texts.length);
}

export function riskCurve(judged: readonly Judged[]): RiskPoint[] {
  const surest = judged
    .map(({ truth, candidates: [first] }) => ({ sure: first?.probability ?? 0, isWrong: first?.intent !== truth }))
    .sort((one, other) => other.sure - one.sure);
  let wrong = 0;
  return surest.map(({ isWrong }, index) => {
    wrong += Number(isWrong);
    return { coverage: (index + 1) / surest.length, risk: wrong / (index + 1) };
  });
}

function grouped<T>(all: readonly T[], keyOf: (each: T) => string | number): Map<string | number, T[]> {
  const groups = new Map<string | number, T[]>();
  for (const each of all) {
    const group = groups.get(keyOf(each));
    if (group) group.push(each);
    else groups.set(keyOf(each), [each]);
  }
  return groups;
}
