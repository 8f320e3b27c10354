/**
 * What whoever runs it may switch off: a path, a single wish, and what is done
 * instead with a message that wants it.
 *
 * It comes with the moment, as the time does. Whoever wants what is off is told
 * so and whom to contact, and stays where they were. Whoever is in the middle of
 * it is led out, and can come back to it when it is on again; what they have
 * told is kept, and nothing that was asked is done. What was requested already
 * is carried through, and reports of it are told.
 */
import { type Answer, answers, type Beginning, beginnings, type Intent, type PathName } from './intents.ts';
import type { Context, Moment, Now } from './vocabulary.ts';

/** All there is a switch for. Stopping, starting over, help and a human can always be had. */
export const switchable: readonly (PathName | Answer | keyof typeof beginnings)[] = [
  ...new Set([
    ...Object.values<Beginning>(beginnings).map(({ path }) => path),
    'forgetting' as const,
    'reminders' as const,
    ...answers,
    ...(Object.keys(beginnings) as (keyof typeof beginnings)[]),
  ]),
].sort();

/** What is said of it. That no card is revoked here is urgent to know, and says another thing. */
export const linesOfSwitching = ['switches/pathIsOff', 'switches/revocationIsOff'] as const;

const pathOf = (what: string): PathName | undefined =>
  new Map<string, Beginning>(Object.entries(beginnings)).get(what)?.path;

export function isPathOff({ off }: Moment, path: PathName | undefined): boolean {
  return path !== undefined && off?.has(path) === true;
}

/** What a message wishes for, if that is off: by itself, or with its path. */
export function wishThatIsOff({ off, type }: Moment & { type: string }): PathName | Intent | undefined {
  if (!off || !type.startsWith('intent.')) return undefined;
  const intent = type.replace('intent.', '') as Intent;
  return [pathOf(intent), intent].find((what) => what !== undefined && off.has(what) && isSwitchable(what));
}

const isSwitchable = (what: string): boolean => (switchable as readonly string[]).includes(what);

/** The path whose question is open and has been switched off. A revocation that was requested is carried through. */
export function pathThatIsOff(moment: Moment, { path }: Context, state: string): PathName | undefined {
  return isPathOff(moment, path) && state !== 'lost-card/revoking' ? path : undefined;
}

/** The path that is off, among those that these places and lines are of. */
export function pathOffAmong(moment: Moment, names: readonly string[]): PathName | undefined {
  return names.map((name) => name.replace(/\/.*/, '') as PathName).find((path) => isPathOff(moment, path));
}

/** What is said to a question means nothing where that is not asked any more. */
export function isAnswer({ type }: { type: string }): boolean {
  return /^(told|yes|no|back|signInCode|unclear)$/.test(type);
}

export function lineOfSwitching({ event }: Now): (typeof linesOfSwitching)[number] {
  const isRevoking =
    event.type === 'operator.switchedOff' && (event.what === 'lost-card' || pathOf(event.what) === 'lost-card');
  return isRevoking ? 'switches/revocationIsOff' : 'switches/pathIsOff';
}

/** The question that is open is of what is off, or what was answered to it leads there and nowhere else. */
export function isLedOut({ context: { path }, event }: Now): boolean {
  return event.type === 'operator.switchedOff' && path !== undefined && (event.what === path || event.isAnswer);
}
