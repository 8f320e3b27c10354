/** Before the first test: one real PostgreSQL for all of them, and the content read once; gone after the last. */
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { readFiles } from '../../src/content.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { startEmbeddedPostgres } from '../../src/storage/embedded-postgres.ts';
import { migrations, running } from './database.ts';

export async function startDatabase(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kortlotsen-tests-'));
  // The account that PostgreSQL runs as, when the tests are run by root, has to reach it.
  await chmod(folder, 0o755);
  const reading = join(folder, 'content.bin');
  await writeFile(reading, serialize(readFiles(join(import.meta.dirname, '../../content')).reading));
  process.env.KORTLOTSEN_TEST_CONTENT = reading;
  const postgres = await startEmbeddedPostgres(folder, { isThrowaway: true });
  running.folder = folder;
  running.stop = () => postgres.stop();
  process.env.KORTLOTSEN_TEST_DATABASE = postgres.url;
  const database = await openDatabase(postgres.url, migrations, () => undefined);
  await database.close();
}

// Jest looks for it there.
export { startDatabase as default };
