/** The database of the tests. Many share it at once, so whoever uses it makes names of their own. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Database, openDatabase } from '../../src/storage/database.ts';

const src = join(import.meta.dirname, '../../src');
export const ledgerMigrations = [{ folder: join(src, 'ledger/migrations'), table: 'ledger_migrations' }];
export const migrations = [{ folder: join(src, 'storage/migrations'), table: 'migrations' }, ...ledgerMigrations];

/** Of the server, between its start and its end; they are in one process, and the tests in others. */
export const running: { folder?: string; stop?: () => Promise<void> } = {};

export function databaseUrl(): string {
  const url = process.env.KORTLOTSEN_TEST_DATABASE;
  if (!url) throw new Error('The database of the tests is not running; run them with npm test');
  return url;
}

const throwing = (mistake: unknown): never => {
  throw mistake;
};

export const openTestDatabase = (url = databaseUrl()): Promise<Database> => openDatabase(url, migrations, throwing);

/** Does what only whoever runs the server may. */
export async function admin(text: string): Promise<void> {
  const client = new Client(databaseUrl());
  await client.connect();
  await client.query(text);
  await client.end();
}

/** An empty database of one's own, by its address. */
export async function createDatabase(): Promise<string> {
  const name = `own_${randomUUID().replaceAll('-', '')}`;
  await admin(`create database ${name}`);
  const url = new URL(databaseUrl());
  url.pathname = `/${name}`;
  return url.href;
}
