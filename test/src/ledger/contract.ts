/**
 * What a ledger has to be for the conversation, wherever it is: in this
 * process, behind the API, or somebody else's.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Card } from '../../../dialogs/card-validity.ts';
import type { Revocation, RevocationReason } from '../../../dialogs/vocabulary.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';

/** People as a provider of identity calls them, each with exactly what their name says. */
export type People = {
  /** With a card of the region that is in use; as many as there are tests that revoke one. */
  active: readonly [string, string, string, string, string];
  expired: string;
  otherRegion: string;
  protected: string;
  /** A card that a protected person has, where it is known. */
  protectedCard?: string;
  unknown: string;
};

export type Contracted = {
  ledger: Ledger;
  /** Another client of the same ledger, in a process of its own as far as the ledger can tell. */
  another: Ledger;
  people: People;
  stop: () => Promise<void>;
};

export function ledgerContract(name: string, make: () => Promise<Contracted>): void {
  describe(name, () => {
    let made: Contracted;
    beforeAll(async () => {
      made = await make();
    });
    afterAll(async () => {
      await made.stop();
    });

    const holderOf = async (identifier: string): Promise<string> => {
      const found = await made.ledger.holderFor(identifier);
      if (found.outcome !== 'found') throw new Error(found.outcome);
      return found.holder;
    };
    const cardsOf = async (identifier: string): Promise<Card[]> => {
      const found = await made.ledger.findCards(await holderOf(identifier));
      if (found.outcome !== 'found') throw new Error(found.outcome);
      return found.cards;
    };
    const theirs = async (identifier: string): Promise<{ person: string; card: string }> => {
      const [card] = await cardsOf(identifier);
      if (!card) throw new Error('A person of the contract has no card');
      return { person: await holderOf(identifier), card: card.id };
    };
    const revocation = (
      of: { person: string; card: string },
      { reference = randomUUID(), reason = 'LOST' }: { reference?: string; reason?: RevocationReason } = {},
    ): Revocation => ({ ...of, request: 'ledger.revoke', reference, reason });

    it('has one name for a person, and it is nobody else’s', async () => {
      const [active] = made.people.active;
      expect(await holderOf(active)).toBe(await holderOf(active));
      expect(await holderOf(active)).not.toBe(await holderOf(made.people.unknown));
    });

    it('lists a person’s own cards', async () => {
      expect(await cardsOf(made.people.active[0])).toMatchObject([{ state: 'ACTIVE', issuer: 'stockholm' }]);
      expect(await cardsOf(made.people.otherRegion)).toMatchObject([{ issuer: 'other' }]);
    });

    it('lists none of a person it does not know, and none of one that is protected', async () => {
      expect(await cardsOf(made.people.unknown)).toEqual([]);
      expect(await cardsOf(made.people.protected)).toEqual([]);
      expect(await made.ledger.findCards('no name of a holder')).toEqual({ outcome: 'found', cards: [] });
    });

    it('refuses a card it does not know, somebody else’s, and a protected person’s, all alike', async () => {
      const [person, other] = [await holderOf(made.people.active[0]), await theirs(made.people.active[1])];
      const protectedOne = await holderOf(made.people.protected);
      const { protectedCard = 'c_unknown-to-everybody' } = made.people;
      for (const of of [
        { person, card: 'c_unknown-to-everybody' },
        { person, card: 'no name of a card' },
        { person, card: other.card },
        { person: protectedOne, card: protectedCard },
        { person: await holderOf(made.people.unknown), card: other.card },
      ]) {
        expect(await made.ledger.revoke(revocation(of))).toEqual({ outcome: 'refused' });
      }
      expect(await cardsOf(made.people.active[1])).toMatchObject([{ state: 'ACTIVE' }]);
    });

    it('gives a receipt for a revocation, and the same ever after, whoever asks and why', async () => {
      const of = await theirs(made.people.active[1]);
      const first = revocation(of);
      const revoked = await made.ledger.revoke(first);
      expect(revoked).toMatchObject({ outcome: 'revoked', receipt: { card: of.card } });
      expect(await made.ledger.revoke(first)).toEqual(revoked);
      expect(await made.ledger.revoke(revocation(of))).toEqual(revoked);
      expect(await made.another.revoke(revocation(of, { reason: 'MALFUNCTION' }))).toEqual(revoked);
      const byAgent = { ...revocation(of, { reference: `desk/${randomUUID()}` }), channel: 'servicedesk' } as const;
      expect(await made.another.revoke(byAgent)).toEqual(revoked);
      const [card] = await cardsOf(made.people.active[1]);
      expect(card).toMatchObject({ state: 'REVOKED', ...('receipt' in revoked && { receipt: revoked.receipt }) });
    });

    it('refuses a reference that was used for something else', async () => {
      const [of, other] = [await theirs(made.people.active[2]), await theirs(made.people.active[3])];
      const first = revocation(of);
      expect(await made.ledger.revoke(first)).toMatchObject({ outcome: 'revoked' });
      expect(await made.ledger.revoke({ ...first, reason: 'MALFUNCTION' })).toEqual({ outcome: 'refused' });
      expect(await made.ledger.revoke({ ...first, ...other })).toEqual({ outcome: 'refused' });
      expect(await cardsOf(made.people.active[3])).toMatchObject([{ state: 'ACTIVE' }]);
    });

    it('takes a reference that is long, or has other letters in it', async () => {
      const first = revocation(await theirs(made.people.active[3]), { reference: `samtal å/${'x'.repeat(300)}` });
      const revoked = await made.ledger.revoke(first);
      expect(revoked).toMatchObject({ outcome: 'revoked' });
      expect(await made.ledger.revoke(first)).toEqual(revoked);
    });

    it('refuses another region’s card', async () => {
      expect(await made.ledger.revoke(revocation(await theirs(made.people.otherRegion)))).toEqual({
        outcome: 'refused',
      });
      expect(await cardsOf(made.people.otherRegion)).toMatchObject([{ state: 'ACTIVE' }]);
    });

    it('refuses a card that has expired, and leaves it expired', async () => {
      expect(await made.ledger.revoke(revocation(await theirs(made.people.expired)))).toEqual({ outcome: 'refused' });
      expect(await cardsOf(made.people.expired)).toMatchObject([{ state: 'EXPIRED' }]);
    });

    it('gives one receipt to twenty that revoke a card at the same moment', async () => {
      const of = await theirs(made.people.active[4]);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, nth) => (nth % 2 ? made.ledger : made.another).revoke(revocation(of))),
      );
      expect(answers.map(({ outcome }) => outcome)).toEqual(Array(20).fill('revoked'));
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    });
  });
}
