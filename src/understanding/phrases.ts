/** Phrases as editors write them: folded words, where a star stands for any end of a word. */
import { foldedWordsIn } from './words.ts';

export type Phrase = readonly { word: string; isBeginning: boolean }[];

export function phraseOf(written: string): Phrase {
  return written
    .split(/\s+/)
    .flatMap((part) => foldedWordsIn(part).map((word) => ({ word, isBeginning: part.endsWith('*') })));
}

export const compile = (phrases: readonly string[]): Phrase[] => phrases.map(phraseOf);

export function standsAt(phrase: Phrase, words: readonly string[], at: number): boolean {
  return (
    phrase.length > 0 &&
    phrase.every(({ word, isBeginning }, offset) => {
      const said = words[at + offset];
      return said !== undefined && (isBeginning ? said.startsWith(word) : said === word);
    })
  );
}
