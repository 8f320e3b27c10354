/**
 * The card ledger, as the conversation may use it: find a person's cards, and
 * revoke one of them.
 *
 * That a call never reached the ledger, and that it was sent without an answer
 * in time, are two different answers. After the second a card may be revoked.
 */
import type { Card, Receipt } from '../../dialogs/card-validity.ts';
import type { Revocation } from '../../dialogs/vocabulary.ts';

export type Failure = { outcome: 'unreachable' } | { outcome: 'unanswered' };

export type Ledger = {
  /** The opaque name the ledger has for whoever a provider of identity calls this. It tells nothing of them. */
  holderFor(identifier: string): Promise<{ outcome: 'found'; holder: string } | Failure>;
  /** An unknown person, and one whose data are protected, have no cards here. */
  findCards(person: string): Promise<{ outcome: 'found'; cards: Card[] } | Failure>;
  /** The same reference twice, and a card that is revoked already, give the first receipt. */
  revoke(revocation: Revocation): Promise<{ outcome: 'revoked'; receipt: Receipt } | { outcome: 'refused' } | Failure>;
};
