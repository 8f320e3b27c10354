/**
 * Conversations that are stored already: what some students have really said,
 * and been answered, as many times over as there are to be.
 */
import { Client } from 'pg';
import { storedName } from './load.ts';

/** All that is kept of some conversations, by table, as PostgreSQL writes it. */
export type Said = { conversations: string; messages: string; requests: string };

/** In conversations: what is filled in by one statement. */
const AT_ONCE = 50_000;
/** Over so many days they were last written in. */
const DAYS = 30;

/** Of those that nobody waits in any more. */
export const saidIn = (url: string): Promise<Said> =>
  connected(url, async (client) => {
    const chosen = `select * from conversations where turns > 2 and waiting = 0 and open_requests = 0 and replied_seq = delivered_seq
      order by begun_at limit 50`;
    const { rows } = await client.query<Said>(`with chosen as (${chosen}) select
      (select json_agg(c)::text from chosen c) as conversations,
      (select json_agg(m)::text from messages m where conversation in (select id from chosen)) as messages,
      coalesce(
        (select json_agg(r)::text from requests r where conversation in (select id from chosen)), '[]'
      ) as requests`);
    const [said] = rows;
    if (!said) throw new Error('Nothing has been said');
    return said;
  });

/** Until there are so many; then as tidy, and as well known to the planner, as it is kept by PostgreSQL itself. */
export async function fill(url: string, said: Said, count: number): Promise<void> {
  const firsts = Array.from({ length: Math.ceil(count / AT_ONCE) }, (_, nth) => 1 + nth * AT_ONCE);
  // By as many at once as there are cores, on the least machine that this is run on.
  await Promise.all(
    [0, 1].map((half) =>
      connected(url, (client) =>
        fillIn(
          client,
          said,
          firsts.filter((_, nth) => nth % 2 === half),
          count,
        ),
      ),
    ),
  );
  await connected(url, async (client) => {
    await client.query('vacuum (freeze, analyze)');
    await client.query('checkpoint');
  });
}

async function fillIn(client: Client, said: Said, firsts: readonly number[], count: number): Promise<void> {
  const columnsOf = async (table: string, but: readonly string[]) => {
    const { rows } = await client.query<{ name: string }>(
      `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0
         and not attisdropped and attgenerated = '' and attname <> all ($2)`,
      [table, but],
    );
    return rows.map(({ name }) => name);
  };
  // What refers to what is right beforehand, and takes most of the time to be looked up.
  await client.query('set session_replication_role = replica; set synchronous_commit = off');
  for (const table of ['conversations', 'messages', 'requests'] as const) {
    await client.query(
      `create temp table chosen_${table} as
        select * from json_populate_recordset(null::${table}, ${client.escapeLiteral(said[table])})`,
    );
  }
  await client.query(`create temp table chosen as
    select id, row_number() over (order by id) - 1 as nth from chosen_conversations`);
  const ofConversations = await columnsOf('conversations', ['id', 'begun_at', 'changed_at']);
  const ofMessages = await columnsOf('messages', ['conversation']);
  const ofRequests = await columnsOf('requests', ['id', 'conversation', 'challenge']);
  const name = `'bot/msteams/${storedName('')}' || n`;
  const when = `now() - interval '${DAYS} days' * n / ${count}`;
  for (const first of firsts) {
    const from = `from generate_series(${first}, ${Math.min(count, first + AT_ONCE - 1)}) as n
      join chosen on chosen.nth = n % (select count(*) from chosen)`;
    await client.query(`insert into conversations (id, begun_at, changed_at, ${ofConversations.join()})
      select ${name}, ${when}, ${when}, ${ofConversations.map((each) => `c.${each}`).join()}
      ${from} join chosen_conversations c on c.id = chosen.id`);
    await client.query(`insert into messages (conversation, ${ofMessages.join()})
      select ${name}, ${ofMessages.map((each) => `m.${each}`).join()}
      ${from} join chosen_messages m on m.conversation = chosen.id`);
    await client.query(`insert into requests (conversation, challenge, ${ofRequests.join()})
      select ${name}, r.challenge || n, ${ofRequests.map((each) => `r.${each}`).join()}
      ${from} join chosen_requests r on r.conversation = chosen.id`);
  }
}

/** In bytes, with its indexes. */
export const sizeOf = (url: string): Promise<number> =>
  connected(url, async (client) => {
    const { rows } = await client.query<{ size: number }>(
      'select pg_database_size(current_database())::float8 as size',
    );
    return rows[0]?.size ?? NaN;
  });

async function connected<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
