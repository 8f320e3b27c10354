/**
 * How often something has been done lately, counted for all processes together.
 *
 * One that has had its share is told so from memory until it may go on, so a
 * flood costs the database nothing.
 */
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Database } from './database.ts';

export type Limiter = {
  /** Counts once more. In seconds, at least one, if there have been too many; nothing, if there have not. */
  secondsToWait: (key: string) => Promise<number | undefined>;
};

/** So many in so many seconds. */
export type Rate = { most: number; seconds: number };

/**
 * Nobody has to wait for so many times the time that is counted, unless the clock of whoever counted before is ahead of
 * ours; and that is no reason to let anybody wait.
 */
const AHEAD = 2;

const purge = { name: 'purge-limits', text: 'delete from limits where expire < $1' };

/** A count that cannot be made is a mistake to tell of, and in nobody's way. */
export function createLimiter(
  database: Database,
  name: string,
  { most, seconds }: Rate,
  onMistake: (mistake: unknown) => void,
): Limiter {
  const limiter = new RateLimiterPostgres({
    storeClient: {
      async query({ values, ...statement }: { name?: string; text: string; values?: unknown[] }) {
        const rows = await database.run<object>(statement, values ?? []);
        return { rows, rowCount: rows.length };
      },
    },
    storeType: 'client',
    tableName: 'limits',
    tableCreated: true,
    clearExpiredByTimeout: false,
    keyPrefix: name,
    points: most,
    duration: seconds,
    inMemoryBlockOnConsumed: most,
  });
  return {
    async secondsToWait(key) {
      try {
        await limiter.consume(key);
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) onMistake(refusal);
        else if (refusal.msBeforeNext < AHEAD * seconds * 1_000)
          return Math.max(1, Math.ceil(refusal.msBeforeNext / 1_000));
      }
      return undefined;
    },
  };
}

/** Removes what is counted no longer. */
export async function purgeLimits(database: Database, now: Date): Promise<void> {
  await database.run(purge, [now.getTime()]);
}
