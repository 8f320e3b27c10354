/**
 * A small ledger in memory, for a terminal that is to work by itself.
 *
 * It keeps the promises of the real one: only a holder's own card of Region
 * Stockholm is revoked, once, and a receipt is for ever.
 */
import { createHash } from 'node:crypto';
import { type Card, type Day, isExpired, isIssued, type Receipt } from '../../dialogs/card-validity.ts';
import { instantOf } from '../calendar.ts';
import type { Holder } from './demonstration-holders.ts';
import type { Ledger } from './ledger.ts';

export function createEmbeddedLedger(holders: readonly Holder[], now: () => Date): Ledger {
  const cardsOf = new Map(holders.map(({ id, isProtected, cards }) => [id, isProtected ? [] : [...cards]]));
  const receipts = new Map<string, Receipt>();

  const revoked = (card: Card, reference: string): Card => {
    const at = instantOf(now());
    if (!isIssued(card)) throw new Error(`${card.state} is no state to revoke a card in`);
    const receipt = { number: receiptNumber(reference, card.number), card: card.number, at };
    return { ...card, state: 'REVOKED', receipt };
  };

  return {
    findCards: (person) => Promise.resolve({ outcome: 'found', cards: cardsOf.get(person) ?? [] }),
    revoke({ person, card: number, reference }) {
      const first = receipts.get(reference);
      if (first) return Promise.resolve({ outcome: 'revoked', receipt: first });

      const cards = cardsOf.get(person) ?? [];
      const card = cards.find((each) => each.number === number);
      const after =
        card && (card.state === 'REVOKED' ? card : isRevocable(card, now()) ? revoked(card, reference) : undefined);
      if (after?.state !== 'REVOKED') return Promise.resolve({ outcome: 'refused' });

      cardsOf.set(
        person,
        cards.map((each) => (each.number === number ? after : each)),
      );
      receipts.set(reference, after.receipt);
      return Promise.resolve({ outcome: 'revoked', receipt: after.receipt });
    },
  };
}

function isRevocable(card: Card, now: Date): boolean {
  const isInHand = card.state === 'ACTIVE' || card.state === 'AWAITING_HANDOVER';
  return (
    isIssued(card) && isInHand && card.issuer === 'stockholm' && !isExpired(card, instantOf(now).slice(0, 10) as Day)
  );
}

/** Short enough to read over the telephone, and the same for the same errand. */
function receiptNumber(reference: string, card: string): string {
  const digest = createHash('sha256').update(`${reference} ${card}`).digest('hex');
  return `S-${digest.slice(0, 4)}-${digest.slice(4, 8)}`.toUpperCase();
}
