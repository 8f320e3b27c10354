/** What a process that dies leaves behind, and how another goes on from it. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { type Conversations, createConversations } from '../../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import type { ConversationStore, Step } from '../../../src/conversations/store.ts';
import { inCondition, withDeadline } from '../../../src/ledger/faults.ts';
import { maskForAny } from '../../../src/masking.ts';
import { databaseUrl } from '../../database/database.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import {
  conversationsOf,
  database,
  deliveringWith,
  demonstrationLedger,
  personOf,
  placeOf,
  say,
  worldOf,
} from './world.ts';

const store = createPostgresStore(database);
const newId = () => `test/${randomUUID()}`;

/** Kills the process that has this store: nothing it asks for from then on is done. */
function dying(when: (step: Step) => 'before' | 'after' | undefined): ConversationStore {
  let isDead = false;
  const unlessDead = <Result>(work: () => Promise<Result>): Promise<Result> =>
    isDead ? new Promise(() => undefined) : work();
  return {
    ...store,
    pending: (id) => unlessDead(() => store.pending(id)),
    accept: (message) => unlessDead(() => store.accept(message)),
    async commit(step) {
      const death = isDead ? 'before' : when(step);
      if (death === 'before') isDead = true;
      const after = await unlessDead(() => store.commit(step));
      if (death === 'after') isDead = true;
      return unlessDead(() => Promise.resolve(after));
    },
  };
}

/** As if everything had been left for an hour. Only what somebody else could be at by then is left to them. */
async function anHourLater(id: string): Promise<void> {
  const later = [
    ['age-conversation', "update conversations set changed_at = changed_at - interval '1 hour' where id = $1"],
    ['age-requests', "update requests set due_at = due_at - interval '1 hour' where conversation = $1"],
  ];
  for (const [name = '', text = ''] of later) await database.run({ name, text }, [id]);
}

const answersIn = async (conversations: Conversations, id: string) =>
  (await conversations.log(id, 0)).flatMap((entry) =>
    entry.author === 'bot' && entry.answers !== undefined ? [`${entry.answers} in ${entry.turn}`] : [],
  );

describe('a message whose process died', () => {
  it.each(['before', 'after'] as const)('%s the commit is answered once, by another', async (moment) => {
    const id = newId();
    const first = conversationsOf(dying((step) => (step.answers === undefined ? undefined : moment)));
    await first.open(placeOf(id));
    const { seq } = await first.accept({ ...placeOf(id), id: 'm-1', text: 'jag har slagit fel kod tre gånger' });
    if (moment === 'after') await waitUntil(async () => (await answersIn(first, id)).length > 0);

    const second = conversationsOf(store);
    await anHourLater(id);
    await second.resume();
    expect(new Set(await answersIn(second, id))).toEqual(new Set([`${seq} in 2`]));
    expect((await say(second, id, 'nej')).state).toBe('pin-trouble/needsCodeLetter');
  });

  it('is answered in its turn by whoever is written to next', async () => {
    const id = newId();
    const first = conversationsOf(dying((step) => (step.answers === undefined ? undefined : 'before')));
    await first.open(placeOf(id));
    await first.accept({ ...placeOf(id), id: 'm-1', text: 'jag har slagit fel kod tre gånger' });
    const second = conversationsOf(store);
    expect((await say(second, id, 'nej')).state).toBe('pin-trouble/needsCodeLetter');
    expect(new Set(await answersIn(second, id))).toEqual(new Set(['3 in 2', '4 in 3']));
  });

  it('is left alone while its process may be at it', async () => {
    const id = newId();
    const first = conversationsOf(dying((step) => (step.answers === undefined ? undefined : 'before')));
    await first.open(placeOf(id));
    await first.accept({ ...placeOf(id), id: 'm-1', text: 'hej' });
    const second = conversationsOf(store);
    await second.resume();
    expect(await answersIn(second, id)).toEqual([]);
  });

  it('may be the very first: the student is welcomed, once', async () => {
    const id = newId();
    const first = conversationsOf(dying(() => 'before'));
    await first.accept({ ...placeOf(id), id: 'm-1', text: 'hej' });
    const second = conversationsOf(store);
    await anHourLater(id);
    await second.resume();
    const [, ...said] = await second.log(id, 0);
    expect(said.map((entry) => entry.author === 'bot' && entry.answers)).toEqual([undefined, undefined, 1]);
  });
});

describe('a revocation whose process died', () => {
  const asked = async (id: string, ledger: Ledger) => {
    const before = conversationsOf(store, { ledger });
    await before.open(placeOf(id), personOf('active'));
    await say(before, id, 'någon har snott kortet');
  };

  it('before it was sent is sent by another, once, and the receipt told', async () => {
    const id = newId();
    const ledger = counting(demonstrationLedger(), id);
    await asked(id, ledger);
    const first = conversationsOf(
      dying((step) => (step.requests.length > 0 ? 'after' : undefined)),
      { ledger },
    );
    await first.accept({ ...placeOf(id), id: 'yes', text: 'ja' });
    await waitUntil(() => isOpen(id));

    const second = conversationsOf(store, { ledger });
    await anHourLater(id);
    await second.resume();
    expect(ledger.revocations()).toBe(1);
    expect((await say(second, id, 'hej')).state).toBe('lost-card/revoked');
    expect(await receiptsIn(second, id)).toHaveLength(1);
  });

  it('after it was sent is asked about under the same reference, and never denied', async () => {
    const [id, ledger] = [newId(), demonstrationLedger()];
    await asked(id, ledger);
    const first = conversationsOf(
      dying((step) => (step.closes && step.requests.length === 0 ? 'before' : undefined)),
      {
        ledger,
      },
    );
    await first.accept({ ...placeOf(id), id: 'yes', text: 'ja' });
    await waitUntil(() => isOpen(id));

    await anHourLater(id);
    await conversationsOf(store, { ledger: inCondition(ledger, 'down', 50) }).resume();
    const second = conversationsOf(store, { ledger });
    expect((await say(second, id, 'hej')).state).toBe('lost-card/uncertain');
    await anHourLater(id);
    await second.resume();
    await waitUntil(async () => (await receiptsIn(second, id)).length > 0);
    expect((await say(second, id, 'hej')).state).toBe('lost-card/revoked');
    expect(await receiptsIn(second, id)).toHaveLength(1);
  });

  it('keeps what is written meanwhile waiting, in order', async () => {
    const [id, ledger] = [newId(), demonstrationLedger()];
    await asked(id, ledger);
    const first = conversationsOf(
      dying((step) => (step.requests.length > 0 ? 'after' : undefined)),
      { ledger },
    );
    await first.accept({ ...placeOf(id), id: 'yes', text: 'ja' });
    await waitUntil(() => isOpen(id));
    const second = conversationsOf(store, { ledger });
    await say(second, id, 'duger körkort?');
    expect((await store.pending(id))?.message).toMatchObject({ text: 'duger körkort?' });
    await anHourLater(id);
    await second.resume();
    const said = (await second.log(id, 0)).flatMap((entry) => (entry.author === 'bot' ? entry.said.cites : []));
    expect(said.lastIndexOf('R11')).toBeLessThan(said.indexOf('R37'));
  });
});

describe('a revocation without an answer', () => {
  it('is asked about ever less often while there is none', async () => {
    const id = newId();
    const silent = withDeadline({ ...demonstrationLedger(), revoke: () => new Promise(() => undefined) }, 20);
    const conversations = conversationsOf(store, { ledger: silent });
    await conversations.open(placeOf(id), personOf('active'));
    await say(conversations, id, 'någon har snott kortet');
    expect((await say(conversations, id, 'ja')).state).toBe('lost-card/uncertain');
    expect((await conversations.settle(id)).requests).toHaveLength(1);
    expect((await conversations.settle(id)).requests).toEqual([]);
    await anHourLater(id);
    expect((await conversations.settle(id)).requests).toHaveLength(1);
  });
});

describe('a message that comes while the ledger is asked', () => {
  it('waits, also when it was on its way as the request was made', async () => {
    const id = newId();
    const held = await connect();
    await say(conversationsOf(store), id, 'hej');
    await held.query('begin');
    await held.query(`update conversations set open_requests = 1 where id = $1`, [id]);
    const accepting = store.accept({ ...placeOf(id), id: 'm', text: maskForAny('hej', '…'), at: new Date() });
    await waitUntil(async () => (await database.run(BLOCKED, [])).length > 0);
    await held.query('commit');
    await held.end();
    expect(await accepting).toMatchObject({ isNew: true, pending: undefined });
    expect(await store.pending(id)).toMatchObject({ isBusy: true, message: { text: 'hej' } });
  });
});

describe('a message that is about to be answered', () => {
  it('waits, when another process has asked the ledger meanwhile', async () => {
    const id = newId();
    const proving = { way: 'known', person: personOf('active') } as const;
    const silent = { ...demonstrationLedger(), findCards: () => new Promise<never>(() => undefined) };
    const other = conversationsOf(store, { proving, ledger: silent });
    const lost = { ...placeOf(id), id: 'm-1', text: 'någon har snott kortet' };
    await other.open(placeOf(id));
    const isAsking = async () => (await store.pending(id))?.isBusy ?? false;
    const late = conversationsOf(
      {
        ...store,
        async commit(step) {
          if (!(await isAsking())) void other.accept(lost);
          await waitUntil(async () => (await isAsking()) && (await store.log(id, 0)).length > 4);
          return store.commit(step);
        },
      },
      { proving },
    );
    const first = await late.accept(lost);
    const second = await late.accept({ ...placeOf(id), id: 'm-2', text: 'duger körkort?' });
    await Promise.all([first.answered, second.answered]);
    expect(await store.pending(id)).toMatchObject({ isBusy: true, message: { text: 'duger körkort?' } });
  });
});

describe('two processes at one conversation', () => {
  it('answer every message once and in order, whoever gets it', async () => {
    const id = newId();
    const processes = [conversationsOf(store), conversationsOf(store), conversationsOf(store)];
    const texts = Array.from({ length: 30 }, (_, index) => ['hej', 'duger körkort?', 'nej', 'asdf'][index % 4] ?? '');
    await Promise.all(
      texts.map(async (text, index) => {
        const message = { ...placeOf(id), id: `m-${index}`, text };
        const sent = await Promise.all(processes.map((each) => each.accept(message)));
        await Promise.all(sent.map(({ answered }) => answered));
      }),
    );
    const log = await store.log(id, 0);
    const messages = log.flatMap((entry) => (entry.author === 'student' ? [entry.seq] : []));
    const turns = log.flatMap((entry) =>
      entry.author === 'bot' && entry.answers !== undefined ? [{ answers: entry.answers, turn: entry.turn }] : [],
    );
    const answered = [...new Map(turns.map(({ turn, answers }) => [turn, answers])).values()];
    expect(answered).toEqual(messages);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  });

  it('deliver each reply once, in order, and take over from one that is gone', async () => {
    const id = newId();
    const [one, other] = [createConversations(worldOf(store)), createConversations(worldOf(store))];
    deliveringWith(one, () => new Promise(() => undefined));
    const delivered: string[] = [];
    const deliver = deliveringWith(other, (_to, { text }) => {
      delivered.push(text);
      return Promise.resolve(undefined);
    });
    await one.open({ ...placeOf(id), isPushed: true });
    await say(other, id, 'jag har slagit fel kod tre gånger', 'm-1');
    await deliver(id);
    expect(delivered).toEqual([]);
    await database.run(
      {
        name: 'age-delivery',
        text: "update conversations set delivering_until = now() - interval '1 s' where id = $1",
      },
      [id],
    );
    await deliver(id);
    const texts = (await store.log(id, 0)).flatMap((entry) => (entry.author === 'bot' ? [entry.said.text] : []));
    expect(delivered).toEqual(texts);
  });
});

const BLOCKED = {
  name: 'blocked',
  text: "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
};

async function connect(): Promise<Client> {
  const client = new Client(databaseUrl());
  await client.connect();
  return client;
}

async function isOpen(id: string): Promise<boolean> {
  const rows = await database.run(
    {
      name: 'open-revocations',
      text: "select from requests where conversation = $1 and state = 'open' and request ->> 'request' = 'ledger.revoke'",
    },
    [id],
  );
  return rows.length > 0;
}

async function receiptsIn(conversations: Conversations, id: string): Promise<string[]> {
  const texts = (await conversations.log(id, 0)).flatMap((entry) => (entry.author === 'bot' ? [entry.said.text] : []));
  return [...new Set(texts.flatMap((text) => /S-[0-9A-F]{4}-[0-9A-F]{4}/.exec(text)?.[0] ?? []))];
}

/** Of one conversation: whoever goes on with what was left, does it for all of them. */
function counting(ledger: Ledger, conversation: string): Ledger & { revocations: () => number } {
  let count = 0;
  return {
    ...ledger,
    revoke(revocation) {
      if (revocation.reference.startsWith(conversation)) count++;
      return ledger.revoke(revocation);
    },
    revocations: () => count,
  };
}

/** Asks until it is so; the test's own time limit is the end of it. */
async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}
