/**
 * The statechart as a list: its places, what each asks and says, and where it
 * leads. It is read from the machine itself, for whoever draws it, checks that
 * it has its Swedish, or walks through it.
 */
import { conversation } from './conversation.ts';
import type { Asks } from './vocabulary.ts';

export type Place = {
  /** As its line is called: `lost-card/confirming`. */
  name: string;
  path: string;
  /** Passed through without a rest, so it has no line of its own. */
  isTransient: boolean;
  asks: Asks | undefined;
  /** What is said on the way in, through or out. */
  says: string[];
  ways: { on: string; to: string | undefined; says: string[] }[];
};

/** Every place a talk can be in, the listening between paths among them. */
export function places(): Place[] {
  const { assisting } = statesOf(statesOf(conversation.config).talk);
  return Object.entries(statesOf(assisting)).flatMap(([path, node]) => {
    const states = Object.entries(statesOf(node));
    if (states.length === 0) return [placeOf('conversation', path, node)];
    return states.map(([state, inner]) => placeOf(path, state, inner));
  });
}

/** Every line that may be said: of each place one rests in, and on the way between them. */
export function lines(): ReadonlySet<string> {
  const rests = places().filter(({ isTransient }) => !isTransient);
  return new Set([...rests.map(({ name }) => name), ...saidIn(conversation.config as Node)]);
}

/** What of a state's configuration is looked at. XState's own type of it is too wide to walk through. */
type Node = {
  states?: Record<string, Node> | undefined;
  entry?: unknown;
  exit?: unknown;
  always?: unknown;
  on?: Record<string, unknown> | undefined;
  meta?: { asks?: Asks; says?: readonly string[] } | undefined;
};

type Way = { target?: string; guard?: unknown; actions?: unknown };

const statesOf = (node: unknown): Record<string, Node> => (node as Node | undefined)?.states ?? {};

function placeOf(path: string, state: string, node: Node): Place {
  const always = waysIn(node.always);
  return {
    name: `${path}/${state}`,
    path,
    isTransient: always.some(({ guard }) => guard === undefined),
    asks: node.meta?.asks,
    says: [...(node.meta?.says ?? []), ...linesIn(node.entry), ...linesIn(node.exit)],
    ways: [['', node.always] as const, ...Object.entries(node.on ?? {})].flatMap(([on, ways]) =>
      waysIn(ways).map(({ target, actions }) => ({ on, to: target, says: linesIn(actions) })),
    ),
  };
}

function saidIn(node: Node): string[] {
  const ways = [node.always, ...Object.values(node.on ?? {})].flatMap(waysIn);
  return [
    ...(node.meta?.says ?? []),
    ...linesIn(node.entry),
    ...linesIn(node.exit),
    ...ways.flatMap(({ actions }) => linesIn(actions)),
    ...Object.values(node.states ?? {}).flatMap(saidIn),
  ];
}

function waysIn(written: unknown): Way[] {
  if (written === undefined) return [];
  if (Array.isArray(written)) return written.flatMap(waysIn);
  return [typeof written === 'string' ? { target: written } : (written as Way)];
}

/** A line that is only known when it is said is named in its state's meta instead. */
function linesIn(actions: unknown): string[] {
  return [actions].flat().flatMap((action) => {
    const { type, params } = (action ?? {}) as { type?: string; params?: { line?: string } };
    return type === 'say' && params?.line ? [params.line] : [];
  });
}
