/**
 * What was said, as Teams shows it.
 *
 * Teams parts a text from its cards anyway, shows at most three suggestions
 * under a text and none where there is a card, and takes no message over its
 * limit (learn.microsoft.com, “Suggested actions” of 2026-06-26, “Format your
 * bot messages”). So a text goes by itself; and where it would not show every
 * suggestion, or others read along who have to see whose they are, they are
 * buttons of a card. A button knows the reply that it stands under: pressed
 * when the talk has moved on, it decides nothing.
 */
import type { Activity, Attachment } from 'botbuilder';
import type { Said } from '../../conversations/store.ts';
import { type Rules, toActivity, toAdaptiveCard } from '../activities.ts';
import type { Pressed } from './incoming.ts';

/** In bytes of UTF-16, of the whole activity: what has been safe in every version of Teams. */
export const LARGEST = 28_000;
const MOST_SUGGESTIONS = 3;
/** In characters, when it has to be parted: leaves room for citations and what the channel adds. */
const LONGEST_PART = 8_000;

/** `under` is the place of the reply in its conversation. */
export function toTeamsActivities(
  said: Said,
  under: number,
  isShared: boolean,
  rules: Rules,
): [Partial<Activity>, ...Partial<Activity>[]] {
  const { attachments = [], attachmentLayout: _, suggestedActions, ...spoken } = toActivity(said, rules);
  const { suggests } = said;
  const isShown = suggests.length <= MOST_SUGGESTIONS && attachments.length === 0 && !isShared;
  const buttons = isShown || suggests.length === 0 ? [] : [toButtons(suggests, under)];
  const cards = [...attachments, ...buttons];
  const { text = '' } = spoken;
  const parts = partsOf(inert(text)).map((part, index, all): Partial<Activity> => {
    const isLast = index === all.length - 1;
    const { entities, ...bare } = spoken;
    return {
      ...bare,
      text: part,
      // The numbers of the rules stand in the last part.
      ...(isLast && entities && { entities }),
      ...(isLast && isShown && suggestedActions && { suggestedActions }),
    };
  });
  const [first = spoken, ...rest] = parts;
  return [first, ...rest, ...cards.map((card): Partial<Activity> => ({ type: 'message', attachments: [card] }))];
}

/** Opens a chat between whoever follows it and the bot; only from Teams, where people have one. */
export const privateChatWith =
  (appId: string) =>
  (conversation: string): string | undefined =>
    conversation.startsWith('bot/msteams/') ? `https://teams.microsoft.com/l/chat/0/0?users=28:${appId}` : undefined;

/** As plain as can be, for when Teams did not take it otherwise. Without its link, nobody could sign in. */
export function toPlainActivity({ text, link, suggests }: Said): Partial<Activity> {
  const ends = [...(link ? [`${link.title}: ${link.url}`] : []), ...suggests.map((each) => `- ${each}`)].join('\n');
  const [begins = ''] = partsOf(text, LONGEST_PART - ends.length);
  const plain = [begins, ends].filter((each) => each !== '').join('\n');
  return { type: 'message', locale: 'sv-SE', textFormat: 'plain', text: plain };
}

/**
 * What Teams could make more of than our own chat does: signs of HTML are
 * themselves, a picture is not fetched, and a link leads nowhere but to the web.
 */
const inert = (text: string): string =>
  text
    .replace(/&(?=#?\w+;)/g, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('![', '!\\[')
    .replace(/\](?=\((?!(?:https?|mailto|tel):)|:)/gi, '\\]');

function toButtons(suggests: readonly string[], under: number): Attachment {
  const actions = suggests.map((says) => {
    const value: Pressed = { kortlotsen: { says, under } };
    // With this, Teams shows what was pressed as the student's own words.
    const msteams = { type: 'messageBack', displayText: says, text: says, value };
    return { type: 'Action.Submit', title: says, data: { ...value, msteams } };
  });
  // Teams shows six in a row, and hides the others: so each has a row of its own.
  return toAdaptiveCard(
    actions.map((action) => ({ type: 'ActionSet', spacing: 'Small', actions: [action] })),
    undefined,
  );
}

/** Cut between two paragraphs, or where that will not do, between two lines or words. */
function partsOf(text: string, longest = LONGEST_PART): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > longest) {
    const room = rest.slice(0, longest);
    const end = ['\n\n', '\n', ' '].map((gap) => room.lastIndexOf(gap)).find((place) => place > longest / 2);
    // Never between the two halves of one sign.
    const half = /[\uD800-\uDBFF]$/.test(room) ? longest - 1 : longest;
    parts.push(rest.slice(0, end ?? half).trimEnd());
    rest = rest.slice(end ?? half).trimStart();
  }
  return [...parts, rest].filter((part) => part !== '');
}
