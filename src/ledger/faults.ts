/**
 * How a ledger behaves on a bad day, the switch it has, and the deadline that every call has.
 *
 * A slow ledger answers reads a little late and a revocation too late: it has
 * happened by then, which is why the same reference is asked about again.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Failure, Ledger } from './ledger.ts';

export type LedgerCondition = 'up' | 'down' | 'slow';

/** Wraps a ledger in its condition. `deadline` is in milliseconds, and is what slow is measured by. */
export function inCondition(ledger: Ledger, condition: LedgerCondition, deadline: number): Ledger {
  if (condition === 'up') return ledger;
  if (condition === 'down') {
    return {
      holderFor: () => Promise.resolve({ outcome: 'unreachable' }),
      findCards: () => Promise.resolve({ outcome: 'unreachable' }),
      revoke: () => Promise.resolve({ outcome: 'unreachable' }),
    };
  }
  const answers = new Map<string, ReturnType<Ledger['revoke']>>();
  return {
    async holderFor(identifier) {
      await wait(deadline / 10);
      return ledger.holderFor(identifier);
    },
    async findCards(person) {
      await wait(deadline / 10);
      return ledger.findCards(person);
    },
    revoke(revocation) {
      const answer =
        answers.get(revocation.reference) ?? ledger.revoke(revocation).then((each) => wait(deadline * 1.5, each));
      answers.set(revocation.reference, answer);
      return answer;
    },
  };
}

/**
 * A ledger that is not called while it is switched off, as if it could not be reached. Not even to ask again how a
 * revocation went: that is the same call, which would revoke the card if it had not come through the first time.
 */
export function switchable(ledger: Ledger, isOff: () => boolean): Ledger {
  const unless = <Answer>(call: () => Promise<Answer | Failure>): Promise<Answer | Failure> =>
    isOff() ? Promise.resolve({ outcome: 'unreachable' }) : call();
  return {
    holderFor: (identifier) => unless(() => ledger.holderFor(identifier)),
    findCards: (person) => unless(() => ledger.findCards(person)),
    revoke: (revocation) => unless(() => ledger.revoke(revocation)),
  };
}

/** A ledger whose every call ends within the deadline, in milliseconds. One that does not is unanswered. */
export function withDeadline(ledger: Ledger, deadline: number): Ledger {
  const within = async <Answer>(answer: Promise<Answer>): Promise<Answer | Failure> => {
    const stop = new AbortController();
    const late = wait(deadline, { outcome: 'unanswered' } as const, { signal: stop.signal });
    late.catch(() => undefined);
    try {
      return await Promise.race([answer, late]);
    } finally {
      stop.abort();
    }
  };
  return {
    holderFor: (identifier) => within(ledger.holderFor(identifier)),
    findCards: (person) => within(ledger.findCards(person)),
    revoke: (revocation) => within(ledger.revoke(revocation)),
  };
}
