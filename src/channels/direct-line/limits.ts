/**
 * How much is too much, of whoever chats on the web. The same count is kept for
 * all processes; whose it is, cannot be read from it.
 */
import { createHmac } from 'node:crypto';
import type { Database } from '../../storage/database.ts';
import { createLimiter, purgeLimits } from '../../storage/limiter.ts';

/**
 * `beginnings` are new tokens and new conversations, of one address or one hub; `messages` are what one conversation has
 * to answer, and `requests` whatever else is asked of it.
 */
export type Limited = 'beginnings' | 'messages' | 'requests';

export type Limits = {
  /** Counts once more. In seconds, if it was too much. While the database is away, nothing is. */
  secondsToWait: (what: Limited, whose: string) => Promise<number | undefined>;
};

export type LimitsWorld = {
  database: Database;
  /** A secret of this installation, the same in all its processes. */
  key: string;
  rates?: Partial<Rates> | undefined;
  onMistake: (mistake: unknown) => void;
};

/** How many a minute. */
export type Rates = Record<Limited, number>;

/** A hospital with thousands of students has one address. A client that polls asks five times a second at most. */
const usualRates: Rates = { beginnings: 600, messages: 30, requests: 300 };

export function createLimits({
  database,
  key,
  rates,
  onMistake,
}: LimitsWorld): Limits & { purge: () => Promise<void> } {
  const all = { ...usualRates, ...rates };
  const limiter = (what: Limited) => createLimiter(database, what, { most: all[what], seconds: 60 }, onMistake);
  const limiters = {
    beginnings: limiter('beginnings'),
    messages: limiter('messages'),
    requests: limiter('requests'),
  };
  return {
    secondsToWait: (what, whose) =>
      limiters[what].secondsToWait(createHmac('sha256', key).update(whose).digest('base64url')),
    purge: () => purgeLimits(database, new Date()),
  };
}
