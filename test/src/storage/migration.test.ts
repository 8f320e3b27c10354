/** How a database is brought up to date while others use it, and what a migration may do for that to be harmless. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { type Database, openDatabase } from '../../../src/storage/database.ts';
import { migrate, type Migrations } from '../../../src/storage/migration.ts';
import { createDatabase, ledgerMigrations, migrations } from '../../database/database.ts';
import { problemsIn } from './migration-reader.ts';

/** The last that was made before there was anybody to keep waiting. */
const FIRST = { migrations: 15, ledger_migrations: 2 };

const silent = () => undefined;

let folder: string;
let url: string;
const opened: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kortlotsen-migrations-'));
  url = await createDatabase('empty');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((close) => close()));
  rmSync(folder, { recursive: true, force: true });
});

/** The migrations there are, and more. */
function withMore(more: Record<string, string>): Migrations[] {
  const [ours, ...others] = migrations;
  const changed = mkdtempSync(join(folder, 'more-'));
  cpSync(ours?.folder ?? '', changed, { recursive: true });
  for (const [name, text] of Object.entries(more)) writeFileSync(join(changed, `${name}.sql`), text);
  return [{ folder: changed, table: 'migrations' }, ...others];
}

async function open(all: readonly Migrations[] = migrations): Promise<Database> {
  const database = await openDatabase(url, all, silent);
  opened.push(() => database.close());
  return database;
}

async function connect(): Promise<Client> {
  const client = new Client(url);
  opened.push(() => client.end());
  await client.connect();
  return client;
}

const ADDS_MOOD = { '9001_mood': 'alter table conversations add column mood text;' };
const begin = (id: string) => ({
  text: `insert into conversations (id, channel, is_pushed) values ('${id}', 't', false)`,
});

describe('every migration', () => {
  it('is survived by the version before it', () => {
    for (const { folder: place, table } of [...migrations.slice(0, 1), ...ledgerMigrations]) {
      const first = table === 'ledger_migrations' ? FIRST.ledger_migrations : FIRST.migrations;
      const files = readdirSync(place).filter((name) => name.endsWith('.sql') && Number.parseInt(name, 10) >= first);
      const read = files.map((name) => ({ name: name.slice(0, -4), text: readFileSync(join(place, name), 'utf8') }));
      expect(problemsIn(read)).toEqual([]);
    }
  });

  it.each([
    [
      'makes a table of its own, and all that belongs to it',
      "create table a (id text primary key, b int references c); create unique index a_b on a (b); insert into a values ('x', 1); create trigger t before update on a for each row execute function f();",
    ],
    [
      'adds a column that may be left out',
      "alter table a add column b text, add column c integer not null default 0, add d text[] not null default '{}';",
    ],
    [
      'adds a check that is not valid yet',
      'alter table a add constraint b check (c > 0 or d in (1, 2)) not valid; alter table e validate constraint f;',
    ],
    [
      'makes an index beside those who write',
      'drop index concurrently if exists b; create index concurrently b on a (c) where d;',
    ],
    [
      'makes a function',
      'create function f() returns trigger language plpgsql as $$ begin delete from a; drop table b; end $$;',
    ],
  ])('may be one that %s', (_what, text) => {
    expect(problemsIn([{ name: '0015_a', text }])).toEqual([]);
  });

  it.each([
    ['drops a column', 'alter table a add column c int, drop column b;', /to drop .* _needs-/],
    ['drops a table', 'drop table a;', /to drop/],
    ['renames', 'alter table a rename column b to c;', /add the new beside it/],
    ['gives a column another type', 'alter table a alter column b type bigint;', /column of that type beside it/],
    ['forbids null', 'alter table a alter column b set not null;', /left out by the version before/],
    ['adds a column that has to be given', 'alter table a add column b text not null;', /constant default/],
    [
      'adds a column that is worked out',
      'alter table a add column b uuid default gen_random_uuid();',
      /every row anew/,
    ],
    [
      'adds a column with a constraint',
      'alter table a add column b int references c;',
      /without constraints of its own/,
    ],
    [
      'adds a constraint that is valid at once',
      'alter table a add constraint b check (c > 0);',
      /not valid, and validated/,
    ],
    ['makes an index while nobody may write', 'create index b on a (c);', /make it concurrently/],
    [
      'makes an index concurrently among other things',
      'create index concurrently b on a (c); create table d (e int);',
      /nothing else/,
    ],
    ['forbids what was allowed', 'create unique index b on a (c);', /unique index refuses/],
    ['changes rows', "update a set b = 'x';", /a few at a time/],
    ['removes rows', 'delete from a;', /a few at a time/],
    ['writes in tables of others', "insert into a values ('x');", /tables of the same file/],
    [
      'replaces a function',
      'create or replace function f() returns int language sql as $$ select 1 $$;',
      /under a new name/,
    ],
    ['has a table watched', 'create trigger t before update on a for each row execute function f();', /trigger/],
    ['does what nobody has thought of', 'cluster a using b;', /teach the reader/],
    ['hides it behind a comment', "-- it's nothing\ndrop /* */ table a; -- create table a (b int);", /to drop/],
  ])('is refused that %s', (_what, text, problem) => {
    expect(problemsIn([{ name: '0015_a', text }])).toEqual([expect.stringMatching(problem)]);
  });

  it('may let go of what no version uses that may still run, if it says which', () => {
    const files = [
      { name: '0015_a', text: 'create table a (b int);' },
      { name: '0016_b_needs-0015', text: 'alter table c drop column d; drop table e;' },
    ];
    expect(problemsIn(files)).toEqual([]);
    expect(problemsIn(files.slice(1))).toEqual([expect.stringMatching(/not before it/)]);
  });
});

describe('a database that is brought up to date', () => {
  it('is so once, by many who start at the same moment, whatever they know already', async () => {
    await open();
    const all = withMore({
      ...ADDS_MOOD,
      '9002_rows': 'create table once (id integer primary key); insert into once values (1);',
    });
    await Promise.all([1, 2, 3].map(() => open(all)));
    const rows = await (await connect()).query("select name from migrations where name like '9%' order by name");
    expect(rows.rows).toEqual([{ name: '9001_mood' }, { name: '9002_rows' }]);
  });

  it('is there for the version before it, which starts on it as ever', async () => {
    await open(withMore(ADDS_MOOD));
    const before = await open();
    await before.run(begin('old'), []);
    expect(await before.run({ text: 'select id from conversations' }, [])).toEqual([{ id: 'old' }]);
  });

  it('is refused by a version that is too old for it, in one sentence', async () => {
    const add = { '9001_mood': ADDS_MOOD['9001_mood'] };
    await open(withMore({ ...add, '9002_no-address_needs-9001': 'alter table conversations drop column address;' }));
    await expect(open()).rejects.toThrow(
      /this one is too old for it \(it ends at migration \d+, and at least 9001 is needed\)/,
    );
    await open(withMore(add));
  });

  it('lets students by while it waits for a table, and goes on when that is free', async () => {
    const student = await open();
    const holder = await connect();
    await holder.query('begin; lock table conversations in access share mode');
    let isOpen = false;
    const opening = open(withMore(ADDS_MOOD)).then((database) => {
      isOpen = true;
      return database;
    });
    // One of them at least comes while it waits for its lock, and would wait for as long as the table is held.
    const slowest = { milliseconds: 0 };
    for (const end = performance.now() + 2_500; performance.now() < end;) {
      const begun = performance.now();
      await student.run(begin(`s${begun}`), []);
      slowest.milliseconds = Math.max(slowest.milliseconds, performance.now() - begun);
    }
    expect(isOpen).toBe(false);
    expect(slowest.milliseconds).toBeGreaterThan(300);
    expect(slowest.milliseconds).toBeLessThan(2_200);
    await holder.query('rollback');
    const database = await opening;
    expect(await database.run({ text: 'select distinct mood from conversations' }, [])).toEqual([{ mood: null }]);
  });

  it('is given up, with what to do, when its tables are never free', async () => {
    await open();
    const holder = await connect();
    await holder.query('begin; lock table conversations in access share mode');
    const patience = { lock: 50, altogether: 300 };
    await expect(migrate({ connectionString: url }, withMore(ADDS_MOOD), patience)).rejects.toThrow(
      /in use without a pause; end what holds them/,
    );
    await holder.query('rollback');
    await open(withMore(ADDS_MOOD));
  });

  it('waits for whoever is at it for longer than a statement may take', async () => {
    await open();
    const other = await connect();
    await other.query('select pg_advisory_lock(4711022)');
    // Nothing is to be done, and so nobody is waited for.
    await open();
    const opening = migrate({ connectionString: url, options: '-c statement_timeout=100' }, withMore(ADDS_MOOD));
    const waiting = `select from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`;
    await until(async () => (await other.query(waiting)).rows.length === 1);
    const since = performance.now();
    await until(() => performance.now() - since > 200);
    await other.query('select pg_advisory_unlock(4711022)');
    await opening;
  });

  it('has an index made beside those who write, and made again if that was broken off', async () => {
    await (await open()).run(begin('one'), []);
    const index =
      'drop index concurrently if exists by_channel;\ncreate index concurrently by_channel on conversations (channel);\n';
    await open(withMore({ '9001_index': `-- Beside everybody\n${index}` }));
    const { rows } = await (
      await connect()
    ).query("select indisvalid from pg_index where indexrelid = 'by_channel'::regclass");
    expect(rows).toEqual([{ indisvalid: true }]);
  });
});

/** Asks until it is so; the test's own time limit is the end of it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
