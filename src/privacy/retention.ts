/**
 * Data that has had its time goes away: chats that nobody has touched for so
 * many days, with all that belongs to them, and what was kept for their sake.
 *
 * A chat stays while a request in it is unanswered, since the outcome of a
 * revocation is asked about until it is known. It is a job, done by one of all
 * processes; doing it twice, or at once, does no harm.
 */
import type { Database, Statement } from '../storage/database.ts';

export type Retention = {
  /** Removes what is too old, for as long as it is not told to stop. */
  run: (signal?: AbortSignal) => Promise<void>;
  lastSuccess: () => Promise<Date | undefined>;
  /** Nothing has succeeded for longer than there may be between two; at first, since it was first asked for. */
  isOverdue: () => Promise<boolean>;
};

export type RetentionWorld = {
  database: Database;
  /** A chat that was touched so many days ago is kept, and one that was before that is not. Nothing: all are kept. */
  days: number | undefined;
  now?: () => Date;
};

/** In milliseconds. */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A day, and some time to do it in. */
const PATIENCE = 26 * HOUR;
/** Rows that one statement removes, so that it is short. */
const BATCH = 500;

const know: Statement = {
  name: 'know-retention',
  text: `insert into jobs (name, made_at) values ('retention', $1) on conflict do nothing`,
};

const job: Statement = {
  name: 'retention',
  text: `select made_at, succeeded_at from jobs where name = 'retention'`,
};

const start: Statement = {
  name: 'start-retention',
  text: `update jobs set started_at = $1 where name = 'retention'`,
};

/** Of two that do it at once, the one that began last tells of its success. */
const succeed: Statement = {
  name: 'succeed-retention',
  text: `update jobs set succeeded_at = $2, removed = $3 where name = 'retention' and started_at = $1`,
};

/** Whatever makes a request touches the conversation, so one that is locked here is still old and has none. */
const removeConversations: Statement = {
  name: 'remove-conversations',
  text: `with old as (
      select id from conversations c
      where changed_at < $1
        and not exists (select from requests r where r.conversation = c.id and r.state in ('open', 'unsettled'))
      order by changed_at limit ${BATCH} for update skip locked
    )
    delete from conversations c using old where c.id = old.id returning c.id`,
};

const removeLinks: Statement = {
  name: 'remove-links',
  text: `with old as (
      select account from links l
      where linked_at < $1 and not exists (select from proofs p where p.person = l.person)
        and not exists (select from reminders r where r.person = l.person)
      limit ${BATCH} for update skip locked
    )
    delete from links l using old where l.account = old.account returning l.account`,
};

/** Reminders are wanted for as long as there is a card to be reminded of, however long ago the chat was. */
const removeReminders: Statement = {
  name: 'remove-reminders',
  text: `with old as (select person from reminders where needed_at < $1 limit ${BATCH} for update skip locked)
    delete from reminders r using old where r.person = old.person returning r.person`,
};

const removeReminded: Statement = {
  name: 'remove-reminded',
  text: `with old as (
      select ctid from reminded each
      where at < $1 and not exists (select from reminders r where r.person = each.person)
      limit ${BATCH} for update skip locked
    )
    delete from reminded each using old where each.ctid = old.ctid returning each.person`,
};

/** A sign-in that was met may be asked for by the same try for a day more, and no longer. */
const removeSignIns: Statement = {
  name: 'remove-sign-ins',
  text: `with old as (select state from sign_ins where expires_at < $1 limit ${BATCH} for update skip locked)
    delete from sign_ins s using old where s.state = old.state returning s.state`,
};

export function createRetention({ database, days, now = () => new Date() }: RetentionWorld): Retention {
  /** How many rows are removed, a batch at a time, until there are no more. */
  const removeAll = async (statement: Statement, before: Date, signal?: AbortSignal): Promise<number> => {
    let removed = 0;
    for (;;) {
      signal?.throwIfAborted();
      const rows = await database.run(statement, [before]);
      removed += rows.length;
      if (rows.length < BATCH) return removed;
    }
  };

  const removeOld = async (at: Date, signal?: AbortSignal): Promise<number> => {
    if (days === undefined) return 0;
    const oldest = new Date(at.getTime() - days * DAY);
    const removed = await removeAll(removeConversations, oldest, signal);
    await removeAll(removeReminders, oldest, signal);
    await removeAll(removeReminded, oldest, signal);
    await removeAll(removeLinks, oldest, signal);
    await removeAll(removeSignIns, new Date(at.getTime() - DAY), signal);
    return removed;
  };

  const state = async () => {
    await database.run(know, [now()]);
    const [row] = await database.run<{ made_at: Date; succeeded_at: Date | null }>(job, []);
    if (!row) throw new Error('The retention is not among the jobs');
    return row;
  };

  return {
    async run(signal) {
      const at = now();
      await database.run(know, [at]);
      await database.run(start, [at]);
      const removed = await removeOld(at, signal);
      await database.run(succeed, [at, now(), removed]);
    },
    lastSuccess: async () => (await state()).succeeded_at ?? undefined,
    async isOverdue() {
      const { made_at, succeeded_at } = await state();
      return now().getTime() - (succeeded_at ?? made_at).getTime() > PATIENCE;
    },
  };
}
