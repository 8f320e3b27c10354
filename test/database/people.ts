/** What a database holds of people, and what is secret in it: nothing of that may come into a log or a metric. */
import { Client } from 'pg';

/** By table, in SQL on one of its rows as JSON, so that a column that is not there yet has nothing. */
const HELD: Readonly<Record<string, readonly string[]>> = {
  conversations: ["row ->> 'id'", "row ->> 'account'"],
  messages: ["case when row ->> 'author' in ('student', 'agent') then row -> 'said' ->> 'text' end"],
  lessons: ["row ->> 'text'"],
  requests: ["row ->> 'challenge'"],
  sign_ins: ["row ->> 'state'", "row ->> 'nonce'", "row ->> 'verifier'", "row ->> 'code'"],
  proofs: ["row ->> 'person'"],
  reminders: ["row ->> 'person'", "row ->> 'conversation'"],
  reminded: ["row ->> 'person'", "row ->> 'card'"],
  switch_audit: ["row ->> 'switched_by'", "row ->> 'reason'"],
  links: ["row ->> 'person'", "row ->> 'account'"],
  sessions: ["row ->> 'hash'", "row ->> 'member'", "row ->> 'name'"],
  desk_audit: ["row ->> 'agent_name'", "row ->> 'note'"],
  invitations: ["row ->> 'code'"],
  keys: ["row ->> 'value'"],
  ledger_events: ["row ->> 'holder'", "(row ->> 'event')::jsonb ->> 'number'"],
};

/** Of every database of a server. */
export async function readPeople(url: string): Promise<Set<string>> {
  const names = await withClient(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where datallowconn and not datistemplate',
    );
    return rows.map(({ datname }) => datname);
  });
  const people = new Set<string>();
  const next = names.values();
  const readAll = async (): Promise<void> => {
    for (const name of next) {
      const each = new URL(url);
      each.pathname = `/${name}`;
      for (const text of await withClient(each.href, readHeld)) people.add(text);
    }
  };
  await Promise.all([readAll(), readAll(), readAll(), readAll()]);
  return people;
}

async function readHeld(client: Client): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string }>(
    'select name from unnest($1::text[]) name where to_regclass(name) is not null',
    [Object.keys(HELD)],
  );
  const parts = tables.flatMap(({ name }) =>
    (HELD[name] ?? []).map((held) => `select ${held} as held from (select to_jsonb(t) as row from ${name} t) rows`),
  );
  if (parts.length === 0) return [];
  const text = `select distinct held from (${parts.join(' union all ')}) all_of_it where length(held) > 1`;
  return (await client.query<{ held: string }>(text)).rows.map(({ held }) => held);
}

async function withClient<Result>(url: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client(url);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
