/**
 * What a text is made of, for the classifier to weigh: stems, pairs of stems,
 * and pieces of words, which outlive misspelling.
 *
 * The student's words are never rewritten and none is left out: “inte” and
 * “nej” decide, and spara is not spärra. What is written without å, ä and ö is
 * met by looking at every piece twice, as it stands and folded.
 */
import stemmer from 'natural/lib/natural/stemmers/porter_stemmer_sv.js';

/** A text longer than this is understood from its beginning; nobody's wish comes later. */
const LONGEST_TEXT = 1200;
const LONGEST_WORD = 30;

/** How much each kind of feature counts, found by cross-validation on `content/`. */
const WEIGHTS = { stem: 1, pair: 0.7, piece: 0.3 } as const;
const SHORTEST_PIECE = 2;
const LONGEST_PIECE = 4;

/** Features by name, and how strongly the text has them. */
export type Features = Map<string, number>;

export function featuresOf(text: string): Features {
  const words = wordsIn(text);
  const stems = words.map(stem);
  const features: Features = new Map();
  const add = (name: string, weight: number) => features.set(name, (features.get(name) ?? 0) + weight);

  for (const each of stems) add(`s:${fold(each)}`, WEIGHTS.stem);
  [START, ...stems].forEach((each, index) => {
    const next = stems[index];
    if (next !== undefined) add(`p:${fold(each)} ${fold(next)}`, WEIGHTS.pair);
  });
  for (const word of words) {
    const folded = fold(word);
    for (const piece of piecesOf(word)) add(piece, WEIGHTS.piece);
    if (folded !== word) for (const piece of piecesOf(folded)) add(piece, WEIGHTS.piece);
  }
  return features;
}

const START = '^';

/** Lower-case words and numbers, of the text that is weighed. */
export function wordsIn(text: string): string[] {
  const plain = text.slice(0, LONGEST_TEXT).normalize('NFC').toLocaleLowerCase('sv').replace(INVISIBLE, '');
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.slice(0, LONGEST_WORD));
}

/** The same, without the dots over å, ä and ö. */
export const foldedWordsIn = (text: string): string[] => wordsIn(text).map(fold);

/** Zero-width characters, which split a word without being seen. */
const INVISIBLE = /\p{Cf}/gu;

const fold = (word: string): string => word.normalize('NFD').replace(/\p{M}/gu, '');

const stems = new Map<string, string>();

/** Swedish stems. The library leaves the definite -et of a neuter noun, so kortet and kort would differ. */
function stem(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const found = stemmer.stem(word.length > 4 && word.endsWith('et') ? word.slice(0, -2) : word);
  if (stems.size < 50_000) stems.set(word, found);
  return found;
}

function piecesOf(word: string): string[] {
  const bounded = `<${word}>`;
  const pieces: string[] = [];
  for (let length = SHORTEST_PIECE; length <= LONGEST_PIECE; length++) {
    for (let start = 0; start + length <= bounded.length; start++) pieces.push(bounded.slice(start, start + length));
  }
  return pieces;
}
