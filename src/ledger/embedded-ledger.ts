/** The ledger in this process, as the conversation uses it: a product that works by itself has no other. */
import type { Registry } from './cards.ts';
import type { Ledger } from './ledger.ts';
import { errandOf, toDialogCard, toDialogReceipt } from './translation.ts';

export function createEmbeddedLedger(registry: Registry): Ledger {
  return {
    holderFor: (identifier) => Promise.resolve({ outcome: 'found', holder: registry.holderFor(identifier) }),
    async findCards(person) {
      const cards = await registry.cardsOf(person);
      return { outcome: 'found', cards: cards.map(toDialogCard) };
    },
    async revoke({ person: holder, card, reason, ...errand }) {
      const order = { holder, card, reason, client: 'kortlotsen', ...errandOf(errand) };
      const revoked = await registry.revoke(order);
      if (revoked.outcome !== 'revoked') return { outcome: 'refused' };
      return { outcome: 'revoked', receipt: toDialogReceipt(revoked.receipt) };
    },
  };
}
