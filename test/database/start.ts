/** Before the first test: one real PostgreSQL for all of them, and the content read once; gone after the last. */
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { readFiles } from '../../src/content.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { startEmbeddedPostgres } from '../../src/storage/embedded-postgres.ts';
import { startJobs } from '../../src/storage/jobs.ts';
import { databaseUrl, migrations, running, TEMPLATE } from './database.ts';

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
  await database.run({ text: `create database ${TEMPLATE}` }, []);
  await database.close();
  await makeTemplate();
}

/** As a database is after the first start, so that not every test that wants one of its own makes all its tables. */
async function makeTemplate(): Promise<void> {
  const template = await openDatabase(databaseUrl(TEMPLATE), migrations, () => undefined);
  await startJobs(template, [], () => undefined).stop();
  await template.close();
}

// Jest looks for it there.
export { startDatabase as default };
