/**
 * Somebody at the servicedesk, as their page is: signed in once, by a cookie,
 * and asking any of the processes. What is sent has a key of its own, so that
 * whoever got no answer sends the same again.
 */
import { Agent as Connections, type ClientRequest, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { z } from 'zod';

/** Nothing, if there was no answer, or only that something went wrong. */
export type Answer = { status: number; told: unknown } | undefined;

export type Session = {
  ask: (origin: string, method: 'GET' | 'POST', path: string, body?: object) => Promise<Answer>;
  /** Holds the live stream open, and tells of every event. */
  listen: (origin: string, hear: (event: string, data: string) => void) => ClientRequest;
  close: () => void;
};

/** In milliseconds. */
const ONE_TRY = 10_000;
/** Well before the server closes a connection that nobody uses. */
const IDLE = 2_000;
const MOST_REDIRECTS = 12;

const QueueShape = z.object({
  cases: z.array(
    z.object({
      id: z.string(),
      state: z.enum(['kept', 'waiting', 'claimed']),
      agent: z.object({ id: z.string(), name: z.string() }).optional(),
      unanswered: z.number(),
    }),
  ),
});
export type CaseSeen = z.infer<typeof QueueShape>['cases'][number];
export const casesIn = (told: unknown): CaseSeen[] => QueueShape.parse(told).cases;

const FileShape = z.object({ isYours: z.boolean(), seen: z.number(), case: z.object({ unanswered: z.number() }) });
export const fileIn = (told: unknown): z.infer<typeof FileShape> => FileShape.parse(told);

export const outcomeIn = (told: unknown): string => z.object({ outcome: z.string() }).parse(told).outcome;

/** Signs in at the provider that is for trying the assistant with, as one of its inventions. */
export async function signInAtDesk(origin: string, who: string): Promise<Session & { id: string; name: string }> {
  const jar = new Map<string, string>();
  let url = new URL('/servicedesk/sign-in', origin);
  let form: URLSearchParams | undefined;
  for (let nth = 0; nth < MOST_REDIRECTS; nth++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: form }),
    });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      jar.set(name, value);
    }
    const page = await response.text();
    const location = response.headers.get('location');
    form = undefined;
    if (location !== null) url = new URL(location, url);
    else if (page.includes('<form') && url.origin !== origin) form = new URLSearchParams({ name: who });
    else break;
  }
  const [, data = ''] =
    /<script id="data" type="application\/json">(.*?)<\/script>/s.exec(
      await textAt(new URL('/servicedesk', origin), jar),
    ) ?? [];
  if (data === '') throw new Error(`${who} could not sign in at the servicedesk`);
  const { me } = z.object({ me: z.object({ id: z.string(), name: z.string() }) }).parse(JSON.parse(data));
  return { ...me, ...sessionWith([...jar].map(([name, value]) => `${name}=${value}`).join('; ')) };
}

const textAt = async (url: URL, jar: ReadonlyMap<string, string>): Promise<string> => {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  return (await fetch(url, { headers: { cookie } })).text();
};

function sessionWith(cookie: string): Session {
  const connections = new Connections({ keepAlive: true, timeout: IDLE });
  return {
    async ask(origin, method, path, body) {
      const headers = { cookie, ...(body && { 'content-type': 'application/json' }) };
      try {
        const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
          const asking = request(
            `${origin}/servicedesk${path}`,
            { agent: connections, method, headers, timeout: ONE_TRY },
            (response) => {
              textOf(response).then((text) => {
                resolve({ status: response.statusCode ?? 500, text });
              }, reject);
            },
          );
          asking.on('error', reject);
          asking.on('timeout', () => {
            asking.destroy(new Error('There was no answer'));
          });
          asking.end(body && JSON.stringify(body));
        });
        return status < 500 ? { status, told: JSON.parse(text) } : undefined;
      } catch {
        return undefined;
      }
    },
    listen(origin, hear) {
      const asking = request(`${origin}/servicedesk/events`, { headers: { cookie } }, (response) => {
        let unread = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          unread += piece;
          const events = unread.split('\n\n');
          unread = events.pop() ?? '';
          for (const each of events) {
            const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(each) ?? [];
            if (event !== '') hear(event, data);
          }
        });
        response.on('error', () => undefined);
      });
      asking.on('error', () => undefined);
      asking.end();
      return asking;
    },
    close() {
      connections.destroy();
    },
  };
}
