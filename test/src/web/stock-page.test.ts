/** The page with the stock Web Chat, with a Direct Line of ours and with one somewhere else, as Azure's is. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { StockChat } from '../../../src/web/stock-page.ts';
import { canaries } from '../../canaries.ts';
import { createDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';
import { freePort, hub, type Serving, startServing } from '../../serving.ts';
import { clientOf } from '../channels/direct-line/client.ts';

const SECRET = canaries.azure;
const WRONG_PIN = { type: 'message', text: 'jag har slagit fel kod tre gånger' };
const AT = ['--at', '2026-11-23T08:00'] as const;

type Headers = Record<string, string>;
const OUR_PAGE: Headers = { 'Sec-Fetch-Site': 'same-origin' };

/** Asks as the page does. */
async function ask(origin: string, body: Partial<StockChat> = {}, headers = OUR_PAGE) {
  const response = await fetch(`${origin}/web-chat/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, chat: JSON.parse(text) as StockChat };
}

/** What the page may connect to. */
async function reachedFrom(origin: string): Promise<string[]> {
  const response = await fetch(`${origin}/web-chat`);
  const policy = response.headers.get('content-security-policy') ?? '';
  return /connect-src ([^;]*)/.exec(policy)?.[1]?.split(' ') ?? [];
}

/** A chat over whatever Direct Line the page was given. */
async function chatOver(origin: string, { domain, token, conversationId: conversation }: StockChat) {
  const client = clientOf(new URL(domain, origin).origin);
  const chat = { conversation, user: '', isKnown: false, token, returnToken: '' };
  await client.request('/v3/directline/conversations', { method: 'POST', token });
  await client.send(chat, WRONG_PIN);
  return client.until(chat, content.label('pin-trouble/askingHasPuk'));
}

describe('with a Direct Line of ours', () => {
  let serving: Serving;

  beforeAll(async () => {
    serving = await startServing({ DATABASE_URL: await createDatabase() }, ...AT);
  });
  afterAll(() => serving.stop());

  it('the page is given a token to chat with, and may reach nobody but us', async () => {
    const { status, chat } = await ask(serving.origin);
    expect(status).toBe(200);
    expect(chat).toMatchObject({ domain: '/v3/directline', isKnown: false });
    expect(await chatOver(serving.origin, chat)).toHaveLength(4);
    const { host } = new URL(serving.origin);
    expect(await reachedFrom(serving.origin)).toEqual(["'self'", 'blob:', `ws://${host}`, `wss://${host}`]);
  });

  it('a conversation is come back to by its return token, and by nothing else', async () => {
    const { chat } = await ask(serving.origin);
    await chatOver(serving.origin, chat);
    const { conversationId, user, token, returnToken } = chat;
    expect((await ask(serving.origin, { returnToken })).chat).toMatchObject({ conversationId, user, isKnown: true });
    for (const each of ['', 'nonsense', token, `${returnToken}x`]) {
      const { chat: other } = await ask(serving.origin, { returnToken: each, token });
      expect(other.isKnown).toBe(false);
      expect(other.conversationId).not.toBe(conversationId);
    }
  });

  it.each<[string, Headers]>([
    ['somebody else’s page', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://elsewhere.example' }],
    ['a neighbour on our site', { 'Sec-Fetch-Site': 'same-site' }],
    ['somebody else’s page, in a browser that tells only that', { Origin: 'https://elsewhere.example' }],
    ['a page that has no origin', { Origin: 'null' }],
  ])('a token is not given to %s', async (_who, headers) => {
    expect(await ask(serving.origin, {}, headers)).toMatchObject({ status: 403 });
  });

  it('a token is given to our page in a browser that tells only its origin', async () => {
    expect(await ask(serving.origin, {}, { Origin: serving.origin })).toMatchObject({ status: 200 });
  });
});

describe('with a Direct Line somewhere else', () => {
  let azure: Serving;
  let serving: Serving;

  beforeAll(async () => {
    const port = await freePort();
    azure = await startServing(
      { DATABASE_URL: await createDatabase(), DIRECT_LINE_HUBS: hub('azure', SECRET, `http://127.0.0.1:${port}`) },
      ...AT,
    );
    serving = await startServing(
      {
        PORT: String(port),
        DATABASE_URL: await createDatabase(),
        AZURE_DIRECT_LINE_URL: `${azure.origin}/v3/directline`,
        AZURE_DIRECT_LINE_SECRET: SECRET,
      },
      ...AT,
    );
  });
  afterAll(() => Promise.all([serving.stop(), azure.stop()]));

  it('the page is given a token for that one, and may reach it', async () => {
    const { status, chat } = await ask(serving.origin);
    expect(status).toBe(200);
    expect(chat).toMatchObject({ domain: `${azure.origin}/v3/directline`, isKnown: false });
    expect(chat.user).toMatch(/^dl_/);
    expect(await chatOver(serving.origin, chat)).toHaveLength(4);
    const { host } = new URL(azure.origin);
    expect(await reachedFrom(serving.origin)).toEqual(["'self'", 'blob:', `http://${host}`, `ws://${host}`]);
  });

  it('a conversation is come back to by its return token and its last token', async () => {
    const { chat } = await ask(serving.origin);
    await chatOver(serving.origin, chat);
    const { conversationId, user, token, returnToken } = chat;
    const { chat: again } = await ask(serving.origin, { returnToken, token });
    expect(again).toMatchObject({ conversationId, user, isKnown: true });
    const [, , first, , second] = await chatOver(serving.origin, again);
    expect([first, second]).toMatchObject([WRONG_PIN, WRONG_PIN]);
  });

  it('somebody else’s conversation is not come back to with a token of one’s own', async () => {
    const [mine, theirs] = [(await ask(serving.origin)).chat, (await ask(serving.origin)).chat];
    const { returnToken } = mine;
    const { chat } = await ask(serving.origin, { returnToken, token: theirs.token });
    expect(chat.conversationId).not.toBe(theirs.conversationId);
    const { chat: other } = await ask(serving.origin, { returnToken: `${returnToken}x`, token: theirs.token });
    expect(other).toMatchObject({ isKnown: false });
  });

  it('the secret is in no answer, on no page and in no log', async () => {
    const { chat, text } = await ask(serving.origin);
    const again = await ask(serving.origin, { returnToken: chat.returnToken, token: chat.token });
    const page = await fetch(`${serving.origin}/web-chat`);
    expect([text, again.text].join()).toContain(chat.conversationId);
    const seen = [text, again.text, await page.text(), JSON.stringify([...page.headers]), serving.log()];
    for (const each of seen) expect(each).not.toContain(SECRET);
  });
});

describe('when Azure', () => {
  type Azure = (req: IncomingMessage & { body: string }) => { status: number; body?: unknown } | 'silent';
  const asked: { method: string; url: string; bearer: string; body: string }[] = [];
  let answer: Azure = () => ({ status: 500 });
  let azure: Server;
  let serving: Serving;

  beforeAll(async () => {
    azure = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += String(chunk)));
      req.on('end', () => {
        const { method = '', url = '', headers } = req;
        asked.push({ method, url, bearer: headers.authorization?.replace('Bearer ', '') ?? '', body });
        const answered = answer(Object.assign(req, { body }));
        if (answered === 'silent') return;
        const location = { Location: 'http://127.0.0.1:9/' };
        res.writeHead(answered.status, { 'Content-Type': 'application/json', ...location });
        res.end(typeof answered.body === 'string' ? answered.body : JSON.stringify(answered.body ?? {}));
      });
    });
    const port = await freePort();
    azure.listen(port, '127.0.0.1');
    serving = await startServing({
      DATABASE_URL: await createDatabase(),
      AZURE_DIRECT_LINE_URL: `http://127.0.0.1:${port}/v3/directline`,
      AZURE_DIRECT_LINE_SECRET: SECRET,
    });
  });
  afterAll(async () => {
    await serving.stop();
    azure.closeAllConnections();
    azure.close();
  });
  afterEach(() => {
    expect(serving.log()).not.toContain(SECRET);
    asked.length = 0;
  });

  const given = { status: 200, body: { conversationId: 'c|1', token: 'first', expires_in: 1_800 } };
  const another = { status: 200, body: { conversationId: 'c|2', token: 'first' } };

  async function begun(): Promise<StockChat> {
    answer = () => given;
    const { chat } = await ask(serving.origin);
    asked.length = 0;
    return chat;
  }

  it('is asked for a token, it is told whose it is and where it will be used', async () => {
    expect(await begun()).toMatchObject({ conversationId: 'c|1', token: 'first', expires_in: 1_800 });
    const { chat } = await ask(serving.origin);
    expect(asked).toMatchObject([{ method: 'POST', url: '/v3/directline/tokens/generate', bearer: SECRET }]);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      user: { id: chat.user },
      trustedOrigins: [serving.origin],
    });
  });

  it('takes the page’s last token, that is renewed, so that the conversation is still this person’s', async () => {
    const { returnToken, user } = await begun();
    answer = () => ({ status: 200, body: { conversationId: 'c|1', token: 'second', expires_in: 1_800 } });
    const { chat } = await ask(serving.origin, { returnToken, token: 'first' });
    expect(chat).toMatchObject({ conversationId: 'c|1', user, isKnown: true, token: 'second' });
    expect(asked).toMatchObject([{ method: 'POST', url: '/v3/directline/tokens/refresh', bearer: 'first' }]);
  });

  it('finds that token too old, it is asked for the conversation with the secret', async () => {
    const { returnToken } = await begun();
    answer = ({ url }) => (url?.includes('refresh') ? { status: 403 } : given);
    const { chat } = await ask(serving.origin, { returnToken, token: 'old' });
    expect(chat).toMatchObject({ conversationId: 'c|1', isKnown: true });
    expect(asked.at(-1)).toMatchObject({
      method: 'GET',
      url: '/v3/directline/conversations/c%7C1?watermark=0',
      bearer: SECRET,
    });
  });

  it.each([400, 403, 404])('does not give the conversation back (%d), there is a new one', async (status) => {
    const { returnToken } = await begun();
    answer = ({ url }) => (url?.includes('generate') ? another : { status });
    const { chat } = await ask(serving.origin, { returnToken, token: 'old' });
    expect(chat).toMatchObject({ conversationId: 'c|2', isKnown: false });
  });

  it.each<[string, Azure]>([
    ['has had enough of us', () => ({ status: 429 })],
    ['fails', () => ({ status: 502, body: '<h1>Bad gateway</h1>' })],
    ['answers with something else', () => ({ status: 200, body: { token: 7 } })],
    ['answers with no JSON', () => ({ status: 200, body: '<h1>Welcome</h1>' })],
    ['sends us somewhere else', () => ({ status: 302 })],
    ['does not answer', () => 'silent'],
  ])('%s, that is said, and a conversation waits for it', async (_what, failing) => {
    const { returnToken, token } = await begun();
    // Both at once, since silence takes its time: who comes back would be given a new one, and is not.
    let isFirst = true;
    answer = (req) => {
      const isNew = req.url?.includes('generate') ?? false;
      if (isNew && !isFirst) return another;
      isFirst &&= !isNew;
      return failing(req);
    };
    const asking = [ask(serving.origin), ask(serving.origin, { returnToken, token })];
    expect(await Promise.all(asking)).toMatchObject([{ status: 503 }, { status: 503 }]);
    await serving.logged(/Azure Direct Line/);
    answer = () => given;
    const { chat } = await ask(serving.origin, { returnToken, token });
    expect(chat).toMatchObject({ conversationId: 'c|1', isKnown: true });
  });

  it('does not take the secret, that is said, and is in the log', async () => {
    const { returnToken, token } = await begun();
    answer = () => ({ status: 403 });
    expect(await ask(serving.origin)).toMatchObject({ status: 503 });
    expect(await ask(serving.origin, { returnToken, token })).toMatchObject({ status: 503 });
    await serving.logged(/Azure Direct Line does not take our secret \(403\)/);
  });
});
