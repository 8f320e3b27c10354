import { describe, expect, it } from '@jest/globals';
import { createLimits, type Rates } from '../../../../src/channels/direct-line/limits.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../../database/database.ts';

const rates: Rates = { beginnings: 2, messages: 2, requests: 2 };

async function withLimits(
  work: (world: { url: string; database: Database; limits: ReturnType<typeof createLimits> }) => Promise<void>,
  onMistake: (mistake: unknown) => void = (mistake) => {
    throw mistake;
  },
) {
  const url = await createDatabase();
  const database = await openTestDatabase(url);
  await work({ url, database, limits: createLimits({ database, key: 'a key', rates, onMistake }) });
  await database.close();
}

describe('a limit', () => {
  it('is reached after so many, of one, and of one thing', () =>
    withLimits(async ({ limits }) => {
      for (const seconds of [undefined, undefined, expect.any(Number)])
        expect(await limits.secondsToWait('messages', 'one')).toEqual(seconds);
      expect(await limits.secondsToWait('messages', 'another')).toBeUndefined();
      expect(await limits.secondsToWait('requests', 'one')).toBeUndefined();
    }));

  it('is the same for all processes', () =>
    withLimits(async ({ url, limits }) => {
      const database = await openTestDatabase(url);
      const others = createLimits({ database, key: 'a key', rates, onMistake: () => undefined });
      await limits.secondsToWait('messages', 'one');
      await others.secondsToWait('messages', 'one');
      expect(await limits.secondsToWait('messages', 'one')).toBeGreaterThan(0);
      expect(await others.secondsToWait('messages', 'one')).toBeGreaterThan(0);
      await database.close();
    }));

  it('that is reached is told from memory, and all else is let through while the database is away', async () => {
    const mistakes: unknown[] = [];
    await withLimits(
      async ({ url, limits }) => {
        const database = await openTestDatabase(url);
        const away = createLimits({ database, key: 'a key', rates, onMistake: (mistake) => mistakes.push(mistake) });
        for (let nth = 0; nth < 2; nth++) await away.secondsToWait('messages', 'one');
        await database.close();
        expect(await away.secondsToWait('messages', 'one')).toBeGreaterThan(0);
        expect(mistakes).toEqual([]);
        expect(await away.secondsToWait('messages', 'another')).toBeUndefined();
        expect(mistakes).toHaveLength(1);
        expect(await limits.secondsToWait('messages', 'another')).toBeUndefined();
      },
      (mistake) => mistakes.push(mistake),
    );
  });

  it('keeps nobody waiting for minutes, where the clock of another process is ahead by as many', () =>
    withLimits(async ({ url, database, limits }) => {
      for (let nth = 0; nth < 3; nth++) await limits.secondsToWait('messages', 'one');
      await database.run({ text: 'update limits set expire = expire + 240000' }, []);
      const another = await openTestDatabase(url);
      const others = createLimits({ database: another, key: 'a key', rates, onMistake: () => undefined });
      expect(await others.secondsToWait('messages', 'one')).toBeUndefined();
      await another.close();
    }));

  it('is forgotten when its time is out, and not before', () =>
    withLimits(async ({ database, limits }) => {
      await limits.secondsToWait('messages', 'one');
      await limits.secondsToWait('messages', 'another');
      await limits.purge();
      const left = { text: 'select from limits' };
      expect(await database.run(left, [])).toHaveLength(2);
      await database.run({ text: 'update limits set expire = 1 where key = (select min(key) from limits)' }, []);
      await limits.purge();
      expect(await database.run(left, [])).toHaveLength(1);
    }));

  it('costs the disk nothing, since a crash may forget it', () =>
    withLimits(async ({ database }) => {
      const text = "select relpersistence from pg_class where relname = 'limits'";
      expect(await database.run({ text }, [])).toEqual([{ relpersistence: 'u' }]);
    }));
});
