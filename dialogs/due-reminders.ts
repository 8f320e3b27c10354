/**
 * What somebody is to be reminded of, and on which days: a card to renew, an
 * order about to lapse, a card that waits to be collected.
 *
 * Each is a stage of one card, and said once. What has been renewed, revoked,
 * handed over or has ended is no stage any more; so it is told by the cards as
 * they are on the day, and nothing has to be called off. Of several stages one
 * is said a day, the one that came last: reminders are never a pile.
 */
import { addDays, type Card, type Day, isDead, isExpired, isIssued, lapsesOn, renewBy } from './card-validity.ts';

export type Stage = 'renew' | 'lapses' | 'pickup';
export type Reminder = { card: Card; stage: Stage };

/** What somebody wants, since which day, and what of it they have been told. */
export type Reminding = { since: Day; said: readonly { card: string; stage: Stage; on: Day }[] };

/**
 * The guidance has no number of days for it. The booth is open on weekdays only (R24), so two weeks leave at least some
 * of them, also over Christmas.
 */
const DAYS_BEFORE_AN_ORDER_LAPSES = 14;

/** All that a day asks for, what came last first. `from` is the first day of its stage. */
export function remindersOn(today: Day, cards: readonly Card[]): Reminder[] {
  return cards
    .flatMap((card) => {
      const due = isReplaced(card, cards, today) ? undefined : stageOf(card, today);
      return due ? [{ card, ...due }] : [];
    })
    .sort((one, other) => (one.from < other.from ? 1 : one.from > other.from ? -1 : 0))
    .map(({ card, stage }) => ({ card, stage }));
}

/**
 * What is to be said next. Nothing on the day that somebody asks for it, for then they have been told how it is, or can
 * ask; and nothing more on a day when something has been said.
 */
export function nextReminder({ since, said }: Reminding, cards: readonly Card[], today: Day): Reminder | undefined {
  if (since >= today || said.some(({ on }) => on >= today)) return undefined;
  const isSaid = (reminder: Reminder) =>
    said.some(({ card, stage }) => card === reminder.card.id && stage === reminder.stage);
  return remindersOn(today, cards).find((reminder) => !isSaid(reminder));
}

/** Whether there is anything left that a later day may ask for. */
export const hasMoreToCome = (cards: readonly Card[], today: Day): boolean =>
  cards.some((card) => isAlive(card, today));

function stageOf(card: Card, today: Day): { stage: Stage; from: Day } | undefined {
  if (card.issuer !== 'stockholm' || !isAlive(card, today)) return undefined;
  if (card.state === 'AWAITING_HANDOVER') return { stage: 'pickup', from: card.issuedOn }; // R31
  // A reserve card is neither renewed nor photographed for; lärosätet orders it (R28, R29).
  if (card.kind === 'reserve') return undefined;
  if (card.state === 'ACTIVE') return since(renewBy(card.expiresOn), 'renew', today); // R17
  if (card.state !== 'ORDERED') return undefined;
  return since(addDays(lapsesOn(card.orderedOn), -DAYS_BEFORE_AN_ORDER_LAPSES), 'lapses', today); // R20
}

const since = (from: Day, stage: Stage, today: Day) => (from <= today ? { stage, from } : undefined);

/** There is a newer one of the kind, or one on its way: there is nothing to renew or to collect instead (R17, R21). */
const isReplaced = ({ kind, orderedOn }: Card, cards: readonly Card[], today: Day): boolean =>
  cards.some(
    (each) => each.issuer === 'stockholm' && each.kind === kind && each.orderedOn > orderedOn && isAlive(each, today),
  );

/** On the day that an order may have lapsed, nobody can say (A15): then it is not about to. */
function isAlive(card: Card, today: Day): boolean {
  if (card.state === 'ORDERED') return today < lapsesOn(card.orderedOn);
  if (card.state === 'PHOTOGRAPHED' || card.state === 'IN_PRODUCTION') return true;
  if (!isIssued(card) || (card.state !== 'ACTIVE' && card.state !== 'AWAITING_HANDOVER')) return false;
  return !isExpired(card, today) && !isDead(card, today);
}
