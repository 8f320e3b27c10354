/** A conversation as a plain text file, to be kept: who said what and when, and the rules it was founded on. */
import { instantOf } from '../calendar.ts';
import { type Activity, isOwn } from './chat/activity.ts';
import { partsOf, type Part } from './chat/card.tsx';
import { speakerOf } from './chat/chat-view.tsx';
import type { Texts } from './chat/texts.ts';

export function toTranscript(activities: readonly Activity[], texts: Texts, dated: readonly string[]): string {
  const said = activities.filter(({ type }) => type === 'message').map((activity) => entryOf(activity, texts));
  return [texts.title, ...dated, ...said].join('\n\n').concat('\n').replaceAll('\n', '\r\n');
}

function entryOf(activity: Activity, texts: Texts): string {
  const { text = '', attachments = [], timestamp } = activity;
  const at = timestamp === undefined ? '' : `, ${instantOf(new Date(timestamp)).slice(0, 16).replace('T', ' ')}`;
  const cards = attachments.map((attachment) => partsOf(attachment).map(partInWords).join('\n'));
  const [who, words] = isOwn(activity) ? [texts.you, text] : [speakerOf(activity, texts), withRules(text, activity)];
  return [`${who}${at}`, words, ...cards].join('\n\n');
}

/** Where a rule is defined, for a client that links to it, it is told in its own words. */
function withRules(text: string, { entities = [] }: Activity): string {
  const claims = entities.flatMap(({ citation = [] }) => citation);
  return text.replace(/^\[(\d+)\]: cite:(\S+).*$/gm, (_, number: string, id: string) => {
    const rule = claims[Number(number) - 1]?.appearance.text ?? '';
    return `[${number}] ${id}: ${rule}`;
  });
}

function partInWords(part: Part): string {
  switch (part.kind) {
    case 'title':
    case 'text':
      return part.text;
    case 'facts':
      return part.facts.map(({ title, value }) => `${title}: ${value}`).join('\n');
    case 'link':
      return `${part.title}: ${part.url}`;
  }
}
