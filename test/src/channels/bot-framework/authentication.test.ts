/** Who gets in at `/api/messages`: whoever the Bot Connector service has signed for, and nobody else, however often they try. */
import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SignJWT } from 'jose';
import { createDoorkeeper } from '../../../../src/channels/bot-framework/authentication.ts';
import type { Service } from '../../../../src/cli/serve.ts';
import { isLong } from '../../../faults/built-product.ts';
import { content, production } from '../../../product.ts';
import { startService } from '../../../service.ts';
import { type Connector, openConnector } from './connector.ts';
import { ISSUER, type Microsoft, openMicrosoft } from './microsoft.ts';

/** After those that warm it up, and in milliseconds how long they may take on a slow machine. */
const FLOOD = isLong
  ? { warming: 2_000, count: 20_000, patience: 240_000 }
  : { warming: 1_000, count: 3_000, patience: 60_000 };

let microsoft: Microsoft;
let connector: Connector;
let service: Service;

beforeAll(async () => {
  microsoft = await openMicrosoft();
  connector = await openConnector(microsoft);
  service = await startService({ ...production, ...microsoft.environment });
});
afterAll(async () => {
  await service.stop();
  connector.close();
  microsoft.close();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const activity = (more: object = {}) => ({
  type: 'message',
  id: randomUUID(),
  timestamp: '2026-11-23T07:00:00.000Z',
  channelId: 'msteams',
  serviceUrl: connector.url,
  from: { id: '29:anna', aadObjectId: randomUUID() },
  recipient: { id: '28:bot' },
  conversation: { id: 'a:1', conversationType: 'personal', tenantId: microsoft.tenantId },
  text: 'hej',
  ...more,
});

async function post(authorization: string | undefined, body: string): Promise<number> {
  const response = await fetch(`${service.origin}/api/messages`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(authorization !== undefined && { Authorization: authorization }),
    },
    body,
  });
  await response.text();
  return response.status;
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;
const claims = () => ({ iss: ISSUER, aud: microsoft.appId, serviceurl: connector.url, exp: inAnHour() });
const good = () => microsoft.sign({ serviceurl: connector.url });
const from = (minutes: number) => Math.floor(Date.now() / 1_000) + 60 * minutes;
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const kidOf = async () =>
  (JSON.parse(Buffer.from((await good()).split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
const signedBy = async (key: typeof stranger.privateKey, alg: string) =>
  new SignJWT(claims()).setProtectedHeader({ alg, kid: await kidOf() }).sign(key);

describe('what the Bot Connector service has signed', () => {
  it('is answered, and the answer proves that it is the bot’s', async () => {
    expect(await microsoft.send(service.origin, activity())).toBe(200);
    expect(connector.taken.map(({ text }) => text)).toContain(content.label('conversation/welcome'));
    expect(microsoft.asked).toContain(`/${microsoft.tenantId}/oauth2/v2.0/token`);
  });

  it('is answered from one token for the bot, however many come at once', async () => {
    await Promise.all(
      Array.from({ length: 10 }, (_, nth) =>
        microsoft.send(service.origin, activity({ conversation: { ...activity().conversation, id: `b:${nth}` } })),
      ),
    );
    expect(microsoft.asked.filter((path) => path.endsWith('/token'))).toHaveLength(1);
  });

  it('is not answered in the response itself, where nothing would be kept', async () => {
    expect(await microsoft.send(service.origin, activity({ type: 'invoke', name: 'x' }))).toBe(501);
    expect(await microsoft.send(service.origin, activity({ deliveryMode: 'expectReplies' }))).toBe(501);
  });
});

/** The header, and what is changed of the activity. */
type Forgery = [
  what: string,
  status: number,
  header: () => Promise<string | undefined>,
  changed?: () => object | string,
];
const bearer = (sign: () => Promise<string>) => async () => `Bearer ${await sign()}`;
const having = (changed: object, header?: { kid?: string; alg?: string }) =>
  bearer(() => microsoft.sign({ serviceurl: connector.url, ...changed }, header));
const forURL = (serviceUrl: string) => bearer(() => microsoft.sign({ serviceurl: serviceUrl }));

const forged: Forgery[] = [
  ['no header', 401, () => Promise.resolve(undefined)],
  ['an empty header', 401, () => Promise.resolve('')],
  ['a header without a token', 401, () => Promise.resolve('Bearer')],
  ['a token that is none', 401, () => Promise.resolve('Bearer x.y.z')],
  ['a name and a password', 401, () => Promise.resolve('Basic YW5uYTpoZW1saWd0')],
  ['a header of 10,000 characters', 401, () => Promise.resolve(`Bearer ${'a'.repeat(10_000)}`)],
  ['a good token and something after it', 401, async () => `Bearer ${await good()} x`],
  ['two tokens', 401, async () => `Bearer ${await good()}, Bearer ${await good()}`],
  ['a payload that is no object', 401, async () => `Bearer ${encoded({ alg: 'RS256', kid: await kidOf() })}.Mg.AAAA`],
  ['a payload that is no JSON', 401, () => Promise.resolve(`Bearer ${encoded({ alg: 'RS256' })}.e30x.AAAA`)],
  ['an audience of somebody else’s', 401, having({ aud: randomUUID() })],
  ['an audience that is a list', 401, having({ aud: ['*', 'x'] })],
  ['no audience', 401, having({ aud: undefined })],
  ['an issuer of somebody else’s', 401, having({ iss: 'https://evil.example' })],
  ['the issuer of the emulator', 401, having({ iss: 'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/' })],
  [
    'a tenant’s issuer that it names itself',
    401,
    having({ iss: `https://sts.windows.net/${randomUUID()}/`, tid: randomUUID() }),
  ],
  [
    'an end six minutes ago',
    401,
    bearer(() => microsoft.sign({ serviceurl: connector.url, exp: from(-6), nbf: from(-60) })),
  ],
  ['a beginning in six minutes', 401, bearer(() => microsoft.sign({ serviceurl: connector.url, nbf: from(6) }))],
  ['no end', 401, having({ exp: undefined })],
  ['another address of the connector', 401, forURL('https://smba.trafficmanager.net/emea/')],
  ['no address of the connector', 401, having({ serviceurl: undefined })],
  ['a key that nobody knows', 401, having({}, { kid: randomUUID() })],
  ['no key', 401, having({}, { kid: '' })],
  ['a key that is for another channel', 401, having({}, { kid: 'skype' })],
  ['another’s signature under a known key', 401, bearer(() => signedBy(stranger.privateKey, 'RS256'))],
  ['another kind of padding', 401, bearer(() => signedBy(stranger.privateKey, 'PS256'))],
  ['another kind of key', 401, bearer(() => signedBy(curve.privateKey, 'ES256'))],
  [
    'no signature at all',
    401,
    async () => `Bearer ${encoded({ alg: 'none', kid: await kidOf() })}.${encoded(claims())}.`,
  ],
  ['a signature of one letter', 401, async () => `Bearer ${(await good()).replace(/[^.]+$/, 'A')}`],
  [
    'a signature by the public key as a secret',
    401,
    async () => {
      const text = `${encoded({ alg: 'HS256', kid: await kidOf() })}.${encoded(claims())}`;
      return `Bearer ${text}.${createHmac('sha256', microsoft.asked.join()).update(text).digest('base64url')}`;
    },
  ],
  [
    'a payload that was changed after it was signed',
    401,
    async () => {
      const [head, , signature] = (await microsoft.sign({ ...claims(), aud: randomUUID() })).split('.');
      return `Bearer ${head ?? ''}.${encoded(claims())}.${signature ?? ''}`;
    },
  ],
  ['another channel in the activity than in the key', 401, having({}), () => ({ channelId: 'directline' })],
  ['another tenant', 403, having({}), () => ({ conversation: { id: 'a:1', tenantId: randomUUID() } })],
  ['no tenant', 403, having({}), () => ({ conversation: { id: 'a:1' } })],
  [
    'a connector of somebody else’s',
    403,
    forURL('https://evil.example/'),
    () => ({ serviceUrl: 'https://evil.example/' }),
  ],
  [
    'a connector whose name only begins well',
    403,
    forURL('https://127.0.0.1.evil.example/'),
    () => ({ serviceUrl: 'https://127.0.0.1.evil.example/' }),
  ],
  [
    'a connector behind a name in the address',
    403,
    forURL('https://127.0.0.1@evil.example/'),
    () => ({ serviceUrl: 'https://127.0.0.1@evil.example/' }),
  ],
  ['a connector by another way than http', 403, forURL('ftp://127.0.0.1/'), () => ({ serviceUrl: 'ftp://127.0.0.1/' })],
  ['an address of the connector that is none', 400, having({}), () => ({ serviceUrl: 'smba' })],
  ['nothing in it', 400, having({}), () => '{}'],
  ['a body that is no JSON', 400, having({}), () => '{"type":'],
  ['a list', 400, having({}), () => '[]'],
  ['no conversation', 400, having({}), () => ({ conversation: undefined })],
  ['no sender', 400, having({}), () => ({ from: undefined })],
  ['a text that is a number', 400, having({}), () => ({ text: 7 })],
  ['a text without end', 400, having({}), () => ({ text: 'a'.repeat(30_001) })],
  ['a null in its id', 400, having({}), () => ({ id: 'a\0b' })],
];

describe('a request that is forged or damaged', () => {
  it.each(forged)('with %s is answered %i, and nothing comes of it', async (...forgery) => {
    const [, status, header, changed] = forgery;
    const before = connector.taken.length;
    const change = changed?.() ?? {};
    const body = typeof change === 'string' ? change : JSON.stringify({ ...activity(), ...change });
    expect(await post(await header(), body)).toBe(status);
    expect(connector.taken).toHaveLength(before);
  });

  it('leaves a good one answered', async () => {
    const before = connector.taken.length;
    expect(await microsoft.send(service.origin, activity({ timestamp: '2026-11-23T07:05:00.000Z' }))).toBe(200);
    expect(connector.taken.length).toBeGreaterThan(before);
  });

  it(
    'costs no memory, though thousands of them come',
    async () => {
      const [token, kid, foreign] = await Promise.all([good(), kidOf(), signedBy(stranger.privateKey, 'RS256')]);
      const body = JSON.stringify(activity());
      const kinds = [
        () => `Bearer ${encoded({ alg: 'RS256', kid: randomUUID() })}.${encoded({ iss: 'q', tid: randomUUID() })}.AAAA`,
        () =>
          `Bearer ${encoded({ alg: 'RS256', kid: randomUUID() })}.${encoded({ ...claims(), tid: randomUUID() })}.AAAA`,
        () => `Bearer ${encoded({ alg: 'RS256', kid })}.${encoded({ ...claims(), jti: randomUUID() })}.${randomUUID()}`,
        () => `Bearer ${foreign}`,
        () => `Bearer ${token.slice(0, -8)}${randomUUID().slice(0, 8)}`,
        () => randomUUID(),
      ];
      const agent = new Agent({ keepAlive: true, maxSockets: 16 });
      const { hostname, port } = new URL(service.origin);
      const one = (authorization: string) =>
        new Promise<number | undefined>((resolve, reject) => {
          const headers = {
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(body),
            authorization,
          };
          request({ agent, hostname, port, path: '/api/messages', method: 'POST', headers }, (response) => {
            response.resume().on('end', () => {
              resolve(response.statusCode);
            });
          })
            .on('error', reject)
            .end(body);
        });
      const statuses = new Set<number | undefined>();
      const many = async (count: number) => {
        for (let left = count; left > 0; left -= 500) {
          const batch = Array.from({ length: Math.min(left, 500) }, (_, nth) =>
            one((kinds[nth % kinds.length] ?? randomUUID)()),
          );
          for (const status of await Promise.all(batch)) statuses.add(status);
        }
      };
      await many(FLOOD.warming);
      const before = usedMemory();
      await many(FLOOD.count);
      expect([...statuses]).toEqual([401]);
      expect(usedMemory() - before).toBeLessThan(4);
      agent.destroy();
    },
    FLOOD.patience,
  );
});

/** In megabytes, once all that nobody holds is gone. */
function usedMemory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

describe('the keys of the service', () => {
  const asked = () => microsoft.asked.filter((path) => path === '/keys').length;
  const doorkeeper = () =>
    createDoorkeeper(microsoft.appId, {
      issuer: ISSUER,
      metadataUrl: microsoft.environment.ToBotFromChannelOpenIdMetadataUrl ?? '',
    });
  const check = async (at: ReturnType<typeof doorkeeper>) =>
    (await at.check(`Bearer ${await good()}`, { channelId: 'msteams', serviceUrl: connector.url })).outcome;
  /** In seconds. */
  const later = (seconds: number) => {
    const [now, ticks] = [Date.now() + seconds * 1_000, performance.now() + seconds * 1_000];
    jest.spyOn(Date, 'now').mockReturnValue(now);
    jest.spyOn(performance, 'now').mockReturnValue(ticks);
  };

  it('are fetched once, and not again for whoever names one that is not there', async () => {
    const at = doorkeeper();
    const before = asked();
    await Promise.all([check(at), check(at), check(at)]);
    const header = `Bearer ${await microsoft.sign({ serviceurl: connector.url }, { kid: randomUUID() })}`;
    for (let times = 0; times < 5; times++) await at.check(header, { channelId: 'msteams', serviceUrl: connector.url });
    expect(asked() - before).toBe(1);
  });

  it('may change, and the new one is believed within a minute', async () => {
    const at = doorkeeper();
    expect(await check(at)).toBe('proved');
    await microsoft.changeKey();
    later(60);
    expect(await check(at)).toBe('proved');
  });

  it('cannot be had for a while: then nobody is believed or refused, and afterwards all is well', async () => {
    const at = doorkeeper();
    microsoft.isDown = true;
    expect(await check(at)).toBe('unreachable');
    const before = microsoft.asked.length;
    await Promise.all([check(at), check(at)]);
    expect(microsoft.asked.length).toBe(before);
    microsoft.isDown = false;
    later(2);
    expect(await check(at)).toBe('proved');
  });
});
