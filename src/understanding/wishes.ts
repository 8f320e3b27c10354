/**
 * Two wishes in one message, in the order they are written.
 *
 * Most long messages are one wish and its story, so two are only heard if each
 * is clear where it stands alone, and the whole message speaks for both.
 */
import type { Intent } from '../../dialogs/intents.ts';
import type { Understood } from './decision.ts';
import { wordsIn } from './words.ts';

/** How probable a wish is to be where it stands alone, and among how many it is to be in the whole. Cross-validated. */
const ALONE = 0.8;
const FIRST_IN_THE_WHOLE = 3;
const WORDS_OF_A_WISH = 2;
const MOST_WISHES = 2;
/** A longer message is a story. One that is not short either is only divided where a sentence ends, which is soon tried. */
const MOST_WORDS = 40;
const MOST_WORDS_CUT = 20;

/** `links` finds the words between two wishes: och, sen, dessutom. */
export function createWishReader(
  links: RegExp,
  classify: (text: string) => Understood,
  isWish: (intent: Intent) => boolean,
  isSameErrand: (one: Intent, other: Intent) => boolean,
): (whole: Understood) => Intent[] {
  const clearWish = (part: string): Intent | undefined => {
    if (wordsIn(part).length < WORDS_OF_A_WISH) return undefined;
    const { decision, intent, candidates } = classify(part);
    return decision === 'answer' && isWish(intent) && (candidates[0]?.probability ?? 0) >= ALONE ? intent : undefined;
  };

  const distinct = (parts: readonly string[]): Intent[] => {
    const wishes: Intent[] = [];
    for (const part of parts) {
      const intent = clearWish(part);
      if (intent && !wishes.some((each) => each === intent || isSameErrand(each, intent))) wishes.push(intent);
    }
    return wishes;
  };

  return ({ text, intent: first, candidates }) => {
    const length = wordsIn(text).length;
    if (length > MOST_WORDS) return [];
    const sentences = text.split(/[.?!;\n]+/).filter((sentence) => wordsIn(sentence).length > 0);
    const ways = [sentences, ...(length > MOST_WORDS_CUT ? [] : cuts(text, links))];
    const borneOut = candidates.slice(0, FIRST_IN_THE_WHOLE).map(({ intent }) => intent);
    for (const parts of ways) {
      const wishes = parts.length < 2 ? [] : distinct(parts);
      const isBorneOut = wishes.includes(first) && wishes.every((intent) => borneOut.includes(intent));
      if (wishes.length === MOST_WISHES && isBorneOut) return wishes;
    }
    return [];
  };
}

/** The text cut in two at each comma, and at each word that links. */
function cuts(text: string, links: RegExp): string[][] {
  return [...text.matchAll(/,/g), ...text.matchAll(links)].map(({ 0: link, index }) => [
    text.slice(0, index),
    text.slice(index + link.length),
  ]);
}
