/**
 * Conversations: what is written goes in, what is answered comes out, and
 * nothing that was accepted is lost.
 *
 * A message is masked, then kept, before anything else is done with it. Turns
 * of one conversation are taken one after the other, here and in any other
 * process on the same store; different conversations go side by side. A turn is
 * committed before anything comes of it: then its replies are delivered and its
 * requests carried out, and the world's answer makes a turn of its own.
 * Messages that come meanwhile wait. A crash anywhere is gone on from by
 * `resume`. A revocation whose outcome is unknown is asked about again, by the
 * same reference, until it is known.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Day } from '../../dialogs/card-validity.ts';
import type { Heard, Moment, Opening, Proof, Reported, Request } from '../../dialogs/vocabulary.ts';
import { type Calendar, instantOf } from '../calendar.ts';
import type { Content, ReceiptInWords, Spoken, VisitInWords } from '../content.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { maskForAny } from '../masking.ts';
import { begin, canGoOn, isOfThisVersion, type Reply, takeTurn, type Turn } from '../turn.ts';
import type { Understanding, Wish } from '../understanding/understanding.ts';
import type {
  ConversationStore,
  Delivery,
  Held,
  Kept,
  Link,
  Logged,
  Noted,
  OpenRequest,
  Pending,
  Place,
  Proved,
  Said,
  Step,
  VisitCard,
} from './store.ts';

/** What a message, or the beginning, or news from the ledger, brought about up to the next rest. */
export type Exchange = {
  /** As it is kept: masked. Nothing is said at the beginning, nor when the ledger has news. */
  said: string | null;
  heard: string[];
  state: string;
  replies: Spoken[];
  requests: { request: Request['request']; reference: string }[];
};

/** A message as a channel hands it over. */
export type Incoming = Place & {
  id: string;
  /** What tells a resend under a new id from a new message: the sender, and the client's own time of it. */
  sentBy?: string;
  sentAt?: string;
  text: string;
};

export type Accepted = {
  /** Where the message stands in its conversation. */
  seq: number;
  isNew: boolean;
  /** Once it is answered, as far as it is answered here. A mistake is told of elsewhere, and never rejects this. */
  answered: Promise<Exchange>;
};

/** How somebody proves who they are: it is known beforehand, or they sign in. Without a way nobody can. */
export type Proving =
  | { way: 'known'; person: string | undefined }
  | {
      way: 'signIn';
      /** Where a challenge is met. */
      linkFor: (challenge: string) => string;
      /** Tries the code that was typed back. The same `redeemer` again gets the same answer. */
      redeem: (
        conversation: string,
        code: string,
        redeemer: string,
      ) => Promise<({ outcome: 'proved' } & Proved) | { outcome: 'wrong' } | { outcome: 'spent' }>;
      /** Who has signed in once as the owner of an account of a channel. */
      linkedTo: (account: string) => Promise<Proved | undefined>;
      link: (account: string, proved: Proved) => Promise<void>;
    };

/** For how long a proof is believed, in minutes: altogether, and while nothing is written. */
export type ProofLasts = { minutes: number; idleMinutes: number };

export type World = {
  content: Content;
  understanding: Understanding;
  calendar: Calendar;
  store: ConversationStore;
  /** Calls that end, in whichever way, within their deadline. */
  ledger: Ledger;
  proving: Proving | undefined;
  proofLasts: ProofLasts;
  /** Where a receipt can be fetched, to be saved. Without a place there is none. */
  receiptLink?: ((receipt: ReceiptInWords) => string) | undefined;
  /** Where a visit can be fetched, for a calendar. Without a place there is none. */
  visitLink?: ((visit: string, opening: Opening) => string) | undefined;
  now(): Date;
  /** Is told of every turn, once it is committed. */
  onTurn(turn: { conversation: string; state: string; heard: string[]; requests: string[] }): void;
  /** Is told of our own mistakes. It is given no text of anybody's. */
  onMistake(mistake: unknown): void;
};

export type Conversations = {
  /** Begins a conversation, if it has not begun, and welcomes. `person` is one who is proved already. */
  open: (place: Place, person?: string) => Promise<Exchange>;
  /** What a conversation would begin with now. Nothing is begun by asking. */
  welcome: () => Said[];
  /** Keeps a message once. From then on it will be answered, whatever happens. */
  accept: (message: Incoming) => Promise<Accepted>;
  /** Keeps in the log what a client tells that is no message. Nothing answers it. */
  note: (conversation: string, event: Noted & { id: string }) => Promise<number | undefined>;
  /** Asks the ledger again about revocations whose outcome is unknown. No replies, if there is no news. */
  settle: (conversation: string) => Promise<Exchange>;
  /** Delivers what is to be delivered next, in order; one at a time, over all processes. `claimed` is ours already. */
  deliver: (
    conversation: string,
    post: (address: object, reply: Said) => Promise<void>,
    claimed?: Delivery,
  ) => Promise<void>;
  has: (conversation: string) => Promise<boolean>;
  log: (conversation: string, after: number) => Promise<Logged[]>;
  lengths: ConversationStore['lengths'];
  /** Tells, from now on, of every conversation whose log has grown here; and what of it is the hearer's to deliver. */
  subscribe: (hear: (conversation: string, delivery: Delivery | undefined) => void) => void;
  /** Goes on from where anybody has left off, and says where something is to be delivered. */
  resume: () => Promise<string[]>;
  /** Resolves when nothing is being done any more. */
  idle: () => Promise<void>;
};

type Verification = Extract<Request, { request: 'identity.verify' }>;

type Draft = Omit<Step, 'conversation' | 'turns' | 'at'> & { heard: string[]; said?: string; spoken: Spoken[] };

export function createConversations(world: World): Conversations {
  const { content, understanding, calendar, ledger, store } = world;
  const last = new Map<string, Promise<unknown>>();
  const subscribers: ((conversation: string, delivery: Delivery | undefined) => void)[] = [];
  const tell = (conversation: string, delivery?: Delivery) => {
    for (const hear of subscribers) hear(conversation, delivery);
  };
  /** Messages accepted here, and what came of them. */
  const outcomes = new Map<string, Exchange | undefined>();

  /** One after the other, also when the one before failed. */
  const inTurn = <Result>(conversation: string, work: () => Promise<Result>): Promise<Result> => {
    const result = (last.get(conversation) ?? Promise.resolve()).then(work, work);
    const done = result
      .catch(() => undefined)
      .finally(() => {
        if (last.get(conversation) === done) last.delete(conversation);
      });
    last.set(conversation, done);
    return result;
  };

  const momentNow = (): Moment => calendar.momentAt(world.now());
  const dayOf = ({ at }: Moment) => at.slice(0, 10) as Day;

  const speak = (replies: readonly Reply[], today: Day): Spoken[] =>
    replies.map((reply) => content.speak(reply, today));

  /** What a turn leads to, as it is committed. What is suggested stands under the last reply: nobody shows more. */
  const draft = (turn: Turn, moment: Moment): Draft => {
    const { saved, state, asked, requests, erases } = turn;
    const spoken = speak(turn.replies, dayOf(moment));
    const suggests = [...new Set(spoken.flatMap((reply) => reply.suggests))];
    const replies = spoken.map(({ visits, ...reply }, index): Said => {
      const isLast = index === spoken.length - 1;
      const link = reply.receipt && linkToReceipt(reply.receipt);
      const clears = index === 0 && erases !== undefined;
      return {
        ...reply,
        suggests: isLast ? suggests : [],
        ...(link && { link }),
        ...(visits && { visits: visits.map(withLink) }),
        ...(clears && { clears }),
      };
    });
    return { kept: { saved, state, asked, suggests }, replies, requests, heard: [], spoken, erases };
  };

  const linkToReceipt = (receipt: ReceiptInWords): Link | undefined => {
    const url = world.receiptLink?.(receipt);
    return url === undefined ? undefined : { title: content.label('receipt/save'), url };
  };

  const withLink = ({ opening, ...visit }: VisitInWords): VisitCard => {
    const url = opening && world.visitLink?.(visit.name, opening);
    return url === undefined ? visit : { ...visit, link: { title: content.label('visit/save'), url } };
  };

  const beginning = ({ conversation, kept }: Pending, person?: string): Draft => {
    const moment = momentNow();
    const proof = person === undefined ? undefined : proofOf({ person, provedAt: world.now() });
    return draft(begin({ conversation, proof }, moment, kept?.saved), moment);
  };

  /** A turn that cannot be taken is our mistake: the student is told, and stays where they were, or begins anew. */
  const attempt = (kept: Kept, on: Pending, make: () => Draft): Draft => {
    try {
      return make();
    } catch (mistake) {
      world.onMistake(mistake);
      if (!canGoOn(kept.saved)) return beginning(on);
      const spoken = speak([{ line: 'conversation/failed', facts: {}, offers: [] }], dayOf(momentNow()));
      return { kept, replies: spoken, spoken, requests: [], heard: [] };
    }
  };

  const hearing = (kept: Kept, on: Pending, { seq, text, isMasked }: Held): Draft => {
    const made = attempt(kept, on, () => {
      const meant = text.replaceAll(content.masked, ' ');
      const now = momentNow();
      const { wishes, askedDay } = understanding.hear(meant, kept, dayOf(now));
      const isNothingBut = isMasked && !/[\p{L}\p{N}]/u.test(meant);
      const all: Wish[] = [...(isMasked ? [{ type: 'secret' as const }] : []), ...(isNothingBut ? [] : wishes)];
      const moment = askedDay ? calendar.momentAt(world.now(), askedDay) : now;
      const events = all.map((wish): Heard => ({ ...moment, ...wish }));
      return { ...draft(takeTurn(kept.saved, events), moment), heard: all.map(nameOf) };
    });
    return { ...made, answers: seq, said: text };
  };

  const proofOf = ({ person, provedAt }: Proved): Proof => {
    const { minutes, idleMinutes } = world.proofLasts;
    const endsAt = new Date(world.now().getTime() + minutes * 60_000);
    return { person, provedAt: instantOf(provedAt), endsAt: instantOf(endsAt), idleMinutes };
  };

  const reporting = (kept: Kept, on: Pending, report: Reported, id: string): Draft => {
    const made = attempt(kept, on, () => draft(takeTurn(kept.saved, [report]), report));
    if (report.type === 'identity.verified') {
      const { person, provedAt } = report.proof;
      return { ...made, closes: { id, as: 'closed' }, proved: { person, provedAt: new Date(provedAt) } };
    }
    if (report.type === 'identity.signInNeeded' && world.proving?.way === 'signIn') {
      const challenge = randomBytes(24).toString('base64url');
      const link = { title: content.label('conversation/signIn'), url: world.proving.linkFor(challenge) };
      const replies = made.replies.map((reply, index) =>
        index === made.replies.length - 1 ? { ...reply, link } : reply,
      );
      return { ...made, replies, closes: { id, as: 'challenged', challenge: fingerprint(challenge) } };
    }
    const isUnsettled = report.type === 'ledger.unanswered' && report.request === 'ledger.revoke';
    return { ...made, closes: { id, as: isUnsettled ? 'unsettled' : 'closed' } };
  };

  /** Commits the turn that is to be taken where the conversation is; again, if another was first. */
  const take = async (
    before: Pending,
    into: Exchange,
    make: (on: Pending) => Draft | undefined,
  ): Promise<Pending | undefined> => {
    let on: Pending | undefined = before;
    while (on) {
      const made = make(on);
      if (!made) return on;
      const { heard, said, spoken, ...step } = made;
      const { conversation, turns }: Pending = on;
      const ours: OpenRequest[] = on.requests.filter(({ id }) => id !== step.closes?.id);
      const after = await store.commit({ ...step, conversation, turns, at: world.now() });
      if (after) {
        const named = step.requests.map(({ request, reference }) => ({ request, reference }));
        into.state = step.kept.state;
        into.said = said ?? into.said;
        into.heard.push(...heard);
        into.replies.push(...spoken);
        into.requests.push(...named);
        world.onTurn({ conversation, state: into.state, heard, requests: named.map(({ request }) => request) });
        tell(conversation, after.delivery);
        return { ...after, requests: [...ours, ...after.requests] };
      }
      const again: Pending | undefined = await store.pending(conversation);
      // Nobody was first, so what it closes was closed already.
      if (again?.turns === turns) return again;
      on = again && { ...again, requests: [...ours, ...again.requests] };
    }
    return undefined;
  };

  /** Takes turns until the conversation waits for the student, or for somebody else's hands. */
  const advance = async (conversation: string, found?: Pending, person?: string): Promise<Exchange> => {
    let pending = found ?? (await store.pending(conversation));
    let into = exchange(pending);
    while (pending) {
      const [request] = pending.requests;
      const { message } = pending;
      if (!pending.kept || !isOfThisVersion(pending.kept.saved)) {
        pending = await take(pending, into, (on) =>
          on.kept && isOfThisVersion(on.kept.saved) ? undefined : beginning(on, person),
        );
      } else if (request) {
        const report = await carryOut(request, pending);
        pending = await take(pending, into, (on) => on.kept && reporting(on.kept, on, report, request.id));
      } else if (message && !pending.isBusy) {
        if (into.said !== null) into = exchange(pending);
        // Another may have been first, and may have asked something of the world.
        pending = await take(pending, into, (on) =>
          on.kept && !on.isBusy && on.message?.seq === message.seq ? hearing(on.kept, on, on.message) : undefined,
        );
        const key = keyOf(conversation, message.seq);
        if (outcomes.has(key)) outcomes.set(key, into);
      } else break;
    }
    return into;
  };

  const carryOut = async (open: OpenRequest, on: Pending): Promise<Reported> => {
    const { request, attempt } = open;
    switch (request.request) {
      case 'identity.verify':
        return verify(open.id, request, on);
      case 'ledger.findCards': {
        const answer = await answerOf(() => ledger.findCards(request.person));
        return answer.outcome === 'found'
          ? { ...momentNow(), type: 'ledger.cardsFound', person: request.person, cards: answer.cards }
          : { ...momentNow(), type: `ledger.${answer.outcome}`, request: request.request };
      }
      case 'ledger.revoke': {
        const answer = await answerOf(() => ledger.revoke(request));
        if (answer.outcome === 'revoked') return { ...momentNow(), type: 'ledger.revoked', receipt: answer.receipt };
        if (answer.outcome === 'refused') return { ...momentNow(), type: 'ledger.refused' };
        // Whoever attempted it before us may have reached the ledger, and crashed before they could tell.
        const outcome = attempt > 1 ? 'unanswered' : answer.outcome;
        return { ...momentNow(), type: `ledger.${outcome}`, request: request.request };
      }
    }
  };

  const verify = async (id: string, { isFresh, code }: Verification, on: Pending): Promise<Reported> => {
    const verified = (proved: Proved): Reported => ({
      ...momentNow(),
      type: 'identity.verified',
      proof: proofOf(proved),
    });
    const { proving } = world;
    if (!proving || on.isShared) return { ...momentNow(), type: 'identity.refused' };
    if (proving.way === 'known') {
      const { person } = proving;
      return person === undefined
        ? { ...momentNow(), type: 'identity.refused' }
        : verified({ person, provedAt: world.now() });
    }
    if (code !== undefined) {
      const tried = await proving.redeem(on.conversation, code, id);
      if (tried.outcome === 'wrong') return { ...momentNow(), type: 'identity.codeIsWrong' };
      if (tried.outcome === 'spent') return { ...momentNow(), type: 'identity.codeIsSpent' };
      if (on.account !== undefined) await proving.link(on.account, tried);
      return verified(tried);
    }
    const linked = isFresh || on.account === undefined ? undefined : await proving.linkedTo(on.account);
    return linked ? verified(linked) : { ...momentNow(), type: 'identity.signInNeeded' };
  };

  /** Whatever goes wrong on the way to an answer: the call may have been received. */
  const answerOf = async <Answer>(call: () => Promise<Answer>): Promise<Answer | { outcome: 'unanswered' }> => {
    try {
      return await call();
    } catch (mistake) {
      world.onMistake(mistake);
      return { outcome: 'unanswered' };
    }
  };

  const safely = (work: () => Promise<Exchange>): Promise<Exchange> =>
    work().catch((mistake: unknown) => {
      world.onMistake(mistake);
      return exchange(undefined);
    });

  const settleOne = async (on: Pending, open: OpenRequest, into: Exchange): Promise<void> => {
    const { conversation } = on;
    into.requests.push({ request: open.request.request, reference: open.request.reference });
    const report = await carryOut(open, on);
    if (report.type === 'ledger.unanswered' || report.type === 'ledger.unreachable') {
      await store.postpone(open);
      return;
    }
    await inTurn(conversation, async () => {
      const pending = await store.pending(conversation);
      if (pending) await take(pending, into, (on) => on.kept && reporting(on.kept, on, report, open.id));
      await advance(conversation);
    });
  };

  const conversations: Conversations = {
    open: (place, person) =>
      inTurn(place.conversation, async () => {
        const pending = await store.open(place);
        return advance(place.conversation, pending, person);
      }),
    welcome() {
      const moment = momentNow();
      return draft(begin({ conversation: '', proof: undefined }, moment), moment).replies;
    },
    async accept({ text, sentBy, sentAt, ...message }) {
      const masked = maskForAny(storable(text), content.masked);
      const resendKey = sentBy && sentAt && fingerprint(JSON.stringify([sentBy, sentAt, masked.open.text]));
      const { seq, isNew, pending } = await store.accept({
        ...message,
        ...(resendKey && { resendKey }),
        text: masked,
        at: world.now(),
      });
      const key = keyOf(message.conversation, seq);
      if (isNew) outcomes.set(key, undefined);
      tell(message.conversation);
      const answered = inTurn(message.conversation, () =>
        safely(async () => {
          const before = outcomes.get(key) ? undefined : await advance(message.conversation, pending);
          const outcome = outcomes.get(key) ?? before ?? exchange(undefined);
          outcomes.delete(key);
          return outcome;
        }),
      );
      return { seq, isNew, answered };
    },
    async note(conversation, event) {
      const seq = await store.note(conversation, { ...event, at: world.now() });
      tell(conversation);
      return seq;
    },
    async settle(conversation) {
      const pending = await store.pending(conversation);
      const into = exchange(pending);
      if (!pending) return into;
      for (const request of await store.claimUnsettled(conversation)) await settleOne(pending, request, into);
      return into;
    },
    async deliver(conversation, post, claimed) {
      let delivery = claimed ?? (await store.claimDelivery(conversation));
      while (delivery) {
        const { address, replies }: Delivery = delivery;
        let hasMore = false;
        try {
          for (const [index, { seq, said }] of replies.entries()) {
            await post(address, said);
            hasMore = await store.delivered(conversation, seq, index === replies.length - 1);
          }
        } catch (mistake) {
          world.onMistake(mistake);
          await store.undeliverable(conversation);
          return;
        }
        delivery = hasMore ? await store.claimDelivery(conversation) : undefined;
      }
    },
    has: (conversation) => store.has(conversation),
    log: (conversation, after) => store.log(conversation, after),
    lengths: (all) => store.lengths(all),
    subscribe: (hear) => void subscribers.push(hear),
    async resume() {
      const { stalled, unsettled, undelivered } = await store.unfinished();
      // A ledger that does not answer is not waited for: whoever asks it has it for themselves until then.
      for (const id of unsettled) void safely(() => conversations.settle(id));
      await Promise.all(stalled.map((id) => safely(() => inTurn(id, () => advance(id)))));
      return undelivered;
    },
    async idle() {
      while (last.size > 0) await Promise.all(last.values());
    },
  };
  return conversations;
}

const exchange = (pending: Pending | undefined): Exchange => ({
  said: null,
  heard: [],
  state: pending?.kept?.state ?? '',
  replies: [],
  requests: [],
});

/** Text without what PostgreSQL cannot hold: the null character, and halves of characters. */
const storable = (text: string): string => text.replaceAll('\0', ' ').replace(/\p{Surrogate}/gu, '\uFFFD');

const keyOf = (conversation: string, seq: number): string => `${conversation} ${seq}`;

const fingerprint = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** `intent.lost-card`, or which facts were told: `told.hasPuk`. */
function nameOf(wish: Wish): string {
  return wish.type === 'told' ? `told.${Object.keys(wish.told).join('.')}` : wish.type;
}
