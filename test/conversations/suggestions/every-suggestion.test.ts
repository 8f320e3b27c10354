/** What holds for every suggestion, whoever writes the next one. */
import { describe, expect, it } from '@jest/globals';
import { type Place, places } from '../../../dialogs/chart.ts';
import { beginnings, type Intent } from '../../../dialogs/intents.ts';
import type { Wish } from '../../../src/understanding/understanding.ts';
import { content, readUnderstanding } from '../../product.ts';

const day = '2026-11-23';
const understanding = readUnderstanding();
const questions = places().filter(({ asks }) => asks !== undefined);
const lines = [...content.lines.values()].filter(({ suggests }) => suggests.length > 0);
const offered = lines.map(({ name, suggests }) => ({
  line: name,
  suggests,
  question: questions.find((place) => place.name === name),
}));

describe('a suggestion at a question', () => {
  const answers = offered.flatMap(({ line, suggests, question }) =>
    question ? suggests.map((suggestion) => ({ line, suggestion, question })) : [],
  );

  it.each(answers)('answers it: $line, “$suggestion”', ({ suggestion, question }) => {
    expect(hear(suggestion, question).filter((wish) => isAnswer(wish, question))).toHaveLength(1);
  });

  it.each(offered.filter(({ question }) => question))('means something else than the others: $line', (each) => {
    const meanings = each.suggests.map((suggestion) => JSON.stringify(hear(suggestion, each.question)));
    expect(new Set(meanings).size).toBe(each.suggests.length);
  });
});

describe('a suggestion elsewhere', () => {
  const wishes = offered.flatMap(({ line, suggests, question }) =>
    question ? [] : suggests.map((suggestion) => ({ line, suggestion })),
  );

  it.each(wishes)('is a wish that needs no asking back: $line, “$suggestion”', ({ suggestion }) => {
    const [wish, ...others] = hear(suggestion);
    expect(others).toEqual([]);
    expect(wish?.type).toMatch(/^(intent\.(?!out-of-scope)|back$|yes$|no$|signOut$|forgetMe$|remindMe$)/);
  });
});

describe('a title, offered when two things may have been meant', () => {
  const titles = content.taught.filter(({ intent }) => intent !== 'out-of-scope');

  it.each(titles)('is that wish: “$title”', ({ title, intent }) => {
    expect(understanding.understand(title)).toMatchObject({ intent, decision: 'answer' });
  });

  it.each(questions)('is that wish also at a question, or answers it to the same end: $name', (question) => {
    const misheard = titles
      .filter(({ title, intent }) => {
        const [wish] = hear(title, question);
        return wish?.type !== `intent.${intent}` && !(wish?.type === 'told' && leadsTo(question, intent));
      })
      .map(({ title }) => title);
    expect(misheard).toEqual([]);
  });

  it.each(titles)('is never a yes to a card that was read back: “$title”', ({ title }) => {
    const confirming = questions.find(({ asks }) => asks === 'confirmation');
    expect(hear(title, confirming)).not.toContainEqual({ type: 'yes' });
  });
});

function hear(text: string, question?: Place): Wish[] {
  const asked = { fact: question?.asks, path: question?.path as keyof typeof beginnings | undefined };
  return understanding.hear(text, { asked, suggests: [] }, day).wishes;
}

/** A wish that begins the very path that asks is an answer too: “Det har gått ut”, to when it will. */
function isAnswer({ type }: Wish, { path }: Place): boolean {
  return ['told', 'yes', 'no'].includes(type) || pathOf(type.replace('intent.', '')) === path;
}

function leadsTo({ path, ways }: Place, intent: Intent): boolean {
  const wanted = pathOf(intent);
  return wanted === path || ways.some(({ to }) => to?.split('.')[0] === `#${wanted}`);
}

function pathOf(intent: string): string | undefined {
  return intent in beginnings ? beginnings[intent as keyof typeof beginnings].path : undefined;
}
