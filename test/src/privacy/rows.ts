/** Rows of every table, made as its columns are; and where in them something is mentioned. */
import { randomUUID } from 'node:crypto';
import { readSchema } from '../../../src/privacy/records.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';

export type Canary = { column: string; text: string };

const HOUR = 3_600_000;

const identifier = (name: string) => `"${name}"`;

/** Works on a database of its own, which is closed at the end. */
export async function withDatabase(work: (database: Database) => Promise<void>): Promise<void> {
  const database = await openTestDatabase(await createDatabase());
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

/** Adds a row with a canary of its own in every column that can hold one, apart from those whose value is given. */
export async function addRow(
  database: Database,
  table: string,
  given: Record<string, unknown>,
): Promise<readonly Canary[]> {
  const columns = (await readSchema(database)).get(table) ?? [];
  const values = new Map(Object.entries(given));
  const canaries: Canary[] = [];
  for (const { name, type } of columns) {
    const text = `canary-${randomUUID()}`;
    const value = { text, jsonb: JSON.stringify({ deep: [text] }), ARRAY: [text], boolean: false }[type];
    if (values.has(name) || value === undefined) continue;
    values.set(name, value);
    if (type !== 'boolean') canaries.push({ column: `${table}.${name}`, text });
  }
  const places = [...values].map((_, index) => `$${index + 1}`);
  const text = `insert into ${identifier(table)} (${[...values.keys()].map(identifier).join(', ')}) values (${places.join(', ')})`;
  await database.run({ text }, [...values.values()]);
  return canaries;
}

/** The tables with a row that holds any of these texts, in whichever column. */
export async function mentionsOf(database: Database, texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of (await readSchema(database)).keys()) {
    const rows = await database.run<{ row: string }>({ text: `select t::text as row from ${identifier(table)} t` }, []);
    if (rows.some(({ row }) => texts.some((text) => row.includes(text)))) found.push(table);
  }
  return found;
}

export type Chat = {
  id: string;
  /** In the row itself and all that belongs to it. */
  canaries: readonly Canary[];
};

type ChatWish = {
  changedAt: Date;
  /** The first proved themselves first, all of them after what is written there. */
  people?: readonly string[];
  request?: 'open' | 'unsettled' | 'challenged' | 'closed';
  account?: string;
  isShared?: boolean;
};

/** A conversation with something in every table that belongs to one. */
export async function addChat(database: Database, wish: ChatWish): Promise<Chat> {
  const { changedAt, people = [], request = 'closed', account, isShared = false } = wish;
  const id = `test/${randomUUID()}`;
  const of = { conversation: id };
  const [person] = people;
  const begun = changedAt.getTime() - HOUR;
  const at = (milliseconds: number) => new Date(begun + milliseconds);
  const message = (seq: number, author: string) =>
    addRow(database, 'messages', { ...of, seq, author, kind: 'message', at: at(seq) });
  const agent = { speaker: 'agent', lease_until: changedAt };
  const place = { id, door: 'open', changed_at: changedAt, begun_at: at(0), is_shared: isShared, ...agent };
  const asked = { state: request, due_at: changedAt };
  const canaries = [
    ...(await addRow(database, 'conversations', { ...place, ...(account && { account }) })),
    ...(await message(1, 'student')),
    ...(await message(2, 'bot')),
    ...(await addRow(database, 'requests', {
      ...of,
      ...asked,
      request: JSON.stringify({ request: 'ledger.findCards', ...(person && { person }) }),
    })),
    ...(await addRow(database, 'cases', {
      ...of,
      reason: 'asked',
      opened_at: at(1),
      waiting_since: at(1),
      began_seq: 1,
      closed_at: at(2),
    })),
    ...(await addRow(database, 'lessons', { ...of, seq: 1, kind: 'notKnown', at: at(1), decided_at: at(2) })),
  ];
  for (const [index, each] of people.entries()) {
    const time = at(10 * (index + 1));
    await addRow(database, 'proofs', { ...of, person: each, proved_at: time, heard_at: time });
  }
  return { id, canaries };
}
