/** What the agents' page asks for: by whom, from where, in what shape, and of whose case. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Service } from '../../../src/cli/serve.ts';
import { LONGEST_ANSWER } from '../../../src/servicedesk/desk.ts';
import { content } from '../../product.ts';
import { startService } from '../../service.ts';
import { clientOf } from '../channels/direct-line/client.ts';
import { openBrowser } from '../identity/browsing.ts';
import { ask, type Asking, queueOf, sessionOf, type Student, studentWhoWaits } from './agents.ts';

let service: Service;
let origin: string;
let anna: string;
let bashir: string;
let eva: string;
let student: Student;
let id: string;

beforeAll(async () => {
  service = await startService();
  ({ origin } = service);
  anna = await sessionOf(origin, 'agent-anna');
  bashir = await sessionOf(origin, 'agent-bashir');
  eva = await sessionOf(origin, 'editor-eva');
  ({ student, id } = await waiting());
});
afterAll(() => stop());

let stopped: Promise<void> | undefined;
const stop = () => (stopped ??= service.stop());

/** A student who waits, and the case they have become. */
async function waiting(...texts: string[]): Promise<{ student: Student; id: string }> {
  const before = (await queueOf(origin, anna)).map((each) => each.id);
  const one = await studentWhoWaits(origin, ...texts);
  const fresh = await eventually(async () =>
    (await queueOf(origin, anna)).find((each) => each.reason === 'asked' && !before.includes(each.id)),
  );
  return { student: one, id: fresh.id };
}

/** The queue is as it was a tenth of a second ago at most, so what has just happened is asked for until it is seen. */
async function eventually<Seen>(look: () => Promise<Seen | undefined>): Promise<Seen> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
  }
}

const say = { key: 'k', text: 'Hej', seen: 0 };
const posts: [string, unknown][] = [
  ['/seen', {}],
  ['/cases', {}],
  ['/cases/ID/claim', {}],
  ['/cases/ID/say', say],
  ['/cases/ID/release', {}],
  ['/cases/ID/hand-back', {}],
  ['/cases/ID/close', { outcome: 'resolved' }],
  ['/cards/confirm', { identifier: 'active 2026-11-23', way: 'idDocument' }],
  ['/cards/revoke', { confirmation: 'c', card: 'c', reason: 'LOST' }],
];
const gets: [string, undefined][] = [
  ['', undefined],
  ['/queue', undefined],
  ['/events', undefined],
  ['/cases/ID', undefined],
];
const send = (cookie: string, path: string, body: unknown, asking: Asking = {}) =>
  ask(origin, cookie, path.replace('ID', id), { body, ...asking });

describe('what an agent may ask for', () => {
  describe.each([...gets, ...posts])('%s', (path, body) => {
    const refused = path === '' ? 303 : 401;

    it('is nobody’s who has not signed in, or has made a session up', async () => {
      for (const cookie of ['', `kortlotsen-servicedesk=${'a'.repeat(43)}`]) {
        const { status, headers } = await send(cookie, path, body);
        expect(status).toBe(refused);
        expect(headers.get('cache-control')).toBe('no-store');
        if (path === '') expect(headers.get('location')).toBe('/servicedesk/sign-in?to=%2Fservicedesk');
      }
    });

    it('is no student’s, whatever token of theirs they bring', async () => {
      const { token, returnToken } = student.chat;
      for (const each of [token, returnToken]) {
        const headers = { Authorization: `Bearer ${each}` };
        expect((await send(`kortlotsen-servicedesk=${each}`, path, body, { headers })).status).toBe(refused);
      }
    });

    it('is no editor’s, who are led from the page to their own', async () => {
      const { status, text, headers } = await send(eva, path, body);
      expect(status).toBe(path === '' ? 303 : 403);
      if (path === '') expect(headers.get('location')).toBe('/servicedesk/lessons');
      expect(text).not.toContain(id);
    });
  });

  it.each(posts)('is taken from our own page alone: %s', async (path, body) => {
    for (const headers of [
      { Origin: 'https://elsewhere.example', 'Sec-Fetch-Site': 'cross-site' },
      { Origin: 'https://other.example', 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://elsewhere.example', 'Sec-Fetch-Site': '' },
      { Origin: 'null', 'Sec-Fetch-Site': '' },
    ]) {
      expect((await send(anna, path, body, { headers })).status).toBe(403);
    }
  });

  it.each(posts)('is taken as JSON alone, and no more than is known: %s', async (path, body) => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=b']) {
      const { status } = await send(anna, path, JSON.stringify(body), { headers: { 'Content-Type': type } });
      expect([400, 415]).toContain(status);
    }
    expect((await send(anna, path, { ...(body as object), more: true })).status).toBe(400);
    expect((await send(anna, path, '[')).status).toBe(400);
    expect((await send(anna, path, { text: 'a'.repeat(200_000) })).status).toBe(413);
  });

  it('has changed nothing, where it was refused', async () => {
    expect((await queueOf(origin, anna)).find((each) => each.id === id)).toMatchObject({ state: 'waiting' });
    expect((await queueOf(origin, anna)).length).toBe(1);
  });

  it.each(['nothing-like-it', 'a%2Fb', "'; drop table cases; --", 'a'.repeat(65)])(
    'is not there for a case called %s',
    async (name) => {
      const path = `/cases/${encodeURIComponent(name)}`;
      expect((await ask(origin, anna, path)).status).toBe(404);
      expect((await ask(origin, anna, `${path}/claim`, { body: {} })).status).toBe(404);
      expect((await ask(origin, anna, `${path}/say`, { body: say })).status).toBe(404);
    },
  );
});

describe('the page', () => {
  it.each([
    ['nobody who has not signed in', () => '', () => `/servicedesk/sign-in?to=%2Fservicedesk%2Ftake%2F${id}`],
    ['an agent', () => anna, () => `/servicedesk#${id}`],
  ])('is come to at a case by %s only over the sign-in', async (_who, cookie, to) => {
    const { status, headers } = await ask(origin, cookie(), `/take/${id}`);
    expect([status, headers.get('location')]).toEqual([303, to()]);
  });

  it('is come to at no case by an address that names none', async () => {
    for (const path of ['/take/a%2F..%2Fb', `/take/${'a'.repeat(65)}`, '/take/%3Cscript%3E']) {
      const { status, headers } = await ask(origin, '', path);
      expect([status, headers.get('location')]).toEqual([303, '/servicedesk/sign-in?to=%2Fservicedesk']);
    }
  });

  it('may do nothing that its policy does not name, is framed by nobody, and is kept by nobody', async () => {
    const pages = [await ask(origin, anna, ''), await ask(origin, anna, '')];
    const policies = pages.map(({ headers }) => headers.get('content-security-policy') ?? '');
    expect(policies[0]).toMatch(/^default-src 'none'; base-uri 'none'; frame-ancestors 'none'; script-src 'nonce-/);
    expect(policies[0]).not.toMatch(/unsafe|\*|https?:/);
    expect(policies[0]).not.toBe(policies[1]);
    expect(pages[0]?.headers.get('cache-control')).toBe('no-store');
    expect(pages[0]?.text.match(/<script(?! nonce=| id="data" type="application\/json")/g)).toBeNull();
  });

  it('comes with what to answer with, each text with its rules, and with nothing of anybody’s case', async () => {
    const { text } = await ask(origin, anna, '');
    const { canned, handBack } = JSON.parse(/type="application\/json">(.*)<\/script>/.exec(text)?.[1] ?? '') as {
      canned: { name: string; text: string; cites: string[] }[];
      handBack: { intent: string; fields: { fact: string }[] }[];
    };
    expect(canned.find(({ name }) => name === 'canned/sameOffice')?.cites).toEqual(['R34']);
    expect(canned.map((each) => each.text).join()).not.toMatch(/\{\{/);
    const pickup = handBack.find(({ intent }) => intent === 'pickup-ready');
    expect(pickup?.fields.map(({ fact }) => fact)).toEqual(expect.arrayContaining(['cardReady', 'photoSite']));
    expect(text).not.toContain(id);
  });
});

describe('a case', () => {
  it('is somebody’s, and whoever comes after is told whose', async () => {
    const { id: one } = await waiting();
    expect((await ask(origin, anna, `/cases/${one}/claim`, { body: {} })).body).toEqual({ outcome: 'claimed' });
    const late = await ask(origin, bashir, `/cases/${one}/claim`, { body: {} });
    expect([late.status, late.body]).toEqual([409, { outcome: 'taken', by: 'Anna' }]);
    for (const [what, body] of [
      ['say', say],
      ['release', {}],
      ['hand-back', {}],
      ['close', { outcome: 'resolved' }],
    ] as const) {
      const told = await ask(origin, bashir, `/cases/${one}/${what}`, { body });
      expect([told.status, told.body]).toEqual([409, { outcome: 'notYours', by: 'Anna' }]);
    }
    expect((await ask(origin, bashir, `/cases/${one}`)).body).toMatchObject({ isYours: false });
    expect((await ask(origin, anna, `/cases/${one}`)).body).toMatchObject({ isYours: true });
  });

  it('tells in words what was wanted, what is known and what was tried', async () => {
    const { id: one } = await waiting('är kortet klart att hämta?', 'ja', 'södersjukhuset');
    const { body } = await ask(origin, anna, `/cases/${one}`);
    expect(body).toMatchObject({
      case: { path: content.label('servicedesk/path.photo-and-pickup'), reason: 'asked' },
      brief: {
        wish: 'Är mitt kort klart att hämta?',
        state: content.label('photo-and-pickup/askingReadiness'),
        isProved: false,
        known: expect.arrayContaining([
          { name: 'Fotograferad på', value: 'Södersjukhuset', from: 'student' },
        ]) as unknown,
        tried: expect.arrayContaining([
          { text: content.label('photo-and-pickup/askingPhotoSite'), cites: ['R34'] },
        ]) as unknown,
        rules: expect.arrayContaining([{ id: 'R34', text: content.rules.get('R34')?.text }]) as unknown,
      },
    });
  });

  it('has each message once, however often it is sent, with what it is founded on', async () => {
    const { id: one, student: chatting } = await waiting();
    await ask(origin, anna, `/cases/${one}/claim`, { body: {} });
    const message = { key: 'one', text: 'Du hämtar kortet på samma kontor.', seen: 3, cites: ['R34'] };
    const sent = [1, 2].map(() => ask(origin, anna, `/cases/${one}/say`, { body: message }));
    expect((await Promise.all(sent)).map(({ body }) => body)).toEqual([{ outcome: 'said' }, { outcome: 'said' }]);
    const { activities } = await chatting.client.after(chatting.chat);
    expect(activities.filter(({ text }) => text?.startsWith(message.text))).toHaveLength(1);
  });

  it.each([
    ['a rule that there is not', 'say', { ...say, cites: ['R99'] }],
    ['no text', 'say', { ...say, text: '  ' }],
    ['more than may be written', 'say', { ...say, text: 'a'.repeat(LONGEST_ANSWER + 1) }],
    ['a place in the log that is none', 'say', { ...say, seen: -1 }],
    ['an end that there is not', 'close', { outcome: 'forgotten' }],
    ['a way that there is not', 'hand-back', { path: 'greeting' }],
    ['a fact of another way', 'hand-back', { path: 'pickup-ready', known: { hasPuk: true } }],
    ['a fact that is none', 'hand-back', { path: 'pickup-ready', known: { cardReady: 'perhaps' } }],
    ['somebody else’s hand', 'hand-back', { agent: 'bashir' }],
  ])('is changed by nothing with %s', async (_what, where, body) => {
    expect((await ask(origin, anna, `/cases/${id}/${where}`, { body })).status).toBe(400);
  });

  it('goes back to the bot with what the agent was told, and the bot goes on from there', async () => {
    const { id: one, student: chatting } = await waiting('jag har slagit fel kod tre gånger');
    await ask(origin, anna, `/cases/${one}/claim`, { body: {} });
    const known = { cardReady: true, codesArrived: true, photographed: true, photoSite: 'sodersjukhuset' };
    const told = await ask(origin, anna, `/cases/${one}/hand-back`, { body: { path: 'pickup-ready', known } });
    expect(told.body).toEqual({ outcome: 'handedBack' });
    await chatting.client.until(chatting.chat, 'Då kan du hämta kortet på kortkontoret på Södersjukhuset');
    expect((await ask(origin, anna, `/cases/${one}`)).status).toBe(404);
  });

  it('is opened for somebody who has phoned, as the agent’s own', async () => {
    const { body } = await ask(origin, anna, '/cases', { body: {} });
    expect(body).toEqual({ id: expect.any(String), link: expect.any(String) });
    expect((await ask(origin, anna, `/cases/${String(body.id)}`)).body).toMatchObject({
      isYours: true,
      case: { reason: 'opened', state: 'claimed' },
    });
  });
});

describe('markup and scripts', () => {
  const MARKUP = '<script>alert(1)</script><img src=x onerror=alert(1)> [här](javascript:alert(1))';

  it('of a student are text to an agent, and no part of any page', async () => {
    const { id: one } = await waiting(MARKUP);
    const { body, text, headers } = await ask(origin, anna, `/cases/${one}`);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(body.log).toContainEqual(expect.objectContaining({ from: 'student', text: MARKUP }));
    expect(text).toContain('<script>');
    expect((await ask(origin, anna, '')).text).not.toContain('alert(1)');
  });

  it('of an agent are text to a student', async () => {
    const { id: one, student: chatting } = await waiting();
    await ask(origin, anna, `/cases/${one}/claim`, { body: {} });
    await ask(origin, anna, `/cases/${one}/say`, { body: { ...say, text: MARKUP } });
    const page = await fetch(`${origin}/chat`, {
      method: 'POST',
      headers: { Origin: origin },
      body: new URLSearchParams({ token: chatting.chat.returnToken, text: '' }),
    });
    const html = await page.text();
    expect(html).toContain('&lt;script>alert(1)');
    expect(html).not.toMatch(/<img|<script>alert|href="javascript/);
  });
});

describe('the cards of a holder', () => {
  it('are shown and revoked to an agent who has said how they know who it is, and to no other', async () => {
    await clientSignsIn();
    const confirm = { identifier: 'active 2026-11-23', way: 'callBack', note: 'ringde tillbaka' };
    const { body, text } = await ask(origin, anna, '/cards/confirm', { body: confirm });
    expect(body.cards).toEqual([expect.objectContaining({ ending: '4711', state: 'ACTIVE', isRevocable: true })]);
    expect(text).not.toContain(confirm.identifier);
    const [card] = body.cards as { id: string }[];
    const revoke = { confirmation: body.confirmation, card: card?.id, reason: 'LOST' };
    const other = await ask(origin, bashir, '/cards/revoke', { body: revoke });
    expect([other.status, other.body]).toEqual([410, { outcome: 'expired' }]);
    const revoked = await ask(origin, anna, '/cards/revoke', { body: revoke });
    expect(revoked.body).toEqual({
      outcome: 'revoked',
      receipt: { number: expect.stringMatching(/^S(-[0-9A-F]{4}){3}$/), at: '2026-11-23T08:00:00+01:00' },
    });
  });

  it('are not asked for with a number that is nobody’s', async () => {
    const told = await ask(origin, anna, '/cards/confirm', { body: { identifier: '191212121213', way: 'eId' } });
    expect([told.status, told.body]).toEqual([422, { outcome: 'malformed' }]);
  });

  /** The invented holders are put in the ledger when one of them is first asked about. */
  async function clientSignsIn(): Promise<void> {
    const client = clientOf(origin);
    const chat = await client.begin();
    await client.send(chat, { type: 'message', text: 'är mitt kort aktivt?' });
    const activities = await client.until(chat, 'Logga in med knappen');
    const link = activities.flatMap(({ attachments = [] }) => attachments)[0]?.content.buttons[0]?.value ?? '';
    const browser = openBrowser();
    const asked = await browser.open((await browser.open((await browser.open(link)).location)).location);
    const chosen = await browser.submit(asked.url, { name: 'active' });
    await browser.open((await browser.open(chosen.location)).location);
  }
});

describe('a page that is open', () => {
  /** What comes over a stream, as text; and whether it has ended. */
  async function listen(cookie: string) {
    const response = await fetch(`${origin}/servicedesk/events`, { headers: { cookie } });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    const until = async (wanted: string | RegExp): Promise<boolean> => {
      while (!(typeof wanted === 'string' ? heard.includes(wanted) : wanted.test(heard))) {
        const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
        if (done) return false;
        heard += value;
      }
      heard = '';
      return true;
    };
    return { response, until };
  }

  it('hears what the queue is, when it is another, and which case has changed', async () => {
    const { response, until } = await listen(anna);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await until(`"id":"${id}"`)).toBe(true);
    await ask(origin, bashir, `/cases/${id}/claim`, { body: {} });
    expect(await until(/event: queue\ndata: .*"name":"Bashir"/)).toBe(true);
    await student.say('hallå?');
    expect(await until(new RegExp(`event: changed\\ndata: \\[.*"${id}"`))).toBe(true);
  });

  it('keeps nobody waiting who stops the service', async () => {
    const { until } = await listen(bashir);
    expect(await until('event: queue')).toBe(true);
    const ended = until('nothing that is ever said');
    await stop();
    expect(await ended).toBe(false);
  });
});
