/** The words of a text, as everything that reads Swedish here sees them. */

/** A text longer than this is understood from its beginning; nobody's wish comes later. */
const LONGEST_TEXT = 1200;
const LONGEST_WORD = 30;

/** Lower-case words and numbers, of the text that is weighed. */
export function wordsIn(text: string): string[] {
  const plain = text.slice(0, LONGEST_TEXT).normalize('NFC').toLocaleLowerCase('sv').replace(INVISIBLE, '');
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.slice(0, LONGEST_WORD));
}

/** The same, without the dots over å, ä and ö. */
export const foldedWordsIn = (text: string): string[] => wordsIn(text).map(fold);

/** Zero-width characters, which split a word without being seen. */
const INVISIBLE = /\p{Cf}/gu;

export const fold = (word: string): string => (PLAIN.test(word) ? word : word.normalize('NFD').replace(/\p{M}/gu, ''));

/** Most words, which need no folding. */
const PLAIN = /^[a-z0-9]*$/;
