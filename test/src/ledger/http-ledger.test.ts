/**
 * The ledger's client against a server that misbehaves on purpose: what is said
 * of a revocation is true, and one errand is sent under one key.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Revocation } from '../../../dialogs/vocabulary.ts';
import { TOKEN_PATH } from '../../../src/ledger/api/operations.ts';
import { createHttpLedger } from '../../../src/ledger/http-ledger.ts';

/** In milliseconds. */
const DEADLINE = 600;
const HOLDER = `h_${'A'.repeat(43)}`;
const CARD = 'c_of-the-tests';
const SECRET = 'a secret: with / signs & å';

const receipt = {
  number: 'S-0000-0000-0001',
  card: CARD,
  ending: '4711',
  reason: 'LOST',
  reasonCode: 1,
  at: '2026-11-23T07:00:00.000Z',
};
const REVOKED = {
  outcome: 'revoked',
  receipt: { number: receipt.number, card: CARD, ending: '4711', at: '2026-11-23T08:00:00+01:00' },
};
const UNREACHABLE = { outcome: 'unreachable' };
const UNANSWERED = { outcome: 'unanswered' };
const REFUSED = { outcome: 'refused' };

const problem = (status: number, name: string) => ({ type: `/ledger/problems/${name}`, title: '', status, detail: '' });

/** What the server does with a request, the first, the second and so on; the last of them ever after. */
type Deed = (req: IncomingMessage, res: ServerResponse) => void;

const answering =
  (status: number, body: unknown): Deed =>
  (_req, res) => {
    // Not chained: restify, which another suite may have loaded, makes it return nothing.
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const well = answering(201, { outcome: 'revoked', receipt });
const cutting: Deed = (req) => req.socket.destroy();
const cuttingAfterHeaders: Deed = (req, res) => {
  res.writeHead(201, { 'content-type': 'application/json', 'content-length': '500' });
  res.write('{"outcome":"revoked",');
  setImmediate(() => req.socket.destroy());
};
const silent: Deed = () => undefined;
/** When the attempt has been given up, and the call has not. */
const late: Deed = (req, res) => {
  setTimeout(() => {
    well(req, res);
  }, DEADLINE * 0.7);
};
const closingTwice: Deed = (req) => {
  const body = JSON.stringify({ outcome: 'revoked', receipt });
  const answer = `HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  req.socket.end(answer + answer);
};
const dribbling: Deed = (_req, res) => {
  res.writeHead(201, { 'content-type': 'application/json' });
  const drop = setInterval(() => res.write(' '), DEADLINE / 20);
  res.on('close', () => {
    clearInterval(drop);
  });
};

const servers: { close: () => void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const granted = (nth: number, expiresIn = 300) =>
  answering(200, { access_token: `token-${nth}`, token_type: 'Bearer', expires_in: expiresIn, scope: 'cards:read' });

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function misbehaving(deeds: Deed[], grants: Deed[] = []) {
  const received: { path: string; key: string | undefined; token: string | undefined; body: string }[] = [];
  let tokens = 0;
  const server = createServer((req, res) => {
    req.on('error', () => undefined);
    if (req.url === TOKEN_PATH) {
      (grants[Math.min(tokens, grants.length - 1)] ?? granted(tokens + 1))(req, res);
      tokens += 1;
      return;
    }
    const key = req.headers['idempotency-key'];
    const sent = {
      path: req.url ?? '',
      key: typeof key === 'string' ? key : undefined,
      token: req.headers.authorization,
      body: '',
    };
    received.push(sent);
    req.setEncoding('utf8').on('data', (part: string) => (sent.body += part));
    // After all of it has come: it may have been acted on.
    req.on('end', () => deeds[Math.min(received.length, deeds.length) - 1]?.(req, res));
  });
  servers.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const url = await listening(server);
  return { url, received, tokens: () => tokens };
}

function ledgerAt(url: string, { now, deadline = DEADLINE }: { now?: () => Date; deadline?: number } = {}) {
  const mistakes: string[] = [];
  /** Whether it was left alone, each time that changed. */
  const leftAlone: boolean[] = [];
  const ledger = createHttpLedger({
    ...{ url, clientId: 'kortlotsen', clientSecret: SECRET, deadline },
    ...(now && { now }),
    onBreaker: (isOpen) => void leftAlone.push(isOpen),
    onMistake: (mistake) => void mistakes.push(String(mistake)),
  });
  return { ...ledger, mistakes, leftAlone };
}

const revocation = (reference: string = randomUUID()): Revocation => ({
  ...{ request: 'ledger.revoke', person: HOLDER, card: CARD },
  ...{ reason: 'LOST', reference },
});

async function timed<Result>(work: Promise<Result>): Promise<{ result: Result; took: number }> {
  const start = performance.now();
  return { result: await work, took: performance.now() - start };
}

describe('a revocation', () => {
  it.each<[string, Deed[], object, number | 'several']>([
    ['all is well', [well], REVOKED, 1],
    ['it was revoked before', [answering(200, { outcome: 'revoked', receipt })], REVOKED, 1],
    ['it is cut off once', [cutting, well], REVOKED, 2],
    ['it is cut off after the headers, once', [cuttingAfterHeaders, well], REVOKED, 2],
    ['it fails once', [answering(500, problem(500, 'mistake')), well], REVOKED, 2],
    ['a proxy fails once', [answering(502, '<html>'), well], REVOKED, 2],
    ['it is not answered once', [silent, well], REVOKED, 2],
    ['it is answered too late once', [late, well], REVOKED, 2],
    ['it is answered twice over', [closingTwice], REVOKED, 1],
    ['the token is refused once', [answering(401, problem(401, 'unauthenticated')), well], REVOKED, 2],
    ['it always fails', [answering(500, problem(500, 'mistake'))], UNANSWERED, 4],
    ['it is always cut off', [cutting], UNANSWERED, 4],
    ['it is always cut off after the headers', [cuttingAfterHeaders], UNANSWERED, 4],
    ['it is never answered', [silent], UNANSWERED, 'several'],
    ['the answer never ends', [dribbling], UNANSWERED, 'several'],
    [
      'it may have been done, and then the token is refused',
      [cutting, answering(403, problem(403, 'insufficient-scope'))],
      UNANSWERED,
      2,
    ],
    [
      'it may have been done, and then there is a limit',
      [cutting, answering(429, problem(429, 'too-many-requests'))],
      UNANSWERED,
      2,
    ],
    ['it may have been done, and then it is refused', [cutting, answering(404, problem(404, 'unknown'))], REFUSED, 2],
    ['the answer is no JSON', [answering(201, 'revoked')], UNANSWERED, 1],
    ['the answer is other JSON', [answering(201, { outcome: 'revoked', receipt: 'S-0000-0000-0001' })], UNANSWERED, 1],
    [
      'the receipt is of another card',
      [answering(201, { outcome: 'revoked', receipt: { ...receipt, card: 'c_another-card' } })],
      UNANSWERED,
      1,
    ],
    ['it is sent elsewhere', [answering(302, '')], UNANSWERED, 1],
    ['something that is no ledger knows no such address', [answering(404, '<html>')], UNANSWERED, 1],
    ['the card is unknown', [answering(404, problem(404, 'unknown'))], REFUSED, 1],
    ['the key was used', [answering(409, problem(409, 'idempotency-key-reused'))], REFUSED, 1],
    ['another region has the card', [answering(422, problem(422, 'other-region'))], REFUSED, 1],
    ['the card has expired', [answering(200, { outcome: 'expired' })], REFUSED, 1],
    ['the token is always refused', [answering(401, problem(401, 'unauthenticated'))], UNREACHABLE, 2],
    ['it is not ours to ask for', [answering(403, problem(403, 'insufficient-scope'))], UNREACHABLE, 1],
    ['there is a limit', [answering(429, problem(429, 'too-many-requests'))], UNANSWERED, 1],
  ])('is told of truly when %s', async (_what, deeds, outcome, times) => {
    const server = await misbehaving(deeds);
    const ledger = ledgerAt(server.url);
    const { result, took } = await timed(ledger.revoke(revocation('the-errand')));
    expect(result).toEqual(outcome);
    if (times === 'several') expect(server.received.length).toBeGreaterThan(1);
    else expect(server.received).toHaveLength(times);
    // Which conversation an errand was made in cannot be read from its key.
    const key = createHash('sha256').update('the-errand').digest('base64url');
    expect(new Set(server.received.map((each) => each.key))).toEqual(new Set([key]));
    expect(took).toBeLessThan(DEADLINE + 200);
    expect(ledger.mistakes.join()).not.toMatch(/4711|S-0000|h_A|c_of/);
  });

  it('says whether it was asked for in a chat or at the servicedesk, whose reference is told as it is', async () => {
    const server = await misbehaving([well]);
    const ledger = ledgerAt(server.url);
    await ledger.revoke(revocation());
    await ledger.revoke({ ...revocation('desk/agent/errand'), channel: 'servicedesk' });
    const [chat, desk] = server.received;
    expect(chat?.body).toBe('{"reason":"LOST","channel":"chat"}');
    expect(desk).toMatchObject({ key: 'desk/agent/errand', body: '{"reason":"LOST","channel":"servicedesk"}' });
  });

  it.each<[string, () => Promise<string>]>([
    [
      'nobody listens',
      async () => {
        const server = createSocketServer();
        const url = await listening(server);
        server.close();
        await once(server, 'close');
        return url;
      },
    ],
    ['the name is nobody’s', () => Promise.resolve('http://ledger.invalid')],
    [
      'no token is given, for the secret is wrong',
      async () => (await misbehaving([well], [answering(401, { error: 'invalid_client' })])).url,
    ],
    ['whoever gives tokens fails', async () => (await misbehaving([well], [answering(500, '')])).url],
    ['whoever gives tokens does not answer', async () => (await misbehaving([well], [silent])).url],
    ['what is given is no token', async () => (await misbehaving([well], [answering(200, { token: 'x' })])).url],
  ])('has not reached the ledger when %s', async (_what, open) => {
    const ledger = ledgerAt(await open());
    const { result, took } = await timed(ledger.revoke(revocation()));
    expect(result).toEqual(UNREACHABLE);
    expect(took).toBeLessThan(DEADLINE + 200);
  });

  it('is unanswered when a connection is taken and nothing ever comes back', async () => {
    const sockets: Socket[] = [];
    const server = createSocketServer((socket) => void sockets.push(socket));
    const url = await listening(server);
    servers.push({
      close: () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    });
    const tokens = await misbehaving([well]);
    const ledger = createHttpLedger({
      ...{ url, tokenUrl: `${tokens.url}${TOKEN_PATH}`, clientId: 'kortlotsen', clientSecret: SECRET },
      ...{ deadline: DEADLINE, onMistake: () => undefined },
    });
    const { result, took } = await timed(ledger.revoke(revocation()));
    expect(result).toEqual(UNANSWERED);
    expect(took).toBeLessThan(DEADLINE + 200);
  });

  it('is not sent at all for what is no name of a card or a holder', async () => {
    const server = await misbehaving([well]);
    const ledger = ledgerAt(server.url);
    expect(await ledger.revoke({ ...revocation(), card: '../../records' })).toEqual(REFUSED);
    expect(await ledger.revoke({ ...revocation(), person: '..' })).toEqual(REFUSED);
    expect(server.received).toEqual([]);
  });
});

describe('reading', () => {
  it('is tried again, and an answer that does not fit is told of without what it held', async () => {
    const server = await misbehaving([
      cutting,
      answering(200, { cards: [] }),
      answering(200, { cards: [{ id: 'c_secret-card' }] }),
    ]);
    const ledger = ledgerAt(server.url);
    expect(await ledger.findCards(HOLDER)).toEqual({ outcome: 'found', cards: [] });
    expect(ledger.mistakes).toEqual([]);
    expect(await ledger.findCards(HOLDER)).toEqual(UNANSWERED);
    expect(ledger.mistakes).toEqual([expect.stringContaining('does not fit')]);
    expect(ledger.mistakes.join()).not.toContain('secret');
  });

  it('puts no identifier in an address', async () => {
    const server = await misbehaving([answering(200, { holder: HOLDER })]);
    expect(await ledgerAt(server.url).holderFor('19900101-1234')).toEqual({ outcome: 'found', holder: HOLDER });
    expect(server.received.map(({ path }) => path)).toEqual(['/ledger/v1/holders']);
  });
});

describe('a token', () => {
  const cards = answering(200, { cards: [] });

  it('is got once, for all that need one at the same moment', async () => {
    const server = await misbehaving([cards]);
    const ledger = ledgerAt(server.url);
    await Promise.all(Array.from({ length: 10 }, () => ledger.findCards(HOLDER)));
    await ledger.findCards(HOLDER);
    expect(server.tokens()).toBe(1);
    expect(new Set(server.received.map(({ token }) => token))).toEqual(new Set(['Bearer token-1']));
  });

  it('is renewed before it ends', async () => {
    const server = await misbehaving([cards]);
    const clock = { now: new Date('2026-11-23T08:00:00+01:00') };
    const ledger = ledgerAt(server.url, { now: () => clock.now });
    const start = clock.now.getTime();
    for (const seconds of [0, 269, 271]) {
      clock.now = new Date(start + seconds * 1000);
      await ledger.findCards(HOLDER);
    }
    expect(server.received.map(({ token }) => token)).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  });

  it('is got anew when it is refused, once', async () => {
    const server = await misbehaving([answering(401, problem(401, 'unauthenticated')), cards]);
    expect(await ledgerAt(server.url).findCards(HOLDER)).toMatchObject({ outcome: 'found' });
    expect(server.received.map(({ token }) => token)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });
});

describe('a ledger that fails again and again', () => {
  it('is left alone for a while, which is no answer about a revocation, and then tried again', async () => {
    let isWell = false;
    const server = await misbehaving([
      (req, res) => {
        (isWell ? well : answering(500, problem(500, 'mistake')))(req, res);
      },
    ]);
    const deadline = 200;
    const ledger = ledgerAt(server.url, { deadline });
    for (let nth = 0; nth < 2; nth += 1) expect(await ledger.revoke(revocation())).toEqual(UNANSWERED);
    const sent = server.received.length;
    const { result, took } = await timed(ledger.revoke(revocation()));
    expect(result).toEqual(UNREACHABLE);
    expect(took).toBeLessThan(deadline / 2);
    expect(server.received).toHaveLength(sent);
    expect(ledger.mistakes).toEqual([expect.stringContaining('several times in a row')]);
    expect(ledger.leftAlone).toEqual([true]);

    isWell = true;
    const until = performance.now() + 10 * deadline;
    let answer = await ledger.revoke(revocation());
    while (answer.outcome !== 'revoked' && performance.now() < until) {
      // One turn of the event loop between them.
      await new Promise(setImmediate);
      answer = await ledger.revoke(revocation());
    }
    expect(answer).toEqual(REVOKED);
    expect(await ledger.revoke(revocation())).toEqual(REVOKED);
    expect(ledger.leftAlone.at(-1)).toBe(false);
  });
});
