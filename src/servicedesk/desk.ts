/**
 * The servicedesk: what waits for a human there, whose it is, and how it goes
 * back to the bot.
 *
 * Who answers a conversation is written in its own row: the bot, the queue, or
 * one agent for as long as their lease lasts. It changes in the statement that
 * keeps what is said of it, so nobody can speak where another does. An agent
 * who is not seen for a while loses the lease, and the case waits again.
 */
import type { Intent } from '../../dialogs/intents.ts';
import type { Known } from '../../dialogs/vocabulary.ts';
import type { Logged } from '../conversations/store.ts';

/** Somebody at a desk. `id` is the same for ever; `name` is what students and colleagues see. */
export type Agent = { id: string; name: string };

/** Why a human is needed. That somebody’s personal data are protected is never among the reasons. */
export type Reason = 'asked' | 'notUnderstood' | 'outcome' | 'opened';

/** A case that is kept is one from when the desk was closed: the bot goes on answering until an agent takes it. */
export type CaseInQueue = {
  id: string;
  reason: Reason;
  /** The path that the student was on, if it may be told. */
  path: string | undefined;
  waitingSince: Date;
  state: 'kept' | 'waiting' | 'claimed';
  agent: Agent | undefined;
  /** Messages of the student’s that no human has answered. */
  unanswered: number;
};

/** What goes along to whoever takes the case. */
export type Brief = {
  wish: Intent | undefined;
  /** Where the bot and the student were, by the name of the state. */
  state: string | undefined;
  known: { fact: keyof Known; value: unknown; from: 'student' | 'agent' }[];
  /** Of the student's own cards, as the ledger told the bot; only if they had proved who they are. */
  cards: { ending: string; kind: string; state: string }[];
  isProved: boolean;
  /** Lines that the bot has said, in order, once each; and the rules they cite. */
  tried: string[];
  cites: string[];
};

export type CaseFile = CaseInQueue & { isYours: boolean; brief: Brief; log: Logged[] };

/** How a conversation goes back to the bot, wherever that comes from. Without a path it just does. */
export type HandBack = { path?: Intent; known?: Known; reason?: string };

export type Outcome = 'resolved' | 'referred' | 'unreachable';

export type Desk = {
  /** Everything that is open, the longest wait first. */
  queue: () => Promise<CaseInQueue[]>;
  /** One case whole, or nothing if it is closed or was never there. Read by any agent. */
  file: (id: string, agent: Agent) => Promise<CaseFile | undefined>;
  /** The first one wins. `busy`: the bot waits for the ledger; try again. */
  claim: (id: string, agent: Agent) => Promise<'claimed' | 'taken' | 'gone' | 'busy'>;
  /** The agent is seen: every lease of theirs lasts from now. */
  renew: (agent: Agent) => Promise<void>;
  /** `key` is the message’s own, and the same again is the same message. `seen` is the last entry of the log they had. */
  say: (id: string, agent: Agent, message: { key: string; text: string; seen: number; cites?: string[] }) => Promise<'said' | 'notYours'>;
  /** Back to the queue, for another to take. */
  release: (id: string, agent: Agent) => Promise<'released' | 'notYours'>;
  handBack: (id: string, agent: Agent, onto: HandBack) => Promise<'handedBack' | 'notYours'>;
  close: (id: string, agent: Agent, outcome: Outcome) => Promise<'closed' | 'notYours'>;
  /** A conversation for a student who has phoned: the agent's own from the start. `conversation` is its Direct Line id. */
  openFor: (agent: Agent) => Promise<{ id: string; conversation: string }>;
  /** Gives back to the queue what nobody has been seen at. */
  lapse: () => Promise<void>;
  /** Tells, from now on, that the queue, or a case in it, is not what it was. */
  subscribe: (hear: () => void) => () => void;
};

/** How long an agent who is not seen has a case, in seconds. */
export const LEASE = 60;
