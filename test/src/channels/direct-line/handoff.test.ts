/** A hub whose own humans take over, and hand back: by the Bot Framework's events, over Direct Line. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventFactory } from 'botbuilder';
import type { Service } from '../../../../src/cli/serve.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { canaries } from '../../../canaries.ts';
import { createDatabase, openTestDatabase } from '../../../database/database.ts';
import { content, root } from '../../../product.ts';
import { startService } from '../../../service.ts';
import { type Client, clientOf, hubSetting, openStream, type Activity as Shown } from './client.ts';

const { hub: SECRET, otherHub: OTHERS_SECRET } = canaries;
const CONVERSATIONS = '/v3/directline/conversations';
const ANNA = { id: 'anna', name: 'Anna', role: 'agent' };

type Activity = Omit<Shown, 'from' | 'attachments'> & {
  from: { role: string; id?: string; name?: string };
  value?: Record<string, unknown>;
  attachments?: { contentType?: string; name?: string; content: object }[];
};
type Chat = { conversation: string; token: string; secret: string };

let service: Service;
let database: Database;
let client: Client;

beforeAll(async () => {
  const url = await createDatabase();
  const hubs = [hubSetting('skolan', SECRET), hubSetting('regionen', OTHERS_SECRET)];
  service = await startService(
    { DATABASE_URL: url, DIRECT_LINE_HUBS: hubs.join(','), SERVICEDESK_HUBS: 'skolan' },
    { rates: { beginnings: 5_000, messages: 5_000, requests: 5_000 } },
  );
  client = clientOf(service.origin);
  database = await openTestDatabase(url);
});
afterAll(async () => {
  await service.stop();
  await database.close();
});

async function begin(secret = SECRET): Promise<Chat> {
  const { body } = await client.request(CONVERSATIONS, { method: 'POST', token: secret });
  return { conversation: String(body.conversationId), token: String(body.token), secret };
}

const post = ({ conversation }: Chat, token: string, body: unknown) =>
  client.request(`${CONVERSATIONS}/${conversation}/activities`, { method: 'POST', token, body });
const write = (chat: Chat, text: string) => post(chat, chat.token, { type: 'message', text });

/** What the hub says, as its agent Anna. Its client's own id is told, if the same is to be sent again. */
const fromHub = (chat: Chat, activity: object, own: string = randomUUID()) =>
  post(chat, chat.secret, { from: ANNA, channelData: { clientActivityID: own }, ...activity });
const status = (state: string, more: object = {}) => ({
  type: 'event',
  name: 'handoff.status',
  value: { state, ...more },
});
const initiate = (value: object) => ({ type: 'event', name: 'handoff.initiate', value });
const PICKUP = {
  path: 'pickup-ready',
  known: { cardReady: true, photographed: true, photoSite: 'sodersjukhuset' },
  agent: 'anna',
};

/** Everything there is, once this is among it; as whoever has the bearer is shown it. */
async function until(chat: Chat, isIt: (each: Activity) => boolean, bearer = chat.secret): Promise<Activity[]> {
  const path = `${CONVERSATIONS}/${chat.conversation}?watermark=0`;
  const stream = await openStream(String((await client.request(path, { token: bearer })).body.streamUrl));
  const all: Activity[] = [];
  try {
    while (!all.some(isIt)) all.push(...(await stream.next()).activities);
    return all;
  } finally {
    stream.close();
  }
}
const logOf = async (chat: Chat, token = chat.secret): Promise<Activity[]> => {
  const { body } = await client.request(`${CONVERSATIONS}/${chat.conversation}/activities`, { token });
  return body.activities as Activity[];
};

const says = (line: string) => {
  const [first = ''] = (content.lines.get(line)?.text ?? '').split(/\n|\{\{/);
  return ({ text = '' }: Activity) => first !== '' && text.includes(first);
};
const isEvent =
  (name: string, state?: string) =>
  ({ type, name: called, value, from }: Activity): boolean =>
    type === 'event' && called === name && from.id === 'kortlotsen' && (state === undefined || value?.state === state);
const isHandedOver = isEvent('handoff.initiate');

/** A student of the hub's who has asked for a human. */
async function waiting(...texts: string[]): Promise<Chat & { handedOver: Activity; log: Activity[] }> {
  const chat = await begin();
  for (const text of texts) await write(chat, text);
  await write(chat, 'jag vill prata med en människa');
  const log = await until(chat, isHandedOver);
  const [handedOver] = log.filter(isHandedOver);
  if (!handedOver) throw new Error('It was not handed over');
  return { ...chat, handedOver, log };
}

/** The same, and Anna has taken it. */
async function taken(): Promise<Chat> {
  const chat = await waiting('hur hämtar jag kortet');
  expect((await fromHub(chat, status('accepted'))).status).toBe(200);
  return chat;
}

async function speakerOf({ conversation }: Chat) {
  const [row] = await database.run<{ speaker: string; agent: { id: string } | null; desk: string | null }>(
    {
      text: `select speaker, agent, (select desk from cases where id = open_case) as desk
        from conversations where id = 'web/' || $1`,
    },
    [conversation],
  );
  return row && [row.speaker, row.agent?.id, row.desk];
}

describe('a student of a hub whose humans take over', () => {
  it('is handed to them last in the turn, with what is known and what was said, masked', async () => {
    const { log, handedOver, ...chat } = await waiting('jag har tappat kortet, jag heter 19900101-1234');
    expect(log.at(-1)).toBe(handedOver);
    expect(log.slice(0, -1).some(says('conversation/handedOver'))).toBe(true);
    expect(handedOver.value).toMatchObject({
      reason: 'asked',
      wish: 'lost-card',
      path: 'lost-card',
      state: 'lost-card/askingWhereabouts',
      known: [{ fact: 'reason', value: 'lost', from: 'student' }],
      cards: [],
      isProved: false,
    });
    expect(handedOver.value?.tried).toContain('lost-card/askingWhereabouts');
    expect(handedOver.value?.cites).toContain('R42');
    const [transcript] = handedOver.attachments ?? [];
    const said = (transcript?.content as { activities: Activity[] } | undefined)?.activities ?? [];
    expect(said.map(({ id }) => id)).toEqual(log.slice(0, -1).map(({ id }) => id));
    expect(JSON.stringify(said)).toContain('jag har tappat kortet');
    expect(JSON.stringify(log)).not.toContain('19900101');
    expect(await speakerOf(chat)).toEqual(['queue', undefined, 'skolan']);
  });

  it('is handed to them in the events of botbuilder’s own making', async () => {
    const { handedOver, conversation } = await waiting();
    const made = EventFactory.createHandoffStatus({ id: conversation } as never, 'accepted', 'x');
    expect([made.type, made.name, made.value]).toEqual([
      'event',
      'handoff.status',
      { state: 'accepted', message: 'x' },
    ]);
    const { name, contentType } = handedOver.attachments?.[0] ?? {};
    expect([name, contentType]).toEqual(['Transcript', 'application/json']);
    expect((await fromHub({ conversation, token: '', secret: SECRET }, made)).status).toBe(200);
  });

  it('is told with their own token that it has happened, and not what goes along', async () => {
    const chat = await waiting('jag har tappat kortet');
    await fromHub(chat, status('accepted', { message: 'internt' }));
    const isOver = ({ name }: Activity) => name === 'handoff.initiate';
    for (const log of [await logOf(chat, chat.token), await until(chat, isOver, chat.token)]) {
      const events = log.filter(({ type }) => type === 'event');
      expect(events.map(({ name }) => name)).toContain('handoff.initiate');
      expect(events.filter((each) => 'value' in each || 'attachments' in each)).toEqual([]);
    }
  });

  it('is answered by the hub’s agent alone, by name, until it is handed back', async () => {
    const chat = await taken();
    expect(await speakerOf(chat)).toEqual(['agent', 'hub:skolan/anna', 'skolan']);
    await write(chat, 'hur beställer jag kort?');
    expect((await fromHub(chat, { type: 'message', text: 'Hej, jag tittar på det.' }, 'own-1')).status).toBe(200);
    const log = await until(chat, ({ text }) => text === 'Hej, jag tittar på det.', chat.token);
    expect(log.filter(({ text }) => text?.startsWith('Anna har tagit över'))).toHaveLength(1);
    expect(log.at(-1)).toMatchObject({ from: { name: 'Anna' }, channelData: { clientActivityID: 'own-1' } });
    expect(log.at(-2)).toMatchObject({ text: 'hur beställer jag kort?' });
  });

  it('comes back onto the path that the agent says, and is not asked what they have told', async () => {
    const chat = await taken();
    expect((await fromHub(chat, status('completed', { handBack: PICKUP }))).status).toBe(200);
    const log = await logOf(chat);
    expect(log.slice(-2).map(({ from }) => from.id)).toEqual(['kortlotsen', 'kortlotsen']);
    expect(log.slice(-1).some(says('photo-and-pickup/askingCodesArrived'))).toBe(true);
    expect(await speakerOf(chat)).toEqual(['bot', undefined, null]);
    await write(chat, 'ja');
    await until(chat, ({ text = '' }) => text.includes('kortkontoret på Södersjukhuset'));
  });

  it('comes back with the case closed where nothing goes along', async () => {
    const chat = await taken();
    await fromHub(chat, status('completed'));
    expect((await logOf(chat)).some(says('conversation/caseIsClosed'))).toBe(true);
    const [row] = await database.run<{ outcome: string }>(
      { text: "select outcome from cases where conversation = 'web/' || $1" },
      [chat.conversation],
    );
    expect(row?.outcome).toBe('resolved');
  });

  it('is told so when nobody there can take over, and whom to contact', async () => {
    const chat = await waiting('jag har tappat kortet');
    expect((await fromHub(chat, status('failed', { message: 'stängt' }))).status).toBe(200);
    expect((await logOf(chat)).some(says('conversation/deskDidNotAnswer'))).toBe(true);
    expect(await speakerOf(chat)).toEqual(['bot', undefined, null]);
  });

  it('may take the conversation back, of which the hub is told', async () => {
    const chat = await waiting('jag har tappat kortet');
    await write(chat, 'avbryt');
    const log = await until(chat, isEvent('handoff.status', 'completed'));
    expect(log.find(isEvent('handoff.status', 'completed'))?.value).toEqual({
      state: 'completed',
      message: 'withdrawn',
    });
    expect((await fromHub(chat, status('accepted'))).status).toBe(409);
    expect(await speakerOf(chat)).toEqual(['bot', undefined, null]);
  });
});

describe('a student of a hub that has no humans', () => {
  it('is handed to our own desk, and the hub has no say in it', async () => {
    const chat = await begin(OTHERS_SECRET);
    await write(chat, 'jag vill prata med en människa');
    const log = await until(chat, says('conversation/handedOver'));
    expect(log.filter(({ type }) => type === 'event')).toEqual([]);
    for (const event of [status('accepted'), status('failed'), status('completed'), initiate(PICKUP)])
      expect((await fromHub(chat, event)).status).toBe(409);
    expect((await fromHub(chat, { type: 'message', text: 'hej' })).status).toBe(409);
    expect(await speakerOf(chat)).toEqual(['queue', undefined, 'own']);
  });

  it('can still be begun on a path by it', async () => {
    const chat = await begin(OTHERS_SECRET);
    expect((await fromHub(chat, initiate(PICKUP))).status).toBe(200);
    expect((await logOf(chat)).slice(-1).some(says('photo-and-pickup/askingCodesArrived'))).toBe(true);
  });
});

describe('a conversation that a hub hands to the bot', () => {
  it('begins on the path, with no talk of coming back', async () => {
    const chat = await begin();
    expect((await fromHub(chat, initiate(PICKUP))).status).toBe(200);
    const log = await logOf(chat);
    expect(log.slice(-2).map((each) => each.name ?? says('photo-and-pickup/askingCodesArrived')(each))).toEqual([
      'handoff.status',
      true,
    ]);
    expect(log.some(isEvent('handoff.status', 'accepted'))).toBe(true);
    expect(log.some(says('conversation/handedBack'))).toBe(false);
  });

  it.each([
    ['while it waits for their humans', () => waiting('jag har tappat kortet')],
    ['while their agent has it', taken],
  ])('is the bot’s, on the path, %s', async (_, chatWith) => {
    const chat = await chatWith();
    expect((await fromHub(chat, initiate(PICKUP))).status).toBe(200);
    const log = await logOf(chat);
    expect(log.slice(-1).some(says('photo-and-pickup/askingCodesArrived'))).toBe(true);
    expect(await speakerOf(chat)).toEqual(['bot', undefined, null]);
  });

  it('is not taken from the bot where the student is talking to it, and the hub is told why', async () => {
    const chat = await begin();
    await write(chat, 'jag har tappat kortet');
    await until(chat, says('lost-card/askingWhereabouts'));
    expect((await fromHub(chat, initiate(PICKUP))).status).toBe(409);
    expect((await logOf(chat)).at(-1)).toMatchObject({ name: 'handoff.status', value: { state: 'failed' } });
  });
});

describe('what a hub has told', () => {
  it('is the same when it is sent again, also when it would be news by then', async () => {
    const chat = await waiting('jag har tappat kortet');
    const first = await fromHub(chat, status('accepted'), 'own-1');
    await fromHub(chat, status('completed', { handBack: { agent: 'anna' } }), 'own-2');
    await write(chat, 'jag vill prata med en människa');
    await until(chat, ({ id, ...each }) => isHandedOver({ id, ...each }) && id > String(first.body.id));
    const length = (await logOf(chat)).length;
    expect(await fromHub(chat, status('accepted'), 'own-1')).toMatchObject({ status: 200, body: first.body });
    expect(await speakerOf(chat)).toEqual(['queue', undefined, 'skolan']);
    expect((await logOf(chat)).length).toBe(length);
  });

  it('is the same when it is sent several times at once', async () => {
    const chat = await waiting();
    const answers = await Promise.all([1, 2, 3].map(() => fromHub(chat, status('accepted'), 'own-1')));
    expect(answers.map((each) => each.status)).toEqual([200, 200, 200]);
    expect((await logOf(chat)).filter(({ text }) => text?.startsWith('Anna har tagit över'))).toHaveLength(1);
    const back = status('completed', { handBack: PICKUP });
    expect((await Promise.all([1, 2, 3].map(() => fromHub(chat, back, 'own-2')))).map((each) => each.status)).toEqual([
      200, 200, 200,
    ]);
    expect((await logOf(chat)).filter(says('conversation/handedBack'))).toHaveLength(1);
  });

  it('comes back to its client under its own id, and is not shadowed by a student’s of the same id', async () => {
    const chat = await waiting();
    for (const id of ['own-1', 'hub own-1', 'hub\town-1'])
      await post(chat, chat.token, { type: 'event', name: 'x', channelData: { clientActivityID: id } });
    const { status: code, body } = await fromHub(chat, status('accepted'), 'own-1');
    expect(code).toBe(200);
    const echo = (await logOf(chat)).find(({ id }) => id === body.id);
    expect(echo).toMatchObject({
      type: 'event',
      name: 'handoff.status',
      value: { state: 'accepted' },
      channelData: { clientActivityID: 'own-1' },
    });
    expect((await speakerOf(chat))?.[0]).toBe('agent');
  });

  it('is masked where it is written freely', async () => {
    const chat = await taken();
    await fromHub(chat, { type: 'message', text: 'Ditt nummer är 19900101-1234' });
    await fromHub(
      chat,
      status('completed', { message: '19900101-1234', handBack: { agent: 'a', reason: '19900101-1234' } }),
    );
    const rows = await database.run<{ said: unknown }>(
      { text: "select said from messages where conversation = 'web/' || $1" },
      [chat.conversation],
    );
    expect(JSON.stringify([rows, await logOf(chat)])).not.toContain('19900101');
  });
});

type Attack = [string, () => Promise<Chat>, number, (chat: Chat) => Promise<{ status: number }>];
const LONG = 'x'.repeat(200_000);

describe('an attack on who answers', () => {
  it.each<Attack>([
    ['a student’s token that accepts', waiting, 403, (chat) => post(chat, chat.token, status('accepted'))],
    ['a student’s token that hands back', taken, 403, (chat) => post(chat, chat.token, status('completed'))],
    ['a student’s token that begins a path', begin, 403, (chat) => post(chat, chat.token, initiate(PICKUP))],
    [
      'no token',
      waiting,
      401,
      (chat) =>
        client.request(`${CONVERSATIONS}/${chat.conversation}/activities`, {
          method: 'POST',
          body: status('accepted'),
        }),
    ],
    ['another hub’s secret', waiting, 403, (chat) => post(chat, OTHERS_SECRET, status('accepted'))],
    [
      'another hub’s secret, in the agent’s name',
      taken,
      403,
      (chat) => post(chat, OTHERS_SECRET, { type: 'message', from: ANNA, text: 'hej' }),
    ],
    ['a secret that is nobody’s', waiting, 403, (chat) => post(chat, 'x', status('accepted'))],
    ['a state that there is not', waiting, 400, (chat) => fromHub(chat, status('conquered'))],
    ['no value', waiting, 400, (chat) => fromHub(chat, { type: 'event', name: 'handoff.status' })],
    ['a value with more in it', waiting, 400, (chat) => fromHub(chat, status('accepted', { speaker: 'agent' }))],
    [
      'a fact that is none',
      taken,
      400,
      (chat) => fromHub(chat, status('completed', { handBack: { ...PICKUP, known: { isProved: true } } })),
    ],
    [
      'a fact of another path',
      taken,
      400,
      (chat) => fromHub(chat, status('completed', { handBack: { ...PICKUP, path: 'renew' } })),
    ],
    ['a path that there is not', taken, 400, (chat) => fromHub(chat, initiate({ path: '__proto__', agent: 'a' }))],
    [
      'a name with markup',
      waiting,
      400,
      (chat) => fromHub(chat, { ...status('accepted'), from: { name: '<img src=x onerror=alert(1)>' } }),
    ],
    [
      'a name with a link',
      waiting,
      400,
      (chat) => fromHub(chat, { ...status('accepted'), from: { name: '[Anna](https://x.example)' } }),
    ],
    ['a message that is too long', taken, 400, (chat) => fromHub(chat, { type: 'message', text: 'x'.repeat(4_001) })],
    ['an event that is too large', waiting, 413, (chat) => fromHub(chat, status('accepted', { message: LONG }))],
    ['completed before accepted', waiting, 409, (chat) => fromHub(chat, status('completed'))],
    ['accepted twice', taken, 409, (chat) => fromHub(chat, status('accepted'))],
    ['an agent’s message before accepted', waiting, 409, (chat) => fromHub(chat, { type: 'message', text: 'hej' })],
    ['accepted where nobody has asked', begin, 409, (chat) => fromHub(chat, status('accepted'))],
    ['failed where nobody has asked', begin, 409, (chat) => fromHub(chat, status('failed'))],
    ['completed where nobody has asked', begin, 409, (chat) => fromHub(chat, status('completed'))],
  ])('by %s is refused, and changes nobody’s turn', async (_, chatWith, code, attack) => {
    const chat = await chatWith();
    const [before, saidBefore] = [await speakerOf(chat), await logOf(chat)];
    expect((await attack(chat)).status).toBe(code);
    expect(await speakerOf(chat)).toEqual(before);
    const since = (await logOf(chat)).slice(saidBefore.length);
    expect(since.filter(({ type, value }) => type === 'message' || value?.state !== 'failed')).toEqual([]);
  });

  it('by markup in what an agent writes is text and nothing else', async () => {
    const chat = await taken();
    const text = '<script>alert(1)</script>';
    expect((await fromHub(chat, { type: 'message', text })).status).toBe(200);
    expect((await logOf(chat, chat.token)).at(-1)).toMatchObject({ type: 'message', text, from: { name: 'Anna' } });
  });

  it('by a student who says to be an agent is a student’s message', async () => {
    const chat = await begin();
    await post(chat, chat.token, { type: 'message', from: ANNA, text: 'hej' });
    const log = await until(chat, ({ text }) => text === 'hej');
    expect(log.find(({ text }) => text === 'hej')?.from.role).toBe('user');
  });

  it('by a name that is no handoff’s is only noted', async () => {
    const chat = await waiting();
    expect((await fromHub(chat, { type: 'event', name: 'handoff.other', value: { state: 'accepted' } })).status).toBe(
      200,
    );
    expect(await speakerOf(chat)).toEqual(['queue', undefined, 'skolan']);
  });
});

describe('the example of a hub', () => {
  it('is handed a student, takes over, and hands back onto a path, as its README says', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(root, 'src/servicedesk/example/agent-hub.mjs')],
      { env: { KORTLOTSEN: service.origin, HUB_SECRET: SECRET } },
    );
    expect(stdout).toContain('"path": "photo-and-pickup"');
    expect(stdout).toContain('Anna har tagit över');
    expect(stdout.slice(stdout.indexOf('handoff.status completed'))).toMatch(
      /robot.*pinkoderna.*student: Ja.*Södersjukhuset/s,
    );
  });
});
