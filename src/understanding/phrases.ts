/** Phrases as editors write them: folded words, where a star stands for any end of a word. */
import { foldedWordsIn, wordsIn } from './words.ts';

export type Phrase = readonly Part[];
type Part = { word: string; isBeginning: boolean };

export function phraseOf(written: string): Phrase {
  return written
    .split(/\s+/)
    .flatMap((part) => foldedWordsIn(part).map((word) => ({ word, isBeginning: part.endsWith('*') })));
}

export const compile = (phrases: readonly string[]): Phrase[] => phrases.map(phraseOf);

export function standsAt(phrase: Phrase, words: readonly string[], at: number): boolean {
  return (
    phrase.length > 0 &&
    phrase.every((part, offset) => {
      const said = words[at + offset];
      return said !== undefined && isSaidBy(part, said);
    })
  );
}

export const isSaidBy = ({ word, isBeginning }: Part, said: string): boolean =>
  isBeginning ? said.startsWith(word) : said === word;

/** Finds any of the phrases in a text as it was written, whole words only; with or without dots over å, ä and ö. */
export function finderOf(phrases: readonly string[]): RegExp {
  const ways = [...phrases]
    .sort((one, other) => other.length - one.length)
    .map((phrase) =>
      wordsIn(phrase)
        .map(inAnyDress)
        .join(String.raw`[^\p{L}\p{N}]+`),
    );
  return new RegExp(String.raw`(?<![\p{L}\p{N}])(?:${ways.join('|')})(?![\p{L}\p{N}])`, 'giu');
}

const inAnyDress = (word: string): string => word.replace(/[åä]/g, '[åäa]').replace(/ö/g, '[öo]');
