/**
 * How somebody is reminded, wherever the talk is: it moves nobody, and a
 * question that is open is asked again.
 *
 * It is said to nobody but the person themselves: proved here a while ago, or
 * the owner of the account that alone reads there. Where they once asked for it
 * and are not proved any more, they are told that there is something, and not
 * what. That tells no more than the chat above it does; and after they have
 * signed out, not even that, for another may sit there.
 */
import { isIssued, lapsesOn } from './card-validity.ts';
import type { Reminder } from './due-reminders.ts';
import { isProofOf } from './proof.ts';
import { type Now, type Quotable, vocabulary } from './vocabulary.ts';

const sites = { lindhagen: 'pickupAtLindhagen', sodersjukhuset: 'pickupAtSodersjukhuset' } as const;

export const linesOfReminders = [
  'reminders/renew',
  'reminders/lapses',
  'reminders/pickup',
  'reminders/pickupAtLindhagen',
  'reminders/pickupAtSodersjukhuset',
];

/** Says what the event reminds of, if it does. */
export const saysReminder = vocabulary.enqueueActions(({ event, enqueue }) => {
  if ((event.type !== 'reminder.due' && event.type !== 'ledger.cardsFound') || !event.reminder) return;
  const { person, reminder } = event;
  const { card, stage } = reminder;
  enqueue({ type: 'say', params: { line: lineOf(reminder), facts: factsOf(reminder) } });
  enqueue({ type: 'remind', params: { person, card: card.id, stage, how: 'said' } });
});

export const hintsAtReminder = vocabulary.enqueueActions(({ event, enqueue }) => {
  if (event.type !== 'reminder.due') return;
  const { person, reminder } = event;
  enqueue({ type: 'say', params: { line: 'reminders/waits' } });
  enqueue({ type: 'remind', params: { person, card: reminder.card.id, stage: reminder.stage, how: 'hinted' } });
});

export function isReadByThemAlone(now: Now): boolean {
  const { context, event } = now;
  if (event.type !== 'reminder.due' || context.isAmongOthers) return false;
  return event.isOwnAccount || isProofOf(now, event.person);
}

export function isWantedHere({ context, event }: Now): boolean {
  return event.type === 'reminder.due' && !event.isHinted && context.remindedHere === event.person;
}

function lineOf({ card, stage }: Reminder): string {
  const site = card.state === 'AWAITING_HANDOVER' ? card.photoSite : undefined;
  return `reminders/${stage === 'pickup' && site ? sites[site] : stage}`;
}

/** No more than the lines need: what is pushed may be seen on a telephone that lies on a table. */
const factsOf = ({ card }: Reminder): Quotable => ({
  cardKind: { word: card.kind },
  orderLapsesOn: { day: lapsesOn(card.orderedOn) },
  ...(isIssued(card) && { expiresOn: { day: card.expiresOn } }),
});
