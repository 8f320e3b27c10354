/**
 * What a text is made of, for the classifier to weigh: stems, pairs of stems,
 * and pieces of words, which outlive misspelling.
 *
 * The student's words are never rewritten and none is left out: “inte” and
 * “nej” decide, and spara is not spärra. What is written without å, ä and ö is
 * met by looking at every piece twice, as it stands and folded. What an editor
 * has called synonyms is seen beside the words, never instead of them.
 */
import stemmer from 'natural/lib/natural/stemmers/porter_stemmer_sv.js';
import { createConceptReader, type Synonyms } from './synonyms.ts';
import { fold, wordsIn } from './words.ts';

/** How much each kind of feature counts, found by cross-validation on `content/`. */
const WEIGHTS = { stem: 1, pair: 0.4, piece: 0.3, concept: 0.7, conceptPair: 0.5 } as const;
const SHORTEST_PIECE = 2;
const LONGEST_PIECE = 4;

/** Features by name, and how strongly the text has them. */
export type Features = Map<string, number>;

export type FeatureReader = (text: string) => Features;

export function createFeatureReader(synonyms: Synonyms = {}): FeatureReader {
  const conceptsIn = createConceptReader(synonyms);
  return (text) => {
    const words = wordsIn(text);
    const folded = words.map(fold);
    const stems = words.map(stemOf);
    const features: Features = new Map();
    const add = (name: string, weight: number) => features.set(name, (features.get(name) ?? 0) + weight);

    for (const each of stems) add(`s:${each}`, WEIGHTS.stem);
    for (const pair of pairsOf(stems)) add(`p:${pair}`, WEIGHTS.pair);
    words.forEach((word, index) => {
      const plain = folded[index] ?? word;
      for (const piece of piecesOf(word)) add(piece, WEIGHTS.piece);
      if (plain !== word) for (const piece of piecesOf(plain)) add(piece, WEIGHTS.piece);
    });

    const { concepts, sequence } = conceptsIn(folded, stems);
    for (const concept of concepts) add(`c:${concept}`, WEIGHTS.concept);
    if (concepts.length > 0) for (const pair of pairsOf(sequence)) add(`q:${pair}`, WEIGHTS.conceptPair);

    // A word said thrice is not meant thrice as much.
    for (const [name, weight] of features) features.set(name, Math.sqrt(weight));
    return features;
  };
}

const START = '^';

/** Some megabytes at most. */
const MOST_WORDS_KEPT = 20_000;

const stems = new Map<string, string>();

/** Swedish stems, folded. The library leaves the definite -et of a neuter noun, so kortet and kort would differ. */
function stemOf(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const found = fold(stemmer.stem(word.length > 4 && word.endsWith('et') ? word.slice(0, -2) : word));
  if (stems.size < MOST_WORDS_KEPT) stems.set(word, found);
  return found;
}

/** The stems of a text, as features are called by. */
export const stemsIn = (text: string): string[] => wordsIn(text).map((word) => `s:${stemOf(word)}`);

/** Every word with the one before it. */
const pairsOf = (words: readonly string[]): string[] =>
  words.map((word, index) => `${words[index - 1] ?? START} ${word}`);

const pieces = new Map<string, string[]>();

/** Kept for each word, since words come again: a piece that is cut anew has to be hashed anew. */
function piecesOf(word: string): string[] {
  const known = pieces.get(word);
  if (known) return known;
  const bounded = `<${word}>`;
  const found: string[] = [];
  for (let length = SHORTEST_PIECE; length <= LONGEST_PIECE; length++) {
    for (let start = 0; start + length <= bounded.length; start++) found.push(bounded.slice(start, start + length));
  }
  if (pieces.size < MOST_WORDS_KEPT) pieces.set(word, found);
  return found;
}
