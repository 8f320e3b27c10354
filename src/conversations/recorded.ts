/** Conversations as they are on record, for taking them anew. They are read, and nothing is changed. */
import { z } from 'zod';
import type { Database, Statement } from '../storage/database.ts';
import type { Recorded, RecordedMessage } from './replay.ts';
import type { Speaker } from './store.ts';

export type RecordFound = Recorded & {
  /** How many messages were written to a human, and are left out. */
  toHuman: number;
  /** How many of the rest came after somebody was asked to prove who they are, or the ledger was asked. */
  afterRequest: number;
};

const newest: Statement = {
  text: `select id from conversations where begun_at >= $1 and turns > 0 order by begun_at desc, id limit $2`,
};

const whole: Statement = {
  text: `select c.id, c.is_shared, c.begun_at, (select min(made_at) from requests r where r.conversation = c.id) as asked_at,
      (
        select json_agg(json_build_object(
          'seq', m.seq, 'author', m.author, 'kind', m.kind, 'at', m.at,
          'text', case when m.author = 'student' then m.said ->> 'text' end,
          'isMasked', (m.said ->> 'isMasked')::boolean, 'button', (m.said ->> 'button')::integer,
          'speaker', m.said #>> '{now,speaker}'
        ) order by m.seq) from messages m where m.conversation = c.id
      ) as log
    from conversations c where c.id = any ($1) order by c.begun_at desc, c.id`,
};

const Entry = z.object({
  seq: z.number(),
  author: z.string(),
  kind: z.string(),
  at: z.coerce.date(),
  text: z.string().nullable(),
  isMasked: z.boolean().nullable(),
  button: z.number().nullable(),
  speaker: z.enum(['bot', 'queue', 'agent']).nullable(),
});
const Row = z.object({
  id: z.string(),
  is_shared: z.boolean(),
  begun_at: z.date(),
  asked_at: z.date().nullable(),
  log: z.array(Entry).nullable(),
});

/** At once, so that a long record is never whole in memory. */
const BATCH = 50;

/** Those that were begun from that time on, the newest first, and how many there are. */
export async function findRecords(
  database: Database,
  since: Date | undefined,
  limit: number,
): Promise<{ count: number; records: AsyncIterable<RecordFound> }> {
  const found = await database.run<{ id: string }>(newest, [since ?? new Date(0), limit]);
  const ids = found.map(({ id }) => id);
  const records = async function* () {
    for (let from = 0; from < ids.length; from += BATCH) {
      const rows = await database.run(whole, [ids.slice(from, from + BATCH)]);
      for (const row of rows) yield recordOf(Row.parse(row));
    }
  };
  return { count: ids.length, records: records() };
}

function recordOf({
  id,
  is_shared: isShared,
  begun_at: begunAt,
  asked_at: askedAt,
  log,
}: z.infer<typeof Row>): RecordFound {
  const messages: RecordedMessage[] = [];
  let [speaker, repliedSeq, toHuman]: [Speaker, number, number] = ['bot', 0, 0];
  for (const { seq, author, kind, at, text, isMasked, button, speaker: next } of log ?? []) {
    if (author !== 'student') {
      speaker = next ?? speaker;
      repliedSeq = seq;
    } else if (kind === 'message' && text !== null) {
      const pressed = button === null ? undefined : button === repliedSeq ? 'last' : 'old';
      if (speaker === 'bot') messages.push({ seq, at, text, isMasked: isMasked ?? false, button: pressed });
      else toHuman++;
    }
  }
  const afterRequest = askedAt ? messages.filter(({ at }) => at > askedAt).length : 0;
  return { conversation: id, isShared, begunAt, messages, toHuman, afterRequest };
}
