/** Whether to answer, to ask back, or to say that we do not know. */
import type { Intent } from '../../dialogs/intents.ts';

export type Decision = 'answer' | 'clarify' | 'fallback';
export type Candidate = { intent: Intent; probability: number };

/** The contract of `kortlotsen understand`. */
export type Understood = {
  text: string;
  intent: Intent;
  decision: Decision;
  candidates: Candidate[];
};

export const OUTSIDE = 'out-of-scope';

/** How many times as probable as the next an intent is that is clear. */
export const CLEARLY = 2;
/** How probable two have to be to be asked back about. */
const WORTH_ASKING_ABOUT = 0.35;

/** `answerAt` is how probable an intent must be to be answered however near the next is. */
export function decide([first, second]: readonly Candidate[], answerAt: number): Decision {
  if (!first || !second) return 'fallback';
  if (first.intent === OUTSIDE) return first.probability > CLEARLY * second.probability ? 'fallback' : 'clarify';
  if (first.probability >= answerAt || first.probability > CLEARLY * CLEARLY * second.probability) {
    return first.probability >= WORTH_ASKING_ABOUT ? 'answer' : 'clarify';
  }
  return first.probability + second.probability >= WORTH_ASKING_ABOUT ? 'clarify' : 'fallback';
}
