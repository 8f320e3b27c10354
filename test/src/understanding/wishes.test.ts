import { describe, expect, it } from '@jest/globals';
import type { Intent } from '../../../dialogs/intents.ts';
import type { Understood } from '../../../src/understanding/decision.ts';
import { createWishReader } from '../../../src/understanding/wishes.ts';

/** Understands by a single word, so that only the dividing is tried. */
const words: [string, Intent][] = [
  ['förnya', 'renew'],
  ['sös', 'sos-office'],
  ['tack', 'thanks'],
  ['gått', 'expired'],
];

function classify(text: string): Understood {
  const found = words.flatMap(([word, intent]) => (text.includes(word) ? [intent] : []));
  const candidates = [...found, 'help' as const].map((intent, index) => ({
    intent,
    probability: index === 0 && found.length > 0 ? 0.9 : 0.05,
  }));
  const [first] = candidates;
  return { text, intent: first?.intent ?? 'help', decision: found.length > 0 ? 'answer' : 'clarify', candidates };
}

const isWish = (intent: Intent) => intent !== 'thanks';
const isSameErrand = (one: Intent, other: Intent) => [one, other].every((each) => ['renew', 'expired'].includes(each));
const read = createWishReader(/(?<= )och(?= )/gu, classify, isWish, isSameErrand);
const wishesIn = (text: string) => read(classify(text));

describe('two wishes', () => {
  it.each([
    'Hur ska jag förnya? När öppnar sös?',
    'hur ska jag förnya och när öppnar sös',
    'hur ska jag förnya, när öppnar sös',
  ])('are found in “%s”, in order', (text) => {
    expect(wishesIn(text)).toEqual(['renew', 'sos-office']);
  });

  it('are one, if the same path has both', () => {
    expect(wishesIn('det har gått ut. hur ska jag förnya?')).toEqual([]);
  });

  it('are one, if the other is thanks', () => {
    expect(wishesIn('hur ska jag förnya. tack så mycket')).toEqual([]);
  });

  it('are not looked for in a story', () => {
    const story = Array.from({ length: 40 }, () => 'ord').join(' ');
    expect(wishesIn(`Hur ska jag förnya? När öppnar sös? ${story}`)).toEqual([]);
  });

  it('are divided where a sentence ends only, if the message is not short', () => {
    const middling = Array.from({ length: 20 }, () => 'ord').join(' ');
    expect(wishesIn(`hur ska jag förnya och när öppnar sös ${middling}`)).toEqual([]);
    expect(wishesIn(`Hur ska jag förnya? När öppnar sös ${middling}`)).toEqual(['renew', 'sos-office']);
  });
});
