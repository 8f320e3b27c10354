/** Before the first test: one real PostgreSQL for all of them, gone after the last. */
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/storage/database.ts';
import { startEmbeddedPostgres } from '../../src/storage/embedded-postgres.ts';
import { migrations, running } from './database.ts';

export async function startDatabase(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kortlotsen-tests-'));
  // The account that PostgreSQL runs as, when the tests are run by root, has to reach it.
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres(folder, { isThrowaway: true });
  running.folder = folder;
  running.stop = () => postgres.stop();
  process.env.KORTLOTSEN_TEST_DATABASE = postgres.url;
  const database = await openDatabase(postgres.url, migrations, () => undefined);
  await database.close();
}

// Jest looks for it there.
export { startDatabase as default };
