/** Agents at the servicedesk, without a browser: signed in for real, and asking what their page asks. */
import { expect } from '@jest/globals';
import { deskSignInPath } from '../../../src/servicedesk/sessions.ts';
import { content } from '../../product.ts';
import { type Chat, type Client, clientOf } from '../channels/direct-line/client.ts';
import { openBrowser } from '../identity/browsing.ts';

export type Asking = { method?: string; body?: unknown; headers?: Record<string, string> };
export type Told = { status: number; body: Record<string, unknown>; text: string; headers: Headers };

/** Signs in, in development, as somebody who works there. Gives the cookie of the session. */
export async function sessionOf(origin: string, name: string): Promise<string> {
  const browser = openBrowser();
  const sent = await browser.open(`${origin}${deskSignInPath('/servicedesk')}`);
  const asked = await browser.open((await browser.open(sent.location)).location);
  const chosen = await browser.submit(asked.url, { name });
  const { headers } = await browser.open((await browser.open(chosen.location)).location);
  const [session = ''] = headers.getSetCookie();
  return session.split(';')[0] ?? '';
}

/** Asks as our own page does, unless it is said otherwise. */
export async function ask(origin: string, cookie: string, path: string, asking: Asking = {}): Promise<Told> {
  const { body, method = body === undefined ? 'GET' : 'POST', headers } = asking;
  const response = await fetch(`${origin}/servicedesk${path}`, {
    method,
    redirect: 'manual',
    headers: {
      cookie,
      Origin: origin,
      'Sec-Fetch-Site': 'same-origin',
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  return {
    status: response.status,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
    text,
    headers: response.headers,
  };
}

export type Student = { client: Client; chat: Chat; say: (text: string) => Promise<unknown> };

/** A student who has asked for a human, once they have been handed over. */
export async function studentWhoWaits(origin: string, ...texts: string[]): Promise<Student> {
  const client = clientOf(origin);
  const chat = await client.begin();
  const say = (text: string) => client.send(chat, { type: 'message', text });
  for (const text of [...texts, 'jag vill prata med en människa']) await say(text);
  const [handedOver = ''] = content.label('conversation/handedOver').split('\n');
  await client.until(chat, handedOver);
  return { client, chat, say };
}

type Queue = { cases: { id: string; state: string; path?: string; agent?: { name: string }; unanswered: number }[] };

/** What the queue is, to a page that asks for it. */
export async function queueOf(origin: string, cookie: string): Promise<Queue['cases']> {
  const { status, body } = await ask(origin, cookie, '/queue');
  expect(status).toBe(200);
  return (body as Queue).cases;
}
