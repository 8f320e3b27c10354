/**
 * Attacks on the whole service, each a row: at its web server, its pages, its
 * Direct Line, its door for Teams and its ledger. Every one is refused or comes
 * to nothing, no answer tells of our insides, and the service answers after it.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import type { Service } from '../../src/cli/serve.ts';
import { closeServer, createServer, listen } from '../../src/server.ts';
import { content, production } from '../product.ts';
import { sendRaw, statusOf } from '../raw-request.ts';
import { startService } from '../service.ts';
import { type Connector, openConnector } from '../src/channels/bot-framework/connector.ts';
import { type Microsoft, openMicrosoft } from '../src/channels/bot-framework/microsoft.ts';
import { type Chat, type Client, clientOf } from '../src/channels/direct-line/client.ts';

let [microsoft, connector]: [Microsoft, Connector] | [] = [];
let service: Service;
let client: Client;
let chat: Chat & { streamUrl: string };

beforeAll(async () => {
  microsoft = await openMicrosoft();
  connector = await openConnector(microsoft);
  service = await startService(
    { ...production, ...microsoft.environment },
    { rates: { beginnings: 5_000, messages: 5_000, requests: 5_000 } },
  );
  client = clientOf(service.origin);
  chat = await client.begin();
}, 60_000);
afterAll(async () => {
  await service.stop();
  connector?.close();
  microsoft?.close();
});
afterEach(async () => {
  expect((await fetch(`${service.origin}/health`)).status).toBe(200);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

/** What tells of our insides: a stack, a statement, a path of ours, or the name of what we are made of. */
const INSIDES = /\bat .*:\d+:\d+|node_modules|\bselect\b.*\bfrom\b|insert into|postgres|syntax error|zod|restify/i;

const last = 'Connection: close\r\n\r\n';

/** What every answer bears. */
const BORNE = {
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'x-permitted-cross-domain-policies': 'none',
  'strict-transport-security': 'max-age=31536000',
};

describe('every answer bears what protects whoever reads it', () => {
  it.each<[string, string, RequestInit?]>([
    ['the chat', '/'],
    ['the stock page', '/web-chat'],
    ['what is kept', '/records'],
    ['a page that is not there', '/nothing'],
    ['the script for other pages', '/embed.js'],
    ['the state of our health', '/health'],
    ['Direct Line, refused', '/v3/directline/conversations', { method: 'POST' }],
    ['Direct Line, asked what it lets a page do', '/v3/directline/conversations', { method: 'OPTIONS' }],
    ['the door for Teams, refused', '/api/messages', { method: 'POST' }],
    ['the ledger, refused', '/ledger/v1/head'],
    ['a way of asking that there is none of', '/', { method: 'DELETE' }],
    [
      'a body that is no JSON',
      '/chat/token',
      { method: 'POST', body: '{', headers: { 'Content-Type': 'application/json' } },
    ],
  ])('%s', async (...[, path, options]) => {
    const { headers } = await fetch(`${service.origin}${path}`, options);
    const borne = Object.fromEntries(headers);
    expect(borne).toMatchObject(BORNE);
    expect(borne['content-security-policy']).toBeDefined();
    expect(borne['referrer-policy']).toBeDefined();
    expect(borne['permissions-policy']).toContain('camera=()');
    expect(borne).not.toHaveProperty('server');
    expect(borne).not.toHaveProperty('x-powered-by');
  });

  it.each([
    ['what is no HTTP', 'nonsense\r\n\r\n'],
    ['a header without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`],
    ['an expectation', `GET / HTTP/1.1\r\nHost: x\r\nExpect: everything\r\n${last}`],
    ['no host', `GET / HTTP/1.1\r\n${last}`],
    [
      'a stream without a ticket',
      'GET /v3/directline/conversations/x/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  ])('to %s', async (_what, sent) => {
    const answer = (await sendRaw(service.origin, sent)).toLowerCase();
    for (const [name, value] of Object.entries(BORNE)) expect(answer).toContain(`${name}: ${value}`);
    expect(answer).not.toContain('\r\nserver:');
  });

  it('a page that may be framed says by whom, and nothing that says otherwise', async () => {
    const { headers } = await fetch(service.origin);
    expect(headers.get('x-frame-options')).toBeNull();
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'self'");
    expect((await fetch(`${service.origin}/records`)).headers.get('x-frame-options')).toBe('DENY');
  });

  it('the script for other pages may be theirs', async () => {
    const { headers } = await fetch(`${service.origin}/embed.js`);
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  });

  it.each(['/', '/health', '/records', '/nothing', '/ledger/v1/head', '/web-chat'])(
    '%s is kept by no cache',
    async (path) => {
      expect((await fetch(`${service.origin}${path}`)).headers.get('cache-control')).toBe('no-store');
    },
  );
});

describe('a request that is not as it should be is refused', () => {
  const get = (...headers: string[]) => `GET / HTTP/1.1\r\n${headers.map((each) => `${each}\r\n`).join('')}${last}`;
  const post = (body: string, ...headers: string[]) =>
    `POST /chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers.map((each) => `${each}\r\n`).join('')}${last}${body}`;

  it.each<[string, string, number]>([
    ['with two hosts', get('Host: x', 'Host: y'), 400],
    ['with a policy in its host', get('Host: x; script-src *'), 400],
    ['with markup in its host', get('Host: "><script>'), 400],
    ['with half an address in its host', get('Host: ['), 400],
    ['with a port that is none in its host', get('Host: x:99999'), 400],
    ['for an address that is none', `GET http://[ HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['with a path in its host', get('Host: x/evil'), 400],
    ['with a name before its host', get('Host: x@evil.example'), 400],
    ['with a hundred headers and more', get('Host: x', ...Array.from({ length: 120 }, (_, at) => `X-${at}: 1`)), 431],
    ['with a header without a name', get('Host: x', ': 1'), 400],
    ['with a space in the name of a header', get('Host: x', 'X Y: 1'), 400],
    ['with a null in a header', get('Host: x', 'X: a\0b'), 400],
    ['with two lengths', post('{}', 'Content-Length: 2', 'Content-Length: 3'), 400],
    ['with a length and pieces', post('0\r\n\r\n', 'Content-Length: 2', 'Transfer-Encoding: chunked'), 400],
    ['with pieces twice', post('0\r\n\r\n', 'Transfer-Encoding: chunked, identity'), 400],
    ['with a length below nothing', post('{}', 'Content-Length: -1'), 400],
    ['with a length that is none', post('{}', 'Content-Length: 0x2'), 400],
    ['with a piece of no size', post('zz\r\n{}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'), 400],
    ['that is packed', post('{}', 'Content-Length: 2', 'Content-Encoding: gzip'), 415],
    ['that is packed twice', post('{}', 'Content-Length: 2', 'Content-Encoding: gzip, gzip'), 415],
    ['that is packed otherwise', post('{}', 'Content-Length: 2', 'Content-Encoding: br'), 415],
    ['that is a tunnel', `CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n${last}`, 0],
    ['that asks to be repeated', `TRACE / HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\n${last}`, 405],
    ['of another protocol', `GET / HTTP/9.9\r\nHost: x\r\n${last}`, 400],
    ['of the protocol after this', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ])('%s', async (what, sent, status) => {
    const answer = await sendRaw(service.origin, sent);
    expect([what, statusOf(answer)]).toEqual([what, status]);
    expect(statusOf(answer)).toBeLessThan(500);
    expect(answer).not.toMatch(INSIDES);
    expect(answer).not.toContain('Cookie: a=b');
  });

  it('a second request inside the body of the first is not answered', async () => {
    const inner = 'GET /records HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await sendRaw(service.origin, post(inner, `Content-Length: ${inner.length}`));
    expect(answer.match(/HTTP\/1\.1 \d{3}/g)).toHaveLength(1);
  });
});

describe('an address leads to nothing that is not served', () => {
  it.each([
    '/../../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fpackage.json',
    '/..%5c..%5cpackage.json',
    '/assets/../../package.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets/0000000000000000/../../../package.json',
    '/assets/%00/chat-page.js',
    '/.git/config',
    '/.env',
    '/package.json',
    '/dist/model.bin',
    '/%c0%ae%c0%ae/etc/passwd',
    '/%zz',
    '//evil.example/',
    '/\\evil.example',
    '/%0d%0aSet-Cookie:%20a=b',
    '/sign-in?challenge=%00',
    '/sign-in/callback?state=%00&code=%00',
    '/servicedesk/sign-in?to=//evil.example',
    '/servicedesk/sign-in?to=https:%2f%2fevil.example',
    '/servicedesk/cases/..%2f..%2fhealth',
    '/c/%00',
    '/ledger/v1/../../health%00',
    '/v3/directline/conversations/%00/activities',
    '/__proto__',
    '/constructor',
    `/${'a/'.repeat(3_000)}`,
  ])('%s', async (path) => {
    const answer = await sendRaw(service.origin, `GET ${path} HTTP/1.1\r\nHost: x\r\n${last}`);
    expect([400, 401, 403, 404, 410, 503]).toContain(statusOf(answer));
    expect(answer).not.toMatch(INSIDES);
    expect(answer).not.toMatch(/root:x|"devDependencies"|\r\nSet-Cookie: a=b|\r\nLocation: /i);
  });

  it('a host that is somebody else’s is in no link', async () => {
    const answer = await sendRaw(
      service.origin,
      `GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n${last}`,
    );
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).not.toMatch(/location:.*evil/i);
    expect(body).not.toContain('evil.example');
    const { body: begun } = await client.request('/v3/directline/conversations', {
      method: 'POST',
      token: (await client.token()).token,
      headers: { 'X-Forwarded-Host': 'evil.example' },
    });
    expect(begun.streamUrl).toMatch(/^wss:\/\/kortlotsen\.example\.se\//);
  });
});

/** JSON as no client of ours writes it. */
const bodies: [string, string][] = [
  ['a prototype', '{"__proto__":{"polluted":true},"type":"message","text":"hej"}'],
  [
    'a prototype deep down',
    '{"type":"message","text":"hej","channelData":{"__proto__":{"polluted":true}},"value":{"constructor":{"prototype":{"polluted":true}}}}',
  ],
  ['a constructor', '{"constructor":{"prototype":{"polluted":true}},"type":"message","text":"hej"}'],
  ['a null in its text', '{"type":"message","text":"hej\\u0000 du"}'],
  ['half a sign', '{"type":"message","text":"hej \\ud83d"}'],
  ['the other half', '{"type":"message","text":"\\ude00 hej"}'],
  ['every control', '{"type":"message","text":"\\u0001\\u0002\\u001b[31m\\u0085\\u2028\\ufffe"}'],
  ['what turns a text around', '{"type":"message","text":"\\u202ehej\\u2066"}'],
  ['a number without end', '{"type":"message","text":"hej","value":1e999}'],
  ['a number of many digits', `{"type":"message","text":"hej","value":${'9'.repeat(5_000)}}`],
  ['a depth', `{"type":"message","text":"hej","value":${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
  ['a key twice', '{"type":"message","type":"event","text":"hej","name":"x"}'],
  ['lists for texts', '{"type":["message"],"text":["hej"]}'],
  ['objects for texts', '{"type":"message","text":{"toString":"x"}}'],
  ['a thousand accents', `{"type":"message","text":"e${'\\u0301'.repeat(1_000)}"}`],
  ['SQL', `{"type":"message","text":"'; drop table conversations; --"}`],
  ['a template', '{"type":"message","text":"${process.env.PATH} {{constructor}} <%= 1 %>"}'],
];

describe('what is written to Direct Line does no harm', () => {
  it.each(bodies)('with %s', async (_what, body) => {
    const response = await fetch(`${service.origin}/v3/directline/conversations/${chat.conversation}/activities`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${chat.token}` },
      body,
    });
    expect([200, 400]).toContain(response.status);
    expect(await response.text()).not.toMatch(INSIDES);
    expect((await client.after(chat)).activities.length).toBeGreaterThan(0);
  });

  it('in bytes that are no text', async () => {
    const response = await fetch(`${service.origin}/v3/directline/conversations/${chat.conversation}/activities`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${chat.token}` },
      body: Buffer.from([...Buffer.from('{"type":"message","text":"'), 0xff, 0xfe, 0xc0, 0x80, ...Buffer.from('"}')]),
    });
    expect([200, 400]).toContain(response.status);
  });

  it('in thousands of frames, which close the stream', async () => {
    const began = await client.begin();
    const { pathname, search } = new URL(began.streamUrl);
    const socket = new WebSocket(`${service.origin}${pathname}${search}`.replace('http', 'ws'));
    await once(socket, 'open');
    const closed = once(socket, 'close');
    for (let sent = 0; sent < 1_000; sent++) socket.ping();
    expect([1_006, 1_008]).toContain((await closed)[0]);
  });

  it('in a frame that is not masked, which closes the stream', async () => {
    const began = await client.begin();
    const { pathname, search } = new URL(began.streamUrl);
    const head = `GET ${pathname}${search} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`;
    const { hostname, port } = new URL(service.origin);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.write(head);
    await once(socket, 'data');
    const told: Buffer[] = [];
    socket.on('data', (data: Buffer) => told.push(data));
    socket.write(Buffer.from([0x81, 0x02, 0x68, 0x69]));
    while (!Buffer.concat(told).includes(Buffer.from([0x88, 0x02, 0x03, 0xea]))) await once(socket, 'data');
    socket.destroy();
  });
});

const activity = (more: object = {}) => ({
  type: 'message',
  id: randomUUID(),
  timestamp: '2026-11-23T07:00:00.000Z',
  channelId: 'msteams',
  serviceUrl: connector?.url ?? '',
  from: { id: '29:anna', aadObjectId: randomUUID() },
  recipient: { id: '28:bot' },
  conversation: { id: `a:${randomUUID()}`, conversationType: 'personal', tenantId: microsoft?.tenantId },
  text: 'hej',
  ...more,
});
const sendActivity = async (sent: string, serviceUrl = connector?.url ?? '') =>
  fetch(`${service.origin}/api/messages`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${(await microsoft?.sign({ serviceurl: serviceUrl })) ?? ''}`,
    },
    body: sent,
  });

describe('what is sent as by Teams does no harm', () => {
  it.each(bodies)('with %s', async (_what, body) => {
    const { text: _, type: __, ...rest } = activity();
    const response = await sendActivity(`${JSON.stringify(rest).slice(0, -1)},${body.slice(1)}`);
    expect([200, 400]).toContain(response.status);
    expect(await response.text()).not.toMatch(INSIDES);
  });

  it.each([
    'https://127.0.0.1.evil.example/',
    'https://evil.example/127.0.0.1',
    'https://127.0.0.1@evil.example/',
    'https://evil.example#127.0.0.1',
    'https://evil.example\\@127.0.0.1',
    'https://[::ffff:169.254.169.254]/',
    'https://169.254.169.254/latest/meta-data',
    'https://0x7f000002/',
    'https://2130706434/',
    'https://localhost:5432/',
    'https://①②⑦.0.0.2/',
    'https://127.0.0.1。evil.example/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'javascript:alert(1)',
  ])('nothing is fetched from %s', async (serviceUrl) => {
    const before = connector?.taken.length;
    const response = await sendActivity(JSON.stringify(activity({ serviceUrl })), serviceUrl);
    expect([400, 401, 403]).toContain(response.status);
    expect(connector?.taken).toHaveLength(before ?? 0);
  });

  it('nothing is fetched of what is attached', async () => {
    const asked = microsoft?.asked.length;
    const contentUrl = `${microsoft?.environment.ToChannelFromBotLoginUrl ?? ''}/attached`;
    const attachments = [{ contentType: 'image/png', contentUrl, thumbnailUrl: contentUrl }];
    expect((await sendActivity(JSON.stringify(activity({ attachments })))).status).toBe(200);
    expect(microsoft?.asked.slice(asked)).not.toContain('/attached');
  });
});

describe('the ledger is nobody’s without a token', () => {
  it.each([
    '/ledger/v1/head',
    '/ledger/v1/events',
    '/ledger/v1/holders/%00/cards',
    '/ledger/v1/holders/__proto__/cards',
  ])('%s', async (path) => {
    const response = await fetch(`${service.origin}${path}`);
    expect([401, 404]).toContain(response.status);
    expect(await response.text()).not.toMatch(INSIDES);
  });
});

describe('whoever is slow', () => {
  it.each([
    ['with the headers', 'GET / HTTP/1.1\r\nHost: x\r\nX: '],
    ['with the body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx'],
    ['with a body in pieces', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n'],
    ['to say anything', ''],
  ])('%s is let go of', async (_what, sent) => {
    const server = await createServer({
      content,
      mounts: [
        (each) => {
          each.post('/', (_req, res, next) => {
            res.send(200);
            next();
          });
        },
      ],
      isHealthy: () => Promise.resolve({}),
      onMistake: () => undefined,
      patience: { headers: 200, request: 300, look: 50 },
    });
    const origin = await listen(server, { host: '127.0.0.1', port: 0 });
    // The connection is closed, whatever was said before.
    expect([0, 200, 408]).toContain(statusOf(await sendRaw(origin, sent)));
    await closeServer(server);
  });

  it('with an upgrade that nobody takes is let go of', async () => {
    const server = await createServer({
      content,
      mounts: [],
      isHealthy: () => Promise.resolve({}),
      onMistake: () => undefined,
    });
    const origin = await listen(server, { host: '127.0.0.1', port: 0 });
    expect(
      await sendRaw(origin, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    ).toBe('');
    await closeServer(server);
  });
});
