/**
 * One turn of a conversation: events go in, and all that follows from them
 * comes out as data.
 *
 * Nothing has happened when a turn returns. Its caller commits what is saved,
 * the replies and the requests in one transaction, and only then carries the
 * requests out; what the world answers is an event for a turn of its own. The
 * same turn taken twice is the same turn, so one that was interrupted before
 * its commit is simply taken again.
 */
import { type ExecutableActionObject, initialTransition, type Snapshot, type SnapshotFrom, transition } from 'xstate';
import { conversation, quotable, restingState } from '../dialogs/conversation.ts';
import type { Intent } from '../dialogs/intents.ts';
import type { Asks, Effects, Heard, Moment, Proof, Quotable, Reported, Request } from '../dialogs/vocabulary.ts';

/** Raised when a saved conversation could no longer be understood, as when a state is renamed. */
const VERSION = 2;

export type Saved = { version: number; snapshot: Snapshot<unknown> };
export type Reply = { line: string; facts: Quotable; offers: Intent[] };

/** What the student is being asked, for understanding to read the answer by. */
export type Asked = { fact: Asks | undefined; path: string | undefined };

export type Turn = {
  saved: Saved;
  state: string;
  replies: Reply[];
  requests: Request[];
  asked: Asked;
  /** Everything before this turn is to be removed, and of a person more than that. */
  erases: Effects['erase'] | undefined;
};
export type Beginning = { conversation: string; proof: Proof | undefined };

export type Rest = SnapshotFrom<typeof conversation>;

/** A conversation begins with a welcome. One that was saved by another version begins anew, and says so. */
export function begin({ conversation: id, proof }: Beginning, moment: Moment, saved?: Saved): Turn {
  const [rest, actions] = initialTransition(conversation, {
    conversation: id,
    proof,
    at: moment.at,
  });
  const apology = saved ? [{ line: 'conversation/begunAnew', facts: {}, offers: [] }] : [];
  const replies = [...apology, ...said(rest, moment, actions), ...lineOf(rest, moment)];
  return { ...turnAt(rest), replies, requests: [], erases: undefined };
}

/** False for what another version saved, and for what cannot be restored whatever its version says. */
export function canGoOn(saved: Saved): boolean {
  if (saved.version !== VERSION) return false;
  try {
    conversation.restoreSnapshot(saved.snapshot, NO_ACTORS);
    return true;
  } catch {
    return false;
  }
}

export const isOfThisVersion = (saved: Saved): boolean => saved.version === VERSION;

/** The turn that a message makes, or a report: whatever was heard in it, in order. At least one event is needed. */
export function takeTurn(saved: Saved, events: readonly (Heard | Reported)[]): Turn {
  return turnFrom(conversation.restoreSnapshot(saved.snapshot, NO_ACTORS), events);
}

export function turnFrom(before: Rest, events: readonly (Heard | Reported)[]): Turn {
  let rest = before;
  const spoken: Reply[] = [];
  const requests: Request[] = [];
  let isNoticed = false;
  let erases: Turn['erases'];
  const [last] = events.slice(-1);
  for (const event of events) {
    const [after, actions] = transition(conversation, rest, event);
    const moved = !isSamePlace(after, rest);
    isNoticed ||= actions.length > 0 || after.context !== rest.context || moved;
    rest = after;
    spoken.push(...said(rest, event, actions));
    // An answer that a later event would talk over is said before it.
    if (event !== last && moved && !asked(rest).fact) spoken.push(...lineOf(rest, event));
    requests.push(...listed('request', actions));
    erases ??= listed('erase', actions)[0];
  }
  const replies = last && isNoticed ? [...spoken, ...restingLines(before, rest, spoken, last)] : [];
  return { ...turnAt(rest), replies, requests, erases };
}

/** What understanding is told of a rest. */
export function asked(rest: Rest): Asked {
  const [fact] = Object.values(rest.getMeta()).flatMap((meta) => (meta && 'asks' in meta ? [meta.asks] : []));
  return { fact, path: rest.context.path };
}

/**
 * The line of the state we rest in: when we came to it, when it asks something,
 * and when nothing else was said. An event that changed nothing is met with
 * silence; only the world sends such events.
 */
function restingLines(before: Rest, after: Rest, spoken: Reply[], moment: Moment): Reply[] {
  const moved = !isSamePlace(before, after);
  return moved || asked(after).fact || spoken.length === 0 ? lineOf(after, moment) : [];
}

function lineOf(rest: Rest, moment: Moment): Reply[] {
  const { left, path } = rest.context;
  const facts = quotable(rest.context, moment);
  const isOutcome = left !== undefined && path === undefined;
  return [restingState(rest), ...(isOutcome ? ['conversation/wayBack'] : [])].map((line) => ({
    line,
    facts,
    offers: [],
  }));
}

function said({ context }: Rest, moment: Moment, actions: ExecutableActionObject[]): Reply[] {
  return listed('say', actions).map(({ line, facts, offers = [] }) => ({
    line,
    facts: { ...quotable(context, moment), ...facts },
    offers,
  }));
}

function turnAt(rest: Rest) {
  return {
    saved: { version: VERSION, snapshot: conversation.getPersistedSnapshot(rest) },
    state: restingState(rest),
    asked: asked(rest),
  };
}

const isSamePlace = (one: Rest, other: Rest) => restingState(one) === restingState(other);

/** XState does not tie an action's parameters to its name, as the vocabulary does; hence the cast, here only. */
function listed<Kind extends keyof Effects>(kind: Kind, actions: ExecutableActionObject[]): Effects[Kind][] {
  return actions.filter(({ type }) => type === kind).map(({ params }) => params as Effects[Kind]);
}

/** Restoring asks for a scope to run actors in. Our conversation runs none. */
const NO_ACTORS = undefined as never;
