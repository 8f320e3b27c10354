/** What is done now and then, on a real database: by one of all, by another if that one dies, and not too often. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database, openDatabase } from '../../../src/storage/database.ts';
import { type Job, type Jobs, type Pace, startJobs } from '../../../src/storage/jobs.ts';
import { admin, createDatabase, migrations } from '../../database/database.ts';

const QUICK: Pace = { look: 0.5, upkeep: 1, longest: 2, pause: 0 };
const NEVER = '0 0 1 1 *';

let url: string;
let database: Database;
const running: Jobs[] = [];
const mistakes: unknown[] = [];

beforeEach(async () => {
  url = await createDatabase('empty');
  database = await openDatabase(url, migrations, () => undefined);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((jobs) => jobs.stop()));
  await database.close();
  mistakes.splice(0);
});

function start(run: Job['run'], { pace = QUICK, on = database, at = NEVER } = {}): Jobs {
  const jobs = startJobs(on, [{ name: 'tidying', at, run }], (mistake) => mistakes.push(mistake), pace);
  running.push(jobs);
  return jobs;
}

/** Nothing, before pg-boss has made its tables. */
async function states(where = "name = 'tidying'"): Promise<string[]> {
  const there = await database.run({ text: "select from pg_tables where schemaname || tablename = 'pgbossjob'" }, []);
  if (there.length === 0) return [];
  const text = `select state::text from pgboss.job where ${where} order by created_on`;
  return (await database.run<{ state: string }>({ text }, [])).map(({ state }) => state);
}

describe('a job', () => {
  it('is done at the start, by one of all who start at once, and not again by whoever starts soon after', async () => {
    const done: number[] = [];
    for (const nth of [1, 2, 3]) start(() => Promise.resolve(void done.push(nth)));
    await until(async () => (await states()).includes('completed'));
    start(() => Promise.resolve(void done.push(4)));
    await looked();
    expect(done).toHaveLength(1);
    expect(await states()).toEqual(['completed']);
    expect(mistakes).toEqual([]);
  });

  it('is asked for by the clock of Stockholm', async () => {
    start(() => Promise.resolve(), { at: '27 0 * * *' });
    await until(async () => (await states()).includes('completed'));
    const text = 'select name, cron, timezone from pgboss.schedule';
    expect(await database.run({ text }, [])).toEqual([
      { name: 'tidying', cron: '27 0 * * *', timezone: 'Europe/Stockholm' },
    ]);
  });

  it('goes to another when whoever has it dies', async () => {
    const dead = dying(database);
    start(dead.die, { on: dead.database });
    await until(dead.isDead);
    let taken = false;
    start(() => Promise.resolve(void (taken = true)));
    await until(() => taken);
    await until(async () => (await states()).includes('completed'));
    expect(await states()).toEqual(['completed']);
    dead.bury();
  });

  it('is tried again when it fails, after its mistake was told of', async () => {
    let tries = 0;
    start(() => (++tries === 1 ? Promise.reject(new Error('The first try')) : Promise.resolve()));
    await until(async () => (await states()).includes('completed'));
    expect(tries).toBe(2);
    expect(mistakes).toEqual([new Error('The first try')]);
  });

  it('is done by one at a time, also when it is asked for twice', async () => {
    let [atOnce, most, done] = [0, 0, 0];
    const run = async () => {
      most = Math.max(most, ++atOnce);
      await looked(2_000);
      atOnce--;
      done++;
    };
    for (const _ of [1, 2]) start(run, { pace: { ...QUICK, longest: 60 } });
    await until(() => atOnce === 1);
    // As the next hour would.
    const text = "insert into pgboss.job (name, policy) select name, policy from pgboss.queue where name = 'tidying'";
    await database.run({ text }, []);
    await until(() => done === 2);
    expect(most).toBe(1);
  });

  it('outlives that the database is away, and is told to be done when it is back', async () => {
    let isBegun = false;
    let go: () => void = () => undefined;
    const going = new Promise<void>((resolve) => (go = resolve));
    start(
      async () => {
        isBegun = true;
        await going;
      },
      { pace: { ...QUICK, longest: 60 } },
    );
    await until(() => isBegun);
    const name = new URL(url).pathname.slice(1);
    await admin(`alter database ${name} allow_connections false`);
    await admin(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
    // An answer that pg-boss does not wait for would end the process here.
    go();
    await looked();
    await admin(`alter database ${name} allow_connections true`);
    await until(async () => (await states()).includes('completed'));
  });

  it('is told to stop, and left to another', async () => {
    const alone = start(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', reject);
        }),
    );
    await until(async () => (await states()).includes('active'));
    await alone.stop();
    expect(await states()).toEqual(['retry']);
    expect(mistakes).toEqual([]);
    let taken = false;
    start(() => Promise.resolve(void (taken = true)));
    await until(() => taken);
  });

  it('holds nothing of anybody’s', async () => {
    start(() => Promise.resolve());
    await until(async () => (await states()).includes('completed'));
    const text = `select data, output from pgboss.job where data <> '{}' or output is not null
      union all select data, output from pgboss.archive`;
    expect(await database.run({ text }, [])).toEqual([]);
  });
});

describe('those who have nothing to do', () => {
  it('ask the database for less than a statement in two seconds', async () => {
    let asked = 0;
    const counting: Database = {
      ...database,
      run(statement, values) {
        asked++;
        return database.run(statement, values);
      },
    };
    const jobs = startJobs(
      counting,
      ['one', 'two', 'three'].map((name) => ({ name, at: NEVER, run: () => Promise.resolve() })),
      (mistake) => mistakes.push(mistake),
    );
    running.push(jobs);
    const all = async () => states("name in ('one', 'two', 'three') and state = 'completed'");
    await until(async () => (await all()).length === 3);
    const before = asked;
    await looked(3_000);
    expect(asked - before).toBeLessThan(2);
    expect(mistakes).toEqual([]);
  });
});

/** A process that dies in the middle: until it is buried it says nothing to the database, nor hears anything. */
function dying(database: Database) {
  let isDead = false;
  let bury: () => void = () => undefined;
  const buried = new Promise<void>((resolve) => (bury = resolve));
  return {
    isDead: () => isDead,
    bury,
    die: async () => {
      isDead = true;
      await buried;
    },
    database: {
      ...database,
      async run(statement, values) {
        if (isDead) await buried;
        return database.run(statement, values);
      },
    } satisfies Database,
  };
}

/** Long enough for everybody to have looked for something to do. */
const looked = (milliseconds = 700) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks until it is so; the test's own time limit is the end of it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
