/** What the embedded ledger must not forget: that a card was revoked, on which errand, and its receipt. */
import { z } from 'zod';
import type { Receipt } from '../../dialogs/card-validity.ts';
import type { Revocation } from '../../dialogs/vocabulary.ts';
import type { Database } from '../storage/database.ts';

export type Receipts = {
  /** The receipts of a person's cards, by card. */
  of: (person: string) => Promise<Map<string, Receipt>>;
  /** Keeps a receipt, unless the card has one; returns the card's. */
  keep: (revocation: Revocation, receipt: Receipt) => Promise<Receipt>;
};

export function createReceiptsInMemory(): Receipts {
  const kept = new Map<string, Map<string, Receipt>>();
  const of = (person: string) => kept.get(person) ?? new Map<string, Receipt>();
  return {
    of: (person) => Promise.resolve(of(person)),
    keep({ person, card }, receipt) {
      const first = of(person).get(card) ?? receipt;
      kept.set(person, new Map([...of(person), [card, first]]));
      return Promise.resolve(first);
    },
  };
}

const find = { name: 'receipts', text: 'select card, receipt from revocations where person = $1' };
const keep = {
  name: 'keep-receipt',
  text: `insert into revocations (person, card, reference, reason, receipt) values ($1, $2, $3, $4, $5)
    on conflict (person, card) do nothing`,
};
const Row = z.object({
  card: z.string(),
  receipt: z.object({ number: z.string(), card: z.string(), at: z.string() }),
});

export function createReceipts(database: Database): Receipts {
  const of = async (person: string): Promise<Map<string, Receipt>> => {
    const rows = (await database.run(find, [person])).map((row) => Row.parse(row));
    return new Map(rows.map(({ card, receipt }) => [card, receipt]));
  };
  return {
    of,
    async keep({ person, card, reference, reason }, receipt) {
      await database.run(keep, [person, card, reference, reason, receipt]);
      const first = (await of(person)).get(card);
      if (!first) throw new Error('A receipt was not kept');
      return first;
    },
  };
}
