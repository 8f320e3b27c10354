/**
 * Two processes that are asked to stop and started anew, one after the other,
 * while students write: as they were, in a version whose database is newer, and
 * back again in the one before it.
 */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { copyBuild, isLong, nobodyAtTheDesk, root, startProduct } from './built-product.ts';
import { findViolations } from './checker.ts';
import { startDatabaseServer, withClient } from './database-server.ts';
import { type Aftermath, hammer } from './hammer.ts';
import { secrets } from './script.ts';
import { setStage } from './stage.ts';

/** Which of them is started anew next, in which version. Those before the last two are of the long form. */
const ROLLS = (
  [
    [0, 'old'],
    [1, 'old'],
    [1, 'new'],
    [0, 'new'],
    [1, 'old'],
    [0, 'old'],
    [0, 'new'],
    [0, 'old'],
  ] as const
).slice(isLong ? 0 : -2);
/** Of those who write at once. When they are done, others come, for as long as processes are started anew. */
const scale = isLong
  ? { seed: 20_260_830, conversations: 20, messages: 18, kills: 0 }
  : { seed: 20_260_830, conversations: 3, messages: 10, kills: 0 };

/** In milliseconds. It takes less than half a minute, and longer on a machine that has more to do. */
const PATIENCE = 600_000;

const { server, begin } = setStage(startDatabaseServer, PATIENCE);

/** A version that has one more migration, of a table that every message touches. */
function copyNewer(): string {
  const home = copyBuild(server().folder);
  rmSync(join(home, 'src'));
  cpSync(join(root, 'src'), join(home, 'src'), { recursive: true });
  const text =
    "alter table conversations add column mood text not null default 'calm';\ncreate table moods (name text);\n";
  writeFileSync(join(home, 'src/storage/migrations/9001_mood.sql'), text);
  return home;
}

it(
  'every message is answered once and in order while both are brought to another version and back, and none is left',
  async () => {
    const url = await server().create();
    const homes = { old: copyBuild(server().folder), new: copyNewer() };
    const environment = () => ({ DATABASE_URL: url, ...nobodyAtTheDesk });
    const rolled = await begin(startProduct(homes.old, { command: ['serve'], name: 'process', count: 2, environment }));
    await withClient(url, async (rows) => {
      const now = { isRolling: true };
      const rolling = (async () => {
        const codes: (number | null)[] = [];
        for (const [nth, version] of ROLLS) {
          codes.push(await rolled.end(nth));
          await rolled.restart(nth, homes[version]);
        }
        return codes;
      })().finally(() => (now.isRolling = false));
      const rounds: Aftermath[] = [];
      while (now.isRolling)
        rounds.push(await hammer(rolled, rows, url, { ...scale, seed: scale.seed + 1_000 * rounds.length }));
      const codes = await rolling;
      const testimonies = rounds.flatMap((round) => round.testimonies);
      const undone = rounds.flatMap((round) => round.undone);
      const violations = [...undone, ...(await findViolations({ product: rows, ledger: rows }, testimonies, secrets))];
      const counted = (what: 'messages' | 'retries') => rounds.reduce((sum, { tally }) => sum + tally[what], 0);
      process.stderr.write(
        `rolling: ${ROLLS.length} starts, ${counted('messages')} messages, ${counted('retries')} retries, ${violations.length} violations\n`,
      );
      // What was begun was finished where it was begun, and nobody was answered that something went wrong.
      expect({ violations, logged: rolled.logged() }).toEqual({ violations: [], logged: [] });
      expect(codes).toEqual(ROLLS.map(() => 0));
      const { rows: made } = await rows.query("select count(*)::integer from migrations where name = '9001_mood'");
      expect(made).toEqual([{ count: 1 }]);
    });
  },
  PATIENCE,
);
