/**
 * The ledger itself: what it knows of a holder's cards, what is reported to it,
 * and the revocations it is asked for.
 *
 * A card is revoked once. Whoever asks again gets the first receipt, and
 * whoever asks again on the same errand the same answer. What was not done is
 * kept as well, except that somebody asked for a card that is not theirs.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Happening, Receipt, Registry, RevocationOrder, Revoked } from './cards.ts';
import { type Entry, isKeepable, lineOf } from './chain.ts';
import type { EventStore } from './event-store.ts';
import {
  CARD_IS_KNOWN,
  type CardHistory,
  cardsOn,
  dayOf,
  type Decided,
  type History,
  isNewCard,
  next,
  noHistory,
  receiptOn,
  rulingOn,
  serialsOf,
} from './history.ts';
import { createJournal, historiesAfter, type Known } from './journal.ts';

type Parts = {
  events: EventStore;
  now: () => Date;
  /** Of the installation. Without it nobody can tell whom an opaque name is for. */
  key: string;
};

export function createRegistry({ events, now, key }: Parts): Registry {
  const journal = createJournal(events);
  const historyOf = async (holder: string): Promise<History> =>
    historiesAfter(new Map(), await events.entriesOf(holder)).get(holder) ?? noHistory;

  return {
    holderFor: (identifier) => holderNamed(key, identifier),
    cardsOf: async (holder) => cardsOn(await historyOf(holder), dayOf(now().toISOString())),

    revoke: (order) =>
      journal({
        asks: { holders: [order.holder], errands: [order], receipts: receiptNumbers(order) },
        decide: (known) => decideOn(order, known, now().toISOString()),
      }),

    async receiptOf(holder, number) {
      const history = await historyOf(holder);
      const card = history.cards.find(({ revocation }) => revocation?.number === number);
      return card && receiptOn(history, card, dayOf(now().toISOString()));
    },

    record: (happenings, client) =>
      journal({
        asks: {
          holders: [...new Set(happenings.map(({ holder }) => holder))],
          cards: happenings.flatMap((happening) => (isNewCard(happening) ? [happening.card] : [])),
        },
        decide(known) {
          const at = now().toISOString();
          const problems = problemsOf(happenings, known, at);
          const dated = problems.length > 0 ? [] : happenings.map((event) => ({ event, at, client }));
          return { events: dated, answer: { problems } };
        },
      }),

    async head() {
      const { position, hash } = await events.head();
      return { position, hash };
    },
    lines: async (after, limit) => (await events.page(after, limit)).map(lineOf),
  };
}

/** The same for the same person, and nobody who lacks the key can make it. */
export const holderNamed = (key: string, identifier: string): string =>
  `h_${createHmac('sha256', key).update(identifier).digest('base64url')}`;

/** Each begins with the place in the list. One that is impossible has not happened to those after it. */
function problemsOf(happenings: readonly Happening[], { histories, cards }: Known, at: string): string[] {
  const changed = new Map<string, History>();
  const taken = new Set(cards);
  const problemOf = (happening: Happening): string | undefined => {
    const { holder } = happening;
    if (!isKeepable(happening)) return 'it has characters that cannot be kept';
    if (isNewCard(happening) && taken.has(happening.card)) return CARD_IS_KNOWN;
    const after = next(changed.get(holder) ?? histories.get(holder) ?? noHistory, happening, at);
    if ('problem' in after) return after.problem;
    changed.set(holder, after);
    if (isNewCard(happening)) taken.add(happening.card);
    return undefined;
  };
  return happenings.flatMap((happening, index) => {
    const problem = problemOf(happening);
    return problem === undefined ? [] : [`${index + 1}: ${happening.type} is impossible, for ${problem}.`];
  });
}

function decideOn(order: RevocationOrder, known: Known, at: string) {
  const { holder, card: id, reason, channel, client, key } = order;
  const history = known.histories.get(holder) ?? noHistory;
  const before = known.decidedOn(order);
  if (before) return { events: [], answer: answerAgain(order, before, history, at) };

  const card = history.cards.find((each) => each.id === id);
  if (!card || history.isProtected) return { events: [], answer: { outcome: 'unknown' } as const };
  const ruling = rulingOn(card, dayOf(at));
  const errand = { holder, card: id, reason, channel, key };
  const event: Decided =
    ruling === 'revoked'
      ? { ...errand, type: 'card.revoked', receipt: freeNumber(order, known), certificates: serialsOf(card) }
      : { ...errand, type: 'revocation.declined', outcome: ruling };
  const after = next(history, event, at);
  if ('problem' in after) throw new Error(`The ledger decided what is impossible: ${after.problem}`);
  return { events: [{ event, at, client }], answer: answerTo(event, after, at) };
}

function answerAgain(order: RevocationOrder, before: Entry, history: History, at: string): Revoked {
  const isSame =
    (before.type === 'card.revoked' || before.type === 'revocation.declined') &&
    before.holder === order.holder &&
    before.card === order.card &&
    before.reason === order.reason &&
    before.channel === order.channel;
  return isSame ? answerTo(before, history, at) : { outcome: 'keyReused' };
}

/** What was decided, as it is told: then, and whenever it is asked about again. */
function answerTo(event: Decided, history: History, at: string): Revoked {
  if (event.type === 'revocation.declined' && event.outcome !== 'alreadyRevoked') return { outcome: event.outcome };
  const card = history.cards.find(({ id }) => id === event.card);
  return { outcome: 'revoked', receipt: receiptOf(history, card, at), isNew: event.type === 'card.revoked' };
}

function receiptOf(history: History, card: CardHistory | undefined, at: string): Receipt {
  const receipt = card && receiptOn(history, card, dayOf(at));
  if (!receipt) throw new Error('A card that was revoked has no receipt');
  return receipt;
}

/** Of the numbers a receipt may have, the first that no other has. */
function freeNumber(order: RevocationOrder, { receipts }: Known): string {
  const number = receiptNumbers(order).find((each) => !receipts.has(each));
  if (number === undefined) throw new Error('There is no number left for a receipt');
  return number;
}

const NUMBERS = 4;

/** Each from the next digest. That the first is taken happens once in many millions; that all are, never. */
export function receiptNumbers({ holder, card, key }: Pick<RevocationOrder, 'holder' | 'card' | 'key'>): string[] {
  return Array.from({ length: NUMBERS }, (_, nth) => {
    const digest = createHash('sha256')
      .update(JSON.stringify([holder, card, key, nth]))
      .digest('hex')
      .toUpperCase();
    return `S-${digest.slice(0, 4)}-${digest.slice(4, 8)}-${digest.slice(8, 12)}`;
  });
}
