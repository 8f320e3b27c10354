/**
 * What is done now and then, by one of all processes: jobs of pg-boss, in a
 * schema of its own in the same database, over our own connections.
 *
 * A job is asked for by the clock, as cron writes it, and by every start, but
 * once an hour at most; whoever comes first does it, and nobody else meanwhile.
 * One that dies at it leaves it to another when its time is up, and one that
 * fails is tried again; so each is safe to do twice. Nothing of anybody's is in
 * a job: what there is to do is told by the tables.
 *
 * What is a matter of seconds is no job. That a message is not answered, a
 * lease has ended or a delivery may be tried again is told by the row that it
 * is about, in the statement that made it so, and each process looks for such
 * rows once a second. A job beside the row could be lost, or outlive it; one a
 * second would be written for nobody most of the time; and whoever does it
 * might have to be found dead, before another recovers what they left.
 */
import { setTimeout as wait } from 'node:timers/promises';
import PgBoss from 'pg-boss';
import type { Database } from './database.ts';

export type Job = {
  /** The same for ever, and in all versions that may run at once. */
  name: string;
  /** At which minutes, as cron writes it, in Stockholm. */
  at: string;
  /** Ends early, by failing, when it is told to stop. */
  run: (signal: AbortSignal) => Promise<void>;
};

export type Jobs = {
  /** Takes no more. What has been begun may end for a while, and is left to others otherwise. */
  stop: () => Promise<void>;
};

/** In seconds. */
export type Pace = {
  /** Between two looks for something to do. */
  look: number;
  /** Between two looks for what somebody has left. */
  upkeep: number;
  /** How long a job may take: from then on whoever has it is taken for dead. */
  longest: number;
  /** Before it is tried again. */
  pause: number;
};

const HOUR = 3_600;
const PACE: Pace = { look: 60, upkeep: 120, longest: 1_800, pause: 60 };
/** In seconds: how often the clock is looked at, and what it asks for is passed on. */
const CLOCK = 30;
/** In milliseconds. */
const AGAIN = 1_000;
const START_AGAIN = 60_000;
const COLLISIONS = 3;
const STOPPING = 5_000;

/** Begins by itself, and nobody has to wait for it. Mistakes are told of, and never thrown. */
export function startJobs(
  database: Database,
  jobs: readonly Job[],
  onMistake: (mistake: unknown) => void,
  { look, upkeep, longest, pause }: Pace = PACE,
): Jobs {
  const stopping = new AbortController();
  const { signal } = stopping;
  const manner = { singletonSeconds: HOUR, expireInSeconds: longest, retryDelay: pause };

  let isStarted = false;

  /**
   * pg-boss does not catch it when it cannot tell that a job is done, and the process would end of it. So, once it is
   * started, whatever it says is said again for as long as it takes; but to look for a job may fail.
   */
  const say = async (text: string, values: unknown[] = []) => {
    for (let tries = 0; ; tries++) {
      try {
        return { rows: await database.run<object>({ text }, values) };
      } catch (mistake) {
        if (!isStarted || isFetching(text)) throw mistake;
        if (tries === 0 && !signal.aborted) onMistake(mistake);
      }
      await wait(AGAIN, undefined, { ref: false });
    }
  };

  /** Nor does it wait for that, and a stop has to. */
  const unsaid = new Set<Promise<unknown>>();
  const executeSql = (text: string, values?: unknown[]) => {
    const saying = say(text, values);
    const done = () => unsaid.delete(saying);
    unsaid.add(saying);
    saying.then(done, done);
    return saying;
  };

  const start = async (): Promise<PgBoss> => {
    const boss = new PgBoss({
      db: { executeSql },
      cronMonitorIntervalSeconds: CLOCK,
      cronWorkerIntervalSeconds: CLOCK,
      maintenanceIntervalSeconds: upkeep,
    });
    boss.on('error', onMistake);
    try {
      await boss.start();
      for (const { name, at, run } of jobs) {
        await boss.createQueue(name, { name, policy: 'singleton' });
        await boss.schedule(name, at, {}, { ...manner, tz: 'Europe/Stockholm' });
        await boss.send(name, {}, manner);
        await boss.work(name, { pollingIntervalSeconds: look }, async () => {
          await run(signal).catch((mistake: unknown) => {
            if (!signal.aborted) onMistake(mistake);
            throw mistake;
          });
        });
      }
    } catch (mistake) {
      await boss.stop({ graceful: false });
      throw mistake;
    }
    isStarted = true;
    return boss;
  };

  /** Of several that make its tables at once, all but one may have to try again. */
  const started = (async () => {
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        return await start();
      } catch (mistake) {
        if (tries >= COLLISIONS) onMistake(mistake);
      }
      await wait(tries < COLLISIONS ? AGAIN : START_AGAIN, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  })();

  return {
    async stop() {
      stopping.abort();
      const stopped = started.then((boss) => boss?.stop({ timeout: STOPPING })).then(() => Promise.allSettled(unsaid));
      await Promise.race([stopped, wait(STOPPING + AGAIN, undefined, { ref: false })]);
    },
  };
}

const isFetching = (text: string): boolean => text.includes('SKIP LOCKED');
