/**
 * Conversations in PostgreSQL.
 *
 * Every step is one statement, so it is one transaction and one round trip. A
 * step begins by writing the conversation's row, which holds it until the step
 * is over: the log of a conversation grows in the order it is committed, and a
 * reader who has seen one entry has seen all before it.
 */
import { z } from 'zod';
import type { Asks, Request, Revocation } from '../../dialogs/vocabulary.ts';
import { doorOf } from '../masking.ts';
import { type Database, isDuplicate, type Statement } from '../storage/database.ts';
import {
  CHALLENGE_LASTS,
  type ConversationStore,
  DELIVERY_LEASE,
  type Held,
  type Kept,
  type Logged,
  type OpenRequest,
  PATIENCE,
  patienceAfter,
  type Pending,
  REQUEST_LEASE,
  type Said,
  type Speaker,
} from './store.ts';

const Masked = z.object({ text: z.string(), isMasked: z.boolean() });
const Event = z.object({ type: z.string().default('event'), event: z.string() });
export const AgentShape = z.object({ id: z.string(), name: z.string() });
const Message = z.object({ seq: z.number(), said: Masked.extend({ button: z.number().exactOptional() }) });
const Row = z.object({ name: z.string(), value: z.string() });
const LinkShape = z.object({ title: z.string(), url: z.string() });
const Visit = z.object({
  name: z.string(),
  title: z.string(),
  rows: z.array(Row),
  bring: z.object({ name: z.string(), items: z.array(z.string()) }).exactOptional(),
  cites: z.array(z.string()),
  link: LinkShape.exactOptional(),
});
const HandoffShape = z.object({
  name: z.enum(['handoff.initiate', 'handoff.status']),
  value: z.looseObject({}),
  key: z.string().exactOptional(),
});
const SaidShape = z.object({
  line: z.string().optional(),
  text: z.string(),
  cites: z.array(z.string()),
  suggests: z.array(z.string()),
  source: z.string().optional(),
  receipt: z.object({ title: z.string(), rows: z.array(Row) }).optional(),
  link: LinkShape.optional(),
  visits: z.array(Visit).optional(),
  clears: z.literal(true).optional(),
  handoff: HandoffShape.optional(),
  now: z.object({ speaker: z.enum(['bot', 'queue', 'agent']), name: z.string().exactOptional() }).optional(),
});
/** What a human has said, by whom. */
const Signed = z.object({ agent: AgentShape.exactOptional() });
const Referred = z.object({ reference: z.string() });
const AnyRequest = z.discriminatedUnion('request', [
  Referred.extend({ request: z.literal('identity.verify'), isFresh: z.boolean(), code: z.string().optional() }),
  Referred.extend({ request: z.literal('ledger.findCards'), person: z.string() }),
  Referred.extend({
    request: z.literal('ledger.revoke'),
    person: z.string(),
    card: z.string(),
    reason: z.enum(['LOST', 'CODES_COMPROMISED', 'DETAILS_INCORRECT', 'MALFUNCTION']),
  }),
]);

/** What comes next in a conversation. */
type Next = {
  turns: number;
  speaker: Speaker;
  agent: unknown;
  tended_seq: number;
  answered_seq: number;
  replied_seq: number;
  counted: string[];
  account: string | null;
  is_shared: boolean;
  open_requests: number;
  message: unknown;
  requests: { id: string; request: unknown; attempts: number }[] | null;
};

/** A conversation's row, and what comes next in it. */
type Row = Next & {
  id: string;
  version: number | null;
  snapshot: unknown;
  state: string;
  asked_fact: Asks | null;
  asked_path: string | null;
  suggests: string[];
  waiting: number;
};

/** What is not known beforehand of a turn that was committed. */
type Committed = Next & {
  address: object;
  last_seq: number;
  is_ours_to_deliver: boolean | null;
};

/** What `Row` has of a conversation’s own; there is more, which would be read in vain with every message. */
const ROW = `c.id, c.version, c.snapshot, c.state, c.asked_fact, c.asked_path, c.suggests, c.waiting, c.turns, c.speaker,
      c.agent, c.tended_seq, c.answered_seq, c.replied_seq, c.counted, c.account, c.is_shared, c.open_requests`;

const NEXT_MESSAGE = `(
  select json_build_object('seq', m.seq, 'said', m.said) from messages m
  where m.conversation = c.id and m.author = 'student' and m.kind = 'message' and m.seq > c.answered_seq
  order by m.seq limit 1
)`;

/** What was said while nothing could be delivered there is no news any more. */
const IS_BACK = `is_pushed = c.is_pushed or excluded.is_pushed,
        delivered_seq = case when excluded.is_pushed and not c.is_pushed then c.replied_seq else c.delivered_seq end`;

const open: Statement = {
  name: 'open',
  text: `insert into conversations as c (id, channel, is_pushed, address, account, is_shared)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (id) do update set
      address = excluded.address, account = coalesce(excluded.account, c.account), ${IS_BACK}
      where excluded.is_pushed`,
};

const accept: Statement = {
  name: 'accept',
  text: `with c as (
      insert into conversations as c (id, channel, is_pushed, address, account, is_shared, last_seq, waiting)
      values ($1, $2, $3, $4, $9, $10, 1, 1)
      on conflict (id) do update set
        last_seq = c.last_seq + 1, waiting = c.waiting + 1, address = excluded.address, account = excluded.account,
        is_shared = excluded.is_shared, ${IS_BACK}, changed_at = now()
      returning *
    ), accepted as (
      insert into messages (conversation, seq, author, kind, id, resend_key, said, at)
      select c.id, c.last_seq, 'student', 'message', $5, $6, $7::jsonb -> c.door, $8 from c
      returning seq, said
    )
    select ${ROW}, json_build_object('seq', seq, 'said', said) as message, null as requests, seq from c, accepted`,
};

const first: Statement = {
  name: 'first',
  text: `select seq from messages where conversation = $1 and (id = $2 or resend_key = $3) order by seq limit 1`,
};

/** Nothing is deleted: it keeps its place, so that it is still the same message when it is sent again. */
const unsay: Statement = {
  name: 'unsay',
  text: `with before as (
      select said from messages where conversation = $1 and id = $2 and author = 'student' and kind = 'message'
    ), unsaid as (
      update messages set said = jsonb_build_object('text', $3::text, 'isMasked', false)
      where conversation = $1 and id = $2 and author = 'student' and kind = 'message'
    )
    delete from lessons using before where conversation = $1 and lessons.text = before.said ->> 'text'`,
};

const leave: Statement = {
  name: 'leave',
  text: `with unwanted as (delete from reminders where conversation = $1)
    update conversations set is_pushed = false, delivered_seq = replied_seq, delivering_until = null,
      delivery_attempts = 0, delivery_parts = 0, delivery_unsure = false where id = $1`,
};

const note: Statement = {
  name: 'note',
  text: `with c as (
      update conversations set last_seq = last_seq + 1, changed_at = now() where id = $1 returning *
    )
    insert into messages (conversation, seq, author, kind, id, said, at)
    select c.id, c.last_seq, 'student', 'event', $2, $3, $4 from c
    returning seq`,
};

const pending: Statement = {
  name: 'pending',
  text: `with lapsed as (
      update requests set due_at = now() + make_interval(secs => ${REQUEST_LEASE}), attempts = attempts + 1
      where id = (
        select id from requests where conversation = $1 and state = 'open' order by id limit 1 for update skip locked
      ) and due_at < now()
      returning id, request, attempts
    )
    select ${ROW}, ${NEXT_MESSAGE} as message,
      (select json_agg(json_build_object('id', l.id::text, 'request', l.request, 'attempts', l.attempts)) from lapsed l)
        as requests
    from conversations c where c.id = $1`,
};

/** Replies go straight out if all before them have, and nobody is at it. */
const IS_NEXT_TO_DELIVER = `is_pushed and $10 > 0 and replied_seq = delivered_seq
          and (delivering_until is null or delivering_until < now())`;

/** An agent whose lease has ended has it no more, whether or not anybody has seen that yet. */
export const IS_THEIRS = (agent: string): string =>
  `(speaker = 'agent' and agent ->> 'id' = ${agent} and lease_until > now())`;

/** Where a conversation `c` is reached, if it is by a channel that is pushed to, and only its owner reads there. */
export const WHERE_REACHED = `case when c.is_pushed and not c.is_shared and c.account is not null
  then jsonb_build_object('channel', c.channel, 'account', c.account, 'address', c.address) end`;

/** The case that is open after a turn: a new one only if there is none. */
const OPEN_CASE = `case when $23::text is not null then null else coalesce(open_case, $22::jsonb ->> 'id') end`;

const commitAnd = (name: string, also: string, { openCase = OPEN_CASE, onlyIf = '' } = {}): Statement => ({
  name,
  text: `with c as (
      update conversations c set
        turns = turns + 1, version = $3, snapshot = $4, state = $5, asked_fact = $6, asked_path = $7, door = $8,
        suggests = $9, last_seq = last_seq + $10, changed_at = now(),
        speaker = coalesce($21, speaker), agent = case when $21::text is null then agent end,
        lease_until = case when $21::text is null then lease_until end,
        tended_seq = case when $21 = 'queue' then coalesce($11, answered_seq) else tended_seq end,
        open_case = ${openCase},
        counted = coalesce($27, counted),
        replied_seq = case when $10 > 0 then last_seq + $10 else replied_seq end,
        answered_seq = coalesce($11, answered_seq),
        delivering_until = case when ${IS_NEXT_TO_DELIVER}
          then now() + make_interval(secs => ${DELIVERY_LEASE}) else delivering_until end,
        delivery_unsure = delivery_unsure or (${IS_NEXT_TO_DELIVER}),
        waiting = waiting - case when $11::integer is null then 0 else 1 end,
        open_requests = open_requests + $17
          - (select count(*)::integer from requests r where r.id = $12 and r.state = 'open')
      where id = $1 and turns = $2
        and ($12::bigint is null or exists (select from requests r where r.id = $12 and r.state <> 'closed'))
        and ($24::text is null or ${IS_THEIRS('$24')})${onlyIf}
      returning *
    ), closing as (
      update requests set state = $13, challenge = $16,
        due_at = now() + make_interval(secs => case when $13 = 'challenged' then ${CHALLENGE_LASTS} else 0 end)
      from c where requests.id = $12
    ), overtaken as (
      update requests set state = 'closed' from c
      where $16::text is not null and conversation = c.id and requests.state = 'challenged' and requests.id <> $12
    ), proved as (
      insert into proofs (conversation, person, proved_at, heard_at)
      select c.id, $19, $20, $18 from c where $19::text is not null on conflict do nothing
    ), replied as (
      insert into messages (conversation, seq, author, kind, id, said, at, turn, answers)
      select c.id, c.last_seq - $10 + nth, case when reply #>> '{handoff,key}' is null then 'bot' else 'desk' end,
        'message', reply #>> '{handoff,key}', reply, $18, c.turns, $11
      from c, jsonb_array_elements($14::jsonb) with ordinality as replies (reply, nth)
    ), requested as (
      insert into requests (conversation, reference, request, state, due_at)
      select c.id, each ->> 'reference', each, 'open', now() + make_interval(secs => ${REQUEST_LEASE})
      from c, jsonb_array_elements($15::jsonb) with ordinality as made (each, nth) order by nth
      returning id, request, attempts
    ), opened as (
      insert into cases (id, conversation, desk, reason, opened_at, waiting_since, began_seq)
      select c.open_case, c.id, $22 ->> 'desk', $22 ->> 'reason', $18, $18, coalesce($11, c.last_seq)
      from c where $22 is not null
      on conflict (id) do update set reason = excluded.reason
    ), ended as (
      update cases set closed_at = $18, outcome = $23, closed_by = $24
      from c where $23::text is not null and cases.conversation = c.id and closed_at is null
    ), learned as (
      insert into lessons (conversation, seq, kind, text, folded, between, wish, at)
      select c.id, coalesce($11, c.last_seq), l.kind, l.text, l.folded, l.between, l.wish, $18
      from c, jsonb_to_recordset($25::jsonb) as l (kind text, text text, folded text, "between" text[], wish text)
      on conflict do nothing
    ), tallied as (
      insert into tallies (day, what, name)
      select t.day, t.what, t.name from c, jsonb_to_recordset($26::jsonb) as t (day date, what text, name text)
    )${also}
    select c.turns, c.account, c.is_shared, c.open_requests, c.address, c.last_seq, c.speaker, c.agent, c.tended_seq,
      c.answered_seq, c.replied_seq, c.counted, case when c.waiting > 0 then ${NEXT_MESSAGE} end as message,
      (
        select json_agg(json_build_object('id', o.id::text, 'request', o.request, 'attempts', o.attempts) order by o.id)
        from requested o
      ) as requests,
      c.delivering_until = now() + make_interval(secs => ${DELIVERY_LEASE}) as is_ours_to_deliver
    from c`,
});

const commit = commitAnd('commit', '');

/**
 * What is said twice fails whole, by the key of `reminded`. Whoever reaches somebody by a channel that is pushed to, goes
 * on to do so, although they ask for it in a web chat too.
 */
const commitAndRemind = commitAnd(
  'commit-and-remind',
  `, wanting as (
      insert into reminders as r (person, conversation, place, since, needed_at)
      select $28, c.id, ${WHERE_REACHED}, $18, $18 from c where $28::text is not null
      on conflict (person) do update set
        conversation = case when excluded.place is null and r.place is not null then r.conversation
          else excluded.conversation end,
        place = coalesce(excluded.place, r.place), needed_at = excluded.needed_at
    ), unwanting as (
      delete from reminders using c where person = $29::text
    ), reminding as (
      insert into reminded (person, card, stage, how, at)
      select says ->> 'person', says ->> 'card', says ->> 'stage', says ->> 'how', $18
      from c, (select $30::jsonb as says) each where says is not null
    )`,
  {
    onlyIf: `
        and ($30::jsonb is null or exists (select from reminders r where r.person = $30 ->> 'person' for update))`,
  },
);

/** Of whoever is proved, has that account, or has asked for reminders there. */
const IS_ERASED = (of: string): string => `(${of}.person = $28 or ${of}.person in (
        select person from links where account = c.account
        union select person from reminders where conversation = c.id
      ))`;

/** A conversation that waits for the ledger, or takes a turn just then, is left as it is. */
const commitAndErase = commitAnd(
  'commit-and-erase',
  `, unsaid as (
      delete from messages using c where conversation = c.id and seq <= $11
    ), unasked as (
      delete from requests using c where conversation = c.id and requests.state in ('closed', 'challenged')
    ), unproved as (
      delete from proofs using c where conversation = c.id
    ), unopened as (
      delete from cases using c where conversation = c.id
    ), unlearned as (
      delete from lessons using c where conversation = c.id
    ), unlinked as (
      delete from links using c where links.account = c.account or person = $28
    ), unwanting as (
      delete from reminders r using c where ${IS_ERASED('r')}
    ), unreminded as (
      delete from reminded r using c where ${IS_ERASED('r')}
    ), others as (
      delete from conversations o using (
        select each.id, each.turns from conversations each, c
        where each.id <> c.id and each.id in (select conversation from proofs where person = $28)
          and not exists (select from requests r where r.conversation = each.id and r.state in ('open', 'unsettled'))
      ) as idle where o.id = idle.id and o.turns = idle.turns
    )`,
  // Whatever was kept for a human is gone with the rest.
  { openCase: `$22::jsonb ->> 'id'` },
);

const claimUnsettled: Statement = {
  name: 'claim-unsettled',
  text: `update requests set due_at = now() + make_interval(secs => ${REQUEST_LEASE}), attempts = attempts + 1
    where conversation = $1 and state = 'unsettled' and due_at <= now() returning id::text, request, attempts`,
};

const postpone: Statement = {
  name: 'postpone',
  text: `update requests set due_at = now() + make_interval(secs => $2) where id = $1 and state = 'unsettled'`,
};

const has: Statement = { name: 'has', text: 'select from conversations where id = $1' };

const log: Statement = {
  name: 'log',
  text: `select seq, author, kind, id, said, at, turn, answers from messages
    where conversation = $1 and seq > $2 order by seq`,
};

const lengths: Statement = {
  name: 'lengths',
  text: 'select id, last_seq from conversations where id = any ($1)',
};

/** Until whoever claims it tells what came of it, it may have been taken. */
const claimDelivery: Statement = {
  name: 'claim-delivery',
  text: `with before as (
      select id, delivery_unsure from conversations where id = $1 for update
    ), c as (
      update conversations c set delivering_until = now() + make_interval(secs => ${DELIVERY_LEASE}),
        delivery_unsure = true
      from before where c.id = before.id and is_pushed and replied_seq > delivered_seq
        and (delivering_until is null or delivering_until < now())
      returning c.*, before.delivery_unsure as was_unsure
    )
    select c.address, c.delivery_attempts, c.delivery_parts, c.was_unsure, c.last_seq, m.seq, m.said,
      coalesce(m.answers, c.answered_seq) as answers
    from c, messages m
    where m.conversation = c.id and m.author <> 'student' and m.seq > c.delivered_seq order by m.seq`,
};

/** Of many conversations at once. Not waited for on the disk: if it is lost with the machine, deliveries are repeated. */
const delivered: Statement = {
  name: 'delivered',
  text: `update conversations c set delivered_seq = d.seq, delivery_attempts = 0, delivery_parts = 0,
      delivery_unsure = not d.is_last,
      delivering_until = case when not d.is_last then now() + make_interval(secs => ${DELIVERY_LEASE}) end
    from unnest($1::text[], $2::integer[], $3::boolean[]) as d (id, seq, is_last)
    where c.id = d.id and c.delivered_seq < d.seq and set_config('synchronous_commit', 'off', true) is not null
    returning c.id, c.replied_seq > d.seq as has_more`,
};

/** Not waited for on the disk either: a part may be repeated then, and it is known that it may have come. */
const took: Statement = {
  name: 'took',
  text: `update conversations set delivery_parts = $2,
      delivering_until = now() + make_interval(secs => ${DELIVERY_LEASE})
    where id = $1 and is_pushed and delivered_seq < $3 and set_config('synchronous_commit', 'off', true) is not null`,
};

/** Unless another has delivered it since. */
const putOff: Statement = {
  name: 'put-off',
  text: `update conversations set delivering_until = now() + make_interval(secs => $2),
      delivery_attempts = delivery_attempts + 1, delivery_unsure = $3
    where id = $1 and is_pushed and delivered_seq < $4`,
};

const unfinished: Statement = {
  name: 'unfinished',
  text: `(
      select 'stalled' as kind, id as conversation from conversations
      where (waiting > 0 or turns = 0) and changed_at < now() - make_interval(secs => ${PATIENCE})
      order by changed_at limit 200
    ) union (
      select case state when 'open' then 'stalled' else 'unsettled' end, conversation from requests
      where state in ('open', 'unsettled') and due_at < now() order by due_at limit 200
    ) union (
      select 'undelivered', id from conversations
      where is_pushed and replied_seq > delivered_seq and (delivering_until is null or delivering_until < now())
        and changed_at < now() - make_interval(secs => ${PATIENCE})
      order by coalesce(delivering_until, changed_at) limit 200
    )`,
};

export function createPostgresStore(database: Database): ConversationStore {
  const one = async <Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row | undefined> =>
    (await database.run<Row>(statement, values))[0];

  const pendingOf = async (conversation: string): Promise<Pending | undefined> => {
    const row = await one<Row>(pending, [conversation]);
    return row && toPending(row);
  };

  /** One conversation is delivered to by one at a time, so no two marks of a batch are of the same. */
  const markDelivered = inBatches(async (marks: readonly { conversation: string; seq: number; isLast: boolean }[]) => {
    const rows = await database.run<{ id: string; has_more: boolean }>(delivered, [
      marks.map(({ conversation }) => conversation),
      marks.map(({ seq }) => seq),
      marks.map(({ isLast }) => isLast),
    ]);
    const more = new Set(rows.filter(({ has_more }) => has_more).map(({ id }) => id));
    return marks.map(({ conversation }) => more.has(conversation));
  });

  return {
    async open({ conversation, channel, isPushed, address = {}, account = null, isShared = false }) {
      await database.run(open, [conversation, channel, isPushed, address, account, isShared]);
      const made = await pendingOf(conversation);
      if (!made) throw new Error('A conversation was removed as it was opened');
      return made;
    },
    async accept({ conversation, channel, isPushed, address = {}, id, resendKey = null, text, at, ...place }) {
      try {
        const row = await one<Row & { seq: number }>(accept, [
          conversation,
          channel,
          isPushed,
          address,
          id,
          resendKey,
          place.button === undefined ? text : withButton(text, place.button),
          at,
          place.account ?? null,
          place.isShared ?? false,
        ]);
        if (!row) throw new Error('A message was not kept');
        const isPlain = row.waiting === 1 && row.open_requests === 0;
        return { seq: row.seq, isNew: true, pending: isPlain ? toPending(row) : undefined };
      } catch (mistake) {
        if (!isDuplicate(mistake)) throw mistake;
        const kept = await one<{ seq: number }>(first, [conversation, id, resendKey]);
        if (!kept) throw mistake;
        return { seq: kept.seq, isNew: false, pending: undefined };
      }
    },
    async unsay(conversation, id, instead) {
      await database.run(unsay, [conversation, id, instead]);
    },
    async leave(conversation) {
      await database.run(leave, [conversation]);
    },
    async note(conversation, { id, type, name, at }) {
      try {
        return (await one<{ seq: number }>(note, [conversation, id, { type, event: name }, at]))?.seq;
      } catch (mistake) {
        if (!isDuplicate(mistake)) throw mistake;
        return (await one<{ seq: number }>(first, [conversation, id, null]))?.seq;
      }
    },
    pending: pendingOf,
    async commit({ conversation, turns, at, kept, replies, answers = null, closes, requests, proved, ...step }) {
      const { erases, handing, lessons = [], tallies = [], counted = null } = step;
      const { saved, state, asked, suggests } = kept;
      const { wants, stops, says } = step.reminding ?? {};
      const isReminding = !erases && (wants ?? stops ?? says) !== undefined;
      const committed = one<Committed>(erases ? commitAndErase : isReminding ? commitAndRemind : commit, [
        conversation,
        turns,
        saved.version,
        JSON.stringify(saved.snapshot),
        state,
        asked.fact ?? null,
        asked.path ?? null,
        doorOf(asked.fact),
        suggests,
        replies.length,
        answers,
        closes?.id ?? null,
        closes?.as ?? null,
        JSON.stringify(replies),
        JSON.stringify(requests),
        closes?.as === 'challenged' ? closes.challenge : null,
        requests.length,
        at,
        proved?.person ?? null,
        proved?.provedAt ?? null,
        handing ? (handing.to === 'bot' ? 'bot' : handing.isNow ? 'queue' : null) : null,
        handing?.to === 'desk' ? JSON.stringify(handing.case) : null,
        handing?.to === 'bot' ? handing.outcome : null,
        handing?.to === 'bot' ? (handing.by ?? null) : null,
        JSON.stringify(lessons),
        JSON.stringify(tallies),
        counted,
        ...(erases ? [erases.person ?? null] : []),
        ...(isReminding ? [wants?.person ?? null, stops?.person ?? null, says ? JSON.stringify(says) : null] : []),
      ]);
      const row = await (says ? committed.catch(nothingIfDuplicate) : committed);
      if (!row) return undefined;
      const before = row.last_seq - replies.length + 1;
      const delivery = row.is_ours_to_deliver
        ? {
            address: row.address,
            ...NOT_TRIED,
            lastSeq: row.last_seq,
            answers: row.answered_seq,
            replies: replies.map((said, index) => ({ seq: before + index, said })),
          }
        : undefined;
      return { conversation, kept, ...nextOf(row), delivery };
    },
    async claimUnsettled(conversation) {
      const rows = await database.run<Claimed>(claimUnsettled, [conversation]);
      return rows.map(toOpenRequest).filter(isRevocation);
    },
    async postpone({ id, attempt }) {
      await database.run(postpone, [id, patienceAfter(attempt)]);
    },
    has: async (conversation) => (await one(has, [conversation])) !== undefined,
    log: async (conversation, after) => (await database.run<LogRow>(log, [conversation, after])).map(toLogged),
    async lengths(conversations) {
      const rows = await database.run<{ id: string; last_seq: number }>(lengths, [conversations]);
      return new Map(rows.map(({ id, last_seq }) => [id, last_seq]));
    },
    async claimDelivery(conversation) {
      const rows = await database.run<Undelivered>(claimDelivery, [conversation]);
      const replies = rows.map(({ seq, said }) => ({ seq, said: { ...saidOf(said), ...Signed.parse(said) } }));
      const [row] = rows;
      if (!row) return undefined;
      const { address, delivery_attempts, delivery_parts, was_unsure, last_seq, answers } = row;
      const tried = { attempts: delivery_attempts, taken: delivery_parts, isUnsure: was_unsure };
      return { address, ...tried, lastSeq: last_seq, answers, replies };
    },
    delivered: (conversation, seq, isLast) => markDelivered({ conversation, seq, isLast }),
    async took(conversation, seq, parts) {
      await database.run(took, [conversation, parts, seq]);
    },
    async putOff(conversation, seq, seconds, isUnsure) {
      await database.run(putOff, [conversation, seconds, isUnsure, seq]);
    },
    async unfinished() {
      const rows = await database.run<{ kind: string; conversation: string }>(unfinished, []);
      const of = (kind: string) => rows.filter((row) => row.kind === kind).map(({ conversation }) => conversation);
      return { stalled: of('stalled'), unsettled: of('unsettled'), undelivered: of('undelivered') };
    },
  };
}

/** Another has said it. */
function nothingIfDuplicate(mistake: unknown): undefined {
  if (!isDuplicate(mistake)) throw mistake;
}

const withButton = (text: Record<string, object>, button: number) =>
  Object.fromEntries(Object.entries(text).map(([door, masked]) => [door, { ...masked, button }]));

/** Does together what is asked for in the same moment. */
function inBatches<Item, Result>(work: (items: readonly Item[]) => Promise<Result[]>): (item: Item) => Promise<Result> {
  let batch: { items: Item[]; results: Promise<Result[]> } | undefined;
  return async (item) => {
    const current = (batch ??= (() => {
      const items: Item[] = [];
      const results = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        batch = undefined;
        return work(items);
      });
      return { items, results };
    })());
    const place = current.items.push(item) - 1;
    const results = await current.results;
    return results[place] as Result;
  };
}

type Undelivered = {
  address: object;
  delivery_attempts: number;
  delivery_parts: number;
  was_unsure: boolean;
  last_seq: number;
  answers: number;
  seq: number;
  said: unknown;
};
const NOT_TRIED = { attempts: 0, taken: 0, isUnsure: false };
type Claimed = { id: string; request: unknown; attempts: number };
type LogRow = {
  seq: number;
  author: 'student' | 'bot' | 'agent' | 'desk';
  kind: 'message' | 'event';
  id: string | null;
  said: unknown;
  at: Date;
  turn: number | null;
  answers: number | null;
};

/** What a question asks for, and the path it is asked on, are as this version of the dialogs wrote them, or unused. */
function toPending({ id, version, snapshot, state, asked_fact, asked_path, suggests, ...next }: Row): Pending {
  const asked = { fact: asked_fact ?? undefined, path: asked_path ?? undefined };
  return {
    conversation: id,
    kept:
      version === null
        ? undefined
        : { saved: { version, snapshot: snapshot as Kept['saved']['snapshot'] }, state, asked, suggests },
    ...nextOf(next),
    delivery: undefined,
  };
}

const nextOf = ({ turns, account, is_shared, message, requests, open_requests, ...whose }: Next) => ({
  turns,
  speaker: whose.speaker,
  agent: whose.agent === null ? undefined : AgentShape.parse(whose.agent),
  tendedSeq: whose.tended_seq,
  answeredSeq: whose.answered_seq,
  repliedSeq: whose.replied_seq,
  counted: whose.counted,
  account: account ?? undefined,
  isShared: is_shared,
  message: message ? toHeld(message) : undefined,
  requests: (requests ?? []).map(toOpenRequest),
  isBusy: open_requests > 0,
});

function toHeld(message: unknown): Held {
  const { seq, said } = Message.parse(message);
  return { seq, ...said };
}

const toOpenRequest = ({ id, request, attempts }: Claimed): OpenRequest => ({
  id,
  request: readRequest(request),
  attempt: attempts,
});

const isRevocation = (open: OpenRequest): open is OpenRequest<Revocation> => open.request.request === 'ledger.revoke';

/** What is left out when it is written is not there when it is read, either. */
function readRequest(written: unknown): Request {
  const request = AnyRequest.parse(written);
  if (request.request !== 'identity.verify') return request;
  const { code, ...verify } = request;
  return code === undefined ? verify : { ...verify, code };
}

function saidOf(written: unknown): Said {
  const { line, link, receipt, source, visits, clears, now, handoff, ...said } = SaidShape.parse(written);
  return {
    ...said,
    source,
    ...(line !== undefined && { line }),
    ...(receipt && { receipt }),
    ...(link && { link }),
    ...(visits && { visits }),
    ...(clears && { clears }),
    ...(handoff && { handoff }),
    ...(now && { now }),
  };
}

function toLogged({ seq, author, kind, id, said, at, turn, answers }: LogRow): Logged {
  const entry = { seq, at };
  if (author === 'bot') return { ...entry, author, said: saidOf(said), answers: answers ?? undefined, turn: turn ?? 0 };
  if (author === 'desk') return { ...entry, author, said: saidOf(said) };
  if (author === 'agent') {
    const { agent } = z.object({ agent: AgentShape }).parse(said);
    return { ...entry, author, id: id ?? '', said: saidOf(said), agent };
  }
  if (kind === 'event') {
    const { type, event: name } = Event.parse(said);
    return { ...entry, author, id: id ?? '', noted: { type, name } };
  }
  return { ...entry, author, id: id ?? '', text: Masked.parse(said).text };
}
