/** What the ledger knows of the student's own cards, told to nobody but them. */
import {
  type Card,
  type Day,
  isDead,
  isExpired,
  isIssued,
  isTooLateToRenewInTime,
  lapsesOn,
  type Receipt,
} from './card-validity.ts';
import { hasMoreToCome } from './due-reminders.ts';
import { provingBy } from './proving.ts';
import { dayOf, type Now, outcomes, type Quotable, vocabulary } from './vocabulary.ts';

const lines = [
  'active',
  'expiresSoon',
  'expired',
  'dead',
  'revoked',
  'awaitingAtLindhagen',
  'awaitingAtSodersjukhuset',
  'awaitingHandover',
  'ordered',
  'photographed',
  'inProduction',
  'orderHasLapsed',
  'cancelled',
  'voided',
  'destroyed',
  'otherRegion',
] as const;

export const cardStatus = vocabulary.createStateConfig({
  id: 'card-status',
  entry: { type: 'openPath', params: 'card-status' },
  initial: 'proving',
  states: {
    ...provingBy({ isFresh: false }),
    cardsFound: {
      meta: { says: [...lines.map((line) => `card-status/${line}`), 'reminders/offer'] },
      always: [{ guard: hasNoCards, target: 'noCards' }, { target: 'shown' }],
      exit: vocabulary.enqueueActions(({ context, event, enqueue }) => {
        for (const card of context.cards) {
          const line = `card-status/${lineFor(card, dayOf(event))}`;
          enqueue({ type: 'say', params: { line, facts: quotableOf(card) } });
        }
        if (!canBeOfferedReminding({ context, event })) return;
        enqueue({ type: 'say', params: { line: 'reminders/offer' } });
        enqueue({ type: 'noteReminding', params: { isRemindingOffered: true } });
      }),
    },
    ...outcomes('card-status', 'notIdentified', 'ledgerIsDown', 'ledgerIsSlow', 'noCards', 'shown'),
  },
});

/** Once in a conversation, and if there is something to be reminded of. */
function canBeOfferedReminding({ context, event }: Now): boolean {
  const canBe = event.type === 'ledger.cardsFound' && event.canRemind === true && !context.isRemindingOffered;
  return canBe && hasMoreToCome(context.cards, dayOf(event));
}

function hasNoCards({ context: { cards } }: Now): boolean {
  return cards.length === 0;
}

const linesOfStates = {
  ORDERED: 'ordered',
  PHOTOGRAPHED: 'photographed',
  IN_PRODUCTION: 'inProduction',
  LAPSED: 'orderHasLapsed',
  CANCELLED: 'cancelled',
  REVOKED: 'revoked',
  VOIDED: 'voided',
  DESTROYED: 'destroyed',
} as const;

const linesOfSites = { lindhagen: 'awaitingAtLindhagen', sodersjukhuset: 'awaitingAtSodersjukhuset' } as const;

function lineFor(card: Card, today: Day): (typeof lines)[number] {
  if (card.state === 'AWAITING_HANDOVER') return card.photoSite ? linesOfSites[card.photoSite] : 'awaitingHandover';
  if (card.state !== 'ACTIVE' && card.state !== 'EXPIRED') return linesOfStates[card.state];
  if (isExpired(card, today)) return 'expired';
  if (card.issuer === 'other') return 'otherRegion';
  if (isDead(card, today)) return 'dead';
  return isTooLateToRenewInTime(card.expiresOn, today) ? 'expiresSoon' : 'active';
}

/** What may be quoted of a card, to its proved holder. */
export function quotableOf(card: Card): Quotable {
  return {
    card: { text: card.ending },
    cardKind: { word: card.kind },
    orderedOn: { day: card.orderedOn },
    orderLapsesOn: { day: lapsesOn(card.orderedOn) },
    ...(isIssued(card) && { expiresOn: { day: card.expiresOn } }),
    ...(card.state === 'REVOKED' && quotableReceipt(card.receipt)),
  };
}

export const quotableReceipt = ({ ending, number, at }: Receipt): Quotable => ({
  revokedCard: { text: ending },
  receipt: { text: number },
  revokedAt: { instant: at },
});
