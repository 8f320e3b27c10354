/**
 * Handing over to a human: why, and what is said of it.
 *
 * It is data, and moves nobody: whoever takes over sees where the talk was.
 * When the conversation comes back, it listens, and what was left in the middle
 * can be gone on with. What was confirmed before is not confirmed any more.
 */
import type { HandingOver, Moment } from './vocabulary.ts';

/** What may be said of it, by whether there is a desk to hand over to, and whether it is open. */
export const linesOfHandingOver = [
  'conversation/human',
  'conversation/handedOver',
  'conversation/deskIsClosed',
  'conversation/caseIsKept',
] as const;

/** An outcome that only a human can settle says itself whom to contact, so without a desk nothing is added to it. */
export function lineOfHandingOver(
  { reason }: HandingOver,
  { desk }: Moment,
): (typeof linesOfHandingOver)[number] | undefined {
  if (!desk) return reason === 'outcome' ? undefined : 'conversation/human';
  if (desk.isOpen) return 'conversation/handedOver';
  return desk.next ? 'conversation/deskIsClosed' : 'conversation/caseIsKept';
}
