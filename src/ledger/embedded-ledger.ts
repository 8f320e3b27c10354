/**
 * A small ledger of people who do not exist, for a product that is to work by
 * itself.
 *
 * It keeps the promises of the real one: only a holder's own card of Region
 * Stockholm is revoked, once, and a receipt is for ever.
 */
import { createHash } from 'node:crypto';
import { type Card, type Day, isExpired, isIssued, type Receipt } from '../../dialogs/card-validity.ts';
import { instantOf } from '../calendar.ts';
import type { Holder } from './demonstration-holders.ts';
import type { Ledger } from './ledger.ts';
import type { Receipts } from './receipts.ts';

/** `holdersOn` tells who there are on a day; what has been revoked since, the receipts tell. */
export function createEmbeddedLedger(
  holdersOn: (day: Day) => readonly Holder[],
  now: () => Date,
  receipts: Receipts,
): Ledger {
  const cardsOf = async (person: string): Promise<Card[]> => {
    const holder = holdersOn(today(now())).find(({ id }) => id === person);
    const cards = holder && !holder.isProtected ? holder.cards : [];
    const revoked = await receipts.of(person);
    return cards.map((card) => withReceipt(card, revoked.get(card.number)));
  };

  return {
    findCards: async (person) => ({ outcome: 'found', cards: await cardsOf(person) }),
    async revoke(revocation) {
      const { person, card: number, reference } = revocation;
      const card = (await cardsOf(person)).find((each) => each.number === number);
      if (card?.state === 'REVOKED') return { outcome: 'revoked', receipt: card.receipt };
      if (!card || !isRevocable(card, now())) return { outcome: 'refused' };
      const receipt = { number: receiptNumber(reference, number), card: number, at: instantOf(now()) };
      return { outcome: 'revoked', receipt: await receipts.keep(revocation, receipt) };
    },
  };
}

const withReceipt = (card: Card, receipt: Receipt | undefined): Card =>
  receipt && isIssued(card) ? { ...card, state: 'REVOKED', receipt } : card;

const today = (now: Date): Day => instantOf(now).slice(0, 10) as Day;

function isRevocable(card: Card, now: Date): boolean {
  const isInHand = card.state === 'ACTIVE' || card.state === 'AWAITING_HANDOVER';
  return isIssued(card) && isInHand && card.issuer === 'stockholm' && !isExpired(card, today(now));
}

/** Short enough to read over the telephone, and the same for the same errand. */
function receiptNumber(reference: string, card: string): string {
  const digest = createHash('sha256').update(`${reference} ${card}`).digest('hex');
  return `S-${digest.slice(0, 4)}-${digest.slice(4, 8)}`.toUpperCase();
}
