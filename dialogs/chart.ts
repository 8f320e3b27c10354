/**
 * The statechart as a list: its places, what each asks and says, and where it
 * leads. It is read from the machine itself, for whoever draws it, checks that
 * it has its Swedish, or walks through it.
 */
import { conversation } from './conversation.ts';
import type { PathName } from './intents.ts';
import type { Asks, Fact, Known } from './vocabulary.ts';

export type Place = {
  /** As its line is called: `lost-card/confirming`. */
  name: string;
  path: string;
  /** Passed through without a rest, so it has no line of its own. */
  isTransient: boolean;
  /** Where its path begins, unless an intent says otherwise. */
  isFirst: boolean;
  asks: Asks | undefined;
  /** What is said on the way in, through or out. */
  says: string[];
  ways: Way[];
};

/** `on` is empty for a way that is taken at once; `when` is what must be true for it, in words. */
export type Way = { on: string; when: string | undefined; to: string | undefined; says: string[] };

/** Every place a talk can be in, the listening between paths among them. */
export function places(): Place[] {
  const { assisting } = statesOf(statesOf(conversation.config).talk);
  return Object.entries(statesOf(assisting)).flatMap(([path, node]) => {
    const states = Object.entries(statesOf(node));
    if (states.length === 0) return [placeOf('conversation', path, node, path === assisting?.initial)];
    return states.map(([state, inner]) => placeOf(path, state, inner, state === node.initial));
  });
}

/** The facts that lead the way on a path: those it asks for, and those it heeds when it is told them elsewhere. */
export const factsOf = (path: PathName): Fact[] => [
  ...new Set([
    ...places().flatMap((place) => (place.path === path ? factsIn(place.asks) : [])),
    ...(alsoHeeded[path] ?? []),
  ]),
];

const alsoHeeded: Partial<Record<PathName, Fact[]>> = {
  'pin-trouble': ['cardKind'],
  'new-card': ['collectedCard'],
  renewal: ['hasExpired'],
  malfunction: ['issuedOn', 'wasUpgraded', 'expiresOn'],
};

const factsIn = (asks: Asks | undefined): Fact[] => {
  if (asks === undefined || asks === 'confirmation' || asks === 'signInCode') return [];
  return asks === 'readiness' ? ['cardReady', 'codesArrived'] : [asks];
};

/** What is no path's own: what is heeded wherever the talk is, and how well we hear each other. */
export function surroundings(): Place[] {
  const { talk, hearing } = statesOf(conversation.config);
  return [
    placeOf('conversation', 'anywhere', talk ?? {}, false),
    placeOf('hearing', 'anywhere', hearing ?? {}, false),
    ...Object.entries(statesOf(hearing)).map(([state, node]) =>
      placeOf('hearing', state, node, state === hearing?.initial),
    ),
  ];
}

/** Every line that may be said: of each place one rests in, and on the way between them. */
export function lines(): ReadonlySet<string> {
  const rests = places().filter(({ isTransient }) => !isTransient);
  return new Set([...rests.map(({ name }) => name), ...saidIn(conversation.config as Node)]);
}

/** What of a state's configuration is looked at. XState's own type of it is too wide to walk through. */
type Node = {
  initial?: unknown;
  states?: Record<string, Node> | undefined;
  entry?: unknown;
  exit?: unknown;
  always?: unknown;
  on?: Record<string, unknown> | undefined;
  meta?: { asks?: Asks; says?: readonly string[] } | undefined;
};

type Transition = { target?: string; guard?: unknown; actions?: unknown };

const statesOf = (node: unknown): Record<string, Node> => (node as Node | undefined)?.states ?? {};

function placeOf(path: string, state: string, node: Node, isFirst: boolean): Place {
  const always = transitionsIn(node.always);
  const asks = node.meta?.asks;
  return {
    name: `${path}/${state}`,
    path,
    isTransient: always.some(({ guard }) => guard === undefined),
    isFirst,
    asks,
    says: [...(node.meta?.says ?? []), ...linesIn(node.entry), ...linesIn(node.exit)],
    ways: [['', node.always] as const, ...Object.entries(node.on ?? {})].flatMap(([on, written]) =>
      transitionsIn(written).map(({ target, guard, actions }, index) => ({
        on,
        when: inWords(guard, asks, index === 0),
        to: target,
        says: linesIn(actions),
      })),
    ),
  };
}

function saidIn(node: Node): string[] {
  const transitions = [node.always, ...Object.values(node.on ?? {})].flatMap(transitionsIn);
  return [
    ...(node.meta?.says ?? []),
    ...linesIn(node.entry),
    ...linesIn(node.exit),
    ...transitions.flatMap(({ actions }) => linesIn(actions)),
    ...Object.values(node.states ?? {}).flatMap(saidIn),
  ];
}

function transitionsIn(written: unknown): Transition[] {
  if (written === undefined) return [];
  if (Array.isArray(written)) return written.flatMap(transitionsIn);
  return [typeof written === 'string' ? { target: written } : (written as Transition)];
}

/**
 * What a guard asks, as one would say it: the value alone, if the fact is the
 * one that the place asks for. A function's own name says what can be true;
 * one that has none is told by its event and where it leads.
 */
function inWords(guard: unknown, asks: Asks | undefined, isFirst: boolean): string | undefined {
  if (guard === undefined) return isFirst ? undefined : 'otherwise';
  if (typeof guard === 'string') return wordsIn(guard);
  if (typeof guard === 'function') return nameOf(guard);
  const { type, params } = guard as { type: string; params: unknown };
  if (type === 'knows') return factsInWords(params as Known, asks);
  if (params !== asks) return `${String(params)} is told`;
  return isFirst ? 'any answer' : 'otherwise';
}

/** Facts as in `hasCard: yes, hasPuk: no`; of the fact that is asked, its value alone. */
export function factsInWords(facts: Known, asks?: Asks): string {
  return Object.entries(facts)
    .map(([fact, value]) => (fact === asks ? inWord(value) : `${fact}: ${inWord(value)}`))
    .join(', ');
}

const inWord = (value: Known[Fact]): string =>
  typeof value === 'boolean' ? (value ? 'yes' : 'no') : typeof value === 'string' ? value : JSON.stringify(value);

const wordsIn = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** A bundler numbers names that occur twice, and a guard written in place is called after its key. */
const nameOf = ({ name }: { name: string }): string | undefined =>
  name && name !== 'guard' ? wordsIn(name.replace(/(?<!\d)\d+$/, '')) : undefined;

/** A line that is only known when it is said is named in its state's meta instead. */
function linesIn(actions: unknown): string[] {
  return [actions].flat().flatMap((action) => {
    const { type, params } = (action ?? {}) as { type?: string; params?: { line?: string } };
    return type === 'say' && params?.line ? [params.line] : [];
  });
}
