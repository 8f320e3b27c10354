/**
 * The one way into the ledger: a decision on what is known, and the events it
 * leads to, added before anything that was known has changed.
 *
 * Decisions of one process queue, and those that wait are added together, each
 * knowing of those before it. If another process was first, all of them are
 * taken again; somebody has come further every time.
 */
import { type Dated, type Entry, type Link, seal } from './chain.ts';
import type { Asked, Errand, EventStore, Snapshot } from './event-store.ts';
import { type History, isNewCard, next, noHistory } from './history.ts';

export type Known = {
  /** Of the holders that were asked about and that have events. */
  histories: ReadonlyMap<string, History>;
  decidedOn: (errand: Errand) => Entry | undefined;
  cards: ReadonlySet<string>;
  receipts: ReadonlySet<string>;
};

export type Decision<Answer> = {
  asks: Asked;
  /** May be called more than once. What it leads to has to be possible. */
  decide: (known: Known) => { events: readonly Dated[]; answer: Answer };
};

/** The answer comes when the events are kept. */
export type Journal = <Answer>(decision: Decision<Answer>) => Promise<Answer>;

type Waiting = {
  asks: Asked;
  attempt: (known: Known) => { events: readonly Dated[]; settle: () => void };
  fail: (mistake: unknown) => void;
};

/** Decisions that are added together, at most. */
const TOGETHER = 100;

export function createJournal(store: EventStore): Journal {
  const waiting: Waiting[] = [];
  let isWriting = false;

  const write = async (): Promise<void> => {
    isWriting = true;
    while (waiting.length > 0) {
      const together = waiting.splice(0, TOGETHER);
      try {
        for (const settle of await decideTogether(store, together)) settle();
      } catch (mistake) {
        for (const { fail } of together) fail(mistake);
      }
    }
    isWriting = false;
  };

  return ({ asks, decide }) =>
    new Promise((resolve, reject) => {
      const attempt = (known: Known) => {
        const { events, answer } = decide(known);
        const settle = () => {
          resolve(answer);
        };
        return { events, settle };
      };
      waiting.push({ asks, attempt, fail: reject });
      if (!isWriting) void write();
    });
}

/** Adds what they lead to, and gives what is to be done when that is kept. */
async function decideTogether(store: EventStore, together: readonly Waiting[]): Promise<(() => void)[]> {
  for (;;) {
    const snapshot = await store.read(askedBy(together));
    const known = learnable(snapshot);
    const settles: (() => void)[] = [];
    const links: Link[] = [];
    let { head } = snapshot;
    for (const { attempt, fail } of together) {
      try {
        const { events, settle } = attempt(known);
        const sealed: ReturnType<typeof seal>[] = [];
        let last = head;
        for (const event of events) {
          const each = seal(last, event);
          sealed.push(each);
          last = { position: last.position + 1, hash: each.link.hash };
        }
        known.learn(sealed.map(({ entry }) => entry));
        links.push(...sealed.map(({ link }) => link));
        head = last;
        settles.push(settle);
      } catch (mistake) {
        fail(mistake);
      }
    }
    if (await store.append(snapshot.head, links)) return settles;
  }
}

const askedBy = (together: readonly Waiting[]): Required<Asked> => ({
  holders: [...new Set(together.flatMap(({ asks }) => asks.holders))],
  errands: together.flatMap(({ asks }) => asks.errands ?? []),
  cards: together.flatMap(({ asks }) => asks.cards ?? []),
  receipts: together.flatMap(({ asks }) => asks.receipts ?? []),
});

function learnable(snapshot: Snapshot): Known & { learn: (entries: readonly Entry[]) => void } {
  const histories = new Map<string, History>();
  const decided = [...snapshot.decided];
  const cards = new Set(snapshot.cards);
  const receipts = new Set(snapshot.receipts);

  const learn = (entries: readonly Entry[]): void => {
    const changed = historiesAfter(histories, entries);
    for (const [holder, history] of changed) histories.set(holder, history);
    for (const entry of entries) {
      if ('key' in entry) decided.push(entry);
      if (isNewCard(entry)) cards.add(entry.card);
      if (entry.type === 'card.revoked') receipts.add(entry.receipt);
    }
  };
  for (const [holder, history] of historiesAfter(histories, snapshot.entries)) histories.set(holder, history);

  return {
    histories,
    decidedOn: ({ client, key }) =>
      decided.find((entry) => 'key' in entry && entry.client === client && entry.key === key),
    cards,
    receipts,
    learn,
  };
}

/** The histories that change. Events that are kept, or about to be, are possible; any other is our own mistake. */
export function historiesAfter(
  before: ReadonlyMap<string, History>,
  entries: readonly Entry[],
): ReadonlyMap<string, History> {
  const changed = new Map<string, History>();
  for (const entry of entries) {
    const { holder, position } = entry;
    const after = next(changed.get(holder) ?? before.get(holder) ?? noHistory, entry, entry.at);
    if ('problem' in after) throw new Error(`The ledger does not add up at ${position}: ${after.problem}`);
    changed.set(holder, after);
  }
  return changed;
}
