/**
 * Words that mean the same, as `content/synonyms.yaml` has them: each concept
 * with the ways to say it. A way may be several words, and one that ends in a
 * star stands for every word that begins so.
 */
import { isSaidBy, phraseOf, standsAt } from './phrases.ts';

export type Synonyms = Record<string, readonly string[]>;

/** The concepts found in folded words, and the text with each of them in the place of its words. */
export type Conceived = { concepts: string[]; sequence: string[] };

export function createConceptReader(
  synonyms: Synonyms,
): (words: readonly string[], stems: readonly string[]) => Conceived {
  const ways = Object.entries(synonyms).flatMap(([concept, written]) =>
    written.map((way) => ({ concept, phrase: phraseOf(way) })),
  );
  ways.sort((one, other) => other.phrase.length - one.phrase.length);
  const begun = new Map<string, typeof ways>();
  /** The ways that begin with a word, the longest first; words come again and again. */
  const waysFrom = (word: string) => {
    const known = begun.get(word);
    if (known) return known;
    const found = ways.filter(({ phrase }) => phrase[0] !== undefined && isSaidBy(phrase[0], word));
    if (begun.size < MOST_WORDS_KEPT) begun.set(word, found);
    return found;
  };

  return (words, stems) => {
    const concepts: string[] = [];
    const sequence: string[] = [];
    for (let at = 0; at < words.length;) {
      const found = waysFrom(words[at] ?? '').find(({ phrase }) => standsAt(phrase, words, at));
      if (found) concepts.push(found.concept);
      sequence.push(found?.concept ?? stems[at] ?? '');
      at += found?.phrase.length ?? 1;
    }
    return { concepts, sequence };
  };
}

const MOST_WORDS_KEPT = 50_000;
