import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createCache } from '../../../src/storage/cache.ts';
import { type Database, isDuplicate, openDatabase } from '../../../src/storage/database.ts';
import { keyFor } from '../../../src/storage/keys.ts';
import { admin, createDatabase, migrations, openTestDatabase } from '../../database/database.ts';

const silent = () => undefined;

let url: string;
let database: Database;

beforeAll(async () => {
  url = await createDatabase('empty');
  database = await openTestDatabase(url);
});
afterAll(() => database.close());

describe('a database', () => {
  it('is brought up to date once, by many who start at the same moment', async () => {
    const fresh = await createDatabase('empty');
    const all = await Promise.all([1, 2, 3, 4].map(() => openDatabase(fresh, migrations, silent)));
    const rows = await Promise.all(all.map((each) => each.run({ text: 'select name from migrations' }, [])));
    expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(1);
    await Promise.all(all.map((each) => each.close()));
  });

  it('tells a row that is there already from what went wrong', async () => {
    const twice = database.run({ text: "insert into keys values ('twice', ''), ('twice', '')" }, []);
    expect(isDuplicate(await twice.catch((mistake: unknown) => mistake))).toBe(true);
    const wrong = database.run({ text: 'select nonsense' }, []);
    expect(isDuplicate(await wrong.catch((mistake: unknown) => mistake))).toBe(false);
  });

  it('answers what was prepared before a newer version added a column', async () => {
    const own = await openTestDatabase(await createDatabase());
    const all = { name: 'all-keys', text: 'select * from keys' };
    await own.run(all, []);
    await own.run({ text: "alter table keys add column mood text default 'calm'" }, []);
    await own.run({ text: "insert into keys (name, value) values ('a', 'b')" }, []);
    expect(await own.run(all, [])).toEqual([{ name: 'a', value: 'b', mood: 'calm' }]);
    await own.close();
  });

  it('passes word on to who listens, and again after that connection was lost', async () => {
    const mistakes: unknown[] = [];
    const listening = await openDatabase(url, migrations, (mistake) => mistakes.push(mistake));
    const heard: string[] = [];
    await listening.listen('news', (message) => heard.push(message));
    await database.tell('news', 'one');
    await until(() => heard.includes('one'));

    await admin(
      `select pg_terminate_backend(pid) from pg_stat_activity
      where query = 'listen "news"' and datname = '${new URL(url).pathname.slice(1)}'`,
    );
    await until(async () => {
      await database.tell('news', 'two');
      return heard.includes('two');
    });
    await listening.close();
  });

  it('is listened on by nobody who has closed it, though their connection was lost just before', async () => {
    const closing = await openTestDatabase(url);
    await closing.listen('late', silent);
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    try {
      await admin(`select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen "late"'`);
      while (jest.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve));
      await closing.close();
      jest.advanceTimersByTime(1_000);
    } finally {
      jest.useRealTimers();
    }
    // Whoever listened anew would do so by then.
    for (let asked = 0; asked < 50; asked++) expect(await database.listeners('late')).toBe(0);
  });

  it('is listened on by nobody who has closed it while they were about to', async () => {
    const closing = await openTestDatabase(url);
    const begun = closing.listen('early', silent);
    await closing.close();
    await begun;
    await until(async () => (await database.listeners('early')) === 0);
  });

  it('counts who listens, and does not count who has stopped', async () => {
    const stops = await Promise.all([1, 2].map(() => database.listen('counted', () => undefined)));
    expect(await database.listeners('counted')).toBe(2);
    for (const stop of stops) await stop();
    await until(async () => (await database.listeners('counted')) === 0);
  });
});

describe('a key', () => {
  it('is made once, and the same for all', async () => {
    const keys = await Promise.all([1, 2, 3].map(() => keyFor(database, 'a key')));
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[\w-]{43}$/);
    expect(await keyFor(database, 'another')).not.toBe(keys[0]);
  });
});

describe('what may be forgotten', () => {
  it('is kept for a while, and apart from what others keep under the same name', async () => {
    const [one, other] = ['one', 'other'].map((name) => createCache(database, name, silent));
    await one?.set('key', 'value', 60_000);
    expect(await one?.get('key')).toBe('value');
    expect(await other?.get('key')).toBeUndefined();
  });

  it('is gone after its time, and then from the table', async () => {
    const cache = createCache(database, 'short', silent);
    await cache.set('key', 'value', 1);
    await cache.set('kept', 'value', 60_000);
    await until(async () => (await rowsOf('short:%')).length === 2 && (await cache.get('key')) === undefined);
    await cache.set('key', 'value', 1);
    await until(async () => {
      await cache.purge();
      return (await rowsOf('short:%')).length === 1;
    });
    expect(await cache.get('kept')).toBe('value');
  });

  it('is not taken for missing when the database does not answer', async () => {
    const gone = await openDatabase(url, migrations, silent);
    const cache = createCache(gone, 'gone', silent);
    await cache.get('key');
    await gone.close();
    await expect(cache.get('key')).rejects.toThrow();
  });
});

const rowsOf = (pattern: string) => database.run({ text: 'select key from cache where key like $1' }, [pattern]);

/** Asks until it is so; the test's own time limit is the end of it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
