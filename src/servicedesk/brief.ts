/**
 * What goes along when a human takes over, at our own desk or in a hub.
 *
 * That somebody's personal data are protected stands in what they wrote
 * themselves, and nowhere here.
 */
import type { Intent } from '../../dialogs/intents.ts';
import type { Fact, Known } from '../../dialogs/vocabulary.ts';
import type { Logged } from '../conversations/store.ts';
import { type Saved, standingOf } from '../turn.ts';

export type Brief = Where & Tried;

/** As it is told by where the conversation rests. */
export type Where = {
  wish: Intent | undefined;
  /** The path that the student was on, and where on it, by the name of the state. */
  path: string | undefined;
  state: string | undefined;
  known: { fact: Fact; value: Known[Fact]; from: 'student' | 'agent' }[];
  /** Of the student's own cards, as the ledger told the bot; only if they had proved who they are. */
  cards: { ending: string; kind: string; state: string }[];
  isProved: boolean;
};

/** As it is told by what was said. */
export type Tried = {
  /** Lines that the bot has said, in order, once each; and the rules they cite. */
  tried: string[];
  cites: string[];
};

export const PROTECTED = 'protected-identity';
const isOpenly = (name: string | undefined): name is string => name !== undefined && !name.startsWith(PROTECTED);

export const briefOf = (saved: Saved | undefined, state: string | null, log: readonly Logged[]): Brief => ({
  ...whereIn(saved, state),
  ...triedIn(log),
});

export function whereIn(saved: Saved | undefined, state: string | null): Where {
  const standing = saved && standingOf(saved);
  const { wish, path, known = {}, fromAgent = [], cards = [], isProved = false } = standing ?? {};
  return {
    wish: isOpenly(wish) ? wish : undefined,
    path: isOpenly(path) ? path : undefined,
    state: isOpenly(state ?? undefined) ? (state ?? undefined) : undefined,
    known: (Object.keys(known) as Fact[]).map((fact) => ({
      fact,
      value: known[fact],
      from: fromAgent.includes(fact) ? 'agent' : 'student',
    })),
    cards: isProved ? cards.map(({ ending, kind, state: each }) => ({ ending, kind, state: each })) : [],
    isProved,
  };
}

export function triedIn(log: readonly Logged[]): Tried {
  const said = log.flatMap((entry) => (entry.author === 'bot' && isOpenly(entry.said.line) ? [entry.said] : []));
  const claims = said.filter(({ cites }) => cites.length > 0);
  return {
    tried: [...new Set(claims.flatMap(({ line }) => line ?? []))],
    cites: [...new Set(claims.flatMap(({ cites }) => cites))],
  };
}
