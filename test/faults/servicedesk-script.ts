/** What students ask where a servicedesk is, and how the desk's own notices read. */
import { answers } from '../../dialogs/intents.ts';
import type { Content } from '../../src/content.ts';
import type { Understanding } from '../../src/understanding/understanding.ts';
import type { Notices } from './servicedesk-checker.ts';

/**
 * One question to each answer that is certain to be understood, and the line that only an answer to it has: so it can
 * be told who has answered it, and how many times.
 */
export function questionsIn(content: Content, understanding: Understanding): Map<string, string> {
  const nothing = { asked: { fact: undefined, path: undefined }, suggests: [] };
  const isCertain = (text: string, intent: string) => {
    const { wishes } = understanding.hear(text, nothing, '2026-11-23');
    return text.split(' ').length > 3 && wishes.length === 1 && wishes[0]?.type === `intent.${intent}`;
  };
  return new Map(
    // Whom to contact is said in many answers.
    answers
      .filter((intent) => intent !== 'contact')
      .flatMap((intent): [string, string][] => {
        const taught = content.taught.find((each) => each.intent === intent)?.examples ?? [];
        const question = taught.find((text) => isCertain(text, intent));
        return question === undefined ? [] : [[question, `${intent}/answer`]];
      }),
  );
}

export function noticesIn(content: Content): Notices {
  const notice = (name: string) => content.label(`desk/${name}`, { agent: '{{agent}}' });
  return {
    claimed: notice('claimed'),
    released: notice('released'),
    lapsed: notice('lapsed'),
    opened: notice('opened'),
  };
}
