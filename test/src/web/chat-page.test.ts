import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Service } from '../../../src/cli/serve.ts';
import { content } from '../../product.ts';
import { startService } from '../../service.ts';
import { clientOf } from '../channels/direct-line/client.ts';

const label = (name: string) => content.label(`chat/${name}`);
const ASKED = content.label('pin-trouble/askingHasPuk');

let service: Service;
let origin: string;

beforeAll(async () => {
  service = await startService({ KORTLOTSEN_EMBED_ORIGINS: 'https://guiden.example.se', KORTLOTSEN_ACCENT: '#6a0032' });
  ({ origin } = service);
});
afterAll(() => service.stop());

type Sent = { status: number; html: string; headers: Headers };

/** Sends the form as a browser does without scripts. */
async function send(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Sent> {
  const response = await fetch(`${origin}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: origin, 'Sec-Fetch-Site': 'same-origin', ...headers },
    body: new URLSearchParams(fields),
  });
  return { status: response.status, html: await response.text(), headers: response.headers };
}
const fieldOf = (html: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';
const messagesIn = (html: string): number => html.match(/<li class="message|<li id="answer"/g)?.length ?? 0;

describe('the page', () => {
  it('comes with the welcome in it, and has begun nothing', async () => {
    const response = await fetch(origin);
    const html = await response.text();
    expect(html).toContain(content.label('conversation/listening'));
    expect(fieldOf(html, 'token')).toBe('');
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('may do nothing that its policy does not name, and be framed by nobody that the settings do not', async () => {
    const policies = await Promise.all([fetch(origin), fetch(origin)]).then((all) =>
      all.map(({ headers }) => headers.get('content-security-policy') ?? ''),
    );
    const [policy = ''] = policies;
    expect(policy).toMatch(
      /^default-src 'none'; base-uri 'none'; frame-ancestors 'self' https:\/\/guiden\.example\.se;/,
    );
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(policies[0]).not.toBe(policies[1]);
  });

  it('has the colour of the region, and one of it that can be read in the dark', async () => {
    const html = await (await fetch(origin)).text();
    expect(html).toMatch(/--accent-light:#6a0032;--accent-dark:#[0-9a-f]{6}/);
  });
});

describe('the form', () => {
  it('comes back with the answer, and with what the next message needs', async () => {
    const first = await send('/chat', { token: '', text: 'jag har slagit fel kod tre gånger' });
    expect(first.status).toBe(200);
    expect(first.html).toContain(ASKED);
    const second = await send('/chat', {
      token: fieldOf(first.html, 'token'),
      id: fieldOf(first.html, 'id'),
      text: 'det här blir inte sagt',
      suggested: 'Nej',
    });
    expect(second.html).toContain('PUK-kodbrev');
    expect(second.html).not.toContain('det här blir inte sagt');
  });

  it('says nothing twice when it is sent twice, at the same time or later', async () => {
    const begun = await send('/chat', { text: 'jag har tappat kortet' });
    const [token, id] = [fieldOf(begun.html, 'token'), fieldOf(begun.html, 'id')];
    const fields = { token, id, text: 'hur når jag supporten?' };
    await Promise.all([send('/chat', fields), send('/chat', fields)]);
    const { html } = await send('/chat', fields);
    expect(messagesIn(html)).toBe(messagesIn(begun.html) + 3);
  });

  it('with nothing in it says nothing', async () => {
    const begun = await send('/chat', { text: 'jag har tappat kortet' });
    const again = await send('/chat', { token: fieldOf(begun.html, 'token'), text: '  ' });
    expect(messagesIn(again.html)).toBe(messagesIn(begun.html));
    const nothing = await send('/chat', { text: '' });
    expect(fieldOf(nothing.html, 'token')).toBe('');
  });

  it.each([
    ['another page', { Origin: 'https://elsewhere.example', 'Sec-Fetch-Site': 'cross-site' }],
    ['another page of the same site', { Origin: 'https://other.example', 'Sec-Fetch-Site': 'same-site' }],
    [
      'another page, in a browser that tells its origin only',
      { Origin: 'https://elsewhere.example', 'Sec-Fetch-Site': '' },
    ],
    ['a page without an origin', { Origin: 'null', 'Sec-Fetch-Site': '' }],
  ])('sent from %s does nothing', async (_from, headers) => {
    const begun = await send('/chat', { text: 'jag har tappat kortet' });
    const token = fieldOf(begun.html, 'token');
    for (const path of ['/chat', '/chat/new', '/chat/transcript', '/chat/token'])
      expect((await send(path, { token, text: 'Det är borta' }, headers)).status).toBe(403);
    expect(messagesIn((await send('/chat', { token })).html)).toBe(messagesIn(begun.html));
  });

  it('takes no token that is not for coming back', async () => {
    const chat = await clientOf(origin).begin();
    for (const token of [chat.token, `${chat.returnToken}x`, 'nonsense']) {
      const { html } = await send('/chat', { token, text: 'jag har tappat kortet' });
      expect(html).toContain('glömt det hemma');
      expect(fieldOf(html, 'token')).not.toBe('');
      expect((await clientOf(origin).after(chat)).activities).toHaveLength(2);
    }
  });

  it('shows what was written as it was written', async () => {
    const { html } = await send('/chat', { text: '</script><script>alert(1)</script><b onclick=x>' });
    expect(html).not.toMatch(/<script>alert|<b onclick/);
    expect(html).toContain('&lt;b onclick=x>');
  });

  it('keeps no secret that was written', async () => {
    const { html } = await send('/chat', { text: 'min pin är 4711 och jag heter 640823-3234' });
    expect(html).not.toMatch(/4711|640823/);
  });

  it('too large to be a message is refused, and nothing is said', async () => {
    const { html } = await send('/chat', { text: 'x'.repeat(10_001) });
    expect(fieldOf(html, 'token')).toBe('');
    expect((await send('/chat', { text: 'x'.repeat(300_000) })).status).toBe(413);
  });
});

describe('a new conversation', () => {
  it('signs out whoever was signed in to the old one', async () => {
    const begun = await send('/chat', { text: 'jag har tappat kortet' });
    const token = fieldOf(begun.html, 'token');
    const left = await send('/chat/new', { token });
    expect([left.status, left.headers.get('location')]).toEqual([303, '/']);
    const { html } = await send('/chat', { token });
    expect(html).toContain(`>${label('signOutWish')}</div>`);
  });
});

describe('a conversation as a text file', () => {
  it('is only for whoever has its token', async () => {
    const begun = await send('/chat', { text: 'när är sös öppet?' });
    const file = await send('/chat/transcript', { token: fieldOf(begun.html, 'token') });
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="kortlotsen.txt"');
    expect(file.html).toContain('när är sös öppet?');
    expect((await send('/chat/transcript', { token: 'nonsense' })).html).not.toContain('när är sös öppet?');
  });
});
