/**
 * What a turn is counted as, and what is to be learned from it.
 *
 * Nothing that is counted tells whose conversation it was. What happens in a
 * conversation only once, such as that it was answered, is counted once in it.
 */
import type { Day } from '../../dialogs/card-validity.ts';
import { talk } from '../../dialogs/intents.ts';
import type { Turn } from '../turn.ts';
import type { Wish } from '../understanding/understanding.ts';
import { foldedWordsIn } from '../understanding/words.ts';
import type { Lesson, Pending, Said, Tally } from './store.ts';

const kinds = new Map<Wish['type'], Lesson['kind']>([
  ['unclear', 'notUnderstood'],
  ['intent.out-of-scope', 'notKnown'],
  ['ambiguous', 'clarified'],
]);

const ratings = [
  ['conversation/helped', 'helped'],
  ['conversation/notHelped', 'notHelped'],
] as const;

/** What two texts have in common that differ only in capitals, signs and dots. A text of signs alone is as it is. */
export const comparable = (text: string): string => foldedWordsIn(text).join(' ') || text.trim();

/** `text` is masked, as it is kept. */
export function learned(wishes: readonly Wish[], turn: Turn, text: string): { lessons: Lesson[] } {
  const wish = turn.wish;
  const folded = comparable(text);
  const unanswered = wishes.flatMap((each): Lesson[] => {
    const kind = kinds.get(each.type);
    return kind ? [{ kind, text, folded, between: each.type === 'ambiguous' ? each.between : [], wish }] : [];
  });
  const notHelped = turn.learnsFrom ? [{ kind: turn.learnsFrom.kind, text: '', folded: '', between: [], wish }] : [];
  return { lessons: [...unanswered.slice(0, 1), ...notHelped] };
}

/** What is counted of a turn, and everything that has been counted once of its conversation by then. */
export function countedIn(
  { counted, kept }: Pending,
  wishes: readonly Wish[],
  turn: Turn,
  { replies }: { replies: readonly Said[] },
  day: Day,
): { tallies: Tally[]; counted: string[] } {
  const now = new Set(counted);
  const tallies: Tally[] = [];
  const count = (what: string, name = '') => tallies.push({ day, what, name });
  const countOnce = (what: string, name = '', key = what) => {
    if (now.has(key)) return;
    now.add(key);
    count(what, name);
  };
  const isWish = ({ type }: Wish) => type.startsWith('intent.') && !talk.some((each) => type === `intent.${each}`);

  if (wishes.length > 0) countOnce('conversation');
  for (const { type } of wishes.filter(isWish)) count('wish', type.replace('intent.', ''));
  for (const { type } of wishes) {
    const kind = kinds.get(type);
    if (kind) count('unanswered', kind);
  }
  const [path = ''] = turn.state.split('/');
  if (!kept?.state.startsWith(`${path}/`) && path !== 'conversation') count('path', path);
  const cites = new Set(replies.flatMap((reply) => reply.cites));
  for (const rule of cites) count('rule', rule);
  if (turn.handsOver) {
    // A case that is kept for when the desk opens may be asked for again, and is the same case.
    const { reason } = turn.handsOver;
    countOnce('handedOver', reason, `handedOver/${reason}`);
    if (now.has('answered')) countOnce('answeredAndHandedOver');
    countOnce('conversationHandedOver');
  } else if (
    turn.wish !== undefined &&
    turn.asked.fact === undefined &&
    cites.size > 0 &&
    !now.has('conversationHandedOver')
  ) {
    countOnce('answered');
  }
  for (const [line, rating] of ratings) if (replies.some((reply) => reply.line === line)) count('rated', rating);
  return { tallies, counted: [...now] };
}
