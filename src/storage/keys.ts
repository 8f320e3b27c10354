/** Secrets an installation makes for itself at its first start, the same for all its processes. */
import { randomBytes } from 'node:crypto';
import type { Database } from './database.ts';

const make = {
  name: 'make-key',
  text: `with made as (insert into keys (name, value) values ($1, $2) on conflict do nothing returning value)
    select value from made union all select value from keys where name = $1 limit 1`,
};

export async function keyFor(database: Database, name: string): Promise<string> {
  const values = [name, randomBytes(32).toString('base64url')];
  // Another process may make it just then: what it made is seen by the next statement.
  const [row] = [
    ...(await database.run<{ value: string }>(make, values)),
    ...(await database.run<{ value: string }>(make, values)),
  ];
  if (!row) throw new Error(`The key ${name} could not be made`);
  return row.value;
}
