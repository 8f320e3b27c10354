/**
 * The words a conversation is written in: what is heard, what is known, what
 * is said, what is requested of the world and what the world reports back.
 *
 * Nothing runs inside a conversation. A transition only lists what it wants
 * said and requested, and `src/turn.ts` hands the list on.
 */
import { assign, setup } from 'xstate';
import type { Card, Day, PhotoSite, Receipt, Span } from './card-validity.ts';
import type { Reminder, Stage } from './due-reminders.ts';
import type { Intent, PathName } from './intents.ts';

/** A moment with Stockholm's own offset, so that its first ten characters are the day here. */
export type Instant = string;

export const dayOf = ({ at }: { at: Instant }): Day => at.slice(0, 10) as Day;

export type Office = 'booth' | 'sodersjukhuset';
/** Times of day as 13:30. On a holiday the guidance leaves some of them open: those are not confirmed (A16). */
export type Slot = { from: string; to: string; confirmed: boolean };
export type Opening = { day: Day; from: string; to: string };

/** What the calendar knows of the moment. It comes with every event, for a conversation has no clock of its own. */
export type Moment = {
  at: Instant;
  next: Record<Office, Opening>;
  /** The day the student asked about, if any, and the drop-in times of that day. */
  asked: { day: Day; slots: Record<Office, Slot[]> } | undefined;
  /** Whether humans can be reached in the chat now; if not, from when. Nothing: they never can. */
  desk?: { isOpen: boolean; next: Opening | undefined } | undefined;
  /** What is switched off just now: paths by their names, and wishes by their intents. Nothing: all is on. */
  off?: ReadonlySet<string>;
};

type Told<Value> = Value | 'unknown';

/** What the student or an agent has told us, on whichever path. What is known is not asked for again. */
export type Known = {
  cardKind?: Told<Card['kind']>;
  cardReady?: Told<boolean>;
  cardWorks?: Told<boolean>;
  certificateGranted?: Told<boolean>;
  codesArrived?: Told<boolean>;
  /** The card was handed over to them. `hasCard` asks only whether there is one at all. */
  collectedCard?: Told<boolean>;
  expiresOn?: Told<Span>;
  hasCard?: Told<boolean>;
  hasExpired?: Told<boolean>;
  hasOldCertificate?: Told<boolean>;
  hasPinCodes?: Told<boolean>;
  hasPuk?: Told<boolean>;
  issuedOn?: Told<Span>;
  issuer?: Told<Card['issuer']>;
  jobshApproved?: Told<boolean>;
  orderedOn?: Told<Span>;
  orderedBeforeChange?: Told<boolean>;
  photographed?: Told<boolean>;
  photoSite?: Told<PhotoSite>;
  reason?: Told<'lost' | 'codesExposed' | 'detailsWrong' | 'malfunction' | 'wrongPin'>;
  severalCertificates?: Told<boolean>;
  temporarily?: Told<boolean>;
  wasUpgraded?: Told<boolean>;
  whereabouts?: Told<'lost' | 'atHome' | 'found'>;
  wrongPin?: Told<boolean>;
};

export type Fact = keyof Known;

/** What a state waits to be told. `readiness` is two facts in one question; the last two are never remembered. */
export type Asks = Fact | 'readiness' | 'confirmation' | 'signInCode';

/** What the student says, once understanding has read the Swedish. */
export type Heard = Moment &
  /** One that waits is taken up when the path that is open has come to its end. */
  (
    | { type: `intent.${Intent}`; told?: Known; waits?: true }
    | { type: 'told'; told: Known }
    | { type: 'yes' }
    | { type: 'no' }
    | { type: 'back' }
    | { type: 'startOver' }
    | { type: 'signOut' }
    | { type: 'forgetMe' }
    | { type: 'remindMe' }
    | { type: 'stopReminding' }
    /** What the student was shown when they had signed in, and has typed back. */
    | { type: 'signInCode'; code: string }
    | { type: 'ambiguous'; between: Intent[] }
    | { type: 'unclear' }
    | { type: 'secret' }
    /** There are no words in it, such as a picture. */
    | { type: 'wordless' }
    /** The button that was pressed belongs to something earlier. */
    | { type: 'outdated' }
    /** Something that was written before has been changed. */
    | { type: 'edited' }
  );

/** What the world reports, in its own time: the talk may have moved on since the request. */
export type Reported = Moment &
  (
    | { type: 'identity.verified'; proof: Proof }
    /** They have to sign in, and were given where. */
    | { type: 'identity.signInNeeded' }
    | { type: 'identity.codeIsWrong' }
    /** It has had its time, or there were too many wrong ones before it. */
    | { type: 'identity.codeIsSpent' }
    /** There is no way for them to prove who they are. */
    | { type: 'identity.refused' }
    /** What they are to be reminded of, if anything; and whether they could be reminded, and have not asked for it. */
    | { type: 'ledger.cardsFound'; person: string; cards: Card[]; reminder?: Reminder; canRemind?: true }
    | { type: 'ledger.revoked'; receipt: Receipt }
    /** The ledger answered that it will not revoke this card. */
    | { type: 'ledger.refused' }
    /** The request never reached the ledger, and is not sent later. */
    | { type: 'ledger.unreachable'; request: LedgerRequest }
    /** The request was sent and the answer has not come. A revocation may have happened. */
    | { type: 'ledger.unanswered'; request: LedgerRequest }
    /** A human gives the conversation back, with what they were told; or has closed their case, or could not take it. */
    | { type: 'desk.handedBack'; told?: Known; isClosed?: true; isUnanswered?: true; isBeginning?: true }
    /** Somebody is to be reminded: it is the person’s own account, or not; and they have been told there is something. */
    | { type: 'reminder.due'; person: string; reminder: Reminder; isOwnAccount: boolean; isHinted: boolean }
  );

/** What whoever runs it has done, as a message meets it. */
export type Switched = Moment &
  (
    | { type: 'operator.switchedOff'; what: PathName | Intent; isAnswer: boolean }
    /** The bot answers again, where it has kept silent over its own question. */
    | { type: 'operator.switchedOn' }
  );

/** Somebody has proved who they are. It lasts until it ends, or nothing was written for so many minutes. */
export type Proof = { person: string; provedAt: Instant; endsAt: Instant; idleMinutes: number };

export type LedgerRequest = 'ledger.findCards' | 'ledger.revoke';

/** A `reference` names an errand, not an attempt: the same one twice is answered with the same receipt. */
export type Request = { reference: string } &
  /** One that has to be fresh is not met by what was linked before. With a code, it is the code that is tried. */
  (
    | { request: 'identity.verify'; isFresh: boolean; code?: string }
    | { request: 'ledger.findCards'; person: string }
    | { request: 'ledger.revoke'; person: string; card: string; reason: RevocationReason }
  );

/** Why a card is revoked, as the ledger names it: R42, R43, R44, R45. */
export type RevocationReason = 'LOST' | 'CODES_COMPROMISED' | 'DETAILS_INCORRECT' | 'MALFUNCTION';

export type Revocation = Extract<Request, { request: 'ledger.revoke' }>;

/** What a line may quote, and in which form. How it is put in Swedish is for `src/content.ts` to know. */
export type Quoted =
  | { text: string }
  | { day: Day }
  | { instant: Instant }
  | { opening: Opening; today: Day }
  | { askedDay: Day; today: Day }
  | { slots: Slot[] }
  | { word: string };

export type Quotable = Partial<Record<string, Quoted>>;

/** Why a human is to take over. That somebody’s personal data are protected is never among the reasons. */
export type HandingOver = { reason: 'asked' | 'notUnderstood' | 'outcome' };

/** What a transition may list, and what each is given. `offers` are intents to choose among. */
export type Effects = {
  say: { line: string; facts?: Quotable; offers?: Intent[] };
  request: Request;
  /** Everything that was said before is removed; of a person who is proved, also every other proof and link. */
  erase: { person: string | undefined };
  /** A human is needed. Whether there is one to be had comes with the moment. */
  handOver: HandingOver;
  /** Something that editors should see. */
  learnFrom: { kind: 'notHelped' };
  /** From now on somebody is to be reminded, here and wherever else they are; or no more. */
  wantReminders: { person: string };
  stopReminders: { person: string };
  /** This has been said, or that there is something to be said, and is not said again. */
  remind: { person: string; card: string; stage: Stage; how: 'said' | 'hinted' };
};

export type Context = {
  conversation: string;
  /** Others read along, so nothing personal is said. */
  isAmongOthers?: boolean;
  known: Known;
  /** Who has proved who they are, and when they wrote last. */
  identity: (Proof & { seenAt: Instant }) | undefined;
  cards: Card[];
  /** The revocation the student is asked to confirm; what is requested is this, to the letter. */
  proposal: Revocation | undefined;
  receipt: Receipt | undefined;
  /** A revocation was sent, and its outcome is not known. */
  isUnsettled: boolean;
  /** The path whose question is open. */
  path: PathName | undefined;
  /** The path that was left in the middle of its own question, and whether that was just now. */
  left: PathName | undefined;
  isInterrupted: boolean;
  /** What was wanted last. */
  wish?: Intent | undefined;
  /** What of all that is known an agent has told. */
  fromAgent?: readonly Fact[];
  /** Whether it helped has been asked just now, or before. */
  rating?: 'asked' | 'done';
  /** Whether reminders are to begin or to end, while that takes a proof of who asks. */
  remindingWish?: 'start' | 'stop';
  /** Who has asked for reminders here, and has not signed out since. */
  remindedHere?: string | undefined;
  /** It has been told here that one can be reminded. */
  isRemindingOffered?: true;
};

/** What is left of somebody who is not signed in any more. */
export const nobody = {
  identity: undefined,
  cards: [],
  proposal: undefined,
  receipt: undefined,
} satisfies Partial<Context>;

/** A conversation as it begins, but for what it is called. That a revocation may be on its way is never forgotten. */
export const nothingTold = {
  ...nobody,
  known: {},
  path: undefined,
  left: undefined,
  isInterrupted: false,
} satisfies Partial<Context>;

/** What a guard or an action can see. */
export type Now = { context: Context; event: Heard | Reported | Switched };

/** What a state asks for, or what may be said on the way through it. */
export type Meta = { asks: Asks } | { says: readonly string[] };

const neverRun = (): never => {
  throw new Error('A conversation is never run: src/turn.ts reads what a transition lists');
};

export const vocabulary = setup({
  types: {
    input: {} as { conversation: string; isAmongOthers?: boolean; proof: Proof | undefined; at: Instant },
    context: {} as Context,
    events: {} as Heard | Reported | Switched,
    meta: {} as Meta,
  },
  actions: {
    say: (_, _line: Effects['say']) => neverRun(),
    request: (_, _request: Effects['request']) => neverRun(),
    erase: (_, _whose: Effects['erase']) => neverRun(),
    handOver: (_, _why: Effects['handOver']) => neverRun(),
    learnFrom: (_, _what: Effects['learnFrom']) => neverRun(),
    wantReminders: (_, _whose: Effects['wantReminders']) => neverRun(),
    stopReminders: (_, _whose: Effects['stopReminders']) => neverRun(),
    remind: (_, _what: Effects['remind']) => neverRun(),
    noteReminding: assign(
      (_, now: Partial<Pick<Context, 'remindingWish' | 'remindedHere' | 'isRemindingOffered'>>) => now,
    ),
    learn: assign(({ context }, told: Known) => ({ known: { ...context.known, ...told } })),
    forget: assign(({ context }, facts: readonly Fact[]) => ({
      known: Object.fromEntries(Object.entries(context.known).filter(([fact]) => !facts.includes(fact as Fact))),
    })),
    openPath: assign((_, path: PathName) => ({ path })),
    /** An outcome that a question led to, is not one in passing: whatever is said there, one stays. */
    closePath: assign(({ context, event }) => ({
      path: undefined,
      isInterrupted: context.isInterrupted && event.type.startsWith('intent.'),
    })),
    /** A path that is begun anew is not one to come back to. */
    leavePathFor: assign(({ context: { path, left } }, next: PathName) => ({
      path: undefined,
      left: [path, left].find((each) => each !== undefined && each !== next),
      isInterrupted: path !== undefined && path !== next,
    })),
    /** What was in the middle can be gone on with, and has to be asked about anew; unless a human has settled it. */
    comeBack: assign(({ context, event }) => {
      const told = event.type === 'desk.handedBack' ? (event.told ?? {}) : {};
      return {
        known: { ...context.known, ...told },
        fromAgent: [...new Set([...(context.fromAgent ?? []), ...(Object.keys(told) as Fact[])])],
        proposal: undefined,
        path: undefined,
        left: event.type === 'desk.handedBack' && event.isClosed ? undefined : (context.path ?? context.left),
        isInterrupted: false,
      };
    }),
    /** What was in the middle can be gone on with when it is on again, and has to be asked about anew. */
    stepAside: assign(({ context, event }) => ({
      proposal: undefined,
      path: undefined,
      left: event.type === 'operator.switchedOff' && event.what === context.path ? context.path : context.left,
      isInterrupted: false,
    })),
    rate: assign((_, rating: 'asked' | 'done') => ({ rating })),
    keepForLater: assign((_, path: PathName) => ({ left: path, isInterrupted: false })),
    signIn: assign(({ event }) =>
      event.type === 'identity.verified' ? { identity: { ...event.proof, seenAt: event.at }, cards: [] } : {},
    ),
    forgetEverything: assign(() => ({ ...nothingTold, remindedHere: undefined })),
    forgetWayBack: assign({ left: undefined, isInterrupted: false }),
  },
  guards: {
    isTold: ({ context }, fact: Fact) => context.known[fact] !== undefined,
    knows: ({ context }, facts: Known) =>
      Object.entries(facts).every(([fact, value]) => context.known[fact as Fact] === value),
    /** An outcome was reached without a question, in the middle of another path's. */
    isInPassing: ({ context, event }) => context.isInterrupted && event.type.startsWith('intent.'),
  },
});

export const say = (line: string) => ({ type: 'say', params: { line } }) as const;
export const handOver = (reason: HandingOver['reason']) => ({ type: 'handOver', params: { reason } }) as const;
export const knows = (facts: Known) => ({ type: 'knows', params: facts }) as const;
export const isTold = (fact: Fact) => ({ type: 'isTold', params: fact }) as const;

/** The span a student has told, or nothing if they could not say. */
export const spanOf = (told: Told<Span> | undefined): Span | undefined => (told === 'unknown' ? undefined : told);

/**
 * The outcomes of a path: states that ask nothing more. One that is reached in
 * passing, in the middle of another path, is said there, and that path goes on.
 */
export const outcomes = <const Name extends string>(path: PathName, ...names: Name[]) =>
  byName(names, (name) => ({ entry: { type: 'closePath' } as const, always: inPassing(path, name) }));

/** Outcomes that only a human can settle: the conversation is handed over there, if it can be. */
export const outcomesForHumans = <const Name extends string>(path: PathName, ...names: Name[]) =>
  byName(names, (name) => ({
    entry: [{ type: 'closePath' }, handOver('outcome')] as const,
    always: inPassing(path, name),
  }));

const inPassing = (path: PathName, name: string) =>
  ({ guard: 'isInPassing', target: '#returning', actions: say(`${path}/${name}`) }) as const;

const byName = <Name extends string, State>(names: readonly Name[], state: (name: Name) => State) =>
  Object.fromEntries(names.map((name) => [name, state(name)])) as Record<Name, State>;

export const referenceFor = ({ conversation }: Context, errand: string): string => `${conversation}/${errand}`;
