/**
 * What was said, as Bot Framework activities.
 *
 * A claim carries its rules the way Teams and Web Chat show them: a number in
 * the text, and under that number the rule's own words. Teams takes a name of
 * 80 characters and an extract of 160 (learn.microsoft.com, “Bot messages with
 * AI-generated content”).
 */
import type { Activity, Attachment, Entity } from 'botbuilder';
import type { Content, ReceiptInWords } from '../content.ts';
import type { Link, Said, VisitCard } from '../conversations/store.ts';
import type { Rule } from '../guidance.ts';

export type Rules = Content['rules'];

const LONGEST_NAME = 80;
const LONGEST_EXTRACT = 160;

export function toActivity(said: Said, rules: Rules): Partial<Activity> {
  const { text, source, suggests } = said;
  const attachments = cardsOf(said);
  const cited = citedBy(said, rules);
  const markers = cited.map((_, index) => `[${index + 1}]`);
  return {
    type: 'message',
    locale: 'sv-SE',
    textFormat: 'markdown',
    text: cited.length > 0 ? [text, [source, ...markers].join(' ')].join('\n\n') : text,
    ...(cited.length > 0 && { entities: [toCitations(cited)] }),
    ...(suggests.length > 0 && { suggestedActions: toActions(suggests) }),
    ...(attachments.length > 0 && { attachments }),
    ...(attachments.length > 1 && { attachmentLayout: 'list' }),
  };
}

/**
 * The same, as Web Chat shows citations: it lists the rules under the text if
 * the text defines them, and opens one whole, where Teams would expect a card.
 */
export function toWebChatActivity(said: Said, rules: Rules): Partial<Activity> {
  const activity = toActivity(said, rules);
  const cited = citedBy(said, rules);
  if (cited.length === 0) return activity;
  const definitions = cited.map(({ id }, index) => `[${index + 1}]: cite:${id} "${id}"`);
  return {
    ...activity,
    text: [activity.text, definitions.join('\n')].join('\n\n'),
    entities: [toCitations(cited, true)],
  };
}

/** The rules of the text, and then those of its cards. */
const citedBy = ({ cites, visits = [] }: Said, rules: Rules): Rule[] =>
  [...new Set([cites, ...visits.map((visit) => visit.cites)].flat())].flatMap((id) => rules.get(id) ?? []);

function cardsOf({ link, receipt, visits = [] }: Said): Attachment[] {
  const own = receipt ? [toReceipt(receipt, link)] : link ? [toHeroCard(link)] : [];
  return [...own, ...visits.map(toVisit)];
}

const toHeroCard = ({ title, url }: Link): Attachment => ({
  contentType: 'application/vnd.microsoft.card.hero',
  content: { buttons: [{ type: 'openUrl', title, value: url }] },
});

const toReceipt = ({ title, rows }: ReceiptInWords, link: Link | undefined): Attachment =>
  toAdaptiveCard([heading(title), factsOf(rows)], link);

/** What to bring is a list in Markdown, as both Teams and Web Chat read it. */
const toVisit = ({ title, rows, bring, link }: VisitCard): Attachment => {
  const list = bring && { type: 'TextBlock', text: bring.items.map((item) => `- ${item}`).join('\n'), wrap: true };
  const name = bring && { type: 'TextBlock', text: bring.name, weight: 'Bolder', wrap: true };
  return toAdaptiveCard(
    [heading(title), factsOf(rows), ...(name && list ? [name, { ...list, spacing: 'None' }] : [])],
    link,
  );
};

/** A card of a title and what there is to say of it. */
export const toCard = ({
  title,
  rows,
  link,
}: {
  title: string;
  rows: readonly NamedValue[];
  link?: Link;
}): Attachment => toAdaptiveCard([heading(title), ...(rows.length > 0 ? [factsOf(rows)] : [])], link);

type NamedValue = { name: string; value: string };

const heading = (text: string) => ({ type: 'TextBlock', text, style: 'heading', weight: 'Bolder', wrap: true });
const factsOf = (rows: readonly NamedValue[]) => ({
  type: 'FactSet',
  facts: rows.map(({ name, value }) => ({ title: name, value })),
});

/** In the version that both Teams and Web Chat show. */
export const toAdaptiveCard = (body: readonly object[], link: Link | undefined): Attachment => ({
  contentType: 'application/vnd.microsoft.card.adaptive',
  content: {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.5',
    lang: 'sv',
    body,
    ...(link && { actions: [{ type: 'Action.OpenUrl', title: link.title, url: link.url }] }),
  },
});

const toActions = (suggests: readonly string[]): NonNullable<Activity['suggestedActions']> => ({
  to: [],
  actions: suggests.map((title) => ({ type: 'imBack', title, value: title })),
});

/** Web Chat lists a claim by its name, and shows the text of its appearance; for Teams, that text would be a card. */
function toCitations(cited: readonly Rule[], isWebChat = false): Entity {
  return {
    type: 'https://schema.org/Message',
    '@type': 'Message',
    '@context': 'https://schema.org',
    '@id': '',
    citation: cited.map(({ id, text, guidance }, index) => ({
      '@type': 'Claim',
      position: index + 1,
      ...(isWebChat && { name: shortened(`${id}: ${text}`, LONGEST_NAME) }),
      appearance: {
        '@type': 'DigitalDocument',
        name: shortened(`${id} ${guidance.title}`, LONGEST_NAME),
        abstract: shortened(text, LONGEST_EXTRACT),
        ...(isWebChat && { text }),
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
