/**
 * Conversations: what is written goes in, what is answered comes out.
 *
 * A message is masked before anything else is done with it. Turns of one
 * conversation are taken one after the other, and different conversations side
 * by side. What a turn requests is carried out after it, and the world's answer
 * makes a turn of its own. A revocation whose outcome is unknown is asked about
 * again, by the same reference, until it is known.
 */
import type { Day } from '../dialogs/card-validity.ts';
import type { Heard, Reported, Request, Revocation } from '../dialogs/vocabulary.ts';
import type { Calendar } from './calendar.ts';
import type { Content, Spoken } from './content.ts';
import type { Ledger } from './ledger/ledger.ts';
import { mask } from './masking.ts';
import { begin, isOfThisVersion, type Reply, type Saved, takeTurn, type Turn } from './turn.ts';
import type { Understanding, Wish } from './understanding/understanding.ts';

/** What a message, or the beginning, or news from the ledger, brought about up to the next rest. */
export type Exchange = {
  /** As it is kept: masked. Nothing is said at the beginning, nor when the ledger has news. */
  said: string | null;
  heard: string[];
  state: string;
  replies: Spoken[];
  requests: { request: Request['request']; reference: string }[];
};

export type World = {
  content: Content;
  understanding: Understanding;
  calendar: Calendar;
  /** Calls that end, in whichever way, within their deadline. */
  ledger: Ledger;
  /** Who is asking, if they can prove it now. */
  identify(reference: string): Promise<string | undefined>;
  now(): Date;
  /** Is told of our own mistakes. It is given no text of anybody's. */
  onMistake(mistake: unknown): void;
};

export type Conversations = {
  /** Begins a conversation, if it has not begun, and welcomes. `person` is one who is proved already. */
  open: (id: string, person?: string) => Promise<Exchange>;
  send: (id: string, text: string) => Promise<Exchange>;
  /** Asks the ledger again about revocations whose outcome is unknown. Nothing, if there is no news. */
  settle: (id: string) => Promise<Exchange | undefined>;
};

/** What is kept of a conversation between its turns. */
type Kept = { saved: Saved; turn: Omit<Turn, 'saved'>; suggests: string[]; unsettled: Revocation[] };

export function createConversations(world: World): Conversations {
  const { content, understanding, calendar, ledger } = world;
  const kept = new Map<string, Kept>();
  const last = new Map<string, Promise<unknown>>();

  /** One after the other, also when the one before failed. */
  const inTurn = <Result>(id: string, work: () => Promise<Result>): Promise<Result> => {
    const result = (last.get(id) ?? Promise.resolve()).then(work, work);
    last.set(id, result);
    return result;
  };

  const exchange = (said: string | null, state: string): Exchange => ({
    said,
    heard: [],
    state,
    replies: [],
    requests: [],
  });

  const speak = (replies: readonly Reply[], today: Day): Spoken[] =>
    replies.map((reply) => content.speak(reply, today));

  /** Keeps a turn, and carries out what it requests, until a turn requests nothing. */
  const keep = async (id: string, turn: Turn, into: Exchange, unsettled: Revocation[]): Promise<void> => {
    const today = calendar.momentAt(world.now()).at.slice(0, 10) as Day;
    const replies = speak(turn.replies, today);
    into.state = turn.state;
    into.replies.push(...replies);
    const suggests = replies.flatMap((reply) => reply.suggests);
    const now = { saved: turn.saved, turn, suggests, unsettled };
    kept.set(id, now);
    for (const request of turn.requests) {
      into.requests.push({ request: request.request, reference: request.reference });
      const report = await carryOut(request);
      const isUnsettled = report.type === 'ledger.unanswered' && request.request === 'ledger.revoke';
      const open = isUnsettled ? [...now.unsettled, request] : now.unsettled;
      await keep(id, takeTurn(turn.saved, [report]), into, open);
    }
  };

  const carryOut = async (request: Request): Promise<Reported> => {
    const moment = () => calendar.momentAt(world.now());
    switch (request.request) {
      case 'identity.verify': {
        const person = await world.identify(request.reference);
        return person === undefined
          ? { ...moment(), type: 'identity.refused' }
          : { ...moment(), type: 'identity.verified', person };
      }
      case 'ledger.findCards': {
        const answer = await ledger.findCards(request.person);
        return answer.outcome === 'found'
          ? { ...moment(), type: 'ledger.cardsFound', person: request.person, cards: answer.cards }
          : { ...moment(), type: `ledger.${answer.outcome}`, request: request.request };
      }
      case 'ledger.revoke': {
        const answer = await ledger.revoke(request);
        if (answer.outcome === 'revoked') return { ...moment(), type: 'ledger.revoked', receipt: answer.receipt };
        if (answer.outcome === 'refused') return { ...moment(), type: 'ledger.refused' };
        return { ...moment(), type: `ledger.${answer.outcome}`, request: request.request };
      }
    }
  };

  const settleInto = async (id: string, into: Exchange): Promise<void> => {
    for (const revocation of kept.get(id)?.unsettled ?? []) {
      into.requests.push({ request: revocation.request, reference: revocation.reference });
      const report = await carryOut(revocation);
      const now = kept.get(id);
      if (!now || report.type === 'ledger.unanswered' || report.type === 'ledger.unreachable') continue;
      const others = now.unsettled.filter(({ reference }) => reference !== revocation.reference);
      await keep(id, takeTurn(now.saved, [report]), into, others);
    }
  };

  const start = async (id: string, person: string | undefined, into: Exchange): Promise<void> => {
    const before = kept.get(id)?.saved;
    await keep(id, begin({ conversation: id, person }, calendar.momentAt(world.now()), before), into, []);
  };

  const hear = async (id: string, text: string, into: Exchange): Promise<void> => {
    const now = kept.get(id);
    if (!now || !isOfThisVersion(now.saved)) await start(id, undefined, into);
    await settleInto(id, into);
    const { saved, turn, suggests, unsettled } = kept.get(id) ?? notBegun(id);

    const { text: masked, isMasked } = mask(text, turn.asked.fact, content.masked);
    into.said = masked;
    const today = calendar.momentAt(world.now()).at.slice(0, 10) as Day;
    const meant = masked.replaceAll(content.masked, ' ');
    const { wishes, askedDay } = understanding.hear(meant, { asked: turn.asked, suggests }, today);
    const isNothingBut = isMasked && !/[\p{L}\p{N}]/u.test(meant);
    const all: Wish[] = [...(isMasked ? [{ type: 'secret' as const }] : []), ...(isNothingBut ? [] : wishes)];
    into.heard = all.map(nameOf);
    const moment = calendar.momentAt(world.now(), askedDay);
    const events = all.map((wish): Heard => ({ ...moment, ...wish }));
    await keep(id, takeTurn(saved, events), into, unsettled);
  };

  /** Our own mistake is told of, and the student is given a way on. */
  const safely = async (into: Exchange, work: () => Promise<void>): Promise<Exchange> => {
    try {
      await work();
    } catch (mistake) {
      world.onMistake(mistake);
      const today = calendar.momentAt(world.now()).at.slice(0, 10) as Day;
      into.replies.push(...speak([{ line: 'conversation/failed', facts: {}, offers: [] }], today));
    }
    return into;
  };

  return {
    open: (id, person) =>
      inTurn(id, () => {
        const into = exchange(null, kept.get(id)?.turn.state ?? '');
        return kept.has(id) ? Promise.resolve(into) : safely(into, () => start(id, person, into));
      }),
    send: (id, text) =>
      inTurn(id, () => {
        const into = exchange(null, kept.get(id)?.turn.state ?? '');
        return safely(into, () => hear(id, text, into));
      }),
    settle: (id) =>
      inTurn(id, async () => {
        const into = exchange(null, kept.get(id)?.turn.state ?? '');
        await safely(into, () => settleInto(id, into));
        return into.replies.length > 0 ? into : undefined;
      }),
  };
}

function notBegun(id: string): never {
  throw new Error(`Conversation ${id} has not begun`);
}

/** `intent.lost-card`, or which facts were told: `told.hasPuk`. */
function nameOf(wish: Wish): string {
  return wish.type === 'told' ? `told.${Object.keys(wish.told).join('.')}` : wish.type;
}
