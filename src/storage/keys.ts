/** Secrets an installation makes for itself at its first start, the same for all its processes. */
import { randomBytes } from 'node:crypto';
import type { Database } from './database.ts';

const make = { name: 'make-key', text: 'insert into keys (name, value) values ($1, $2) on conflict do nothing' };
const read = { name: 'read-key', text: 'select value from keys where name = $1' };

/** Of many that make it at the same moment, the first makes it for all. */
export async function keyFor(database: Database, name: string): Promise<string> {
  await database.run(make, [name, randomBytes(32).toString('base64url')]);
  const [row] = await database.run<{ value: string }>(read, [name]);
  if (!row) throw new Error(`The key ${name} could not be made`);
  return row.value;
}
