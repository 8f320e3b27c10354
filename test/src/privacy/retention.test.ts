/** What goes away when it has had its time, what stays, and who sees to it. */
import { describe, expect, it } from '@jest/globals';
import { createRetention, type Retention } from '../../../src/privacy/retention.ts';
import type { Database } from '../../../src/storage/database.ts';
import { addChat, addRow, mentionsOf, withDatabase } from './rows.ts';

const NOW = new Date('2026-11-23T08:00:00Z');
const DAYS = 90;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const before = (milliseconds: number, at = NOW) => new Date(at.getTime() - milliseconds);
const after = (milliseconds: number) => before(-milliseconds);

const retentionAt = (database: Database, at: Date, days: number | undefined = DAYS): Retention =>
  createRetention({ database, days, now: () => at });

const kept = async (database: Database) =>
  (await database.run<{ id: string }>({ text: 'select id from conversations order by id' }, [])).map(({ id }) => id);

const removed = async (database: Database) =>
  (await database.run<{ removed: number }>({ text: 'select removed from jobs' }, []))[0]?.removed;

/** One whose `remove-conversations` does something else. */
const removing = (database: Database, run: Database['run']): Database => ({
  ...database,
  run(statement, values) {
    return statement.name === 'remove-conversations' ? run(statement, values) : database.run(statement, values);
  },
});
const failing = (database: Database): Database =>
  removing(database, () => Promise.reject(new Error('The database is away')));

describe('a chat', () => {
  it('is kept on the last of its days, and gone a moment later', () =>
    withDatabase(async (database) => {
      const { id } = await addChat(database, { changedAt: before(DAYS * DAY) });
      await addChat(database, { changedAt: before(DAYS * DAY + 1) });
      await retentionAt(database, NOW).run();
      expect(await kept(database)).toEqual([id]);
      expect(await removed(database)).toBe(1);
    }));

  it.each([
    ['open', true],
    ['unsettled', true],
    ['challenged', false],
    ['closed', false],
  ] as const)('with a request that is %s: is it kept? %s', (request, isKept) =>
    withDatabase(async (database) => {
      await addChat(database, { changedAt: before(DAYS * DAY + 1), request });
      await retentionAt(database, NOW).run();
      expect(await kept(database)).toHaveLength(isKept ? 1 : 0);
    }),
  );

  it('takes with it all that belongs to it, and leaves no word of it in any table', () =>
    withDatabase(async (database) => {
      const { id, canaries } = await addChat(database, {
        changedAt: before(DAYS * DAY + 1),
        people: ['h_one', 'h_other'],
      });
      const texts = [id, 'h_one', 'h_other', ...canaries.map(({ text }) => text)];
      expect(await mentionsOf(database, texts)).toEqual([
        'cases',
        'conversations',
        'lessons',
        'messages',
        'proofs',
        'requests',
      ]);
      await retentionAt(database, NOW).run();
      expect(await mentionsOf(database, texts)).toEqual([]);
    }));

  it('goes with all others that are as old, however many they are', () =>
    withDatabase(async (database) => {
      const text = `insert into conversations (id, channel, is_pushed, changed_at)
        select 'test/' || nth, 'test', false, $1 from generate_series(1, 1201) nth`;
      await database.run({ text }, [before(DAYS * DAY + 1)]);
      await retentionAt(database, NOW).run();
      expect(await kept(database)).toEqual([]);
      expect(await removed(database)).toBe(1201);
    }));

  it('is kept for ever where no days are set, and the job succeeds', () =>
    withDatabase(async (database) => {
      await addChat(database, { changedAt: new Date(0), people: ['h_one'] });
      const retention = createRetention({ database, days: undefined, now: () => NOW });
      await retention.run();
      expect(await kept(database)).toHaveLength(1);
      expect(await removed(database)).toBe(0);
      expect(await retention.lastSuccess()).toEqual(NOW);
    }));
});

describe('the link of an account to a person', () => {
  const link = (database: Database, person: string, at: Date) =>
    addRow(database, 'links', { person, linked_at: at, proved_at: at });

  it('goes when it is as old and no chat that is kept is theirs', () =>
    withDatabase(async (database) => {
      await link(database, 'h_unused', before(DAYS * DAY + 1));
      await link(database, 'h_lastDay', before(DAYS * DAY));
      await link(database, 'h_used', before(DAYS * DAY + 1));
      await link(database, 'h_goes', before(DAYS * DAY + 1));
      await addChat(database, { changedAt: NOW, people: ['h_used'] });
      await addChat(database, { changedAt: before(DAYS * DAY + 1), people: ['h_goes'] });
      await retentionAt(database, NOW).run();
      const rows = await database.run<{ person: string }>({ text: 'select person from links order by person' }, []);
      expect(rows.map(({ person }) => person)).toEqual(['h_lastDay', 'h_used']);
    }));
});

describe('what somebody has been reminded of', () => {
  const say = (database: Database, person: string, at: Date) =>
    addRow(database, 'reminded', { person, stage: 'renew', how: 'said', at });
  const wish = (database: Database, person: string, at: Date) =>
    addRow(database, 'reminders', { person, since: at, needed_at: at });

  it('goes when it is as old, unless they want to be reminded still', () =>
    withDatabase(async (database) => {
      await say(database, 'h_stopped', before(DAYS * DAY + 1));
      await say(database, 'h_lastDay', before(DAYS * DAY));
      await say(database, 'h_wants', before(DAYS * DAY + 1));
      await say(database, 'h_needsNone', before(DAYS * DAY + 1));
      await wish(database, 'h_wants', before(DAYS * DAY));
      await wish(database, 'h_needsNone', before(DAYS * DAY + 1));
      await retentionAt(database, NOW).run();
      const peopleIn = async (table: string) =>
        (await database.run<{ person: string }>({ text: `select person from ${table} order by person` }, [])).map(
          ({ person }) => person,
        );
      expect(await peopleIn('reminders')).toEqual(['h_wants']);
      expect(await peopleIn('reminded')).toEqual(['h_lastDay', 'h_wants']);
    }));
});

describe('a sign-in', () => {
  it('goes a day after it can be used no more, whatever becomes of its chat', () =>
    withDatabase(async (database) => {
      const { id } = await addChat(database, { changedAt: NOW });
      const [row] = await database.run({ text: 'select id as request from requests where conversation = $1' }, [id]);
      await addRow(database, 'sign_ins', { ...row, person: 'h_kept', expires_at: before(DAY) });
      await addRow(database, 'sign_ins', { ...row, person: 'h_gone', expires_at: before(DAY + 1) });
      await retentionAt(database, NOW).run();
      const rows = await database.run<{ person: string }>({ text: 'select person from sign_ins' }, []);
      expect(rows).toEqual([{ person: 'h_kept' }]);
    }));
});

describe('of many instances', () => {
  it('all may do it at once: together they remove what is too old, and nothing else', () =>
    withDatabase(async (database) => {
      const text = `insert into conversations (id, channel, is_pushed, changed_at)
        select 'test/' || nth, 'test', false, $1 from generate_series(1, 1201) nth`;
      await database.run({ text }, [before(DAYS * DAY + 1)]);
      const { id } = await addChat(database, { changedAt: NOW });
      await Promise.all([1, 2, 3].map((nth) => retentionAt(database, after(nth)).run()));
      expect(await kept(database)).toEqual([id]);
    }));

  it('one that is asked to stop leaves the rest, and is no success', () =>
    withDatabase(async (database) => {
      await retentionAt(database, before(DAY)).run();
      await addChat(database, { changedAt: before(DAYS * DAY + 1) });
      const retention = retentionAt(database, NOW);
      await expect(retention.run(AbortSignal.abort())).rejects.toThrow();
      expect(await kept(database)).toHaveLength(1);
      expect(await retention.lastSuccess()).toEqual(before(DAY));
    }));

  it('one that is overtaken does not tell of a success that is not the last', () =>
    withDatabase(async (database) => {
      let go: () => void = () => undefined;
      const going = new Promise<void>((resolve) => (go = resolve));
      const slow = removing(database, async (statement, values) => {
        await going;
        return database.run(statement, values);
      });
      const overtaken = retentionAt(slow, NOW);
      const running = overtaken.run();
      const isBegun = async () =>
        (await database.run({ text: 'select from jobs where started_at is not null' }, [])).length > 0;
      while (!(await isBegun()));
      await retentionAt(database, after(HOUR)).run();
      go();
      await running;
      expect(await overtaken.lastSuccess()).toEqual(after(HOUR));
    }));
});

describe('a retention that does not succeed', () => {
  it('fails, and tells of no success', () =>
    withDatabase(async (database) => {
      const retention = retentionAt(failing(database), NOW);
      await expect(retention.run()).rejects.toThrow('The database is away');
      expect(await retention.lastSuccess()).toBeUndefined();
    }));

  it('is overdue 26 hours after the installation was new', () =>
    withDatabase(async (database) => {
      const isOverdueAt = (at: Date) => retentionAt(database, at).isOverdue();
      expect(await isOverdueAt(NOW)).toBe(false);
      expect(await isOverdueAt(after(26 * HOUR))).toBe(false);
      expect(await isOverdueAt(after(26 * HOUR + 1))).toBe(true);
    }));

  it('is overdue 26 hours after the last success, however often it was tried since', () =>
    withDatabase(async (database) => {
      await retentionAt(database, before(DAY)).lastSuccess();
      await retentionAt(database, NOW).run();
      const later = after(26 * HOUR);
      await expect(retentionAt(failing(database), later).run()).rejects.toThrow();
      expect(await retentionAt(database, later).isOverdue()).toBe(false);
      expect(await retentionAt(database, after(26 * HOUR + 1)).isOverdue()).toBe(true);
    }));
});
