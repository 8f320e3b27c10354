/** Cases and cards as the agents' page is shown them: in words, as far as words are the content's to have. */
import { type Card, type Day, isIssued, isRevocable, type Span } from '../../dialogs/card-validity.ts';
import type { Known } from '../../dialogs/vocabulary.ts';
import { instantOf } from '../calendar.ts';
import { type Content, madeOnce } from '../content.ts';
import type { Logged } from '../conversations/store.ts';
import type { CaseFile, CaseInQueue } from './desk.ts';
import type { BriefShown, CardShown, CaseShown, EntryShown, FileShown, QueueShown } from './shown.ts';

export type Speaker = {
  case: (each: CaseInQueue) => CaseShown;
  file: (file: CaseFile) => FileShown;
};

export const queueShown = (queue: readonly CaseInQueue[], now: Date, speaker: Speaker): QueueShown => ({
  at: instantOf(now),
  cases: queue.map((each) => speaker.case(each)),
});

export function cardShown(card: Card, today: Day): CardShown {
  const { id, ending, kind, issuer, state, orderedOn } = card;
  return {
    id,
    ending,
    kind,
    issuer,
    state,
    orderedOn,
    ...(isIssued(card) && { issuedOn: card.issuedOn, expiresOn: card.expiresOn }),
    ...(card.state === 'REVOKED' && { receipt: { number: card.receipt.number, at: card.receipt.at } }),
    isRevocable: isRevocable(card, today),
  };
}

export function createSpeaker(content: Content): Speaker {
  const label = (name: string, facts?: Record<string, string>) => content.label(`servicedesk/${name}`, facts);
  const titlesNow = madeOnce(
    content,
    () => new Map<string, string>(content.taught.map(({ intent, title }) => [intent, title])),
  );

  /** A line as it is written: what it quotes is the student's, or the moment's, and is left out. */
  const written = (name: string): string =>
    content.lines
      .get(name)
      ?.text.replace(/\{\{[^{}]*\}\}/g, '…')
      .trim() ?? name;

  const valueOf = (fact: string, value: Known[keyof Known]): string => {
    if (value === 'unknown' || value === undefined) return label('value.unknown');
    if (typeof value === 'boolean') return label(value ? 'yes' : 'no');
    return typeof value === 'string' ? label(`value.${fact}.${value}`) : spanOf(value);
  };
  const spanOf = ({ from, to }: Span): string => (from === to ? from : label('span', { from, to }));

  const caseShown = ({ id, reason, path, waitingSince, state, agent, unanswered }: CaseInQueue): CaseShown => ({
    id,
    reason,
    ...(path !== undefined && { path: label(`path.${path}`) }),
    waitingSince: instantOf(waitingSince),
    state,
    ...(agent && { agent: { id: agent.id, name: agent.name } }),
    unanswered,
  });

  const briefShown = ({ wish, state, known, cards, isProved, tried, cites }: CaseFile['brief']): BriefShown => ({
    ...(wish !== undefined && { wish: titlesNow().get(wish) ?? wish }),
    ...(state !== undefined && { state: written(state) }),
    known: known.map(({ fact, value, from }) => ({ name: label(`fact.${fact}`), value: valueOf(fact, value), from })),
    cards: cards.map(({ ending, kind, state: each }) => ({
      name: label('cardName', { name: label(`kind.${kind}`), ending }),
      state: label(`card.${each}`),
    })),
    isProved,
    tried: tried.map((line) => ({ text: written(line), cites: content.lines.get(line)?.cites ?? [] })),
    rules: cites.map((id) => ({ id, text: content.rules.get(id)?.text ?? '' })),
  });

  return {
    case: caseShown,
    file: ({ isYours, brief, log, ...each }) => ({
      case: caseShown(each),
      isYours,
      brief: briefShown(brief),
      log: log.flatMap(entryShown),
      seen: log.at(-1)?.seq ?? 0,
    }),
  };
}

/** Where a reply leads is told in words: the student has the button. */
function entryShown(entry: Logged): EntryShown[] {
  const { seq, author } = entry;
  const at = instantOf(entry.at);
  if (author === 'student') {
    return 'noted' in entry ? [] : [{ seq, at, from: author, text: entry.text, cites: [] }];
  }
  const { text, link, cites } = entry.said;
  const shown = { seq, at, from: author, text: [text, ...(link ? [link.title] : [])].join('\n\n'), cites };
  return [author === 'agent' ? { ...shown, name: entry.agent.name } : shown];
}
