/** Whose a conversation of a hub’s is, whatever its agents, ours and the student do at once. */
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { hubOf } from '../../../src/channels/direct-line/direct-line.ts';
import { createConversations } from '../../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import { createDesk } from '../../../src/servicedesk/desk.ts';
import { createHubDesk, type FromHub, servicedeskWith } from '../../../src/servicedesk/hub-desk.ts';
import { content } from '../../product.ts';
import { database, now, placeOf, say, worldOf } from '../conversations/world.ts';

const store = createPostgresStore(database);
const own = { at: () => ({ isOpen: false, next: undefined }) };
const hub = 'skolan';
const [anna, bo] = [
  { id: 'anna', name: 'Anna' },
  { id: 'bo', name: 'Bo' },
];

const newKey = () => `hub\t${randomUUID()}`;
const accepted = (agent: { id?: string; name?: string } = anna, key = newKey()): FromHub => ({
  type: 'accepted',
  key,
  agent,
});
const completed = (key = newKey()): FromHub => ({ type: 'completed', key, handBack: { agent: 'anna' } });

function parts() {
  const world = worldOf(store, { servicedesk: servicedeskWith(own, [hub], hubOf) });
  const conversations = createConversations(world);
  const both = { database, conversations, content, now };
  return { conversations, desk: createDesk(both), hubDesk: createHubDesk(both), mistakes: world.mistakes };
}

/** A conversation of the hub’s in which a human was asked for. */
async function waiting() {
  const world = parts();
  const conversation = `web/hub-${hub}-${randomBytes(18).toString('base64url')}`;
  await world.conversations.open(placeOf(conversation));
  await say(world.conversations, conversation, 'jag vill prata med en människa');
  const tell = (told: FromHub) => world.hubDesk.hear({ hub, conversation }, told);
  return { ...world, conversation, tell };
}

async function rowOf(conversation: string) {
  const [row] = await database.run<{ speaker: string; agent: { id: string } | null; lasts: boolean; case: string }>(
    {
      text: `select speaker, agent, lease_until = 'infinity' as lasts, open_case as case from conversations where id = $1`,
    },
    [conversation],
  );
  if (!row) throw new Error('There is no such conversation');
  return row;
}

const textsIn = async ({ conversations, conversation }: Awaited<ReturnType<typeof waiting>>) =>
  (await conversations.log(conversation, 0)).flatMap((each) =>
    'said' in each ? [each.said.line ?? each.said.text] : [],
  );

describe('a desk of a hub', () => {
  it('is open whenever our own is not, for the conversations that the hub began and no other', () => {
    const desks = servicedeskWith(own, [hub], hubOf);
    const id = randomBytes(18).toString('base64url');
    const at = (conversation: string) => [desks?.at(now(), conversation)?.isOpen, desks?.deskOf?.(conversation)];
    expect(at(`web/hub-${hub}-${id}`)).toEqual([true, hub]);
    expect(at(`web/hub-regionen-${id}`)).toEqual([false, undefined]);
    expect(at(`web/${id}`)).toEqual([false, undefined]);
    expect(at(`teams/hub-${hub}-${id}`)).toEqual([false, undefined]);
    expect(servicedeskWith(undefined, [hub], hubOf)?.at(now(), `web/${id}`)).toBeUndefined();
    expect(servicedeskWith(undefined, [], hubOf)).toBeUndefined();
  });

  it('has what it has accepted until it says otherwise, however long it is silent', async () => {
    const chat = await waiting();
    await chat.tell(accepted());
    await chat.desk.renew({ id: 'hub:skolan/anna', name: 'Anna' });
    await chat.desk.lapse();
    expect(await rowOf(chat.conversation)).toMatchObject({ speaker: 'agent', agent: { id: 'hub:skolan/anna' } });
  });

  it('may leave its agents without a name', async () => {
    const chat = await waiting();
    await chat.tell(accepted({}));
    expect(await textsIn(chat)).toContain('En handläggare har tagit över. Nu svarar en människa, inte roboten.');
    expect((await rowOf(chat.conversation)).agent?.id).toBe('hub:skolan/');
  });

  it('may give it to another of its agents', async () => {
    const chat = await waiting();
    await chat.tell(accepted(anna));
    expect(await chat.tell(accepted(bo))).toBeDefined();
    expect((await rowOf(chat.conversation)).agent?.id).toBe('hub:skolan/bo');
  });

  it('is not our own: nobody here sees or takes its cases', async () => {
    const chat = await waiting();
    const { case: id } = await rowOf(chat.conversation);
    expect((await chat.desk.queue()).map((each) => each.conversation)).not.toContain(chat.conversation);
    expect(await chat.desk.file(id, anna)).toBeUndefined();
    expect(await chat.desk.claim(id, anna)).toBe('gone');
    expect((await rowOf(chat.conversation)).speaker).toBe('queue');
  });

  it('has nothing to say of another hub’s', async () => {
    const chat = await waiting();
    const at = { hub: 'regionen', conversation: chat.conversation };
    for (const told of [accepted(), completed(), { type: 'failed', key: newKey() } as const])
      expect(await chat.hubDesk.hear(at, told)).toBeUndefined();
    await chat.tell(accepted());
    for (const told of [accepted(), completed(), { type: 'message', key: newKey(), text: 'hej' } as const])
      expect(await chat.hubDesk.hear(at, told)).toBeUndefined();
    expect((await rowOf(chat.conversation)).agent?.id).toBe('hub:skolan/anna');
  });
});

describe('at once', () => {
  it('two agents of a hub are one after the other, and one has it', async () => {
    const chat = await waiting();
    const both = await Promise.all([chat.tell(accepted(anna)), chat.tell(accepted(bo))]);
    expect(new Set(both).size).toBe(2);
    expect(['hub:skolan/anna', 'hub:skolan/bo']).toContain((await rowOf(chat.conversation)).agent?.id);
    expect(chat.mistakes).toEqual([]);
  });

  it('a student who takes it back and a hub that accepts leave one speaker, and only one who was told so', async () => {
    for (let round = 0; round < 10; round++) {
      const chat = await waiting();
      const [, place] = await Promise.all([
        say(chat.conversations, chat.conversation, 'avbryt'),
        chat.tell(accepted()),
      ]);
      const { speaker } = await rowOf(chat.conversation);
      expect(speaker).toBe(place === undefined ? 'bot' : 'agent');
      expect(chat.mistakes).toEqual([]);
    }
  });

  it('the same hand-back several times over brings it back once, also in two processes', async () => {
    const chat = await waiting();
    await chat.tell(accepted());
    const elsewhere = parts();
    const back = completed();
    const places = await Promise.all([
      chat.tell(back),
      chat.tell(back),
      elsewhere.hubDesk.hear({ hub, conversation: chat.conversation }, back),
    ]);
    expect(new Set(places).size).toBe(1);
    expect((await textsIn(chat)).filter((line) => line === 'conversation/handedBack')).toHaveLength(1);
    expect([...chat.mistakes, ...elsewhere.mistakes]).toEqual([]);
  });
});
