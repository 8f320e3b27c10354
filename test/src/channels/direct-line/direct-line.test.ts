import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Service } from '../../../../src/cli/serve.ts';
import { createTokens } from '../../../../src/channels/direct-line/tokens.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { keyFor } from '../../../../src/storage/keys.ts';
import { canaries } from '../../../canaries.ts';
import { createDatabase, openTestDatabase } from '../../../database/database.ts';
import { content } from '../../../product.ts';
import { startService } from '../../../service.ts';
import { type Serving, startServing } from '../../../serving.ts';
import { type Chat, type Client, clientOf, hubSetting, openStream } from './client.ts';

const { hub: SECRET } = canaries;
const SCHOOL_PAGE = 'https://skolan.example.se';
const STUDENTS_PAGE = 'https://student.example.se';
const HUBS = [
  hubSetting('skolan', SECRET, [SCHOOL_PAGE, STUDENTS_PAGE]),
  hubSetting('regionen', 'another-secret'),
].join(',');
const PUBLIC = 'https://kortlotsen.example.se';
const WRONG_PIN = { type: 'message', text: 'jag har slagit fel kod tre gånger' };

const CONVERSATIONS = '/v3/directline/conversations';
const REFRESH = '/v3/directline/tokens/refresh';
const GENERATE = '/v3/directline/tokens/generate';

let service: Service | undefined;
let other: Serving | undefined;
/** Behind a proxy that ends TLS, with few beginnings a minute, and without hubs. */
let proxied: Service | undefined;
let [client, elsewhere, behind]: Client[] = [];
let database: Database;
const here = (): Client => client ?? clientOf('');

beforeAll(async () => {
  const url = await createDatabase();
  const shared = { DATABASE_URL: url, DIRECT_LINE_HUBS: HUBS };
  service = await startService(shared);
  other = await startServing(shared, '--at', '2026-11-23T08:00');
  client = clientOf(service.origin);
  elsewhere = clientOf(other.origin);
  const proxy = { KORTLOTSEN_PUBLIC_URL: `${PUBLIC}/chatt`, KORTLOTSEN_TRUSTED_PROXIES: 'loopback' };
  proxied = await startService({ DATABASE_URL: url, ...proxy }, { rates: { beginnings: 3 } });
  behind = clientOf(proxied.origin);
  database = await openTestDatabase(url);
});
afterAll(async () => {
  await Promise.all([service?.stop(), other?.stop(), proxied?.stop()]);
  await database.close();
});

describe('a conversation over Direct Line', () => {
  it('begins with a welcome, once, however often it is begun', async () => {
    const chat = await here().begin();
    const again = await here().request('/v3/directline/conversations', { method: 'POST', token: chat.token });
    expect(again.status).toBe(200);
    const { activities } = await here().after(chat);
    expect(activities.map(({ text }) => text)).toEqual([
      content.label('conversation/welcome'),
      content.label('conversation/listening'),
    ]);
  });

  it('gives back what was posted, under its client’s own id, before the answer', async () => {
    const chat = await here().begin();
    const { status, body } = await here().send(chat, { ...WRONG_PIN, channelData: { clientActivityID: 'mine' } });
    expect(status).toBe(200);
    const activities = await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    const [, , echo] = activities;
    expect(echo).toMatchObject({
      ...WRONG_PIN,
      id: body.id,
      from: { role: 'user' },
      channelData: { clientActivityID: 'mine' },
    });
  });

  it('takes a message that is posted again for the same one', async () => {
    const chat = await here().begin();
    const message = { ...WRONG_PIN, channelData: { clientActivityID: 'mine' } };
    const [first, second] = await Promise.all([here().send(chat, message), elsewhere?.send(chat, message)]);
    expect([second?.status, second?.body]).toEqual([first.status, first.body]);
    const activities = await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    expect(activities).toHaveLength(4);
  });

  it('gives back a client’s events, and answers none', async () => {
    const chat = await here().begin();
    const event = { type: 'event', name: 'webchat/join', channelData: { clientActivityID: 'e' } };
    expect((await here().send(chat, event)).status).toBe(200);
    expect((await here().after(chat, '2')).activities).toMatchObject([event]);
  });

  it.each(['typing', 'messageReaction', 'conversationUpdate', 'event'])(
    'gives back %s under its client’s own id, since the client waits for it',
    async (type) => {
      const chat = await here().begin();
      const { status, body } = await here().send(chat, { type, channelData: { clientActivityID: 'mine' } });
      expect(status).toBe(200);
      const { activities } = await here().after(chat, '2');
      expect(activities).toMatchObject([
        { type, id: body.id, from: { role: 'user' }, channelData: { clientActivityID: 'mine' } },
      ]);
    },
  );

  it('is signed out of when its client ends it, and says so', async () => {
    const chat = await here().begin();
    await here().send(chat, { type: 'endOfConversation', channelData: { clientActivityID: 'end' } });
    const activities = await here().until(chat, content.label('conversation/nobodyIsSignedIn'));
    expect(activities.at(2)).toMatchObject({
      text: content.label('chat/signOutWish'),
      channelData: { clientActivityID: 'end' },
    });
  });

  it('takes the value of a button for its text, and something else for no text', async () => {
    const chat = await here().begin();
    await here().send(chat, { type: 'message', value: WRONG_PIN.text, channelData: { postBack: true } });
    await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    const { status } = await here().send(chat, { type: 'message', value: { choice: [1, { deep: true }] } });
    expect(status).toBe(200);
    const activities = await here().until(chat, content.label('conversation/wordless'));
    expect(activities.some((each) => each.from.role === 'user' && each.text === '')).toBe(true);
  });

  it.each(['-', '-3', '1.5', '99', '2147483648', '9007199254740993', '1e400', 'nonsense', "1'--", '%00', ''])(
    'is shown from its beginning to whoever asks after %s, which is no place in it',
    async (watermark) => {
      const chat = await here().begin();
      const { activities, watermark: last } = await here().after(chat, watermark);
      expect(activities).toHaveLength(2);
      expect(last).toBe('2');
    },
  );

  it('has ids that sort as it went', async () => {
    const chat = await here().begin();
    for (let nth = 0; nth < 12; nth++) await here().send(chat, { type: 'typing' });
    const ids = (await here().after(chat)).activities.map(({ id }) => id);
    expect(ids).toHaveLength(14);
    expect([...ids].sort()).toEqual(ids);
  });

  it('goes on after the last that was seen', async () => {
    const chat = await here().begin();
    const { watermark } = await here().after(chat);
    expect((await here().after(chat, watermark)).activities).toEqual([]);
    await here().send(chat, WRONG_PIN);
    await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    const more = await elsewhere?.after(chat, watermark);
    expect(more?.activities.map(({ from }) => from.role)).toEqual(['user', 'bot']);
  });

  it('can be come back to by whoever has its return token, and by nobody else', async () => {
    const chat = await here().begin();
    expect(await here().token(chat.returnToken)).toMatchObject({ conversation: chat.conversation, isKnown: true });
    for (const token of [chat.token, `${chat.returnToken}x`, '', 'nonsense']) {
      const { conversation, isKnown } = await here().token(token);
      expect({ isKnown, isSame: conversation === chat.conversation }).toEqual({ isKnown: false, isSame: false });
    }
  });

  it('keeps no secret that was posted', async () => {
    const chat = await here().begin();
    await here().send(chat, { type: 'message', text: 'min pin är 4711 och jag heter 640823-3234' });
    const activities = await here().until(chat, 'Skriv inte personnummer, pinkod eller pukkod här. Jag behöver');
    expect(JSON.stringify(activities)).not.toMatch(/4711|640823/);
  });
});

describe('a conversation that is gone', () => {
  const forget = async ({ conversation }: Chat) => {
    const text = 'delete from conversations where id = $1 returning id';
    expect(await database.run({ text }, [`web/${conversation}`])).toHaveLength(1);
  };

  it('is not there for anybody, whichever token they have, and nothing that is sent brings it back', async () => {
    const chat = await here().begin();
    await forget(chat);
    const { status, body } = await here().request(REFRESH, { method: 'POST', token: chat.token });
    expect(status).toBe(200);
    for (const token of [chat.token, String(body.token)]) {
      for (const path of ['', '/activities']) {
        const asked = await here().request(`${CONVERSATIONS}/${chat.conversation}${path}`, { token });
        expect(asked).toMatchObject({ status: 404, body: { error: { code: 'BadArgument' } } });
      }
      for (const sent of [WRONG_PIN, { type: 'typing' }])
        expect((await here().send({ ...chat, token }, sent)).status).toBe(404);
    }
    expect(
      await database.run({ text: 'select from conversations where id = $1' }, [`web/${chat.conversation}`]),
    ).toEqual([]);
    await expect(openStream(chat.streamUrl)).rejects.toThrow('404');
  });

  it('closes its streams, so that their clients look again', async () => {
    const chat = await here().begin();
    const stream = await openStream(chat.streamUrl);
    await stream.next();
    await forget(chat);
    expect(await stream.closed).toBe(4_004);
  });

  it('can be begun anew, from its beginning', async () => {
    const chat = await here().begin();
    await here().send(chat, WRONG_PIN);
    await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    await forget(chat);
    const { status } = await here().request(CONVERSATIONS, { method: 'POST', token: chat.token });
    expect(status).toBe(201);
    expect((await here().after(chat, '4')).activities).toHaveLength(2);
  });
});

describe('a stream', () => {
  it('sends what there is, and then what comes', async () => {
    const chat = await here().begin();
    const stream = await openStream(chat.streamUrl);
    expect((await stream.next()).activities).toHaveLength(2);
    await here().send(chat, WRONG_PIN);
    const seen = [];
    while (seen.length < 2) seen.push(...(await stream.next()).activities);
    expect(seen.map(({ from }) => from.role)).toEqual(['user', 'bot']);
    stream.close();
  });

  it('is told of what is written and answered in another process', async () => {
    const chat = await here().begin();
    const stream = await openStream(chat.streamUrl);
    await stream.next();
    await elsewhere?.send(chat, WRONG_PIN);
    const seen = [];
    while (seen.length < 2) seen.push(...(await stream.next()).activities);
    expect(seen.map(({ text }) => text)).toEqual([WRONG_PIN.text, content.label('pin-trouble/askingHasPuk')]);
    stream.close();
  });

  it('sends nothing again to a client that comes back', async () => {
    const chat = await here().begin();
    const stream = await openStream(chat.streamUrl);
    const { watermark } = await stream.next();
    stream.close();
    await here().send(chat, WRONG_PIN);
    const path = `/v3/directline/conversations/${chat.conversation}?watermark=${watermark}`;
    const { body } = await here().request(path, { token: chat.token });
    const again = await openStream(String(body.streamUrl));
    const seen = [];
    while (seen.length < 2) seen.push(...(await again.next()).activities);
    expect(seen.map(({ from }) => from.role)).toEqual(['user', 'bot']);
    again.close();
  });

  it.each([
    ['without a token', (url: string) => url.replace(/t=[^&]*/, 't=')],
    [
      'with a token for another conversation',
      (url: string, others: string) => url.replace(/t=[^&]*/, new URL(others).search.slice(1)),
    ],
    [
      'of a conversation that is not the token’s',
      (url: string, others: string) =>
        url.replace(/conversations\/[^/]+/, /conversations\/[^/]+/.exec(others)?.[0] ?? ''),
    ],
  ])('is not opened %s', async (_what, change) => {
    const [chat, others] = [await here().begin(), await here().begin()];
    await expect(openStream(change(chat.streamUrl, others.streamUrl))).rejects.toThrow('403');
  });

  it('is not opened for a page of somebody else’s', async () => {
    const { streamUrl } = await here().begin();
    await expect(openStream(streamUrl, { Origin: 'https://elsewhere.example' })).rejects.toThrow('403');
    const stream = await openStream(streamUrl, { Origin: service?.origin ?? '' });
    stream.close();
  });
});

describe('a request', () => {
  it.each([
    ['without a token', 401, () => undefined],
    ['with nonsense for a token', 403, () => 'nonsense'],
    ['with a token for something else', 403, (chat: { returnToken: string }) => chat.returnToken],
    ['with a token that nobody signed', 403, () => 'eyJhbGciOiJub25lIn0.eyJjb252IjoiYyIsInVzZXIiOiJ1In0.'],
  ])('%s is refused with %d', async (_what, status, tokenOf) => {
    const chat = await here().begin();
    const path = `/v3/directline/conversations/${chat.conversation}/activities`;
    expect((await here().request(path, { token: tokenOf(chat) })).status).toBe(status);
    expect((await here().request(path, { method: 'POST', token: tokenOf(chat), body: WRONG_PIN })).status).toBe(status);
    expect((await here().after(chat)).activities).toHaveLength(2);
  });

  it('for somebody else’s conversation is refused', async () => {
    const [chat, others] = [await here().begin(), await here().begin()];
    const path = `/v3/directline/conversations/${others.conversation}/activities`;
    expect((await here().request(path, { token: chat.token })).status).toBe(403);
  });

  it.each([
    ['nothing', undefined],
    ['something else than an activity', { text: 'hej' }],
    ['an unknown type', { type: 'invoke' }],
    ['a whole book', { type: 'message', text: 'x'.repeat(10_001) }],
    ['a number for a text', { type: 'message', text: 7 }],
    ['a list', [WRONG_PIN]],
  ])('with %s is refused, and the conversation goes on', async (_what, body) => {
    const chat = await here().begin();
    const path = `/v3/directline/conversations/${chat.conversation}/activities`;
    expect((await here().request(path, { method: 'POST', token: chat.token, body })).status).toBe(400);
    await here().send(chat, WRONG_PIN);
    await here().until(chat, content.label('pin-trouble/askingHasPuk'));
  });

  it('with something that is not JSON is refused, without a word of ours', async () => {
    const chat = await here().begin();
    const response = await fetch(
      `${service?.origin ?? ''}/v3/directline/conversations/${chat.conversation}/activities`,
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${chat.token}` },
        body: '{"type":"message","text":"min pin är 4711',
      },
    );
    expect(response.status).toBe(400);
    expect(await response.text()).not.toMatch(/4711|node_modules/);
  });

  it('to send a file is refused', async () => {
    const chat = await here().begin();
    const path = `/v3/directline/conversations/${chat.conversation}/upload`;
    expect(await here().request(path, { method: 'POST', token: chat.token })).toMatchObject({ status: 415 });
  });

  it.each([
    ['HEAD', 405],
    ['PUT', 405],
    ['DELETE', 405],
    ['PATCH', 405],
  ])('by %s is none of the protocol’s', async (method, status) => {
    const chat = await here().begin();
    const path = `${CONVERSATIONS}/${chat.conversation}/activities`;
    expect((await here().request(path, { method, token: chat.token })).status).toBe(status);
  });

  it('for something that is not there is told so as a client reads it', async () => {
    const { status, body } = await here().request('/v3/directline/session/getsessionid');
    expect({ status, body }).toEqual({
      status: 404,
      body: { error: { code: 'BadArgument', message: 'There is nothing here.' } },
    });
  });

  it('with an attachment and no text is refused, and says what to do', async () => {
    const chat = await here().begin();
    const attachments = [{ contentType: 'image/png', contentUrl: 'data:,' }];
    const { status, body } = await here().send(chat, { type: 'message', text: ' ', attachments });
    expect(status).toBe(400);
    expect(body).toEqual({
      error: { code: 'BadArgument', message: 'Attachments cannot be sent here. Send a text.' },
    });
    expect((await here().send(chat, { ...WRONG_PIN, attachments })).status).toBe(200);
  });

  it('with a file of 5 MB is refused at once, and the connection is good for more', async () => {
    const chat = await here().begin();
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(5_000_000)]), 'kort.png');
    const path = `${CONVERSATIONS}/${chat.conversation}/upload?userId=dl_x`;
    const headers = { Authorization: `Bearer ${chat.token}` };
    const response = await fetch(`${service?.origin ?? ''}${path}`, { method: 'POST', body: form, headers });
    expect(response.status).toBe(415);
    expect(await response.json()).toEqual({
      error: { code: 'UploadsAreRefused', message: 'Files cannot be sent here.' },
    });
    expect((await here().after(chat)).activities).toHaveLength(2);
  });

  it('of whose token has expired is told so, by REST and for a stream', async () => {
    const chat = await here().begin();
    const tokens = createTokens(await keyFor(database, 'direct-line'), { chat: -1, stream: -1, return: -1 });
    const [{ token }, ticket] = [await tokens.issue('chat', chat), await tokens.issue('stream', chat)];
    for (const path of ['', '/activities']) {
      const asked = await here().request(`${CONVERSATIONS}/${chat.conversation}${path}`, { token });
      expect(asked).toMatchObject({ status: 403, body: { error: { code: 'TokenExpired' } } });
    }
    expect((await here().send({ ...chat, token }, WRONG_PIN)).body).toMatchObject({ error: { code: 'TokenExpired' } });
    const url = new URL(chat.streamUrl);
    url.searchParams.set('t', ticket.token);
    await expect(openStream(url.href)).rejects.toThrow('403');
  });

  it('for a new token gets one for the same conversation', async () => {
    const chat = await here().begin();
    const { body } = await here().request('/v3/directline/tokens/refresh', { method: 'POST', token: chat.token });
    expect(body.conversationId).toBe(chat.conversation);
    expect((await here().after({ ...chat, token: String(body.token) })).activities).toHaveLength(2);
  });
});

describe('a hub', () => {
  const generate = (body?: object, token = SECRET) => here().request(GENERATE, { method: 'POST', token, body });
  const begin = async (token: string): Promise<Chat & { streamUrl: string }> => {
    const { status, body } = await here().request(CONVERSATIONS, { method: 'POST', token });
    expect(status).toBe(201);
    const { conversationId, streamUrl } = body;
    const conversation = String(conversationId);
    return { conversation, user: '', isKnown: true, token, returnToken: '', streamUrl: String(streamUrl) };
  };

  it('gives its students tokens, and nobody without its secret does', async () => {
    const { status, body } = await generate();
    expect(status).toBe(200);
    expect(body).toMatchObject({ expires_in: 3_600, conversationId: expect.stringMatching(/^hub-skolan-/) });
    const chat = await begin(String(body.token));
    expect(chat.conversation).toBe(body.conversationId);
    await here().send(chat, WRONG_PIN);
    await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    for (const token of [`${SECRET}x`, '', HUBS, chat.token]) expect((await generate({}, token)).status).toBe(403);
    expect((await here().request(GENERATE, { method: 'POST' })).status).toBe(403);
  });

  it('says who its student is, in the token, as clients read it', async () => {
    const { body } = await generate({ user: { id: 'dl_student-7', name: 'Ada' } });
    const [, payload = ''] = String(body.token).split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ user: 'dl_student-7' });
  });

  it.each([
    ['a user without dl_', { user: { id: 'student-7' } }],
    ['a user without an id', { user: { name: 'Ada' } }],
    ['a page that is not its own', { trustedOrigins: [SCHOOL_PAGE, 'https://evil.example'] }],
    ['any page at all', { trustedOrigins: ['*'] }],
    ['a list', [{}]],
  ])('cannot ask for a token for %s', async (_what, asked) => {
    expect((await generate(asked)).status).toBe(400);
    expect((await here().request(CONVERSATIONS, { method: 'POST', token: SECRET, body: asked })).status).toBe(400);
  });

  it('has its own conversations by its secret, as Azure lets it', async () => {
    const chat = await begin(SECRET);
    expect((await here().send(chat, WRONG_PIN)).status).toBe(200);
    await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    const { status, body } = await here().request(`${CONVERSATIONS}/${chat.conversation}?watermark=3`, {
      token: SECRET,
    });
    expect(status).toBe(200);
    const stream = await openStream(String(body.streamUrl));
    expect((await stream.next()).activities).toHaveLength(1);
    stream.close();
    expect((await here().request(REFRESH, { method: 'POST', token: SECRET })).status).toBe(403);
  });

  it('has no other’s conversation: not the page’s, not another hub’s', async () => {
    const [ours, theirs] = [await here().begin(), await begin(SECRET)];
    for (const [{ conversation }, token] of [
      [ours, SECRET],
      [theirs, 'another-secret'],
      [theirs, ours.token],
      [ours, theirs.token],
    ] as const) {
      const chat = { ...ours, conversation, token };
      expect((await here().request(`${CONVERSATIONS}/${conversation}`, { token })).status).toBe(403);
      expect((await here().send(chat, WRONG_PIN)).status).toBe(403);
    }
  });

  it('keeps its user and its pages when a token is made new', async () => {
    const { body } = await generate({ user: { id: 'dl_student-7' }, trustedOrigins: [STUDENTS_PAGE] });
    const again = await here().request(REFRESH, { method: 'POST', token: String(body.token) });
    const claims = [body.token, again.body.token].map((token) => {
      const [, payload = ''] = String(token).split('.');
      const { conv, user, origins } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<
        string,
        unknown
      >;
      return { conv, user, origins };
    });
    expect(claims[0]).toMatchObject({ user: 'dl_student-7', origins: [STUDENTS_PAGE] });
    expect(claims[1]).toEqual(claims[0]);
  });

  it('that is in the settings no more is nobody, whatever tokens it has', async () => {
    const chat = await begin(String((await generate()).body.token));
    expect((await here().after(chat)).activities).toHaveLength(2);
    const asked = await behind?.request(`${CONVERSATIONS}/${chat.conversation}`, { token: chat.token });
    expect(asked?.status).toBe(403);
    expect((await behind?.request(REFRESH, { method: 'POST', token: chat.token }))?.status).toBe(403);
    expect((await behind?.request(GENERATE, { method: 'POST', token: SECRET }))?.status).toBe(403);
    const { pathname, search } = new URL(chat.streamUrl);
    await expect(openStream(`${proxied?.origin ?? ''}${pathname}${search}`)).rejects.toThrow('403');
  });
});

describe('a page', () => {
  const answerTo = async (
    origin: string,
    path: string,
    asked: { method?: string; token?: string; body?: object } = {},
  ) => here().request(path, { ...asked, headers: { Origin: origin } });
  const tokenFor = async (trustedOrigins?: string[]) =>
    String((await here().request(GENERATE, { method: 'POST', token: SECRET, body: { trustedOrigins } })).body.token);

  it('of a hub’s may ask, with what clients send, and without cookies', async () => {
    const headers = { Origin: SCHOOL_PAGE, 'Access-Control-Request-Method': 'POST' };
    const preflight = await here().request(CONVERSATIONS, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    const told = Object.fromEntries([...preflight.headers].filter(([name]) => /^access|^vary/.test(name)));
    expect(told).toEqual({
      'access-control-allow-origin': SCHOOL_PAGE,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'Authorization, Content-Type, X-Requested-With, x-ms-bot-agent',
      'access-control-expose-headers': 'Retry-After',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    const begun = await answerTo(SCHOOL_PAGE, CONVERSATIONS, { method: 'POST', token: await tokenFor() });
    expect(begun.status).toBe(201);
    expect(begun.headers.get('access-control-allow-origin')).toBe(SCHOOL_PAGE);
    const stream = await openStream(String(begun.body.streamUrl), { Origin: SCHOOL_PAGE });
    stream.close();
  });

  it('that a token is not for may not, though others of the hub’s do, and its client can read why', async () => {
    const token = await tokenFor([STUDENTS_PAGE]);
    const refused = await answerTo(SCHOOL_PAGE, CONVERSATIONS, { method: 'POST', token });
    expect(refused).toMatchObject({ status: 403, body: { error: { code: 'OriginIsRefused' } } });
    expect(refused.headers.get('access-control-allow-origin')).toBe(SCHOOL_PAGE);
    const { body } = await answerTo(STUDENTS_PAGE, CONVERSATIONS, { method: 'POST', token });
    await expect(openStream(String(body.streamUrl), { Origin: SCHOOL_PAGE })).rejects.toThrow('403');
    (await openStream(String(body.streamUrl), { Origin: STUDENTS_PAGE })).close();
  });

  it('of ours may use a token of ours, and a hub’s page may not', async () => {
    const chat = await here().begin();
    const path = `${CONVERSATIONS}/${chat.conversation}/activities`;
    expect((await answerTo(service?.origin ?? '', path, { token: chat.token })).status).toBe(200);
    expect((await answerTo(SCHOOL_PAGE, path, { token: chat.token })).status).toBe(403);
  });

  it.each([CONVERSATIONS, REFRESH, GENERATE, `${CONVERSATIONS}/x/upload`, '/v3/directline/nowhere'])(
    'of nobody’s that we know gets nothing at %s, not even to read why',
    async (path) => {
      for (const origin of [
        'https://evil.example',
        'null',
        `${SCHOOL_PAGE}.evil.example`,
        'http://skolan.example.se',
      ]) {
        for (const method of ['OPTIONS', 'POST']) {
          const refused = await answerTo(origin, path, { method, token: SECRET });
          expect(refused.status).toBe(403);
          expect(refused.headers.get('access-control-allow-origin')).toBeNull();
        }
      }
    },
  );
});

describe('behind a proxy that ends TLS', () => {
  it('a stream is where students reach us, whatever a header says', async () => {
    const { token } = await here().begin();
    const headers = { 'X-Forwarded-Proto': 'http', 'X-Forwarded-Host': 'evil.example' };
    const { body } = (await behind?.request(CONVERSATIONS, { method: 'POST', token, headers })) ?? {};
    expect(body?.streamUrl).toMatch(/^wss:\/\/kortlotsen\.example\.se\/chatt\/v3\/directline\/conversations\//);
    const elsewhere = await here().request(CONVERSATIONS, { method: 'POST', token, headers });
    expect(elsewhere.body.streamUrl).toContain(`ws://${new URL(service?.origin ?? '').host}/`);
  });

  it('our own page is the public one', async () => {
    const chat = await here().begin();
    const asked = { token: chat.token, headers: { Origin: PUBLIC } };
    expect((await behind?.request(`${CONVERSATIONS}/${chat.conversation}`, asked))?.status).toBe(200);
  });

  it('beginnings are counted by whom the proxy asks for, and a network of IPv6 is one', async () => {
    const beginFrom = async (address: string) => {
      const { token } = await here().token();
      const headers = { 'X-Forwarded-For': address };
      return (await behind?.request(CONVERSATIONS, { method: 'POST', token, headers })) ?? { status: 0 };
    };
    for (const host of ['1', '2', 'ffff']) expect((await beginFrom(`2001:db8::${host}`)).status).toBe(201);
    const refused = await beginFrom('2001:db8::4');
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'TooManyRequests' } } });
    expect((await beginFrom('198.51.100.7')).status).toBe(201);
    expect((await beginFrom('2001:db8:0:1::1')).status).toBe(201);
  });
});

describe('too much', () => {
  it('is told with the time to wait, by whichever process is asked, and only of that conversation', async () => {
    const [chat, others] = [await here().begin(), await here().begin()];
    for (let nth = 0; nth < 15; nth++)
      for (const client of [here(), elsewhere]) expect((await client?.send(chat, WRONG_PIN))?.status).toBe(200);
    for (const client of [here(), elsewhere]) {
      const refused = await client?.send(chat, WRONG_PIN);
      expect(refused).toMatchObject({ status: 429, body: { error: { code: 'TooManyRequests' } } });
      const seconds = Number(refused?.headers.get('retry-after'));
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(60);
    }
    expect((await here().after(chat)).activities.length).toBeGreaterThanOrEqual(32);
    expect((await here().send(others, WRONG_PIN)).status).toBe(200);
  });

  it('is kept by nobody’s name', async () => {
    await here().begin();
    const rows = await database.run<{ key: string }>({ text: 'select key from limits' }, []);
    expect(rows.length).toBeGreaterThan(0);
    for (const { key } of rows) expect(key).toMatch(/^(beginnings|messages|requests):[\w-]{43}$/);
  });
});
