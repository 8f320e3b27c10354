/**
 * Attacks on the Direct Line endpoint, each a row. Every one is refused or comes
 * to nothing, and after it the conversation it was meant for is as it was, and
 * answers.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { createTokens, type Tokens } from '../../../../src/channels/direct-line/tokens.ts';
import type { Service } from '../../../../src/cli/serve.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { keyFor } from '../../../../src/storage/keys.ts';
import { createDatabase, openTestDatabase } from '../../../database/database.ts';
import { content } from '../../../product.ts';
import { sendRaw, statusOf } from '../../../raw-request.ts';
import { startService } from '../../../service.ts';
import { type Activity, type Asked, type Chat, type Client, clientOf, hubSetting, openStream } from './client.ts';

const [SECRET, OTHERS_SECRET] = ['the-secret-of-the-school', 'the-secret-of-the-region'];
const SCHOOL_PAGE = 'https://skolan.example.se';
const BASE = '/v3/directline';
const CONVERSATIONS = `${BASE}/conversations`;
const QUESTION = { type: 'message', text: 'jag har slagit fel kod tre gånger' };
const LATER = 1_900_000_000;

let service: Service;
let database: Database;
let client: Client;
let key: string;
let [expired, wrongKey]: Tokens[] = [];
/** A request that never comes to its end, begun before all else. */
let slow: Promise<string>;

type Began = Chat & { streamUrl: string };
/** What there is to attack, and what the attacker has: a conversation of their own. */
type Scene = { victim: Began; own: Began; hubs: Began };

beforeAll(async () => {
  const url = await createDatabase();
  const hubs = [hubSetting('skolan', SECRET, [SCHOOL_PAGE]), hubSetting('regionen', OTHERS_SECRET)];
  service = await startService(
    { DATABASE_URL: url, DIRECT_LINE_HUBS: hubs.join(',') },
    { rates: { beginnings: 5_000 } },
  );
  slow = sendRaw(
    service.origin,
    `POST ${CONVERSATIONS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
  );
  client = clientOf(service.origin);
  database = await openTestDatabase(url);
  key = await keyFor(database, 'direct-line');
  expired = createTokens(key, { chat: -1, stream: -1, return: -1 });
  wrongKey = createTokens(`${key}x`);
});
afterAll(async () => {
  await service.stop();
  await database.close();
});

// What is done

const post = (path: string, asked: Asked = {}) => client.request(path, { method: 'POST', ...asked });

async function beginAsHub(secret = SECRET): Promise<Began> {
  const { body } = await post(CONVERSATIONS, { token: secret });
  const { conversationId, streamUrl, token } = body;
  const conversation = String(conversationId);
  return { conversation, streamUrl: String(streamUrl), token: String(token), user: '', isKnown: true, returnToken: '' };
}

/** Everything one can ask of a conversation with a token, and how each is answered. */
async function tryAll({ conversation, streamUrl }: Began, token: string | undefined, headers?: Record<string, string>) {
  const path = `${CONVERSATIONS}/${conversation}`;
  const asked = { token, ...(headers && { headers }) };
  const answers = await Promise.all([
    client.request(path, asked),
    client.request(`${path}/activities`, asked),
    post(`${path}/activities`, { ...asked, body: QUESTION }),
    post(`${path}/activities`, { ...asked, body: { type: 'endOfConversation' } }),
    post(`${path}/activities`, { ...asked, body: { type: 'event', name: 'x' } }),
  ]);
  const stream = new URL(streamUrl);
  stream.searchParams.set('t', token ?? '');
  return [...new Set([...answers.map(({ status }) => status), await streamStatus(stream.href, headers)])];
}

/** How a stream is refused. */
async function streamStatus(url: string, headers?: Record<string, string>): Promise<number> {
  try {
    const stream = await openStream(url, headers);
    stream.close();
    return 101;
  } catch (refusal) {
    return Number(/\d{3}/.exec(String(refusal))?.[0]);
  }
}

const send = ({ conversation, token }: Chat, body: unknown, headers?: Record<string, string>) =>
  post(`${CONVERSATIONS}/${conversation}/activities`, { token, body, ...(headers && { headers }) });

// What is forged

const swap = (token: string, place: number, part: string): string =>
  token
    .split('.')
    .map((each, index) => (index === place ? part : each))
    .join('.');
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const payloadFor = ({ conversation, user }: Chat, aud = 'chat') => ({
  conv: conversation,
  user,
  iss: 'kortlotsen',
  aud,
  exp: LATER,
});
const signed = (victim: Chat, { alg = 'HS256', iss = 'kortlotsen', aud = 'chat' }) =>
  new SignJWT({ conv: victim.conversation, user: victim.user })
    .setProtectedHeader({ alg })
    .setIssuer(iss)
    .setAudience(aud)
    .setExpirationTime(LATER)
    .sign(new TextEncoder().encode(key));
const ticketOf = ({ streamUrl }: Began): string => new URL(streamUrl).searchParams.get('t') ?? '';

const logOf = async (chat: Began): Promise<Activity[]> => (await client.after(chat)).activities;

/** The conversation is as it was, and answers. */
async function expectUnharmed(chat: Began, before: readonly Activity[]): Promise<void> {
  expect(await logOf(chat)).toEqual(before);
  expect((await send(chat, QUESTION)).status).toBe(200);
  await client.until(chat, content.label('pin-trouble/askingHasPuk'));
}

async function set(): Promise<Scene> {
  const [victim, own, hubs] = await Promise.all([client.begin(), client.begin(), beginAsHub()]);
  return { victim, own, hubs };
}

describe('a token', () => {
  it.each<[string, (scene: Scene) => string | undefined | Promise<string>, number[]]>([
    ['that is not there', () => undefined, [401, 403]],
    ['that is nonsense', () => 'nonsense', [403]],
    ['that was stolen from another conversation', ({ own }) => own.token, [403]],
    ['that is for coming back', ({ victim }) => victim.returnToken, [403]],
    ['that has expired', async ({ victim }) => (await expired?.issue('chat', victim))?.token ?? '', [403]],
    [
      'that was signed with another key',
      async ({ victim }) => (await wrongKey?.issue('chat', victim))?.token ?? '',
      [403],
    ],
    ['whose header was swapped', ({ victim }) => swap(victim.token, 0, encode({ alg: 'HS256', kid: '../key' })), [403]],
    ['whose content was swapped', ({ victim, own }) => swap(own.token, 1, encode(payloadFor(victim))), [403]],
    ['whose signature was swapped', ({ victim, own }) => swap(victim.token, 2, own.token.split('.')[2] ?? ''), [403]],
    ['whose signature is gone', ({ victim }) => swap(victim.token, 2, ''), [403]],
    [
      'that says it needs no signature',
      ({ victim }) => `${encode({ alg: 'none' })}.${encode(payloadFor(victim))}.`,
      [403],
    ],
    [
      'that says it needs none, in capitals, and has one',
      ({ victim }) => swap(swap(victim.token, 0, encode({ alg: 'NONE' })), 1, encode(payloadFor(victim))),
      [403],
    ],
    ['by another algorithm', ({ victim }) => signed(victim, { alg: 'HS512' }), [403]],
    ['of another issuer', ({ victim }) => signed(victim, { iss: 'evil' }), [403]],
    ['for another audience', ({ victim }) => signed(victim, { aud: 'records' }), [403]],
    [
      'that somebody has signed with the hash of the secret',
      ({ victim }) => {
        const body = `${encode({ alg: 'HS256' })}.${encode(payloadFor(victim))}`;
        const hash = hubSetting('skolan', SECRET).split(':')[1] ?? '';
        return `${body}.${createHmac('sha256', hash).update(body).digest('base64url')}`;
      },
      [403],
    ],
    ['that is a hub’s secret', () => SECRET, [403]],
    ['that is a hub’s, for another conversation', ({ hubs }) => hubs.token, [403]],
    ['that is the hash of a secret', () => hubSetting('skolan', SECRET).split(':')[1] ?? '', [403]],
  ])('%s opens nothing of the page’s', async (_what, tokenOf, statuses) => {
    const scene = await set();
    const before = await logOf(scene.victim);
    expect(await tryAll(scene.victim, await tokenOf(scene))).toEqual(statuses);
    await expectUnharmed(scene.victim, before);
  });

  it.each<[string, (scene: Scene) => string]>([
    ['that is another hub’s secret', () => OTHERS_SECRET],
    ['that is the page’s', ({ own }) => own.token],
    ['that is almost the secret', () => SECRET.slice(0, -1)],
    ['that is the secret in another case', () => SECRET.toUpperCase()],
  ])('%s opens nothing of a hub’s', async (_what, tokenOf) => {
    const scene = await set();
    const before = await logOf(scene.hubs);
    expect(await tryAll(scene.hubs, tokenOf(scene))).toEqual([403]);
    await expectUnharmed(scene.hubs, before);
  });

  it('that is a ticket for a stream is good for nothing else, and a token for no stream', async () => {
    const { victim } = await set();
    const before = await logOf(victim);
    const path = `${CONVERSATIONS}/${victim.conversation}`;
    const ticket = ticketOf(victim);
    expect((await client.request(path, { token: ticket })).status).toBe(403);
    expect((await client.request(`${path}/activities`, { token: ticket })).status).toBe(403);
    expect((await send({ ...victim, token: ticket }, QUESTION)).status).toBe(403);
    expect((await post(`${BASE}/tokens/refresh`, { token: ticket })).status).toBe(403);
    expect((await post(CONVERSATIONS, { token: ticket })).status).toBe(403);
    expect((await client.token(ticket)).isKnown).toBe(false);
    const asToken = victim.streamUrl.replace(/t=[^&]+/, `t=${victim.token}`);
    expect(await streamStatus(asToken)).toBe(403);
    await expectUnharmed(victim, before);
  });

  it.each([
    ['that was stolen', ({ own }: Scene) => own.token],
    ['that has expired', async ({ victim }: Scene) => (await expired?.issue('chat', victim))?.token ?? ''],
    ['that comes back', ({ victim }: Scene) => victim.returnToken],
  ])('%s is not made new for somebody else’s conversation', async (_what, tokenOf) => {
    const scene = await set();
    const before = await logOf(scene.victim);
    const { body } = await post(`${BASE}/tokens/refresh`, { token: await tokenOf(scene) });
    expect(body.conversationId).not.toBe(scene.victim.conversation);
    await expectUnharmed(scene.victim, before);
  });

  it.each([
    ['Basic', (token: string) => `Basic ${Buffer.from(`x:${token}`).toString('base64')}`, 401],
    ['two at once', (token: string) => `Bearer ${token} ${token}`, 401],
    ['a list', (token: string) => `Bearer ${token},${token}`, 403],
  ])('is taken by no other way: %s', async (_what, headerOf, status) => {
    const { victim } = await set();
    const before = await logOf(victim);
    const headers = { Authorization: headerOf(victim.token) };
    expect((await client.request(`${CONVERSATIONS}/${victim.conversation}`, { headers })).status).toBe(status);
    await expectUnharmed(victim, before);
  });
});

describe('an address', () => {
  it.each<[string, (scene: Scene) => string]>([
    ['that climbs', ({ victim }) => `x/../${victim.conversation}`],
    ['that climbs in disguise', ({ victim }) => `x%2f..%2f${victim.conversation}`],
    ['with our own name of it', ({ victim }) => `web%2F${victim.conversation}`],
    ['of any', () => '%25'],
    ['with a null', ({ victim }) => `${victim.conversation}%00`],
    ['of the page’s as if a hub’s', ({ victim }) => `hub-skolan-${victim.conversation}`],
    ['of the prototype', () => '__proto__'],
    ['that is long', () => 'x'.repeat(3_000)],
  ])('%s leads to nobody’s conversation', async (_what, idOf) => {
    const scene = await set();
    const before = await logOf(scene.victim);
    for (const token of [scene.own.token, SECRET]) {
      const path = `${CONVERSATIONS}/${idOf(scene)}/activities`;
      expect([403, 404]).toContain((await client.request(path, { token })).status);
      expect([403, 404, 405]).toContain((await post(path, { token, body: QUESTION })).status);
    }
    await expectUnharmed(scene.victim, before);
  });
});

describe('an activity', () => {
  const MARKUP = '<img src=x onerror=alert(1)><script>alert(2)</script>[x](javascript:alert(3))';

  it.each<[string, (scene: Scene) => object]>([
    ['from the bot', () => ({ from: { id: 'kortlotsen', name: 'Kortlotsen', role: 'bot' } })],
    ['from somebody else', ({ own }) => ({ from: { id: own.user, role: 'user' } })],
    ['with the role of a skill', () => ({ from: { role: 'skill' }, role: 'bot' })],
    ['in another conversation', ({ victim }) => ({ conversation: { id: victim.conversation } })],
    ['to somebody else', ({ victim }) => ({ recipient: { id: victim.user } })],
    ['with an id', ({ victim }) => ({ id: `${victim.conversation}|0000001`, replyToId: 'x' })],
    ['from yesterday', () => ({ timestamp: '2020-01-01T00:00:00Z', channelId: 'emulator' })],
    ['by another service', () => ({ serviceUrl: 'https://evil.example', channelData: { tenant: { id: 'x' } } })],
    ['as markdown', () => ({ textFormat: 'markdown', speak: '<speak/>', inputHint: MARKUP })],
    [
      'with cards and buttons',
      () => ({ attachments: [{ contentUrl: 'javascript:x' }], suggestedActions: { actions: [] } }),
    ],
    ['with citations', () => ({ entities: [{ type: 'https://schema.org/Message', citation: [] }] })],
    [
      'with a polluted prototype',
      () => JSON.parse('{"__proto__":{"from":{"role":"bot"}},"constructor":{"x":1}}') as object,
    ],
  ])('%s is the student’s own words and nothing else', async (_what, forgeryOf) => {
    const scene = await set();
    const [before, others] = [await logOf(scene.victim), await logOf(scene.own)];
    const forged = { ...QUESTION, ...forgeryOf(scene) };
    const { status, body } = await send(scene.own, forged);
    expect(status).toBe(200);
    const activities = await client.until(scene.own, content.label('pin-trouble/askingHasPuk'));
    const [echo, answer, ...more] = activities.slice(others.length);
    expect(echo).toEqual({
      type: 'message',
      text: QUESTION.text,
      textFormat: 'plain',
      locale: 'sv-SE',
      from: { id: 'student', role: 'user' },
      channelData: { clientActivityID: expect.any(String) },
      id: `${scene.own.conversation}|0000003`,
      timestamp: expect.stringMatching(/^2026-11-23T/),
      channelId: 'directline',
      conversation: { id: scene.own.conversation },
    });
    expect(body.id).toBe(echo?.id);
    expect(answer?.from.role).toBe('bot');
    expect(more).toEqual([]);
    expect(({} as { from?: unknown }).from).toBeUndefined();
    await expectUnharmed(scene.victim, before);
  });

  it.each([
    'application/x-handoff',
    'handoff.other',
    'tokens/response',
    'signin/verifyState',
    'ledger.revoked',
    'identity.verified',
    'startConversation',
    '__proto__',
    MARKUP,
    '640823-3234',
  ])('that is an event called %s does nothing', async (name) => {
    const { victim } = await set();
    const value = { person: 'h_ada', card: 'c', receipt: {}, proof: { person: 'h_ada' } };
    expect((await send(victim, { type: 'event', name, value, from: { role: 'bot' } })).status).toBe(200);
    const log = await logOf(victim);
    expect(log).toHaveLength(3);
    expect(log[2]).toMatchObject({ type: 'event', from: { role: 'user' } });
    expect(JSON.stringify(log)).not.toMatch(/script|h_ada/);
    await expectUnharmed(victim, log);
  });

  it.each([
    'invoke',
    'handoff',
    'trace',
    'command',
    'messageDelete',
    'messageUpdate',
    'installationUpdate',
    '__proto__',
    7,
  ])('of type %s is refused', async (type) => {
    const { victim } = await set();
    const before = await logOf(victim);
    expect((await send(victim, { ...QUESTION, type })).status).toBe(400);
    await expectUnharmed(victim, before);
  });

  it('with markup and script in every field comes back as plain text, and in JSON', async () => {
    const { victim } = await set();
    const field = { contentType: MARKUP, content: MARKUP, contentUrl: MARKUP, name: MARKUP };
    const all = [
      'from',
      'id',
      'name',
      'locale',
      'summary',
      'speak',
      'topicName',
      'inputHint',
      'textFormat',
      'replyToId',
    ];
    const markup = {
      ...Object.fromEntries(all.map((name) => [name, MARKUP])),
      type: 'message',
      text: MARKUP,
      value: MARKUP,
      localTimestamp: MARKUP,
      attachments: [field],
      entities: [field],
      channelData: { clientActivityID: MARKUP, [MARKUP]: MARKUP },
    };
    expect((await send(victim, markup, { Accept: 'text/html' })).status).toBe(200);
    await client.until(victim, 'Det kan jag inte svara på.');
    const path = `${CONVERSATIONS}/${victim.conversation}/activities`;
    const asked = { token: victim.token, headers: { Accept: 'text/html' } };
    const { headers, body } = await client.request(path, asked);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const [, , echo] = body.activities as Record<string, unknown>[];
    const { text, textFormat, channelData, ...rest } = echo ?? {};
    expect({ text, textFormat, channelData }).toEqual({
      text: MARKUP,
      textFormat: 'plain',
      channelData: { clientActivityID: MARKUP },
    });
    expect(JSON.stringify(rest)).not.toMatch(/alert/);
    await expectUnharmed(victim, await logOf(victim));
  });
});

describe('a page of somebody else’s', () => {
  it.each([
    'https://evil.example',
    'null',
    'file://',
    `${SCHOOL_PAGE}.evil.example`,
    `${SCHOOL_PAGE}:8443`,
    'http://skolan.example.se',
    'https://evil.example#https://skolan.example.se',
    'chrome-extension://abcdefgh',
  ])('at %s has nothing: by REST, by a preflight or by a stream', async (origin) => {
    const { victim, hubs } = await set();
    for (const chat of [victim, hubs]) {
      const before = await logOf(chat);
      expect(await tryAll(chat, chat.token, { Origin: origin })).toEqual([403]);
      expect(await streamStatus(chat.streamUrl, { Origin: origin })).toBe(403);
      const preflight = { method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' } };
      const { status, headers } = await client.request(`${CONVERSATIONS}/${chat.conversation}/activities`, preflight);
      expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null]);
      await expectUnharmed(chat, before);
    }
  });

  it('that a hub has let in has nothing of ours', async () => {
    const { victim } = await set();
    const before = await logOf(victim);
    expect(await tryAll(victim, victim.token, { Origin: SCHOOL_PAGE })).toEqual([403]);
    expect(await streamStatus(victim.streamUrl, { Origin: SCHOOL_PAGE })).toBe(403);
    await expectUnharmed(victim, before);
  });
});

describe('too much', () => {
  it('of messages is refused, and the rest is answered', async () => {
    const { victim, own } = await set();
    const before = await logOf(victim);
    const answers = await Promise.all(Array.from({ length: 60 }, () => send(own, { type: 'message', text: 'tack' })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(30);
    expect(statuses.filter((status) => status === 429)).toHaveLength(30);
    for (const { status, headers } of answers)
      if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    await expectUnharmed(victim, before);
  });

  it('of anything else is refused too, and no stream is opened then', async () => {
    const { victim, own } = await set();
    const before = await logOf(victim);
    const typing = () => send(own, { type: 'typing' });
    const statuses = [];
    for (let nth = 0; nth < 33; nth++) {
      const answers = await Promise.all(Array.from({ length: 10 }, typing));
      statuses.push(...answers.map(({ status }) => status));
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(300);
    expect((await client.request(`${CONVERSATIONS}/${own.conversation}`, { token: own.token })).status).toBe(429);
    expect((await post(`${BASE}/tokens/refresh`, { token: own.token })).status).toBe(429);
    expect(await streamStatus(own.streamUrl)).toBe(429);
    await expectUnharmed(victim, before);
  });

  it('of streams closes the oldest, and the last is told', async () => {
    const { victim } = await set();
    const opened = [];
    for (let nth = 0; nth < 25; nth++) opened.push(await openStream(victim.streamUrl));
    const closed = await Promise.all(opened.slice(0, 15).map((each) => each.closed));
    expect(new Set(closed)).toEqual(new Set([4_008]));
    const last = opened.at(-1);
    expect((await last?.next())?.activities).toHaveLength(2);
    await expectUnharmed(victim, await logOf(victim));
    expect((await last?.next())?.activities.length).toBeGreaterThan(0);
    for (const each of opened) each.close();
  });

  it('of connections that are broken off as they are upgraded ends nothing', async () => {
    const { victim } = await set();
    const before = await logOf(victim);
    const { hostname, port, host } = new URL(service.origin);
    const { pathname, search } = new URL(victim.streamUrl);
    const upgrade = (query: string) =>
      `GET ${pathname}${query} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    for (const query of Array.from({ length: 60 }, (_, nth) => (nth % 2 === 0 ? search : '?t=none'))) {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      const written = new Promise((resolve) => {
        socket.write(
          `${upgrade(query)}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
          resolve,
        );
      });
      await written;
      socket.resetAndDestroy();
    }
    await expectUnharmed(victim, before);
  });

  it.each<[string, string, number]>([
    ['of an upgrade to somewhere else', 'GET /elsewhere HTTP/1.1', 403],
    ['of an upgrade to no address', 'GET // HTTP/1.1', 403],
    ['of an upgrade without a ticket', `GET ${CONVERSATIONS}/x/stream HTTP/1.1`, 403],
  ])('%s is refused, and the connection is closed', async (_what, line, status) => {
    const { victim } = await set();
    const before = await logOf(victim);
    const answer = await sendRaw(
      service.origin,
      `${line}\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(status);
    await expectUnharmed(victim, before);
  });
});

describe('something too large', () => {
  const JSON_TYPE = 'Content-Type: application/json';
  const head = (chat: Chat, ...headers: string[]) =>
    [
      `POST ${CONVERSATIONS}/${chat.conversation}/activities HTTP/1.1`,
      'Host: x',
      `Authorization: Bearer ${chat.token}`,
      'Connection: close',
      ...headers,
      '\r\n',
    ].join('\r\n');
  const whole = (chat: Chat, body: string | Buffer, ...headers: string[]) =>
    sendRaw(service.origin, head(chat, JSON_TYPE, `Content-Length: ${Buffer.byteLength(body)}`, ...headers), body);

  it.each<[string, number, (chat: Began) => Promise<number>]>([
    ['a text', 400, async (chat) => (await send(chat, { ...QUESTION, text: 'x'.repeat(10_001) })).status],
    ['a body', 413, async (chat) => (await send(chat, { ...QUESTION, text: 'x'.repeat(1_000_000) })).status],
    [
      'a body in pieces',
      413,
      async (chat) => {
        const piece = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
        const chunked = head(chat, JSON_TYPE, 'Transfer-Encoding: chunked');
        return statusOf(await sendRaw(service.origin, chunked, ...Array.from({ length: 8 }, () => piece), '0\r\n\r\n'));
      },
    ],
    [
      'a body that is packed',
      415,
      async (chat) => statusOf(await whole(chat, gzipSync(' '.repeat(50_000_000)), 'Content-Encoding: gzip')),
    ],
    [
      'a body that is no packed one',
      415,
      async (chat) => statusOf(await whole(chat, 'no gzip', 'Content-Encoding: gzip')),
    ],
    ['a header', 431, async (chat) => statusOf(await whole(chat, '{}', `X-Large: ${'x'.repeat(40_000)}`))],
    ['a depth', 400, async (chat) => statusOf(await whole(chat, `${'['.repeat(60_000)}${']'.repeat(60_000)}`))],
    [
      'a depth that does not end',
      400,
      async (chat) => statusOf(await whole(chat, `{"type":"message","value":${'{"a":'.repeat(20_000)}`)),
    ],
    [
      'a number of fields',
      400,
      async (chat) =>
        (await send(chat, Object.fromEntries(Array.from({ length: 9_000 }, (_, at) => [`f${at}`, 1])))).status,
    ],
    [
      'a number of attachments',
      400,
      async (chat) => (await send(chat, { type: 'message', attachments: Array(20_000).fill(1) })).status,
    ],
    [
      'a file',
      415,
      async (chat) =>
        (await post(`${CONVERSATIONS}/${chat.conversation}/upload`, { token: chat.token, body: 'x'.repeat(5_000_000) }))
          .status,
    ],
    ['two lengths at once', 400, async (chat) => statusOf(await whole(chat, '{}', 'Content-Length: 3'))],
    [
      'a length and pieces at once',
      400,
      async (chat) => statusOf(await whole(chat, '{}', 'Transfer-Encoding: chunked')),
    ],
  ])('%s is refused with %d', async (_what, status, attack) => {
    const { victim } = await set();
    const before = await logOf(victim);
    expect(await attack(victim)).toBe(status);
    await expectUnharmed(victim, before);
  });

  it.each<[string, string | Buffer, number]>([
    ['a frame', 'x'.repeat(4_097), 1_009],
    ['a frame of bytes', Buffer.alloc(1_000_000), 1_009],
  ])('%s closes the stream', async (_what, frame, code) => {
    const { victim } = await set();
    const before = await logOf(victim);
    const socket = new WebSocket(victim.streamUrl);
    await once(socket, 'open');
    socket.on('error', () => undefined);
    socket.send(frame);
    expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(code);
    await expectUnharmed(victim, before);
  });

  it.each(['{"activities":[]}', 'nonsense', '{"type":"message","text":"jag är boten","from":{"role":"bot"}}'])(
    'or anything at all that is written to a stream is not read: %s',
    async (frame) => {
      const { victim } = await set();
      const before = await logOf(victim);
      const socket = new WebSocket(victim.streamUrl);
      await once(socket, 'open');
      socket.send(frame);
      await expectUnharmed(victim, before);
      socket.close();
    },
  );

  it('a time to send a body in is refused with 408, and others are answered meanwhile', async () => {
    const { victim } = await set();
    const before = await logOf(victim);
    await expectUnharmed(victim, before);
    const answer = await slow;
    expect(statusOf(answer)).toBe(408);
    expect(answer).toContain('RequestTimeout');
  });
});
