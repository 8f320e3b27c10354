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
 * `resume`. While a new version takes over from the one before, what the new one
 * has saved is left to it: a process of the old one keeps the message, and
 * `resume` of a new one answers it. Only where none has for a while, as when the
 * old version was put back, does the conversation begin anew. A revocation whose outcome is unknown is asked about again, by the
 * same reference, until it is known.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Day } from '../../dialogs/card-validity.ts';
import { type Intent, talk } from '../../dialogs/intents.ts';
import type { Heard, Known, Moment, Opening, Proof, Reported, Request } from '../../dialogs/vocabulary.ts';
import { type Calendar, instantOf } from '../calendar.ts';
import type { Content, ReceiptInWords, Spoken, VisitInWords } from '../content.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { maskForAny } from '../masking.ts';
import { whereIn } from '../servicedesk/brief.ts';
import { countedIn, learned } from './figures.ts';
import { begin, canGoOn, isOfNewerVersion, isOfThisVersion, type Reply, takeTurn, type Turn } from '../turn.ts';
import type { Situation, Understanding, Wish } from '../understanding/understanding.ts';
import type {
  ConversationStore,
  Delivery,
  Handing,
  Handoff,
  Held,
  Kept,
  Link,
  Logged,
  Noted,
  OpenRequest,
  Pending,
  Place,
  Proved,
  Reason,
  Said,
  Speaker,
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
  requests: { request: Request['request'] | 'servicedesk.handoff'; reference: string }[];
};

/** A message as a channel hands it over. */
export type Incoming = Place & {
  id: string;
  /** What tells a resend under a new id from a new message: the sender, and the client's own time of it. */
  sentBy?: string;
  sentAt?: string;
  /** Where it was said by a button: the place of the reply that the button stood under. */
  button?: number;
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

export type Servicedesk = {
  /** Whether they are there then; if not, when they are there next. Nothing: nobody ever is, for this conversation. */
  at: (time: Date, conversation: string) => { isOpen: boolean; next: Opening | undefined } | undefined;
  /** The hub whose humans take over there, by name. Nothing: our own desk. */
  deskOf?: (conversation: string) => string | undefined;
};

/** How a conversation comes back to the bot: onto what path, and with what the agent was told. */
export type Return = {
  path?: Intent | undefined;
  known?: Known | undefined;
  isClosed?: true;
  /** Nobody at the desk could take it. */
  isUnanswered?: true;
  /** The hub's event that brings it back. It is kept in the same step, once. */
  handoff?: Handoff;
  /** It begins so, and was with no human of ours before. */
  isBeginning?: true;
};

export type World = {
  content: Content;
  understanding: Understanding;
  calendar: Calendar;
  store: ConversationStore;
  /** Calls that end, in whichever way, within their deadline. */
  ledger: Ledger;
  proving: Proving | undefined;
  proofLasts: ProofLasts;
  /** Humans who can be reached in the chat, by when they are there. Without them students are told whom to contact. */
  servicedesk?: Servicedesk | undefined;
  /** Where a receipt can be fetched, to be saved. Without a place there is none. */
  receiptLink?: ((receipt: ReceiptInWords) => string) | undefined;
  /** Where somebody can write to us who does so among others. Without a place they are only told. */
  privateChatLink?: ((place: string) => string | undefined) | undefined;
  /** Where a visit can be fetched, for a calendar. Without a place there is none. */
  visitLink?: ((visit: string, opening: Opening) => string) | undefined;
  now(): Date;
  /** Is told of every turn, once it is committed. */
  onTurn(turn: TurnTold): void;
  /** Is told how long a stage took, in milliseconds, whose turn it was and, where there is more to say of it, that. */
  onStage?: (stage: Stage, took: number, of: TurnName, told?: RequestTold) => void;
  /** Is told of our own mistakes, and in which turn. It is given no text of anybody's. */
  onMistake(mistake: unknown, of?: TurnName): void;
};

/** Which turn: of which conversation, and from which of its messages on. Of none before the first, which is 0. */
export type TurnName = { conversation: string; message: number };

export type TurnTold = TurnName & {
  state: string;
  heard: string[];
  requests: string[];
  /** Whether the bot answers a message in it, and nothing else that has happened. */
  isAnswer: boolean;
  /** Why a human is to take over. */
  handsOver?: Reason;
};

/** What a turn goes through, in this order. `deliver` is where it is pushed; from elsewhere the student fetches. */
export const stages = ['accept', 'understand', 'transition', 'commit', 'deliver', 'request'] as const;
export type Stage = (typeof stages)[number];

/** What was asked of the world, and what it heard of that. */
export type RequestTold = { request: Request['request']; report: Reported['type'] };

export type Conversations = {
  /** Begins a conversation, if it has not begun, and welcomes. `person` is one who is proved already. */
  open: (place: Place, person?: string) => Promise<Exchange>;
  /** What a conversation would begin with now. Nothing is begun by asking. */
  welcome: () => Said[];
  /** Keeps a message once. From then on it will be answered, whatever happens. */
  accept: (message: Incoming) => Promise<Accepted>;
  /**
   * The bot answers again, and what was written meanwhile with it. Nothing, if it is not that agent's any more; or,
   * without an agent, if it does not wait for one, or is to begin so and has begun otherwise.
   */
  comeBack: (
    conversation: string,
    by: string | undefined,
    outcome: string,
    onto: Return,
  ) => Promise<Exchange | undefined>;
  /** Something that was written before has been changed. It is not heard again; the student is told what to do. */
  edit: (place: Place) => Promise<void>;
  /** What somebody wrote is taken back, and removed. */
  unsay: (conversation: string, id: string) => Promise<void>;
  /** The student cannot be reached there any more. What waits for a human is withdrawn. */
  leave: (conversation: string) => Promise<void>;
  /** Somebody else has changed the conversation, such as an agent who has written in it. */
  changed: (conversation: string) => Promise<void>;
  /** Keeps in the log what a client tells that is no message. Nothing answers it. */
  note: (conversation: string, event: Noted & { id: string }) => Promise<number | undefined>;
  /** Asks the ledger again about revocations whose outcome is unknown. No replies, if there is no news. */
  settle: (conversation: string) => Promise<Exchange>;
  /** Delivers what is to be delivered next, in order; one at a time, over all processes. `claimed` is ours already. */
  deliver: (
    conversation: string,
    post: (delivery: Delivery, reply: Said, seq: number, took: (parts: number) => Promise<void>) => Promise<Posted>,
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

/** What became of a reply. `after` is in seconds: from then on anybody may try again. `isUnsure` if it may have come. */
export type Posted =
  { outcome: 'delivered' } | { outcome: 'later'; after: number; isUnsure?: boolean } | { outcome: 'gone' };

const isNewer = (on: Pending | undefined): boolean => on?.kept !== undefined && isOfNewerVersion(on.kept.saved);

/** In milliseconds: for how long what a newer version has saved is left to it. */
const LEFT_TO_NEWER = 15_000;

type Verification = Extract<Request, { request: 'identity.verify' }>;

/** What a student does in a human's keeping that is heeded at once. A human may be asked to stop, or begin anew. */
const leaving: Record<Exclude<Speaker, 'bot'>, readonly Wish['type'][]> = {
  queue: ['intent.cancel', 'startOver', 'signOut', 'forgetMe'],
  agent: ['signOut', 'forgetMe'],
};

/** And then stays with the bot, which answers what was written meanwhile. */
const staying: readonly Wish['type'][] = ['intent.cancel', 'startOver'];

/** A message, and what has been written to a human before it and is not answered. */
type Received = Held & { meanwhile: readonly string[] };

type Draft = Omit<Step, 'conversation' | 'turns' | 'at'> & { heard: string[]; said?: string; spoken: Spoken[] };

export function createConversations(world: World): Conversations {
  const { content, understanding, calendar, ledger, store, onStage = () => undefined } = world;
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

  const takenBack = content.label('conversation/takenBack');

  const momentNow = (): Moment => calendar.momentAt(world.now());

  /** Where nobody else reads along, and the bot answers, it may hand over. */
  const momentIn = ({ conversation, isShared, speaker }: Pending, askedDay?: Day): Moment => ({
    ...calendar.momentAt(world.now(), askedDay),
    desk: isShared || speaker !== 'bot' ? undefined : world.servicedesk?.at(world.now(), conversation),
  });
  const dayOf = ({ at }: Moment) => at.slice(0, 10) as Day;

  const speak = (replies: readonly Reply[], today: Day): Spoken[] =>
    replies.map((reply) => content.speak(reply, today));

  /** What a turn leads to, as it is committed. What is suggested stands under the last reply: nobody shows more. */
  const draft = (turn: Turn, moment: Moment, on: Pick<Pending, 'conversation'>): Draft => {
    const { saved, state, asked, requests, erases, handsOver } = turn;
    const spoken = speak(turn.replies, dayOf(moment));
    const said = handsOver?.isNow ? spoken.slice(-1) : spoken;
    const suggests = [...new Set(said.flatMap((reply) => reply.suggests))];
    const replies = spoken.map(({ visits, ...reply }, index): Said => {
      const isLast = index === spoken.length - 1;
      const link = reply.receipt && linkToReceipt(reply.receipt);
      const clears = index === 0 && erases !== undefined;
      const line = turn.replies[index]?.line;
      const elsewhere = isForPrivate(line) ? privateChat(on.conversation) : undefined;
      return {
        ...reply,
        ...(line !== undefined && { line }),
        suggests: isLast ? suggests : [],
        ...(link && { link }),
        ...(elsewhere && { link: elsewhere }),
        ...(visits && { visits: visits.map(withLink) }),
        ...(clears && { clears }),
      };
    });
    const kept = { saved, state, asked, suggests };
    const made: Draft = { kept, replies, requests, heard: [], spoken, erases };
    return handsOver ? handedOver(made, on.conversation, handsOver) : made;
  };

  /** Who answers from then on is told with the last that is said. */
  const handing = (made: Draft, handing: Handing): Draft => {
    const speaker: Speaker | undefined = handing.to === 'bot' ? 'bot' : handing.isNow ? 'queue' : undefined;
    const replies = made.replies.map((reply, index): Said =>
      speaker && index === made.replies.length - 1 ? { ...reply, now: { speaker } } : reply,
    );
    return { ...made, replies, handing };
  };

  /** To the hub’s own humans, where it has some: it is told last, and what goes along. */
  const handedOver = (made: Draft, conversation: string, { isNow, reason }: NonNullable<Turn['handsOver']>): Draft => {
    const hub = world.servicedesk?.deskOf?.(conversation);
    const { saved, state } = made.kept;
    const initiate: Handoff = { name: 'handoff.initiate', value: { reason, ...whereIn(saved, state) } };
    const handed = handing(made, { to: 'desk', isNow, case: { id: newCaseId(), desk: hub ?? OWN_DESK, reason } });
    return hub === undefined ? handed : { ...handed, replies: [...handed.replies, telling(initiate)] };
  };

  const linkToReceipt = (receipt: ReceiptInWords): Link | undefined => {
    const url = world.receiptLink?.(receipt);
    return url === undefined ? undefined : { title: content.label('receipt/save'), url };
  };

  const privateChat = (conversation: string): Link | undefined => {
    const url = world.privateChatLink?.(conversation);
    return url === undefined ? undefined : { title: content.label('conversation/privateChat'), url };
  };

  const withLink = ({ opening, ...visit }: VisitInWords): VisitCard => {
    const url = opening && world.visitLink?.(visit.name, opening);
    return url === undefined ? visit : { ...visit, link: { title: content.label('visit/save'), url } };
  };

  const beginning = ({ conversation, isShared, kept }: Pending, person?: string): Draft => {
    const moment = momentNow();
    const proof = person === undefined ? undefined : proofOf({ person, provedAt: world.now() });
    const at = { conversation, isAmongOthers: isShared, proof };
    return draft(begin(at, moment, kept?.saved), moment, at);
  };

  /** A turn that cannot be taken is our mistake: the student is told, and stays where they were, or begins anew. */
  const attempt = (kept: Kept, on: Pending, make: () => Draft): Draft => {
    // It may well be restored, and mean something else.
    if (isOfNewerVersion(kept.saved)) return beginning(on);
    try {
      return make();
    } catch (mistake) {
      world.onMistake(mistake, nextIn(on));
      if (!canGoOn(kept.saved)) return beginning(on);
      const spoken = speak([{ line: 'conversation/failed', facts: {}, offers: [] }], dayOf(momentNow()));
      return { kept, replies: spoken, spoken, requests: [], heard: [] };
    }
  };

  const hearing = (kept: Kept, on: Pending, message: Held): Draft => {
    const { seq, text, isMasked } = message;
    // It was taken back before anybody came to it.
    if (text === takenBack) return held(kept, message);
    const made = attempt(kept, on, () => {
      const meant = text.replaceAll(content.masked, ' ');
      const of = { conversation: on.conversation, message: seq };
      const begun = performance.now();
      const { wishes, askedDay } = understanding.hear(meant, kept, dayOf(momentNow()));
      const understood = performance.now();
      onStage('understand', understood - begun, of);
      const isNothingBut = isMasked && !/[\p{L}\p{N}]/u.test(meant);
      const heard: Wish[] = [...(isMasked ? [{ type: 'secret' as const }] : []), ...(isNothingBut ? [] : wishes)];
      const all: Wish[] = isOld(message, on)
        ? [{ type: 'outdated' }]
        : text.trim() === ''
          ? [{ type: 'wordless' }]
          : heard;
      const moment = momentIn(on, askedDay);
      const turn = takeTurn(
        kept.saved,
        all.map((wish): Heard => ({ ...moment, ...wish })),
      );
      const made = { ...draft(turn, moment, on), heard: all.map(nameOf) };
      onStage('transition', performance.now() - understood, of);
      return { ...made, ...learned(all, turn, text), ...countedIn(on, all, turn, made, dayOf(moment)) };
    });
    return { ...made, answers: seq, said: text };
  };

  const edited = (kept: Kept, on: Pending): Draft =>
    attempt(kept, on, () => {
      const moment = momentNow();
      const turn = takeTurn(kept.saved, [{ ...moment, type: 'edited' }]);
      return { ...draft(turn, moment, on), heard: ['edited'] };
    });

  /** Nobody is there to answer any more; a case that waits for a human is over. */
  const withdrawn = (kept: Kept): Draft =>
    handing(
      { kept, replies: [], spoken: [], requests: [], heard: ['left'] },
      { to: 'bot', outcome: 'withdrawn', by: undefined },
    );

  /** An old button commands nothing, least of all to be forgotten. */
  const commandIn = (message: Held, on: Pending): Wish | undefined =>
    isOld(message, on) ? undefined : understanding.command(message.text.replaceAll(content.masked, ' '));

  /** It is a human's to answer, or was, and nothing is said to it here. */
  const held = (kept: Kept, { seq, text }: Held): Draft => ({
    kept,
    replies: [],
    spoken: [],
    requests: [],
    heard: [],
    answers: seq,
    said: text,
  });

  /** What is written to a human is theirs to answer. It is held for them, unless it takes the conversation back. */
  const holding = (kept: Kept, on: Pending, speaker: Exclude<Speaker, 'bot'>, message: Received): Draft => {
    const { seq, text, meanwhile } = message;
    const command = commandIn(message, on);
    if (!command || !leaving[speaker].includes(command.type)) return held(kept, message);
    const made = attempt(kept, on, () => {
      const moment = momentNow();
      const { wanted, text } = wantedIn(staying.includes(command.type) ? meanwhile : [], dayOf(moment));
      const all = [command, ...wanted];
      const turn = takeTurn(
        kept.saved,
        all.map((wish): Heard => ({ ...moment, ...wish })),
      );
      const made = { ...draft(turn, moment, on), heard: all.map(nameOf) };
      return { ...made, ...learned(wanted, turn, text), ...countedIn(on, wanted, turn, made, dayOf(moment)) };
    });
    const back = handing({ ...made, answers: seq, said: text }, { to: 'bot', outcome: 'withdrawn', by: undefined });
    const isOfHub = world.servicedesk?.deskOf?.(on.conversation) !== undefined;
    return isOfHub ? { ...back, replies: [telling(WITHDRAWN), ...back.replies] } : back;
  };

  /** What is left to answer of these, and the first of them that wants it. */
  const wantedIn = (texts: readonly string[], today: Day, path?: Intent): { wanted: Wish[]; text: string } => {
    const heard = texts.map((text) => {
      const { wishes } = understanding.hear(text.replaceAll(content.masked, ' '), NOTHING_ASKED, today);
      return { text, wishes };
    });
    const all = heard.flatMap(({ wishes }) => wishes);
    const wanted = wantedMeanwhile(all, path);
    const types = wanted.map(({ type }) => type);
    return { wanted, text: heard.find(({ wishes }) => wishes.some(({ type }) => types.includes(type)))?.text ?? '' };
  };

  /** What was written to a human, and has not been answered by any. */
  const writtenMeanwhile = async ({ conversation, tendedSeq, answeredSeq }: Pending): Promise<string[]> =>
    (await store.log(conversation, tendedSeq)).flatMap((each) =>
      // What nobody has looked at yet, or has come since we looked, is answered after this, as ever.
      'text' in each && each.seq <= answeredSeq ? [each.text] : [],
    );

  /** Back with the bot: what was wanted meanwhile is answered, and nothing is taken for an answer to the bot. */
  const comingBack = (kept: Kept, on: Pending, meanwhile: readonly string[], onto: Return): Draft =>
    attempt(kept, on, () => {
      const { path, known, isClosed, isUnanswered, isBeginning } = onto;
      const moment = momentNow();
      const began = path ? [{ type: `intent.${path}` as const, ...(known && { told: known }) }] : [];
      const { wanted, text } = wantedIn(meanwhile, dayOf(moment), path);
      const all = [...began, ...wanted];
      const back = {
        ...moment,
        type: 'desk.handedBack' as const,
        ...(known && { told: known }),
        ...(isClosed && { isClosed }),
        ...(isUnanswered && { isUnanswered }),
        ...(isBeginning && { isBeginning }),
      };
      const turn = takeTurn(kept.saved, [back, ...all.map((wish): Heard => ({ ...moment, ...wish }))]);
      const made = { ...draft(turn, moment, on), heard: [back.type, ...all.map(nameOf)] };
      return { ...made, ...learned(wanted, turn, text), ...countedIn(on, wanted, turn, made, dayOf(moment)) };
    });

  /** Who answers, in the same step as what the hub said of it. Where it only begins, no case is closed. */
  const broughtBack = (made: Draft, by: string | undefined, outcome: string, onto: Return): Draft => {
    const back = onto.isBeginning ? made : handing(made, { to: 'bot', outcome, by });
    return { ...back, replies: [...told(onto).map(telling), ...back.replies] };
  };

  /** A human may have answered a message before anybody here came to it, and have gone since. */
  const received = (kept: Kept, on: Pending, message: Received): Draft => {
    if (on.speaker !== 'bot') return holding(kept, on, on.speaker, message);
    const command = commandIn(message, on);
    const isAnswered = message.seq <= on.tendedSeq && !(command && leaving.agent.includes(command.type));
    return isAnswered ? held(kept, message) : hearing(kept, on, message);
  };

  const proofOf = ({ person, provedAt }: Proved): Proof => {
    const { minutes, idleMinutes } = world.proofLasts;
    const endsAt = new Date(world.now().getTime() + minutes * 60_000);
    return { person, provedAt: instantOf(provedAt), endsAt: instantOf(endsAt), idleMinutes };
  };

  const reporting = (kept: Kept, on: Pending, report: Reported, id: string): Draft => {
    const made = attempt(kept, on, () => {
      const moment = { ...report, desk: momentIn(on).desk };
      const turn = takeTurn(kept.saved, [moment]);
      const drafted = draft(turn, moment, on);
      return { ...drafted, ...countedIn(on, [], turn, drafted, dayOf(moment)) };
    });
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
      const of: TurnName = { conversation, message: step.answers ?? on.answeredSeq };
      const begun = performance.now();
      const after = await store.commit({ ...step, conversation, turns, at: world.now() });
      onStage('commit', performance.now() - begun, of);
      if (after) {
        const handoff = { request: 'servicedesk.handoff' as const, reference: `${conversation}/handoff` };
        const named = [
          ...step.requests.map(({ request, reference }) => ({ request, reference })),
          ...(step.handing?.to === 'desk' ? [handoff] : []),
        ];
        into.state = step.kept.state;
        into.said = said ?? into.said;
        into.heard.push(...heard);
        into.replies.push(...spoken);
        into.requests.push(...named);
        world.onTurn({
          ...of,
          state: into.state,
          heard,
          requests: named.map(({ request }) => request),
          isAnswer: step.answers !== undefined && heard.length > 0,
          ...(step.handing?.to === 'desk' && { handsOver: step.handing.case.reason }),
        });
        tell(conversation, after.delivery);
        return { ...after, requests: [...ours, ...after.requests] };
      }
      const again: Pending | undefined = await store.pending(conversation);
      // Nobody was first, so what it closes was closed already.
      if (again?.turns === turns) return again;
      on = again && { ...again, requests: [...ours, ...again.requests] };
      // A newer version was first, and what we have begun is left to it with the rest.
      if (isNewer(again) && !isNewer(before)) return on;
    }
    return undefined;
  };

  /** Conversations that were left to a newer version: after which turn, and since when. */
  const left = new Map<string, { turns: number; since: number }>();

  /** Whether a newer version may still come to it. It is not waited for as long as a student waits. */
  const isLeftToNewer = (on: Pending): boolean => {
    const { conversation, turns } = on;
    const before = left.get(conversation);
    left.delete(conversation);
    if (!isNewer(on)) return false;
    const at = world.now().getTime();
    const { since } = before?.turns === turns ? before : { since: at };
    if (at - since >= LEFT_TO_NEWER) return false;
    left.set(conversation, { turns, since });
    return true;
  };

  /** Takes turns until the conversation waits for the student, or for somebody else's hands. */
  const advance = async (conversation: string, found?: Pending, person?: string): Promise<Exchange> => {
    let pending = found ?? (await store.pending(conversation));
    let into = exchange(pending);
    while (pending) {
      const [request] = pending.requests;
      const { message } = pending;
      if (isLeftToNewer(pending)) break;
      if (!pending.kept || !isOfThisVersion(pending.kept.saved)) {
        pending = await take(pending, into, (on) =>
          on.kept && isOfThisVersion(on.kept.saved) ? undefined : beginning(on, person),
        );
      } else if (request) {
        const report = await carryOut(request, pending);
        pending = await take(pending, into, (on) => on.kept && reporting(on.kept, on, report, request.id));
      } else if (message && !pending.isBusy) {
        if (into.said !== null) into = exchange(pending);
        const { speaker, answeredSeq } = pending;
        const meanwhile = speaker === 'queue' ? await writtenMeanwhile(pending) : [];
        // Another may have been first, and may have asked something of the world.
        pending = await take(pending, into, (on) =>
          on.kept && !on.isBusy && on.message?.seq === message.seq && on.answeredSeq === answeredSeq
            ? received(on.kept, on, { ...on.message, meanwhile: on.speaker === 'queue' ? meanwhile : [] })
            : undefined,
        );
        const key = keyOf(conversation, message.seq);
        if (outcomes.has(key)) outcomes.set(key, into);
      } else break;
    }
    return into;
  };

  const carryOut = async (open: OpenRequest, on: Pending): Promise<Reported> => {
    const of = { conversation: on.conversation, message: on.answeredSeq };
    const begun = performance.now();
    const report = await reportOf(open, on, of);
    onStage('request', performance.now() - begun, of, { request: open.request.request, report: report.type });
    return report;
  };

  const reportOf = async (open: OpenRequest, on: Pending, of: TurnName): Promise<Reported> => {
    const { request, attempt } = open;
    switch (request.request) {
      case 'identity.verify':
        return verify(open.id, request, on);
      case 'ledger.findCards': {
        const answer = await answerOf(of, () => ledger.findCards(request.person));
        return answer.outcome === 'found'
          ? { ...momentNow(), type: 'ledger.cardsFound', person: request.person, cards: answer.cards }
          : { ...momentNow(), type: `ledger.${answer.outcome}`, request: request.request };
      }
      case 'ledger.revoke': {
        const answer = await answerOf(of, () => ledger.revoke(request));
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
  const answerOf = async <Answer>(
    of: TurnName,
    call: () => Promise<Answer>,
  ): Promise<Answer | { outcome: 'unanswered' }> => {
    try {
      return await call();
    } catch (mistake) {
      world.onMistake(mistake, of);
      return { outcome: 'unanswered' };
    }
  };

  const safely = (of: TurnName | undefined, work: () => Promise<Exchange>): Promise<Exchange> =>
    work().catch((mistake: unknown) => {
      world.onMistake(mistake, of);
      return exchange(undefined);
    });

  /** From where anybody has left off. */
  const goOn = async (conversation: string): Promise<Exchange> => {
    const found = await store.pending(conversation);
    return safely(found && nextIn(found), () => advance(conversation, found));
  };

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
      const nowhere = { conversation: '', isAmongOthers: false, proof: undefined };
      return draft(begin(nowhere, moment), moment, nowhere).replies;
    },
    edit: (place) =>
      inTurn(place.conversation, async () => {
        const pending = await store.open(place);
        const into = exchange(pending);
        // What is written to a human, they have seen as it was.
        await take(pending, into, (on) =>
          on.kept && on.turns === pending.turns && on.speaker === 'bot' && !isOfNewerVersion(on.kept.saved)
            ? edited(on.kept, on)
            : undefined,
        );
      }),
    async unsay(conversation, id) {
      await store.unsay(conversation, id, takenBack);
      tell(conversation);
    },
    leave: (conversation) =>
      inTurn(conversation, async () => {
        const pending = await store.pending(conversation);
        if (!pending) return;
        await take(pending, exchange(pending), (on) =>
          on.kept && on.turns === pending.turns ? withdrawn(on.kept) : undefined,
        );
        await store.leave(conversation);
      }),
    async accept({ text, sentBy, sentAt, ...message }) {
      const masked = maskForAny(storable(text), content.masked);
      const resendKey = sentBy && sentAt && fingerprint(JSON.stringify([sentBy, sentAt, masked.open.text]));
      const begun = performance.now();
      const { seq, isNew, pending } = await store.accept({
        ...message,
        ...(resendKey && { resendKey }),
        text: masked,
        at: world.now(),
      });
      const of = { conversation: message.conversation, message: seq };
      onStage('accept', performance.now() - begun, of);
      const key = keyOf(message.conversation, seq);
      if (isNew) outcomes.set(key, undefined);
      tell(message.conversation);
      const answered = inTurn(message.conversation, () =>
        safely(of, async () => {
          const before = outcomes.get(key) ? undefined : await advance(message.conversation, pending);
          const outcome = outcomes.get(key) ?? before ?? exchange(undefined);
          outcomes.delete(key);
          return outcome;
        }),
      );
      return { seq, isNew, answered };
    },
    comeBack: (conversation, by, outcome, onto) =>
      inTurn(conversation, async () => {
        for (;;) {
          const found = await store.pending(conversation);
          if (!found?.kept || !isTheirsToBring(found, by, onto)) return undefined;
          const meanwhile = await writtenMeanwhile(found);
          const into = exchange(found);
          const after = await take(found, into, (on) =>
            on.kept && on.turns === found.turns
              ? broughtBack(comingBack(on.kept, on, meanwhile, onto), by, outcome, onto)
              : undefined,
          );
          if (into.heard.length > 0) {
            const more = await advance(conversation, after);
            return { ...into, replies: [...into.replies, ...more.replies] };
          }
          // The row says it is theirs, and the clock that it is not.
          if (after?.turns === found.turns) return undefined;
        }
      }),
    async changed(conversation) {
      tell(conversation, await store.claimDelivery(conversation));
    },
    async note(conversation, event) {
      const seq = await store.note(conversation, { ...event, at: world.now() });
      tell(conversation);
      return seq;
    },
    async settle(conversation) {
      const pending = await store.pending(conversation);
      const into = exchange(pending);
      if (!pending || isNewer(pending)) return into;
      for (const request of await store.claimUnsettled(conversation)) await settleOne(pending, request, into);
      return into;
    },
    async deliver(conversation, post, claimed) {
      let delivery = claimed ?? (await store.claimDelivery(conversation));
      while (delivery) {
        const { replies, lastSeq }: Delivery = delivery;
        let hasMore = false;
        for (const [index, { seq, said }] of replies.entries()) {
          // What was tried before is the first of them.
          const next: Delivery = index === 0 ? delivery : { ...delivery, attempts: 0, taken: 0, isUnsure: false };
          const begun = performance.now();
          const posted = await post(next, said, seq, (parts) => store.took(conversation, seq, parts));
          onStage('deliver', performance.now() - begun, { conversation, message: next.answers });
          if (posted.outcome === 'later') {
            await store.putOff(conversation, seq, posted.after, posted.isUnsure ?? false);
            return;
          }
          if (posted.outcome === 'gone') {
            // Whoever has written since is there again, and is answered.
            const since = await store.log(conversation, lastSeq);
            if (since.some(({ author }) => author === 'student')) await store.putOff(conversation, seq, 0, false);
            else await conversations.leave(conversation);
            return;
          }
          hasMore = await store.delivered(conversation, seq, index === replies.length - 1);
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
      for (const id of unsettled) void safely(undefined, () => conversations.settle(id));
      await Promise.all(stalled.map((id) => safely(undefined, () => inTurn(id, () => goOn(id)))));
      return undelivered;
    },
    async idle() {
      while (last.size > 0) await Promise.all(last.values());
    },
  };
  return conversations;
}

const isForPrivate = (line: string | undefined): boolean =>
  line === 'conversation/notAmongOthers' || line === 'conversation/welcomeAmongOthers';

/** Whatever an old button says, is no answer to what is asked now. */
const isOld = ({ button }: Held, { repliedSeq }: Pending): boolean => button !== undefined && button !== repliedSeq;

/** The turn that is to be taken, or that what is taken comes of. */
const nextIn = ({ conversation, message, answeredSeq }: Pending): TurnName => ({
  conversation,
  message: message?.seq ?? answeredSeq,
});

const exchange = (pending: Pending | undefined): Exchange => ({
  said: null,
  heard: [],
  state: pending?.kept?.state ?? '',
  replies: [],
  requests: [],
});

const OWN_DESK = 'own';
const newCaseId = (): string => randomBytes(12).toString('base64url');

const telling = (handoff: Handoff): Said => ({ text: '', cites: [], suggests: [], source: undefined, handoff });
const WITHDRAWN: Handoff = { name: 'handoff.status', value: { state: 'completed', message: 'withdrawn' } };
const ACCEPTED: Handoff = { name: 'handoff.status', value: { state: 'accepted' } };

/** What a hub has told, and what it is answered: a conversation that is handed to the bot, is accepted. */
const told = ({ handoff }: Return): Handoff[] =>
  handoff ? [handoff, ...(handoff.name === 'handoff.initiate' ? [ACCEPTED] : [])] : [];

/** An agent's; or, without one, what waits for one. What is to begin so is nobody's, and no student has written in it. */
function isTheirsToBring({ speaker, agent, message, ...on }: Pending, by: string | undefined, onto: Return): boolean {
  if (by !== undefined) return agent?.id === by;
  return onto.isBeginning ? speaker === 'bot' && on.answeredSeq === 0 && !message && !on.isBusy : speaker === 'queue';
}

const NOTHING_ASKED: Situation = { asked: { fact: undefined, path: undefined }, suggests: [] };

/** What is left to answer of what was written to a human: wishes, or else that one was not understood. */
function wantedMeanwhile(wishes: readonly Wish[], path: Intent | undefined): Wish[] {
  const wanted = wishes.filter(isWanted).filter(({ type }) => type !== `intent.${path ?? ''}`);
  const distinct = wanted.filter((wish, index) => wanted.findIndex(({ type }) => type === wish.type) === index);
  if (distinct.length > 0) {
    return distinct.map((wish) => (path ? { ...wish, waits: true } : wish));
  }
  return wishes.filter(({ type }) => /^(ambiguous|unclear|intent\.out-of-scope)$/.test(type)).slice(0, 1);
}

const isWanted = (wish: Wish): wish is Extract<Wish, { type: `intent.${Intent}` }> =>
  wish.type.startsWith('intent.') && !talk.some((each) => wish.type === `intent.${each}`);

/** Text without what PostgreSQL cannot hold: the null character, and halves of characters. */
const storable = (text: string): string => text.replaceAll('\0', ' ').replace(/\p{Surrogate}/gu, '\uFFFD');

const keyOf = (conversation: string, seq: number): string => `${conversation} ${seq}`;

const fingerprint = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** `intent.lost-card`, or which facts were told: `told.hasPuk`. */
function nameOf(wish: Wish): string {
  return wish.type === 'told' ? `told.${Object.keys(wish.told).join('.')}` : wish.type;
}
