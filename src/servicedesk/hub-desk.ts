/**
 * The desk of a hub: humans who sit somewhere else, and tell over Direct Line
 * when they take a conversation over and when they hand it back.
 *
 * Whose it is, is told by the same row as for our own desk, and changes in the
 * statement that keeps what the hub has said of it. A hub sees to its agents
 * itself, so what it has accepted it has until it says otherwise.
 */
import { z } from 'zod';
import type { Content } from '../content.ts';
import type { Conversations, Return, Servicedesk } from '../conversations/conversations.ts';
import { AgentShape } from '../conversations/postgres-store.ts';
import type { Agent, Handoff, Said } from '../conversations/store.ts';
import { maskForAny } from '../masking.ts';
import { type Database, isDuplicate, type Statement } from '../storage/database.ts';
import type { HandBack } from './hand-back.ts';

/** What a hub tells. The same `key` in one conversation is the same thing, told again. */
export type FromHub = { key: string } & (
  | { type: 'accepted'; agent: { id?: string | undefined; name?: string | undefined }; message?: string }
  | { type: 'failed'; message?: string }
  | { type: 'completed'; message?: string; handBack?: HandBack }
  | { type: 'initiate'; handBack: HandBack }
  | { type: 'message'; text: string }
);

/** The hub is the one that began the conversation: whoever asks has seen to that. */
export type AtHub = { hub: string; conversation: string };

export type HubDesk = {
  /** Where it stands in the log. Nothing, if it cannot be so now: then nothing has changed. */
  hear: (at: AtHub, told: FromHub) => Promise<number | undefined>;
  /** Tells the hub, as an event, that what it wanted to hand over was not taken, and why. */
  refuse: (at: AtHub, message: string) => Promise<void>;
};

/** Our own desk, and those of these hubs for the conversations that they began. When a hub is open is its own to say. */
export function servicedeskWith(
  own: Servicedesk | undefined,
  hubs: readonly string[],
  hubOf: (conversation: string) => string | undefined,
): Servicedesk | undefined {
  if (hubs.length === 0) return own;
  const deskHubOf = (conversation: string) => {
    const hub = hubOf(conversation);
    return hub !== undefined && hubs.includes(hub) ? hub : undefined;
  };
  return {
    at: (time, conversation) =>
      deskHubOf(conversation) === undefined ? own?.at(time, conversation) : { isOpen: true, next: undefined },
    deskOf: deskHubOf,
  };
}

const whose: Statement = {
  name: 'hub-desk-whose',
  text: `select c.speaker, c.agent, k.desk from conversations c left join cases k on k.id = c.open_case
    where c.id = $1`,
};

const place: Statement = {
  name: 'hub-desk-place',
  text: 'select seq from messages where conversation = $1 and id = $2',
};

/** Of a conversation’s row: its case is this hub’s, and so is its agent. */
const IS_HUBS = (hub: string) => `exists (select from cases k where k.id = open_case and k.desk = ${hub})`;
const HAS_AGENT_OF = (hub: string) =>
  `(speaker = 'agent' and starts_with(agent ->> 'id', 'hub:' || ${hub}::text || '/') and ${IS_HUBS(hub)})`;

/** Also from one of the hub’s agents to another. */
const accept: Statement = {
  name: 'hub-desk-accept',
  text: `with c as (
      update conversations set
        speaker = 'agent', agent = $3, lease_until = 'infinity', turns = turns + 1, changed_at = now(),
        last_seq = last_seq + 2, replied_seq = last_seq + 2
      where id = $1 and ${IS_HUBS('$2')}
        and (speaker = 'queue' or (${HAS_AGENT_OF('$2')} and agent ->> 'id' <> $3::jsonb ->> 'id'))
      returning id, last_seq
    ), heard as (
      insert into messages (conversation, seq, author, kind, id, said, at)
      select id, last_seq - 1, 'desk', 'message', $4, $5, $7 from c
    ), noticed as (
      insert into messages (conversation, seq, author, kind, said, at)
      select id, last_seq, 'desk', 'message', $6, $7 from c
    )
    select id from c`,
};

const say: Statement = {
  name: 'hub-desk-say',
  text: `with c as (
      update conversations set
        turns = turns + 1, changed_at = now(), last_seq = last_seq + 1, replied_seq = last_seq + 1,
        tended_seq = last_seq
      where id = $1 and ${HAS_AGENT_OF('$2')}
      returning id, last_seq, agent
    ), said as (
      insert into messages (conversation, seq, author, kind, id, said, at)
      select id, last_seq, 'agent', 'message', $3, $4::jsonb || jsonb_build_object('agent', agent), $5 from c
    )
    select id from c`,
};

const tell: Statement = {
  name: 'hub-desk-tell',
  text: `with c as (
      update conversations set last_seq = last_seq + 1, replied_seq = last_seq + 1 where id = $1
      returning id, last_seq, turns
    ), told as (
      insert into messages (conversation, seq, author, kind, said, at, turn)
      select id, last_seq, 'bot', 'message', $2, $3, turns from c
    )
    select id from c`,
};

const Row = z.object({
  speaker: z.enum(['bot', 'queue', 'agent']),
  agent: AgentShape.nullable(),
  desk: z.string().nullable(),
});

export type HubDeskWorld = { database: Database; conversations: Conversations; content: Content; now: () => Date };

export function createHubDesk({ database, conversations, content, now }: HubDeskWorld): HubDesk {
  const masked = (text: string): string => maskForAny(text, content.masked).open.text;

  const placeOf = async ({ conversation }: AtHub, key: string): Promise<number | undefined> =>
    (await database.run<{ seq: number }>(place, [conversation, key]))[0]?.seq;

  const run = async (statement: Statement, values: readonly unknown[]): Promise<void> => {
    const changed = await database.run<{ id: string }>(statement, values);
    await Promise.all(changed.map(({ id }) => conversations.changed(id)));
  };

  /** By the agent who has it, or from the queue, if either is the hub’s. */
  const bringBack = async ({ hub, conversation }: AtHub, outcome: string, from: From, onto: Return): Promise<void> => {
    const [found] = (await database.run(whose, [conversation])).map((row) => Row.parse(row));
    if (!found) return;
    const { speaker, agent, desk } = found;
    if (speaker === 'bot') {
      if (from === 'anywhere')
        await conversations.comeBack(conversation, undefined, outcome, { ...onto, isBeginning: true });
      return;
    }
    if (desk !== hub || (speaker === 'queue' && from === 'agent')) return;
    await conversations.comeBack(conversation, agent?.id, outcome, onto);
  };

  const take = async (at: AtHub, told: FromHub): Promise<void> => {
    switch (told.type) {
      case 'accepted': {
        const { id = '', name } = told.agent;
        const agent: Agent = { id: `hub:${at.hub}/${id}`, name: name ?? content.label('desk/agent') };
        const notice = content.label('desk/claimed', { agent: agent.name });
        const heard = eventOf(kept(told));
        await run(accept, [
          at.conversation,
          at.hub,
          agent,
          told.key,
          heard,
          { ...saying(notice), now: { speaker: 'agent', name: agent.name } },
          now(),
        ]);
        return;
      }
      case 'failed':
        await bringBack(at, 'failed', 'desk', { isUnanswered: true, handoff: kept(told) });
        return;
      case 'completed': {
        const { path, known } = told.handBack ?? {};
        const onto: Return = told.handBack ? { path, known } : { isClosed: true };
        await bringBack(at, told.handBack ? 'handedBack' : 'resolved', 'agent', { ...onto, handoff: kept(told) });
        return;
      }
      case 'initiate': {
        const { path, known } = told.handBack;
        await bringBack(at, 'handedBack', 'anywhere', { path, known, handoff: kept(told) });
        return;
      }
      case 'message':
        await run(say, [at.conversation, at.hub, told.key, saying(masked(told.text)), now()]);
    }
  };

  /** What a hub has told, as it is kept: of free text, what passes the door. */
  const kept = (told: Exclude<FromHub, { type: 'message' }>): Handoff => {
    const { key } = told;
    const handBack = 'handBack' in told && told.handBack;
    const payload = handBack && {
      ...handBack,
      ...(handBack.reason !== undefined && { reason: masked(handBack.reason) }),
    };
    if (told.type === 'initiate') return { name: 'handoff.initiate', key, value: { ...payload } };
    const { type: state, message } = told;
    const value = {
      state,
      ...(message !== undefined && { message: masked(message) }),
      ...(payload && { handBack: payload }),
    };
    return { name: 'handoff.status', key, value };
  };

  return {
    async hear(at, told) {
      const before = await placeOf(at, told.key);
      if (before !== undefined) return before;
      try {
        await take(at, told);
      } catch (mistake) {
        // The same came twice at once.
        if (!isDuplicate(mistake)) throw mistake;
      }
      return placeOf(at, told.key);
    },
    async refuse({ conversation }, message) {
      const failed = eventOf({ name: 'handoff.status', value: { state: 'failed', message } });
      await run(tell, [conversation, failed, now()]);
    },
  };
}

/** Whose word is enough to bring it back: an agent’s, whoever’s at the desk, or the hub’s before anything has begun. */
type From = 'agent' | 'desk' | 'anywhere';

const saying = (text: string): Said => ({ text, cites: [], suggests: [], source: undefined });
const eventOf = (handoff: Handoff): Said => ({ ...saying(''), handoff });
