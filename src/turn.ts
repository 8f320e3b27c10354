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
import { createActor, type ExecutableActionObject, initialTransition, type Snapshot, type SnapshotFrom } from 'xstate';
import { conversation, isOfTheWorld, quotable, restingState } from '../dialogs/conversation.ts';
import { lineOfHandingOver } from '../dialogs/handing-over.ts';
import type { Card } from '../dialogs/card-validity.ts';
import type { Intent, PathName } from '../dialogs/intents.ts';
import { isAnswer, isPathOff, pathOffAmong, pathThatIsOff, wishThatIsOff } from '../dialogs/switching.ts';
import type {
  Asks,
  Effects,
  Fact,
  HandingOver,
  Heard,
  Known,
  Moment,
  Proof,
  Quotable,
  Reported,
  Request,
  Switched,
} from '../dialogs/vocabulary.ts';

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
  /** A human is to take over, and there is one to be had: now, or when their desk opens. */
  handsOver: (HandingOver & { isNow: boolean }) | undefined;
  learnsFrom: Effects['learnFrom'] | undefined;
  /** Who wants to be reminded from now on, or no more; and of what somebody has been. */
  reminding: {
    wants?: Effects['wantReminders'] | undefined;
    stops?: Effects['stopReminders'] | undefined;
    says?: Effects['remind'] | undefined;
  };
  /** What the student has wanted last. */
  wish: Intent | undefined;
};
export type Beginning = { conversation: string; isAmongOthers?: boolean; proof: Proof | undefined };

export type Rest = SnapshotFrom<typeof conversation>;

/** A conversation begins with a welcome. One that was saved by another version begins anew, and says so. */
export function begin(
  { conversation: id, isAmongOthers = false, proof }: Beginning,
  moment: Moment,
  saved?: Saved,
): Turn {
  const [rest, actions] = initialTransition(conversation, {
    conversation: id,
    isAmongOthers,
    proof,
    at: moment.at,
  });
  const apology = saved ? [{ line: 'conversation/begunAnew', facts: {}, offers: [] }] : [];
  const replies = [...apology, ...said(rest, moment, actions), ...lineOf(rest, moment)];
  return {
    ...turnAt(rest),
    replies,
    requests: [],
    erases: undefined,
    handsOver: undefined,
    learnsFrom: undefined,
    reminding: {},
  };
}

/** False for what another version saved, and for what cannot be restored whatever its version says. */
export function canGoOn(saved: Saved): boolean {
  if (saved.version !== VERSION) return false;
  try {
    restored(saved);
    return true;
  } catch {
    return false;
  }
}

export const isOfThisVersion = (saved: Saved): boolean => saved.version === VERSION;

/** Whoever saved it knows more than we do, and may still be here. */
export const isOfNewerVersion = (saved: Saved): boolean => saved.version > VERSION;

/** What a turn is made of: what was heard, what the world has reported, or that the bot answers again. */
export type Event = Heard | Reported | Extract<Switched, { type: 'operator.switchedOn' }>;

/** The turn that a message makes, or a report: whatever was heard in it, in order. At least one event is needed. */
export function takeTurn(saved: Saved, events: readonly Event[]): Turn {
  return turnFrom(restored(saved), events);
}

export function turnFrom(before: Rest, events: readonly Event[]): Turn {
  let rest = before;
  const spoken: Reply[] = [];
  const requests: Request[] = [];
  let isNoticed = false;
  let erases: Turn['erases'];
  let learnsFrom: Turn['learnsFrom'];
  let reminding: Turn['reminding'] = {};
  let handing: HandingOver | undefined;
  const [last] = events.slice(-1);
  for (const event of events) {
    const [after, actions] = stepHeedingSwitches(rest, event);
    const moved = !isSamePlace(after, rest);
    isNoticed ||= actions.length > 0 || after.context !== rest.context || moved;
    rest = after;
    spoken.push(...said(rest, event, actions).filter((reply) => !isSaidOfSwitches(reply, spoken)));
    // An answer that a later event would talk over is said before it.
    const isTalkedOver = event !== last && moved && !asked(rest).fact && event.type !== 'desk.handedBack';
    if (isTalkedOver) spoken.push(...lineOf(rest, event));
    requests.push(...listed('request', actions));
    erases ??= listed('erase', actions)[0];
    learnsFrom ??= listed('learnFrom', actions)[0];
    reminding = {
      wants: reminding.wants ?? listed('wantReminders', actions)[0],
      stops: reminding.stops ?? listed('stopReminders', actions)[0],
      says: reminding.says ?? listed('remind', actions)[0],
    };
    handing ??= listed('handOver', actions)[0];
  }
  const turn = { ...turnAt(rest), erases, learnsFrom, reminding };
  if (handing && last) return { ...turn, ...handingOver(handing, before, rest, spoken, requests, last) };
  const replies = last && isNoticed ? [...spoken, ...restingLines(before, rest, spoken, last)] : [];
  return { ...turn, replies, requests, handsOver: undefined };
}

/** In nobody's system, never started, and the same at every step. */
const actor = createActor(conversation, { input: { conversation: '', at: '1970-01-01T00:00', proof: undefined } });
const nowhere = {
  self: actor,
  system: actor.system,
  id: '',
  sessionId: '',
  logger: () => undefined,
  defer: () => undefined,
  emit: () => undefined,
  stopChild: () => undefined,
};

/**
 * XState's own `transition`, which begins a conversation each time only to have a scope to take the step in, and that
 * takes longer than the step.
 */
function stepFrom(rest: Rest, event: Event | Switched): Step {
  const actions: ExecutableActionObject[] = [];
  const actionExecutor = (action: ExecutableActionObject) => actions.push(action);
  return [conversation.transition(rest, event, { ...nowhere, actionExecutor }), actions];
}

type Step = [Rest, ExecutableActionObject[]];

/**
 * The same, where something may be switched off. A step that would lead onto what is off is not taken: nothing of it is
 * said or requested. Only what students say is turned away, and never what the world reports.
 */
function stepHeedingSwitches(rest: Rest, event: Event): Step {
  if (!event.off || isOfTheWorld({ event })) return stepFrom(rest, event);
  const open = pathThatIsOff(event, rest.context, restingState(rest));
  if (open) {
    const out = turnedAway(rest, event, open);
    return isAnswer(event) ? out : followed(out, event, stepHeedingSwitches);
  }
  const wish = wishThatIsOff(event);
  if (wish) return turnedAway(rest, event, wish);
  const taken = stepFrom(rest, event);
  const [after, actions] = taken;
  const lines = listed('say', actions).map(({ line }) => line);
  const isElsewhere = (line: string) => pathIn(line) !== pathIn(restingState(rest));
  const ways = [...(isSamePlace(rest, after) ? [] : [restingState(after)]), ...lines.filter(isElsewhere)];
  const onto = pathOffAmong(event, ways);
  return onto ? turnedAway(rest, event, onto) : taken;
}

/** What was told is known from then on. */
function turnedAway(rest: Rest, event: Event, what: PathName | Intent): Step {
  const isStuck = isAnswer(event) && event.type !== 'back';
  const away = stepFrom(rest, { ...momentOf(event), type: 'operator.switchedOff', what, isAnswer: isStuck });
  return event.type === 'told' ? followed(away, event, stepFrom) : away;
}

function followed<Next extends Event>(
  [after, actions]: Step,
  event: Next,
  step: (rest: Rest, event: Next) => Step,
): Step {
  const [last, more] = step(after, event);
  return [last, [...actions, ...more]];
}

const pathIn = (name: string): string => name.replace(/\/.*/, '');

const momentOf = ({ at, next, asked: day, desk, off }: Moment): Moment => ({
  at,
  next,
  asked: day,
  desk,
  ...(off && { off }),
});

/** Two wishes that are off are told of once. */
const isSaidOfSwitches = ({ line }: Reply, spoken: readonly Reply[]): boolean =>
  line.startsWith('switches/') && spoken.some((each) => each.line === line);

/**
 * Where a human takes over at once nothing more is asked, and nothing but a revocation that was confirmed is requested:
 * whatever would come of it would be said by two.
 */
function handingOver(
  handing: HandingOver,
  before: Rest,
  after: Rest,
  spoken: readonly Reply[],
  requests: readonly Request[],
  moment: Event,
): Pick<Turn, 'replies' | 'requests' | 'handsOver'> {
  const line = lineOfHandingOver(handing, moment);
  const ofIt = line ? [{ line, facts: quotable(after.context, moment), offers: [] }] : [];
  const isOutcome = handing.reason === 'outcome';
  if (!moment.desk?.isOpen) {
    const replies = isOutcome
      ? [...spoken, ...restingLines(before, after, spoken, moment), ...ofIt]
      : [...spoken, ...ofIt, ...restingLines(before, after, [...spoken, ...ofIt], moment)];
    return { replies, requests: [...requests], handsOver: moment.desk && { ...handing, isNow: false } };
  }
  const isSaid = isOutcome && !isSamePlace(before, after);
  const [outcome] = isSaid ? lineOf(after, moment) : [];
  return {
    replies: [...spoken, ...(outcome ? [outcome] : []), ...ofIt],
    requests: requests.filter(({ request }) => request === 'ledger.revoke'),
    handsOver: { ...handing, isNow: true },
  };
}

/** What a human is told who takes over: what was wanted, where the talk is, and what is known from whom. */
export type Standing = {
  wish: Intent | undefined;
  path: PathName | undefined;
  known: Known;
  fromAgent: readonly Fact[];
  cards: readonly Card[];
  isProved: boolean;
};

/** Nothing, of what cannot be gone on with. */
export function standingOf(saved: Saved): Standing | undefined {
  if (!canGoOn(saved)) return undefined;
  const { wish, path, left, known, fromAgent = [], cards, identity } = restored(saved).context;
  return { wish, path: path ?? left, known, fromAgent, cards, isProved: identity !== undefined };
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
function restingLines(before: Rest, after: Rest, spoken: readonly Reply[], moment: Event): Reply[] {
  const isBack = moment.type === 'desk.handedBack';
  if (isBack && (moment.isClosed || moment.isBeginning)) return [];
  const moved = !isSamePlace(before, after) || isBack;
  return moved || asked(after).fact || spoken.length === 0 ? lineOf(after, moment) : [];
}

function lineOf(rest: Rest, moment: Moment): Reply[] {
  const { left, path } = rest.context;
  const facts = quotable(rest.context, moment);
  const isOutcome = left !== undefined && path === undefined && !isPathOff(moment, left);
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
    wish: rest.context.wish,
  };
}

const isSamePlace = (one: Rest, other: Rest) => restingState(one) === restingState(other);

/** XState does not tie an action's parameters to its name, as the vocabulary does; hence the cast, here only. */
function listed<Kind extends keyof Effects>(kind: Kind, actions: ExecutableActionObject[]): Effects[Kind][] {
  return actions.filter(({ type }) => type === kind).map(({ params }) => params as Effects[Kind]);
}

const restored = (saved: Saved): Rest => conversation.restoreSnapshot(saved.snapshot, NO_ACTORS);

/** Restoring asks for a scope to run actors in. Our conversation runs none. */
const NO_ACTORS = undefined as never;
