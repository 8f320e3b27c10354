/** Three processes on one database, students who send again and write on, and a process that dies in the middle. */
import { describe, expect, it } from '@jest/globals';
import { copyBuild, isLong, nobodyAtTheDesk, startProduct } from './built-product.ts';
import { findViolations } from './checker.ts';
import { startDatabaseServer, withClient } from './database-server.ts';
import { type Aftermath, type Blows, hammer } from './hammer.ts';
import { secrets } from './script.ts';
import { setStage } from './stage.ts';

const PROCESSES = 3;
/** So few a student, in the short form, that with those sent again nobody has to wait for writing too much. */
const scale: Blows = isLong
  ? { seed: 20_220_322, conversations: 50, messages: 40, kills: 20 }
  : { seed: 20_220_322, conversations: 20, messages: 18, kills: 12 };
/** In milliseconds. It takes a minute or so, and far longer on a machine that has more to do. */
const PATIENCE = 600_000;

const { server, begin } = setStage(startDatabaseServer, PATIENCE);

type Found = { violations: string[]; messages: number; kills: number; caught: Aftermath['caught']; logged: string[] };

/** Strikes, and says in one line what came of it. What the processes have logged is shown when something is wrong. */
async function strike(blows: Blows): Promise<Found> {
  const url = await server().create();
  const environment = () => ({ DATABASE_URL: url, ...nobodyAtTheDesk });
  const manner = { command: ['serve'], name: 'process', count: PROCESSES, environment };
  const struck = await begin(startProduct(copyBuild(server().folder), manner));
  let violations: string[] | undefined;
  try {
    return await withClient(url, async (rows) => {
      const { testimonies, tally, caught, undone } = await hammer(struck, rows, url, blows);
      violations = [...undone, ...(await findViolations({ product: rows, ledger: rows }, testimonies, secrets))];
      const counts = Object.entries({ ...tally, ...caught, violations: violations.length });
      process.stderr.write(`hammer: ${counts.map(([what, count]) => `${count} ${what}`).join(', ')}\n`);
      return { violations, messages: tally.messages, kills: tally.kills, caught, logged: struck.logged() };
    });
  } finally {
    if (violations?.length !== 0) process.stderr.write(`${struck.logged().slice(0, 20).join('\n')}\n`);
  }
}

/** What the short form of the storm tries as well, at length. */
describe('every message is answered once and in order', () => {
  const messages = PROCESSES * scale.conversations * scale.messages;

  (isLong ? it : it.skip)(
    'by three processes on one database, however often it is sent again',
    async () => {
      const found = await strike({ ...scale, kills: 0 });
      expect(found).toMatchObject({ violations: [], kills: 0, logged: [] });
      expect(found.messages).toBeGreaterThanOrEqual(messages);
    },
    PATIENCE,
  );

  (isLong ? it : it.skip)(
    'when one process after another is killed in the middle',
    async () => {
      const found = await strike({ ...scale, seed: scale.seed + 1_000 });
      expect(found).toMatchObject({ violations: [], kills: scale.kills });
      expect(found.messages).toBeGreaterThanOrEqual(messages);
      // Of those who gathered; some were gone on with, or turned to another process in time.
      expect(Object.entries(found.caught).filter(([, count]) => count === 0)).toEqual([]);
    },
    PATIENCE,
  );
});
