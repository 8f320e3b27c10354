/** The database of the tests. Many share it at once, so whoever uses it makes names of their own. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Database, openDatabase } from '../../src/storage/database.ts';

const src = join(import.meta.dirname, '../../src');
export const ledgerMigrations = [{ folder: join(src, 'ledger/migrations'), table: 'ledger_migrations' }];
export const migrations = [{ folder: join(src, 'storage/migrations'), table: 'migrations' }, ...ledgerMigrations];

/** Of the server, between its start and its end; they are in one process, and the tests in others. */
export const running: { folder?: string; written?: string; stop?: () => Promise<void> } = {};

/** A database that nobody uses, and that others are made from. */
export const TEMPLATE = 'kortlotsen_template';

/** That of the tests, or another on the same server. */
export function databaseUrl(name?: string): string {
  const known = process.env.KORTLOTSEN_TEST_DATABASE;
  if (!known) throw new Error('The database of the tests is not running; run them with npm test');
  if (name === undefined) return known;
  const url = new URL(known);
  url.pathname = `/${name}`;
  return url.href;
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

/** A database of one's own, by its address: as after the first start, or without a table. */
export async function createDatabase(kind: 'ready' | 'empty' = 'ready'): Promise<string> {
  const name = `own_${randomUUID().replaceAll('-', '')}`;
  await admin(`create database ${name} template ${kind === 'ready' ? TEMPLATE : 'template1'}`);
  return databaseUrl(name);
}
