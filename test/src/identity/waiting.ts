/** Conversations that wait for somebody to prove who they are, as rows. */
import { createHash, randomUUID } from 'node:crypto';
import type { Database } from '../../../src/storage/database.ts';

export type Waiting = { conversation: string; challenge: string; request: string };

export async function waitFor(database: Database, conversation = `test/${randomUUID()}`): Promise<Waiting> {
  const challenge = randomUUID();
  await database.run(
    { text: `insert into conversations (id, channel, is_pushed) values ($1, 'test', false) on conflict do nothing` },
    [conversation],
  );
  const [row] = await database.run<{ id: string }>(
    {
      text: `insert into requests (conversation, reference, request, state, challenge, due_at)
        values ($1, 'identity', '{}', 'challenged', $2, now() + interval '10 minutes') returning id::text`,
    },
    [conversation, createHash('sha256').update(challenge).digest('base64url')],
  );
  return { conversation, challenge, request: row?.id ?? '' };
}

export const letLapse = (database: Database, what: 'sign_ins' | 'requests', { request }: Waiting): Promise<object[]> =>
  database.run(
    {
      text: {
        sign_ins: `update sign_ins set expires_at = now() - interval '1 second' where request = $1`,
        requests: `update requests set due_at = now() - interval '1 second' where id = $1`,
      }[what],
    },
    [request],
  );

/** Whoever is proved to a conversation, or may be by a code. */
export const provedIn = async (database: Database, { request }: Waiting): Promise<(string | null)[]> => {
  const rows = await database.run<{ person: string | null }>(
    { text: 'select person from sign_ins where request = $1 and (person is not null or code is not null)' },
    [request],
  );
  return rows.map(({ person }) => person);
};
