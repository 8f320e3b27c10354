/** The API, operation by operation, and what it is attacked with. */
import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { createAccess } from '../../../../src/ledger/api/access.ts';
import {
  access,
  type Answer,
  ask,
  clientNamed,
  documented,
  everybody,
  KEY,
  NOW,
  type Running,
  SECRET,
  seen,
  type Sending,
  startLedger,
  tokenOf,
} from './world.ts';

let ledger: Running;
let token: string;
beforeAll(async () => {
  ledger = await startLedger();
  token = await tokenOf();
});
afterAll(async () => {
  await ledger.stop();
});

const TOKEN = '/ledger/oauth/token';
const problemOf = ({ body }: Answer): unknown => (body as { type?: string }).type?.split('/').at(-1);
const read = (path: string, sending: Sending = {}) =>
  ask(ledger.origin, 'GET', `/ledger/v1${path}`, { token, ...sending });
const post = (path: string, body: unknown, sending: Sending = {}) =>
  ask(ledger.origin, 'POST', `/ledger/v1${path}`, { token, body, ...sending });
type Revoking = { key?: string; reason?: string; token?: string };
const revoke = (holder: string, card: string, { key = randomUUID(), reason = 'LOST', ...as }: Revoking = {}) => {
  const headers = { 'idempotency-key': key };
  return post(`/holders/${holder}/cards/${card}/revocation`, { reason, channel: 'chat' }, { headers, ...as });
};
const requestToken = (
  form: Record<string, string> | string,
  headers: Record<string, string> = {},
  origin = ledger.origin,
) =>
  ask(origin, 'POST', TOKEN, {
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
  });
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});
const NOBODY = `h_${'A'.repeat(43)}`;
const NO_CARD = 'c_nobody-has-this-one';

/** A holder of their own, with a card in use. */
async function newHolder(): Promise<{ holder: string; card: string }> {
  const { body } = await post('/holders', { identifier: randomUUID() });
  const { holder } = body as { holder: string };
  const card = `c_${randomUUID()}`;
  const of = { holder, card };
  const certificate = {
    serial: randomUUID(),
    subjectType: 'HSA_ID',
    usage: 'AUTH',
    loa: 3,
    notAfter: '2030-01-01',
    origin: 'INITIAL',
  };
  const happenings = [
    { type: 'holder.registered', holder },
    {
      type: 'card.ordered',
      ...of,
      order: randomUUID(),
      number: '975226000000471X',
      kind: 'ORDINARY',
      orderedOn: '2026-10-01',
    },
    { type: 'card.photographed', ...of, site: 'LINDHAGEN' },
    { type: 'card.produced', ...of },
    { type: 'card.dispatched', ...of, issuedOn: '2026-11-01', expiresOn: '2030-01-01', certificates: [certificate] },
    { type: 'card.handedOver', ...of },
  ];
  expect((await post('/records', { happenings })).status).toBe(204);
  return of;
}

describe('a holder', () => {
  it('has the same name for the same identifier, which tells nothing of it', async () => {
    const identifier = `<b>19900101-1234</b> ${randomUUID()}`;
    const [first, second] = await Promise.all([1, 2].map(() => post('/holders', { identifier })));
    expect(first?.body).toEqual(second?.body);
    expect(first?.text).not.toContain('1990');
    expect(first?.body).not.toEqual((await post('/holders', { identifier: `${identifier}.` })).body);
  });

  it('is shown their cards, and no more of a number than its last four characters', async () => {
    const { body, text } = await read(`/holders/${ledger.holder('two-cards')}/cards`);
    expect(body).toMatchObject({
      cards: [
        { ending: '4711', state: 'ACTIVE' },
        { ending: '0815', kind: 'RESERVE' },
      ],
    });
    expect(text).not.toContain('9752');
  });

  it('has none when they are unknown or protected', async () => {
    for (const holder of [NOBODY, ledger.holder('protected'), ledger.holder('no-card')]) {
      expect(await read(`/holders/${holder}/cards`)).toMatchObject({ status: 200, body: { cards: [] } });
    }
  });

  it('finds one card, and no card of somebody else’s', async () => {
    const card = await ledger.card('active');
    const path = `/holders/${ledger.holder('active')}/cards/${card}`;
    expect(await read(path)).toMatchObject({ status: 200, body: { id: card, usable: true } });
    const elsewhere = await read(`/holders/${ledger.holder('reserve')}/cards/${card}`);
    expect([elsewhere.status, problemOf(elsewhere)]).toEqual([404, 'unknown']);
  });
});

describe('a revocation', () => {
  it('is made once, and is answered with the first receipt ever after', async () => {
    const { holder, card } = await newHolder();
    const key = randomUUID();
    const first = await revoke(holder, card, { key });
    expect(first).toMatchObject({ status: 201, body: { outcome: 'revoked', receipt: { card, reason: 'LOST' } } });
    const again = await revoke(holder, card, { key });
    const otherwise = await revoke(holder, card, { reason: 'MALFUNCTION' });
    const byAnother = await revoke(holder, card, { key, token: await tokenOf('other') });
    expect(again.body).toEqual(first.body);
    expect([otherwise, byAnother]).toMatchObject(Array(2).fill({ status: 200, body: first.body }));

    const { receipt } = first.body as { receipt: { number: string } };
    expect((await read(`/holders/${holder}/receipts/${receipt.number}`)).body).toEqual(receipt);
    expect((await read(`/holders/${ledger.holder('active')}/receipts/${receipt.number}`)).status).toBe(404);
    expect((await read(`/holders/${holder}/cards/${card}`)).body).toMatchObject({
      state: 'REVOKED',
      receipt,
      usable: false,
    });
  });

  it('is refused under a key that was sent with something else', async () => {
    const { holder, card } = await newHolder();
    const key = randomUUID();
    await revoke(holder, card, { key });
    const reused = await revoke(holder, card, { key, reason: 'MALFUNCTION' });
    expect([reused.status, problemOf(reused)]).toEqual([409, 'idempotency-key-reused']);
  });

  it('of a card that has expired is told of, and nothing is done', async () => {
    const [holder, card] = [ledger.holder('expired'), await ledger.card('expired')];
    expect(await revoke(holder, card)).toMatchObject({ status: 200, body: { outcome: 'expired' } });
    expect((await read(`/holders/${holder}/cards/${card}`)).body).toMatchObject({ state: 'EXPIRED' });
  });

  it.each([
    ['other-region', 'other-region', 422],
    ['order-fresh', 'not-in-use', 422],
    ['protected', 'unknown', 404],
  ] as const)('of the card of %s is refused as %s', async (name, problem, status) => {
    const refused = await revoke(ledger.holder(name), await ledger.card(name));
    expect([refused.status, problemOf(refused)]).toEqual([status, problem]);
  });
});

describe('what is recorded', () => {
  it('is refused as a whole if any of it cannot have happened', async () => {
    const { holder, card } = await newHolder();
    const before = (await read('/chain')).body;
    const happenings = [
      { type: 'card.destructionReported', holder, card },
      { type: 'card.handedOver', holder, card },
    ];
    const refused = await post('/records', { happenings });
    expect([refused.status, problemOf(refused)]).toEqual([422, 'impossible']);
    expect((refused.body as { problems: string[] }).problems).toHaveLength(1);
    expect(refused.text).not.toContain(card);
    expect((await read('/chain')).body).toEqual(before);
  });

  it('can be read as a chain of events, page by page, up to its head', async () => {
    const { body: head } = await read('/chain');
    const { position, hash } = head as { position: number; hash: string };
    const lines: string[] = [];
    while (lines.length < position) {
      const { text, headers } = await read(`/chain/events?after=${lines.length}&limit=37`);
      expect(headers.get('content-type')).toBe('application/jsonl');
      lines.push(...text.trimEnd().split('\n'));
    }
    expect(lines).toHaveLength(position);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ position, hash });
    expect((await read(`/chain/events?after=${position}`)).text).toBe('');
  });

  it.each(['after=-1', 'after=x', 'limit=0', 'limit=1001', 'limit=1;drop'])('is not read with %s', async (query) => {
    expect(problemOf(await read(`/chain/events?${query}`))).toBe('invalid-request');
  });
});

describe('a token', () => {
  it.each([
    ['in the header', {}, basic('reader', SECRET)],
    ['in the body', { client_id: 'reader', client_secret: SECRET }, {}],
  ])('is granted to a client that tells who it is %s', async (_where, credentials, headers) => {
    const granted = await requestToken({ grant_type: 'client_credentials', ...credentials }, headers);
    expect(granted.headers.get('cache-control')).toBe('no-store');
    expect(granted.body).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'cards:read' });
    const { access_token } = granted.body as { access_token: string };
    expect((await read(`/holders/${NOBODY}/cards`, { token: access_token })).status).toBe(200);
  });

  it('is for no more than was wished for', async () => {
    const form = { grant_type: 'client_credentials', scope: 'ledger:audit' };
    const { body } = await requestToken(form, basic('all', SECRET));
    expect(body).toMatchObject({ scope: 'ledger:audit' });
    const refused = await read(`/holders/${NOBODY}/cards`, { token: (body as { access_token: string }).access_token });
    expect(refused.status).toBe(403);
  });

  const form = { grant_type: 'client_credentials' };
  const inBody = { client_id: 'reader', client_secret: SECRET };
  it.each([
    [401, 'invalid_client', form, basic('reader', 'another secret')],
    [401, 'invalid_client', form, basic('nobody', SECRET)],
    [401, 'invalid_client', form, { authorization: 'Basic ====' }],
    [401, 'invalid_client', form, { authorization: `Basic ${Buffer.from('%E0%A4%A:x').toString('base64')}` }],
    [401, 'invalid_client', form, {}],
    [400, 'invalid_scope', { ...form, scope: 'cards:revoke' }, basic('reader', SECRET)],
    [400, 'invalid_scope', { ...form, scope: '<script>' }, basic('reader', SECRET)],
    [400, 'unsupported_grant_type', { grant_type: 'password' }, basic('reader', SECRET)],
    [400, 'invalid_request', {}, basic('reader', SECRET)],
    [400, 'invalid_request', { ...form, ...inBody }, basic('reader', SECRET)],
    [400, 'invalid_request', 'grant_type=client_credentials&grant_type=password', basic('reader', SECRET)],
    [400, 'invalid_request', form, { ...basic('reader', SECRET), 'content-type': 'text/plain' }],
  ] as const)('is refused with %i %s', async (status, error, sent, headers) => {
    const own = await startLedger();
    const refused = await requestToken(sent, headers, own.origin);
    await own.stop();
    expect([refused.status, refused.body]).toEqual([status, { error }]);
    expect(refused.headers.has('www-authenticate')).toBe(status === 401);
  });

  it('is guessed for ten times a minute and no more, and then not granted either', async () => {
    const own = await startLedger();
    const guess = (secret: string) => requestToken(form, basic('reader', secret), own.origin);
    for (let nth = 0; nth < 10; nth += 1) expect((await guess(`guess ${nth}`)).status).toBe(401);
    const [wrong, right] = [await guess('guess'), await guess(SECRET)];
    await own.stop();
    expect([wrong.status, right.status]).toEqual([429, 429]);
    expect(Number(wrong.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

/** One request of every operation that needs a token, none of which changes anything. */
const everyOperation = (): { name: string; scope: string; send: (sending: Sending) => Promise<Answer> }[] => {
  const [holder, headers] = [NOBODY, { 'idempotency-key': 'k' }];
  const revocation = { reason: 'LOST', channel: 'chat' };
  const happenings = [{ type: 'card.lapsed', holder, card: NO_CARD }];
  return [
    { name: 'findHolder', scope: 'cards:read', send: (s) => post('/holders', { identifier: 'x' }, s) },
    { name: 'listCards', scope: 'cards:read', send: (s) => read(`/holders/${holder}/cards`, s) },
    { name: 'readCard', scope: 'cards:read', send: (s) => read(`/holders/${holder}/cards/${NO_CARD}`, s) },
    {
      name: 'revokeCard',
      scope: 'cards:revoke',
      send: (s) => post(`/holders/${holder}/cards/${NO_CARD}/revocation`, revocation, { headers, ...s }),
    },
    { name: 'readReceipt', scope: 'cards:read', send: (s) => read(`/holders/${holder}/receipts/S-0000-0000-0000`, s) },
    { name: 'record', scope: 'cards:record', send: (s) => post('/records', { happenings }, s) },
    { name: 'readHead', scope: 'ledger:audit', send: (s) => read('/chain', s) },
    { name: 'readEvents', scope: 'ledger:audit', send: (s) => read('/chain/events', s) },
  ];
};
/** Every one in the document, so that a new one is tried or fails. */
const operationNames = [...new Set(documented.map((each) => each.split(' ')[0] ?? ''))].filter(
  (name) => name !== 'requestToken',
);
const operationNamed = (name: string) => {
  const operation = everyOperation().find((each) => each.name === name);
  if (!operation) throw new Error(`${name} is not tried`);
  return operation;
};

describe.each(operationNames)('%s', (name) => {
  const seconds = Math.floor(NOW.getTime() / 1000);
  const forged = (change: Record<string, unknown>, { key = KEY, typ = 'at+jwt', alg = 'HS256' } = {}) =>
    new SignJWT({
      ...{ iss: 'kortlotsen-ledger', aud: 'kortlotsen-ledger-api', sub: 'all', client_id: 'all', iat: seconds },
      ...{ exp: seconds + 60, scope: 'cards:read cards:revoke cards:record ledger:audit', ...change },
    })
      .setProtectedHeader({ alg, ...(typ !== '' && { typ }) })
      .sign(new TextEncoder().encode(key));
  const unsecured = new UnsecuredJWT({ client_id: 'all', scope: 'cards:read cards:revoke cards:record ledger:audit' })
    .setIssuer('kortlotsen-ledger')
    .setAudience('kortlotsen-ledger-api')
    .setSubject('all')
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 60)
    .encode();
  const old = createAccess({ key: KEY, clients: everybody, now: () => new Date(NOW.getTime() - 301_000) });
  const former = createAccess({ key: KEY, clients: [clientNamed('former', 'cards:read')], now: () => NOW });

  it('takes a token that is as ours are, so what follows is refused for what is wrong with it', async () => {
    expect((await operationNamed(name).send({ token: await forged({}) })).status).not.toBe(401);
  });

  it.each<[string, () => string | undefined | Promise<string>]>([
    ['no token', () => undefined],
    ['nonsense', () => 'nonsense'],
    ['an expired token', () => tokenOf('all', old)],
    ['a token of a client that was taken away', () => tokenOf('former', former)],
    ['a token that never ends', () => forged({ exp: undefined })],
    ['another key', () => forged({}, { key: `${KEY}.` })],
    ['another algorithm', () => forged({}, { alg: 'HS512', key: KEY.repeat(3) })],
    ['no signature', () => unsecured],
    ['another audience', () => forged({ aud: 'stream' })],
    ['another issuer', () => forged({ iss: 'kortlotsen' })],
    ['another type', () => forged({}, { typ: 'JWT' })],
    ['no type', () => forged({}, { typ: '' })],
    ['a signature that was cut', async () => (await tokenOf()).slice(0, -2)],
  ])('refuses %s', async (what, make) => {
    const refused = await operationNamed(name).send({ token: await make() });
    expect([refused.status, problemOf(refused)]).toEqual([401, 'unauthenticated']);
    expect(refused.headers.get('www-authenticate')).toMatch(
      what === 'no token' ? /^Bearer realm="[a-z]+"$/ : /error="invalid_token"/,
    );
  });

  it('refuses a token that is for everything else', async () => {
    const { scope, send } = operationNamed(name);
    const rest = ['cards:read', 'cards:revoke', 'cards:record', 'ledger:audit']
      .filter((each) => each !== scope)
      .join(' ');
    const refused = await send({ token: await forged({ scope: rest }) });
    expect([refused.status, problemOf(refused)]).toEqual([403, 'insufficient-scope']);
    expect(refused.headers.get('www-authenticate')).toContain(`scope="${scope}"`);
  });

  it('refuses what a token claims that its client may not do', async () => {
    const { scope, send } = operationNamed(name);
    const client = scope === 'cards:read' ? 'recorder' : 'reader';
    expect((await send({ token: await forged({ client_id: client, sub: client }) })).status).toBe(403);
  });
});

const MARKUP = '<script>alert(1)</script>';
const SQL = "h_' or 1=1; drop table ledger_events; --";

describe('a request that does not fit', () => {
  const holderAndCard = () => [ledger.holder('active'), 'c_markup-and-more'] as const;
  it.each<[string, () => Promise<Answer>]>([
    ['SQL for a holder', () => read(`/holders/${encodeURIComponent(SQL)}/cards`)],
    ['SQL for a card', () => read(`/holders/${NOBODY}/cards/${encodeURIComponent(SQL)}`)],
    ['SQL for a receipt', () => read(`/holders/${NOBODY}/receipts/${encodeURIComponent(SQL)}`)],
    ['markup for a holder', () => read(`/holders/${encodeURIComponent(MARKUP)}/cards`)],
    ['markup for a card', () => read(`/holders/${NOBODY}/cards/${encodeURIComponent(MARKUP)}`)],
    ['a card’s number for its name', () => revoke(NOBODY, '9752260000004711')],
    ['markup for a reason', () => revoke(...holderAndCard(), { reason: MARKUP })],
    ['no key', () => post(`/holders/${NOBODY}/cards/${NO_CARD}/revocation`, { reason: 'LOST', channel: 'chat' })],
    ['an empty key', () => revoke(...holderAndCard(), { key: '' })],
    ['a key that is too long', () => revoke(...holderAndCard(), { key: 'k'.repeat(201) })],
    ['a key that is no ASCII', () => revoke(...holderAndCard(), { key: 'nyckel-å' })],
    [
      'markup for a channel',
      () =>
        post(
          `/holders/${NOBODY}/cards/${NO_CARD}/revocation`,
          { reason: 'LOST', channel: MARKUP },
          { headers: { 'idempotency-key': 'k' } },
        ),
    ],
    ['no body', () => ask(ledger.origin, 'POST', '/ledger/v1/holders', { token })],
    ['no JSON', () => post('/holders', '{"identifier": 199001011234')],
    [
      'a body of another type',
      () => post('/holders', { identifier: 'x' }, { headers: { 'content-type': 'text/plain' } }),
    ],
    ['a number for an identifier', () => post('/holders', { identifier: 199001011234 })],
    ['an empty identifier', () => post('/holders', { identifier: '' })],
    ['an unending identifier', () => post('/holders', { identifier: 'x'.repeat(301) })],
    ['no happenings', () => post('/records', { happenings: [] })],
    [
      'an unknown happening',
      () => post('/records', { happenings: [{ type: 'card.revoked', holder: NOBODY, card: NO_CARD }] }),
    ],
    ['markup in a happening', () => post('/records', { happenings: [{ type: MARKUP, holder: MARKUP }] })],
    ['a prototype', () => post('/records', '{"happenings":{"__proto__":{"length":1}}}')],
  ])('is refused: %s', async (_what, send) => {
    const refused = await send();
    expect([refused.status, problemOf(refused)]).toEqual([400, 'invalid-request']);
    expect(refused.text).not.toMatch(/script|drop|1990|å|4711/);
  });

  it.each<[string, () => Promise<Answer>]>([
    ['findHolder', () => post('/holders', { identifier: 'x'.repeat(200_000) })],
    ['revokeCard', () => revoke(NOBODY, NO_CARD, { reason: 'x'.repeat(200_000) })],
    ['record', () => post('/records', { happenings: 'x'.repeat(200_000) })],
    ['requestToken', () => requestToken({ grant_type: 'x'.repeat(200_000) })],
  ])('is refused if it is too large: %s', async (_name, send) => {
    const refused = await send();
    expect([refused.status, problemOf(refused)]).toEqual([413, 'too-large']);
  });

  it.each([
    '/ledger/v1/holders',
    `/ledger/v1/holders/${NOBODY}/cards/${NO_CARD}/revocation`,
    '/ledger/v1/records',
    TOKEN,
  ])('is refused if its encoding is not known: %s', async (path) => {
    const refused = await ask(ledger.origin, 'POST', path, { token, body: {}, headers: { 'content-encoding': 'br' } });
    expect([refused.status, problemOf(refused)]).toEqual([415, 'unsupported-encoding']);
  });

  it.each([
    ['GET', '/ledger/v1/nothing', 404],
    ['POST', '/ledger/v1/nothing', 404],
    ['GET', '/ledger/v1/holders/%E0%A4%A/cards', 404],
    ['DELETE', '/ledger/v1/chain', 405],
  ])('is told so as a problem, also where nothing is: %s %s', async (method, path, status) => {
    const response = await fetch(`${ledger.origin}${path}`, { method });
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
  });
});

describe('a client that asks too much', () => {
  it.each(operationNames)('is told to wait: %s', async (name) => {
    const own = await startLedger({ limits: { requests: 1, revocations: 1 } });
    const here = ledger;
    ledger = own;
    try {
      await operationNamed(name).send({});
      const [refused, another] = [
        await operationNamed(name).send({}),
        await operationNamed(name).send({ token: await tokenOf('other') }),
      ];
      expect([refused.status, problemOf(refused)]).toEqual([429, 'too-many-requests']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(another.status).not.toBe(429);
    } finally {
      ledger = here;
      await own.stop();
    }
  });
});

describe('a mistake of ours', () => {
  const secret = 'holder 19900101-1234';
  const broken = () => {
    throw new Error(secret);
  };

  it.each([...operationNames, 'requestToken'])('is told of here and not there: %s', async (name) => {
    const own = await startLedger({
      access: { read: access.read, grant: broken },
      change: () => ({
        ...{ holderFor: broken, cardsOf: broken, revoke: broken, receiptOf: broken },
        ...{ record: broken, head: broken, lines: broken },
      }),
    });
    const here = ledger;
    ledger = own;
    try {
      const failed = await (name === 'requestToken'
        ? requestToken({ grant_type: 'client_credentials' }, basic('all', SECRET))
        : operationNamed(name).send({}));
      expect([failed.status, problemOf(failed)]).toEqual([500, 'mistake']);
      expect(failed.text).not.toContain('1990');
      expect(own.mistakes).toEqual([new Error(secret)]);
    } finally {
      ledger = here;
      await own.stop();
    }
  });
});

describe('the document', () => {
  it('has no status that was not seen here', () => {
    expect(documented.filter((each) => !seen.has(each))).toEqual([]);
  });
});

it('takes both secrets of a client that is there twice, and of no other client', async () => {
  const newer = {
    ...clientNamed('reader', 'cards:read'),
    secretHash: createHash('sha256').update('newer').digest('hex'),
  };
  const both = createAccess({ key: KEY, clients: [...everybody, newer], now: () => NOW });
  for (const secret of [SECRET, 'newer']) {
    const granted = await both.grant('reader', secret);
    if (typeof granted === 'string') throw new Error(granted);
    expect(await both.read(granted.token)).toEqual({ client: 'reader', scopes: ['cards:read'] });
  }
  expect(await both.grant('other', 'newer')).toBe('invalidClient');
});
