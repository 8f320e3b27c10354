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

/**
 * Where somebody asked for a revocation, as the ledger keeps it for ever. A reference of the servicedesk’s is kept as
 * it is, for it tells who asked; it has at most 200 printable ASCII characters.
 */
export type Channel = 'chat' | 'servicedesk';

export type Ledger = {
  /** The opaque name the ledger has for whoever a provider of identity calls this. It tells nothing of them. */
  holderFor(identifier: string): Promise<{ outcome: 'found'; holder: string } | Failure>;
  /** An unknown person, and one whose data are protected, have no cards here. */
  findCards(person: string): Promise<{ outcome: 'found'; cards: Card[] } | Failure>;
  /**
   * The same reference twice, and a card that is revoked already, give the first receipt. Without a channel it is
   * the holder who asks, in a chat.
   */
  revoke(
    revocation: Revocation & { channel?: Channel },
  ): Promise<{ outcome: 'revoked'; receipt: Receipt } | { outcome: 'refused' } | Failure>;
};
