/**
 * Which intent a text has, by a model that was trained on what editors have
 * written.
 *
 * Two witnesses are heard: one linear machine an intent, and the paragraphs of
 * guidance that answer the intent. How much each counts, and how probable a
 * score makes an intent, was fitted on texts that the machine at hand had not
 * been trained on.
 */
import { createFeatureReader, stemsIn } from './features.ts';
import type { Synonyms } from './synonyms.ts';
import { at, createVectorMaker, type Rows, similarities, transpose, type Vocabulary } from './vectors.ts';

export type Example = { text: string; label: string };
/** For each label, the paragraphs of guidance that answer it. */
export type Evidence = Record<string, readonly string[]>;
/** What a model is trained on. */
export type Lessons = { examples: readonly Example[]; evidence: Evidence; synonyms: Synonyms };

export type Machine = {
  vocabulary: Vocabulary;
  /** One row a name, one column a label. */
  weights: Float32Array;
  bias: Float32Array;
};

export type Model = Machine & {
  synonyms: Synonyms;
  labels: string[];
  /** Both by the place of their labels; kept to explain by, and the paragraphs to weigh too. */
  examples: Spoken;
  paragraphs: Spoken;
  calibration: Calibration;
};

export type Spoken = { label: Int32Array; rows: Rows };

/** How the witnesses are mixed, and how probable an intent must be to be answered without asking back. */
export type Calibration = Mixture & { answerAt: number };
export type Mixture = { machine: number; evidence: number };

export type Candidate = { label: string; probability: number };

/**
 * What spoke for a label, the strongest first: examples by their place in the
 * lessons, paragraphs by their place among those of the label, and names of
 * features.
 */
export type Explanation = {
  examples: { place: number; similarity: number }[];
  features: { name: string; weight: number }[];
  paragraphs: { place: number; similarity: number }[];
};

export type Classifier = {
  /** Every label with its probability, the likeliest first. */
  classify: (text: string) => Candidate[];
  scores: (text: string) => Scores;
  /** False for a text that has no word anybody has written: only pieces of its words can speak. */
  knowsWordOf: (text: string) => boolean;
  explain: (text: string, label: string) => Explanation;
};

export type Scores = Record<keyof Mixture, Float32Array>;

const EXPLAINED = 5;
/** What more of the paragraphs say than this share of them tells none of them from the others. */
const COMMONEST = 0.2;

export function createClassifier(model: Model): Classifier {
  const { labels, weights, bias, vocabulary, examples, paragraphs, calibration } = model;
  const featuresOf = createFeatureReader(model.synonyms);
  const vectorOf = createVectorMaker(vocabulary);
  const width = vocabulary.names.length;
  const spoken = transpose(paragraphs.rows, width, COMMONEST * paragraphs.label.length);

  const scores = (text: string): Scores => {
    const machine = Float32Array.from(bias);
    const heard = new Float32Array(paragraphs.label.length);
    for (const [name, value] of vectorOf(featuresOf(text))) {
      const first = name * labels.length;
      for (let label = 0; label < labels.length; label++) {
        machine[label] = (machine[label] ?? 0) + value * (weights[first + label] ?? 0);
      }
      const end = at(spoken.starts, name + 1);
      for (let index = at(spoken.starts, name); index < end; index++) {
        const paragraph = at(spoken.names, index);
        heard[paragraph] = at(heard, paragraph) + value * at(spoken.values, index);
      }
    }
    const evidence = new Float32Array(labels.length);
    for (let place = 0; place < heard.length; place++) {
      const label = at(paragraphs.label, place);
      const likeness = at(heard, place);
      if (likeness > at(evidence, label)) evidence[label] = likeness;
    }
    return { machine, evidence };
  };

  const known = new Set(vocabulary.names.filter((name) => name.startsWith('s:')));

  return {
    scores,
    knowsWordOf: (text) => stemsIn(text).some((name) => known.has(name)),
    classify(text) {
      const probabilities = mix(scores(text), calibration);
      return labels
        .map((label, index) => ({ label, probability: at(probabilities, index) }))
        .sort((one, other) => other.probability - one.probability);
    },
    explain(text, label) {
      const vector = vectorOf(featuresOf(text));
      const column = labels.indexOf(label);
      const nearest = ({ label: of, rows }: Spoken) =>
        [...similarities(rows, vector, width)]
          .map((similarity, place) => ({ place, similarity }))
          .filter(({ place, similarity }) => at(of, place) === column && similarity > 0)
          .sort((one, other) => other.similarity - one.similarity)
          .slice(0, EXPLAINED);
      const spoke = vector.map(([name, value]) => ({
        name: vocabulary.names[name] ?? '',
        weight: value * at(weights, name * labels.length + column),
      }));
      return {
        examples: nearest(examples),
        features: spoke.sort((one, other) => other.weight - one.weight).slice(0, EXPLAINED),
        paragraphs: nearest(paragraphs).map(({ place, similarity }) => ({
          place: place - paragraphs.label.indexOf(column),
          similarity,
        })),
      };
    },
  };
}

/** The witnesses' scores as one probability a label. */
export function mix(scores: Scores, { machine, evidence }: Mixture): Float32Array {
  const total = scores.machine.map((score, label) => machine * score + evidence * at(scores.evidence, label));
  const highest = Math.max(...total);
  const powers = total.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((one, other) => one + other, 0);
  return powers.map((power) => power / sum);
}
