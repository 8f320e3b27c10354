/**
 * What was said, as Bot Framework activities.
 *
 * A claim carries its rules the way Teams and Web Chat show them: a number in
 * the text, and under that number the rule's own words. Teams takes a name of
 * 80 characters and an extract of 160 (learn.microsoft.com, “Bot messages with
 * AI-generated content”).
 */
import type { Activity, Entity } from 'botbuilder';
import type { Content, Spoken } from '../../content.ts';
import type { Exchange } from '../../conversations.ts';
import type { Rule } from '../../guidance.ts';

export type Rules = Content['rules'];

const LONGEST_NAME = 80;
const LONGEST_EXTRACT = 160;

/** One activity a reply. What is suggested stands under the last one: channels show no suggestions but those. */
export function toActivities({ replies }: Exchange, rules: Rules): Partial<Activity>[] {
  const suggests = [...new Set(replies.flatMap((reply) => reply.suggests))];
  return replies.map((reply, index) => ({
    ...toMessage(reply, rules),
    ...(index === replies.length - 1 && suggests.length > 0 && { suggestedActions: toActions(suggests) }),
  }));
}

function toMessage({ text, source, cites }: Spoken, rules: Rules): Partial<Activity> {
  const cited = cites.flatMap((id) => rules.get(id) ?? []);
  const markers = cited.map((_, index) => `[${index + 1}]`);
  return {
    type: 'message',
    locale: 'sv-SE',
    textFormat: 'markdown',
    text: cited.length > 0 ? [text, [source, ...markers].join(' ')].join('\n\n') : text,
    ...(cited.length > 0 && { entities: [toCitations(cited)] }),
  };
}

const toActions = (suggests: readonly string[]): NonNullable<Activity['suggestedActions']> => ({
  to: [],
  actions: suggests.map((title) => ({ type: 'imBack', title, value: title })),
});

function toCitations(cited: readonly Rule[]): Entity {
  return {
    type: 'https://schema.org/Message',
    '@type': 'Message',
    '@context': 'https://schema.org',
    citation: cited.map(({ id, text, guidance }, index) => ({
      '@type': 'Claim',
      position: index + 1,
      appearance: {
        '@type': 'DigitalDocument',
        name: shortened(`${id} ${guidance.title}`, LONGEST_NAME),
        abstract: shortened(text, LONGEST_EXTRACT),
      },
    })),
  };
}

/** Cut between two words, if it has to be. */
function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const room = text.slice(0, longest);
  return `${text.slice(0, Math.max(room.lastIndexOf(' '), 0) || longest - 1)}…`;
}
