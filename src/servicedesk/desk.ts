/**
 * The servicedesk: what waits for a human there, whose it is, and how it goes
 * back to the bot.
 *
 * Who answers a conversation is written in its own row: the bot, the queue, or
 * one agent for as long as their lease lasts. It changes in the statement that
 * keeps what is said of it, so nobody can speak where another does. An agent
 * who is not seen for a while loses the lease, and the case waits again.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Content } from '../content.ts';
import type { Conversations } from '../conversations/conversations.ts';
import { AgentShape, IS_THEIRS } from '../conversations/postgres-store.ts';
import type { Agent, Logged, Place, Reason, SpeaksNow } from '../conversations/store.ts';
import { maskForAny } from '../masking.ts';
import { type Database, isDuplicate, type Statement } from '../storage/database.ts';
import type { Saved } from '../turn.ts';
import { type Brief, briefOf, PROTECTED } from './brief.ts';
import type { HandBack } from './hand-back.ts';

export type { Agent, Reason };

/** A case that is kept is one from when the desk was closed: the bot goes on answering until an agent takes it. */
export type CaseInQueue = {
  id: string;
  conversation: string;
  reason: Reason;
  /** The path that the student was on, if it may be told. */
  path: string | undefined;
  waitingSince: Date;
  state: 'kept' | 'waiting' | 'claimed';
  agent: Agent | undefined;
  /** Messages of the student’s that no human has answered. */
  unanswered: number;
};

export type CaseFile = CaseInQueue & { isYours: boolean; brief: Brief; log: Logged[] };

export type Outcome = 'resolved' | 'referred' | 'unreachable';

export type Desk = {
  /** Everything that is open, the longest wait first. */
  queue: () => Promise<CaseInQueue[]>;
  /** One case whole, or nothing if it is closed or was never there. Read by any agent. */
  file: (id: string, agent: Agent) => Promise<CaseFile | undefined>;
  /** The first one wins. `busy`: the bot waits for the ledger; try again. */
  claim: (id: string, agent: Agent) => Promise<'claimed' | 'taken' | 'gone' | 'busy'>;
  /** The agent is seen: every lease of theirs lasts from now. */
  renew: (agent: Agent) => Promise<void>;
  /** `key` is the message’s own, and the same again is the same message. `seen` is the last entry of the log they had. */
  say: (
    id: string,
    agent: Agent,
    message: { key: string; text: string; seen: number; cites?: string[] },
  ) => Promise<'said' | 'notYours'>;
  /** Back to the queue, for another to take. */
  release: (id: string, agent: Agent) => Promise<'released' | 'notYours'>;
  handBack: (id: string, agent: Agent, onto: Omit<HandBack, 'agent'>) => Promise<'handedBack' | 'notYours'>;
  close: (id: string, agent: Agent, outcome: Outcome) => Promise<'closed' | 'notYours'>;
  /** A conversation for a student who has phoned: the agent's own from the start. */
  openFor: (agent: Agent, place: Place) => Promise<{ id: string }>;
  /** Gives back to the queue what nobody has been seen at. */
  lapse: () => Promise<void>;
  /** Tells, from now on, of conversations that may not be what they were. */
  subscribe: (hear: (conversation: string) => void) => () => void;
  /** Other processes' turns: this conversation may have changed. */
  refresh: (conversation: string) => void;
};

/** As a case is named in an address. */
export const CaseId = z.string().regex(/^[\w-]{1,64}$/);

/** How long an agent who is not seen has a case, in seconds. */
export const LEASE = 60;

/** The longest an agent may write, in characters. */
export const LONGEST_ANSWER = 4_000;

const LASTS = `now() + make_interval(secs => ${LEASE})`;

/** Of a case `k` and its conversation `c`, what the queue shows. */
const SHOWN = `k.id, k.reason, k.waiting_since, c.id as conversation, c.state,
  case when c.speaker = 'agent' and c.lease_until > now() then c.agent end as agent,
  c.speaker = 'bot' as is_kept,
  case when c.speaker = 'bot' then 0 else (
    select count(*)::integer from messages m
    where m.conversation = c.id and m.author = 'student' and m.kind = 'message' and m.seq > c.tended_seq
  ) end as unanswered`;

const queue: Statement = {
  name: 'desk-queue',
  text: `select ${SHOWN} from cases k join conversations c on c.open_case = k.id
    where k.desk = 'own' order by k.waiting_since, k.id`,
};

const one: Statement = {
  name: 'desk-case',
  text: `select ${SHOWN}, c.version, c.snapshot from cases k join conversations c on c.open_case = k.id
    where k.desk = 'own' and k.id = $1`,
};

/** Adds one entry to the log of a conversation, and changes whose it is, in the one row that tells. */
const claim: Statement = {
  name: 'desk-claim',
  text: `with c as (
      update conversations set
        speaker = 'agent', agent = $2, lease_until = ${LASTS}, turns = turns + 1, changed_at = now(),
        last_seq = last_seq + 1, replied_seq = last_seq + 1,
        tended_seq = case when speaker = 'bot' then answered_seq else tended_seq end
      where open_case = $1 and (
        speaker = 'queue' or (speaker = 'bot' and open_requests = 0) or (speaker = 'agent' and lease_until <= now())
      ) and exists (select from cases k where k.id = $1 and k.desk = 'own')
      returning id, last_seq
    ), noticed as (
      insert into messages (conversation, seq, author, kind, said, at)
      select id, last_seq, 'desk', 'message', $3, $4 from c
    )
    select id from c`,
};

const whose: Statement = {
  name: 'desk-whose',
  text: `select c.id, c.speaker, c.agent from conversations c join cases k on k.id = c.open_case
    where c.open_case = $1 and k.desk = 'own'`,
};

const renew: Statement = {
  name: 'desk-renew',
  text: `update conversations set lease_until = ${LASTS} where ${IS_THEIRS('$1')}`,
};

const say: Statement = {
  name: 'desk-say',
  text: `with c as (
      update conversations set
        lease_until = ${LASTS}, turns = turns + 1, changed_at = now(), last_seq = last_seq + 1,
        replied_seq = last_seq + 1, tended_seq = greatest(tended_seq, least($3::integer, last_seq))
      where open_case = $1 and ${IS_THEIRS('$2')}
      returning id, last_seq
    ), said as (
      insert into messages (conversation, seq, author, kind, id, said, at)
      select id, last_seq, 'agent', 'message', $4, $5, $6 from c
    )
    select id from c`,
};

const wasSaid: Statement = {
  name: 'desk-was-said',
  text: `select from messages m join cases k on k.conversation = m.conversation
    where k.id = $1 and m.author = 'agent' and m.id = $2`,
};

/** Back to the queue: one case, or, of those whose agent has not been seen, all. */
const backToQueue = (name: string, which: string): Statement => ({
  name,
  text: `with c as (
      update conversations set
        speaker = 'queue', agent = null, lease_until = null, turns = turns + 1, changed_at = now(),
        last_seq = last_seq + 1, replied_seq = last_seq + 1
      where ${which}
      returning id, last_seq, open_case
    ), noticed as (
      insert into messages (conversation, seq, author, kind, said, at)
      select id, last_seq, 'desk', 'message', $1, $2 from c
    ), waiting as (
      update cases k set waiting_since = $2 from c where k.id = c.open_case
    )
    select id from c`,
});

const release = backToQueue('desk-release', `open_case = $3 and ${IS_THEIRS('$4')}`);
const lapse = backToQueue('desk-lapse', `speaker = 'agent' and lease_until <= now()`);

const openCase: Statement = {
  name: 'desk-open',
  text: `with c as (
      update conversations set
        open_case = $2, speaker = 'agent', agent = $3, lease_until = ${LASTS}, turns = turns + 1, changed_at = now(),
        last_seq = last_seq + 1, replied_seq = last_seq + 1, tended_seq = answered_seq
      where id = $1 and open_case is null
      returning id, last_seq
    ), opened as (
      insert into cases (id, conversation, reason, opened_at, waiting_since, began_seq)
      select $2, id, 'opened', $5, $5, last_seq from c
    ), noticed as (
      insert into messages (conversation, seq, author, kind, said, at)
      select id, last_seq, 'desk', 'message', $4, $5 from c
    )
    select id from c`,
};

const Row = z.object({
  id: z.string(),
  reason: z.enum(['asked', 'notUnderstood', 'outcome', 'opened']),
  waiting_since: z.date(),
  conversation: z.string(),
  state: z.string().nullable(),
  agent: AgentShape.nullable(),
  is_kept: z.boolean(),
  unanswered: z.number(),
});
type Row = z.infer<typeof Row>;
type WholeRow = Row & { version: number | null; snapshot: unknown };

export type DeskWorld = {
  database: Database;
  conversations: Conversations;
  content: Content;
  now: () => Date;
};

export function createDesk({ database, conversations, content, now }: DeskWorld): Desk {
  const hearers = new Set<(conversation: string) => void>();
  const refresh = (conversation: string) => {
    for (const hear of hearers) hear(conversation);
  };
  conversations.subscribe(refresh);

  const notice = (name: string, now: SpeaksNow, agent = '') => ({
    now,
    text: content.label(name, { agent }),
    cites: [],
    suggests: [],
  });

  const run = async (statement: Statement, values: readonly unknown[]): Promise<string[]> => {
    const rows = await database.run<{ id: string }>(statement, values);
    const changed = rows.map(({ id }) => id);
    await Promise.all(changed.map(conversations.changed));
    return changed;
  };

  const whoHas = async (id: string) =>
    (await database.run<{ id: string; speaker: string; agent: unknown }>(whose, [id]))[0];

  const comeBack = async (
    id: string,
    agent: Agent,
    outcome: string,
    onto: Parameters<Conversations['comeBack']>[3],
  ) => {
    const found = await whoHas(id);
    const back = found && (await conversations.comeBack(found.id, agent.id, outcome, onto));
    return back !== undefined;
  };

  return {
    async queue() {
      const rows = await database.run(queue, []);
      return rows.map((row) => inQueue(Row.parse(row)));
    },
    async file(id, agent) {
      const [row] = await database.run<WholeRow>(one, [id]);
      if (!row) return undefined;
      const { version, snapshot, ...shown } = row;
      const log = await conversations.log(row.conversation, 0);
      const saved = version === null ? undefined : { version, snapshot: snapshot as Saved['snapshot'] };
      const isYours = shown.agent !== null && AgentShape.parse(shown.agent).id === agent.id;
      return { ...inQueue(Row.parse(shown)), isYours, brief: briefOf(saved, shown.state, log), log };
    },
    async claim(id, agent) {
      const at = now();
      if ((await run(claim, [id, agent, notice('desk/claimed', theirs(agent), agent.name), at])).length > 0)
        return 'claimed';
      const found = await whoHas(id);
      if (!found) return 'gone';
      if (found.speaker !== 'agent') return 'busy';
      return AgentShape.parse(found.agent).id === agent.id ? 'claimed' : 'taken';
    },
    async renew({ id }) {
      await database.run(renew, [id]);
    },
    async say(id, agent, { key, text, seen, cites = [] }) {
      const { open } = maskForAny(text, content.masked);
      const said = { text: open.text, cites, suggests: [], agent };
      const name = `${agent.id} ${key}`;
      try {
        if ((await run(say, [id, agent.id, seen, name, said, now()])).length > 0) return 'said';
        // It may have been said while the case was theirs, and only the answer was lost.
        return (await database.run(wasSaid, [id, name])).length > 0 ? 'said' : 'notYours';
      } catch (mistake) {
        if (isDuplicate(mistake)) return 'said';
        throw mistake;
      }
    },
    async release(id, agent) {
      const released = await run(release, [
        notice('desk/released', { speaker: 'queue' }, agent.name),
        now(),
        id,
        agent.id,
      ]);
      return released.length > 0 ? 'released' : 'notYours';
    },
    async handBack(id, agent, { path, known }) {
      return (await comeBack(id, agent, 'handedBack', { path, known })) ? 'handedBack' : 'notYours';
    },
    async close(id, agent, outcome) {
      return (await comeBack(id, agent, outcome, { isClosed: true })) ? 'closed' : 'notYours';
    },
    async openFor(agent, place) {
      await conversations.open(place);
      const id = randomBytes(12).toString('base64url');
      const opened = await run(openCase, [
        place.conversation,
        id,
        agent,
        notice('desk/opened', theirs(agent), agent.name),
        now(),
      ]);
      if (opened.length === 0) throw new Error('A conversation that was just begun has a case already');
      return { id };
    },
    async lapse() {
      await run(lapse, [notice('desk/lapsed', { speaker: 'queue' }), now()]);
    },
    subscribe(hear) {
      hearers.add(hear);
      return () => hearers.delete(hear);
    },
    refresh,
  };
}

const theirs = ({ name }: Agent): SpeaksNow => ({ speaker: 'agent', name });

function inQueue({ id, reason, waiting_since, conversation, state, agent, is_kept, unanswered }: Row): CaseInQueue {
  const [path] = (state ?? '').split('/');
  return {
    id,
    conversation,
    reason,
    path: path === '' || path === 'conversation' || path === PROTECTED ? undefined : path,
    waitingSince: waiting_since,
    state: is_kept ? 'kept' : agent ? 'claimed' : 'waiting',
    agent: agent ?? undefined,
    unanswered,
  };
}
