/**
 * What is kept of conversations, and in which steps it changes.
 *
 * A message is kept once, before anything is done with it. A turn is committed
 * whole, on top of the turn it was taken on, or not at all: of two that were
 * taken on the same one, the first wins. Where each conversation is, is told by
 * its rows alone, so whoever reads them can go on from there.
 */
import type { Day } from '../../dialogs/card-validity.ts';
import type { Intent } from '../../dialogs/intents.ts';
import type { HandingOver, Revocation, Request } from '../../dialogs/vocabulary.ts';
import type { Spoken, VisitInWords } from '../content.ts';
import type { Door, Masked } from '../masking.ts';
import type { Asked, Saved, Turn } from '../turn.ts';

/** A student's side of a conversation, as its channel knows it. */
export type Place = {
  /** Ours, and unique over all channels. */
  conversation: string;
  channel: string;
  /** A channel that is pushed to is delivered to; from any other the student fetches. */
  isPushed: boolean;
  /** Whose account it is, where the channel has proved that. */
  account?: string;
  /** Several people write or read there, so nothing personal is said. */
  isShared?: boolean;
  /** What the channel needs to reach the student again. It is the channel's own business. */
  address?: object;
};

export type Message = Place & {
  /** The channel's own: the same id again is the same message. */
  id: string;
  /** What a resend under a new id has in common with the first: sender, text and client time. */
  resendKey?: string;
  /** Where it was said by a button: the place of the reply that the button stood under. */
  button?: number | undefined;
  /** What passes the door; which of them is kept, depends on the question that is open then. */
  text: Record<Door, Masked>;
  at: Date;
};

/** Somewhere to go, such as to sign in, or to fetch a receipt. */
export type Link = { title: string; url: string };

/**
 * A reply as it is kept, with the name of its line. A visit has where it can be fetched for a calendar, and needs its opening no more. Where a
 * reply `clears`, everything before it is gone, also from sight.
 */
export type Said = Omit<Spoken, 'visits'> & {
  line?: string;
  link?: Link;
  visits?: VisitCard[];
  clears?: true;
  /** Whose words they are, where they are a human's, when they are delivered. */
  agent?: Agent;
  /** Who answers from here on, where that changes. */
  now?: SpeaksNow;
  /** Nothing is said: one tells the other by whom the student is answered. */
  handoff?: Handoff;
};
export type SpeaksNow = { speaker: Speaker; name?: string };
export type VisitCard = Omit<VisitInWords, 'opening'> & { link?: Link };

/**
 * An event of the Bot Framework's handoff protocol, between the bot and a hub whose humans take over. `key` is what the
 * hub calls its own, and the same key is the same event; the bot's have none.
 */
export type Handoff = { name: HandoffName; value: Readonly<Record<string, unknown>>; key?: string };
export type HandoffName = 'handoff.initiate' | 'handoff.status';

/** Who answers a conversation: the bot, whoever of the desk comes next, or one of them. */
export type Speaker = 'bot' | 'queue' | 'agent';

/** Somebody at a desk. `id` is the same for ever; `name` is what students and colleagues see. */
export type Agent = { id: string; name: string };

/** Why a human is needed. That somebody’s personal data are protected is never among the reasons. */
export type Reason = HandingOver['reason'] | 'opened';

/** How a turn changes who answers. */
export type Handing =
  /** A human is to take over: now, or when they come; until then the bot goes on. A case that is open already, stays. */
  | { to: 'desk'; isNow: boolean; case: { id: string; desk: string; reason: Reason } }
  /** Back to the bot: by the student or, `by` their id, by the agent whose it is, and only while it is. */
  | { to: 'bot'; outcome: string; by: string | undefined };

/** What editors are to see: what was written, if it is that; and between which intents was asked. */
export type Lesson = {
  kind: 'notUnderstood' | 'notKnown' | 'clarified' | 'notHelped';
  text: string;
  /** The text as it is compared with others. */
  folded: string;
  between: readonly Intent[];
  wish: Intent | undefined;
};

/** Something that has happened once more on a day. Nothing of it tells in which conversation. */
export type Tally = { day: Day; what: string; name: string };

/** Where a conversation rests. */
export type Kept = { saved: Saved; state: string; asked: Asked; suggests: string[] };

export type Held = { seq: number; button?: number | undefined } & Masked;

/** A request in our hands. One that was attempted before may have been carried out then. */
export type OpenRequest<Kind extends Request = Request> = { id: string; request: Kind; attempt: number };

/** Where a conversation is, and what it waits for next. */
export type Pending = {
  conversation: string;
  turns: number;
  account: string | undefined;
  isShared: boolean;
  /** Nothing, before it has begun. */
  kept: Kept | undefined;
  speaker: Speaker;
  /** Whose it is, while an agent has it. */
  agent: Agent | undefined;
  /** The last of the student's messages that a human has answered, or that was there before one was asked for. */
  tendedSeq: number;
  /** The last message that was answered, or given to whoever answered then. */
  answeredSeq: number;
  /** The last reply. What was suggested stands under it. */
  repliedSeq: number;
  /** What has been counted of it that is counted once. */
  counted: readonly string[];
  /** The first message that is not answered, nor given to whoever answers now. */
  message: Held | undefined;
  /** What is ours to carry out now. */
  requests: OpenRequest[];
  /** A request is in other hands, and nothing is heard before it has been answered for. */
  isBusy: boolean;
  /** The replies of the turn that was just committed, if they are the next to be delivered: ours from here. */
  delivery: Delivery | undefined;
};

/** `answers` is the message that the first of the replies came of. */
export type Delivery = Tried & {
  address: object;
  replies: { seq: number; said: Said }[];
  lastSeq: number;
  answers: number;
};

/** Of the first of the replies: what came of it before. */
export type Tried = {
  /** How often it has been tried in vain. */
  attempts: number;
  /** How many of its parts have been taken. */
  taken: number;
  /** More of it may have been taken than was told, since there was no answer, or whoever tried did not live to see it. */
  isUnsure: boolean;
};

export type Step = {
  conversation: string;
  /** How many turns it was taken on top of. */
  turns: number;
  at: Date;
  kept: Kept;
  replies: Said[];
  /** The message it answers, by its place in the conversation. */
  answers?: number;
  /** One that is challenged waits for whoever can meet the challenge, and keeps nothing else waiting. */
  closes?: { id: string; as: 'closed' | 'unsettled' } | { id: string; as: 'challenged'; challenge: string };
  requests: Request[];
  /** Who has proved who they are, as this turn was told. */
  proved?: Proved;
  /**
   * Everything before this turn goes: what was said, what was asked of the world, and every proof. Of a person, their
   * other conversations and links go as well.
   */
  erases?: { person: string | undefined } | undefined;
  handing?: Handing | undefined;
  /** Nothing is committed of what was to be said once and has been, or what its person wants no more. */
  reminding?: Turn['reminding'];
  lessons?: readonly Lesson[];
  tallies?: readonly Tally[];
  /** All that has been counted of it once, with what is counted now. */
  counted?: readonly string[];
};

/** Who has proved who they are, and when. */
export type Proved = { person: string; provedAt: Date };

/** What a client tells that is no message, such as an event by its name. What it means is its channel's own business. */
export type Noted = { type: string; name: string };

/** One entry of a conversation, in the order they were kept. `turn` is the turn that a reply was said in. */
export type Logged = { seq: number; at: Date } & (
  | { author: 'student'; id: string; text: string }
  | { author: 'student'; id: string; noted: Noted }
  | { author: 'bot'; said: Said; answers: number | undefined; turn: number }
  | { author: 'agent'; id: string; said: Said; agent: Agent }
  /** What the desk lets the student know, such as who has taken over. */
  | { author: 'desk'; said: Said }
);

export type Unfinished = {
  /** Conversations where something waits, and nobody is at it. */
  stalled: string[];
  /** Conversations with a revocation whose outcome is unknown, to ask about now. */
  unsettled: string[];
  undelivered: string[];
};

export type ConversationStore = {
  /** Makes the conversation known, if it is not. */
  open(place: Place): Promise<Pending>;
  /** Keeps a message, unless it was kept before; then `seq` is that of the first. What comes next is told if it is plain. */
  accept(message: Message): Promise<{ seq: number; isNew: boolean; pending: Pending | undefined }>;
  /** What somebody wrote is taken back: other words stand for it, and nobody learns from it. */
  unsay(conversation: string, id: string, instead: string): Promise<void>;
  /** Nothing is delivered there any more, nor will be, of what is said until something comes from there again; nobody is
   * reminded there either. */
  leave(conversation: string): Promise<void>;
  /** Keeps what is neither answered nor heard, such as a client's own event. The same id again is the same event. */
  note(conversation: string, event: Noted & { id: string; at: Date }): Promise<number | undefined>;
  /** What a conversation waits for. A request that was left by whoever had it, is ours from here. */
  pending(conversation: string): Promise<Pending | undefined>;
  /** Nothing if another turn was first; otherwise what comes next, as far as this turn is concerned. */
  commit(step: Step): Promise<Pending | undefined>;

  /** The revocations to ask about again now: ours from here. */
  claimUnsettled(conversation: string): Promise<OpenRequest<Revocation>[]>;
  /** There is still no answer. It is asked about again later, and ever less often. */
  postpone(request: OpenRequest): Promise<void>;

  has(conversation: string): Promise<boolean>;
  log(conversation: string, after: number): Promise<Logged[]>;
  /** Of these conversations, how far each one's log goes. */
  lengths(conversations: readonly string[]): Promise<Map<string, number>>;

  /** The replies that are to be delivered next, in order. Nothing if there are none, or somebody is at it. */
  claimDelivery(conversation: string): Promise<Delivery | undefined>;
  /** Everything up to here is delivered. With the last of what was claimed, the claim ends. Tells if there is more. */
  delivered(conversation: string, seq: number, isLast: boolean): Promise<boolean>;
  /** So many parts of the reply at `seq`, which is next, have been taken. Whoever delivers has as long again for what is left. */
  took(conversation: string, seq: number, parts: number): Promise<void>;
  /** It could not be delivered now, and is not tried for so many seconds. */
  putOff(conversation: string, seq: number, seconds: number, isUnsure: boolean): Promise<void>;

  /** What was left behind by whoever was at it. */
  unfinished(): Promise<Unfinished>;
};

/** How long a request is in the hands of whoever carries it out, in seconds: longer than any deadline. */
export const REQUEST_LEASE = 12;
/** How long a sign-in may take, in seconds. */
export const CHALLENGE_LASTS = 600;
/** How long a delivery is in the hands of whoever has begun it, in seconds: longer than any deadline. */
export const DELIVERY_LEASE = 20;
/** How long a conversation is left to whoever accepted its message, in seconds. */
export const PATIENCE = 2;

/** How long to wait before asking about a revocation again, in seconds. */
export const patienceAfter = (attempts: number): number => Math.min(15, 2 ** (attempts - 1));
