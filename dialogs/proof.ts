/** How long it is believed who somebody has proved to be. */
import type { Instant, Now } from './vocabulary.ts';

/** It has had its time, or nothing was written for too long: whoever writes now may be another. */
export function proofHasEnded({ context: { identity }, event }: Now): boolean {
  if (!identity) return false;
  const isOver = minutesBetween(identity.endsAt, event.at) >= 0;
  return isOver || minutesBetween(identity.seenAt, event.at) >= identity.idleMinutes;
}

/** They are there now, and it is still believed. */
export function isProofOf(now: Now, person: string): boolean {
  return now.context.identity?.person === person && !proofHasEnded(now);
}

export const minutesBetween = (from: Instant, to: Instant): number => (Date.parse(to) - Date.parse(from)) / 60_000;
