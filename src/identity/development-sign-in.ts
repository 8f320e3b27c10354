/**
 * Signing in as a person who does not exist, to try the assistant. A plain
 * page: whoever has the link chooses who to be. In production it is not there.
 *
 * Who was chosen is remembered in the browser for a while, as a real provider
 * would, and may be forgotten at any time.
 */
import { randomBytes } from 'node:crypto';
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import type { Content } from '../content.ts';
import type { Conversations } from '../conversations/conversations.ts';
import type { Cache } from '../storage/cache.ts';
import { escaped, sendPage } from '../web/page.ts';

export type SignInWorld = {
  content: Content;
  conversations: Pick<Conversations, 'isWaitedFor' | 'verify'>;
  holders: readonly string[];
  sessions: Cache;
};

const PATH = '/sign-in';
const COOKIE = 'kortlotsen-sign-in';
/** In milliseconds. */
const SESSION = 15 * 60_000;

/** Where a challenge is met. */
export const signInLink = (origin: string, challenge: string): string =>
  `${origin}${PATH}?${new URLSearchParams({ challenge }).toString()}`;

const Challenge = z.string().max(200).catch('');
const Chosen = z.object({ challenge: Challenge, holder: z.string() });

export function mountDevelopmentSignIn(server: Server, world: SignInWorld): void {
  const { content, conversations, holders, sessions } = world;
  const label = (name: string, facts?: Record<string, string>) => escaped(content.label(`sign-in/${name}`, facts));

  const show = (res: Response, body: string, status = 200) => {
    sendPage(res, {
      title: content.label('sign-in/title'),
      status,
      head: (nonce) => `<style nonce="${nonce}">${STYLE}</style>\n<link rel="icon" href="data:,">`,
      body: `<main>\n<h1>${label('title')}</h1>\n${body}\n</main>`,
      allows: (nonce) => [`style-src 'nonce-${nonce}'`, "form-action 'self'", 'img-src data:'],
    });
  };
  const choice = (holder: string, text: string) => `<button name="holder" value="${holder}">${text}</button>`;

  server.get(PATH, async (req: Request, res: Response) => {
    const challenge = Challenge.parse(new URLSearchParams(req.getQuery()).get('challenge'));
    if (!(await conversations.isWaitedFor(challenge))) {
      show(res, `<p>${label('expired')}</p>`, 410);
      return;
    }
    const before = await sessions.get(sessionOf(req));
    const again = holders.find((holder) => holder === before);
    const choices = holders.map((holder) => `<li>${choice(holder, escaped(holder))}</li>`);
    show(
      res,
      `<p>${label('intro')}</p>
<form method="post" action="${PATH}">
<input type="hidden" name="challenge" value="${escaped(challenge)}">
${again ? `<p>${choice(again, label('again', { holder: again }))}</p>` : ''}
<h2>${label('holders')}</h2>
<ul>
${choices.join('\n')}
</ul>
</form>`,
    );
  });

  server.post(PATH, async (req: Request, res: Response) => {
    const { challenge, holder: wanted } = Chosen.safeParse(req.body).data ?? { challenge: '', holder: '' };
    const holder = holders.find((each) => each === wanted);
    const isVerified = holder !== undefined && (await conversations.verify(challenge, holder));
    if (!isVerified) {
      show(res, `<p>${label('expired')}</p>`, 410);
      return;
    }
    const session = sessionOf(req) || randomBytes(18).toString('base64url');
    await sessions.set(session, holder, SESSION);
    res.header('Set-Cookie', `${COOKIE}=${session}; Path=${PATH}; HttpOnly; SameSite=Lax; Max-Age=${SESSION / 1_000}`);
    show(res, `<p>${label('done')}</p>`);
  });
}

const sessionOf = (req: Request): string =>
  new RegExp(`(?:^|; )${COOKIE}=([\\w-]{24})(?:;|$)`).exec(req.header('cookie', ''))?.[1] ?? '';

const STYLE = `
body { margin: 0; background: #f2f6f8; color: #16242d; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.05rem; }
ul { display: flex; flex-wrap: wrap; gap: 0.5rem; padding: 0; list-style: none; }
button { padding: 0.55rem 1rem; border: 1px solid #00527a; border-radius: 1.2rem; background: white; color: #00527a; font: inherit; cursor: pointer; }
button:hover { background: #e3eef4; }
button:focus-visible { outline: 3px solid #b35c00; outline-offset: 2px; }
`;
