/**
 * The page a student chats on. Rendered here, it is a form that works by
 * itself: a message is sent, and the page comes back with the answer. Where
 * scripts run, the same page goes on over Direct Line.
 *
 * A conversation belongs to a tab. The form carries its token, and a message
 * the id it was given when the page was rendered, so that a page that is sent
 * again says nothing twice; no cookie is set, and no token is in an address.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { render } from 'preact-render-to-string';
import type { Next, Request, Response, Server } from 'restify';
import * as z from 'zod';
import { comingTo, newcomer, placeOf, toDirectLineActivity } from '../channels/direct-line/direct-line.ts';
import type { Limits } from '../channels/direct-line/limits.ts';
import type { Claims, Tokens } from '../channels/direct-line/tokens.ts';
import { type Content, madeOnce } from '../content.ts';
import type { Conversations } from '../conversations/conversations.ts';
import type { Logged } from '../conversations/store.ts';
import { mountFolder } from './assets.ts';
import { Activity, LONGEST_TEXT } from './chat/activity.ts';
import { atRest, ChatView, type FormFields } from './chat/chat-view.tsx';
import { CHAT_TEXTS, type Texts } from './chat/texts.ts';
import { ACCENT, readableInTheDark } from './colours.ts';
import { contactPage, type Unsure } from './contact-page.ts';
import { escaped, READING_STYLE, sendPage } from './page.ts';
import { type AddressOf, isFromOurPage } from './requests.ts';
import { toTranscript } from './transcript.ts';

/** What the script of the page is given. */
export type ChatPageData = {
  texts: Texts;
  dated: string[];
  activities: Activity[];
  form: FormFields;
};

export type ChatPageWorld = {
  content: Content;
  conversations: Conversations;
  tokens: Tokens;
  limits: Limits;
  addressOf: AddressOf;
  publicOrigin: () => string;
  /** The pages that may show ours in a frame, as origins. */
  embedOrigins: readonly string[];
  /** Of buttons and links, as #rrggbb. */
  accent: string | undefined;
  /** The folder with the scripts of our pages. */
  scripts: string;
  now: () => Date;
  /** The conversation that a code is the way in to, once. Without a servicedesk there are none. */
  invited?: ((code: string, by: string) => Promise<string | undefined>) | undefined;
  /** Whether there is a database to chat on. */
  isReached: () => boolean;
  onMistake: (mistake: unknown) => void;
};

/** How long a page without scripts waits for an answer, in milliseconds. */
const PATIENCE = 9_000;

const Token = z.string().max(4_000);
const Returning = z.object({ returnToken: Token.optional() });
const WayIn = z.object({ code: z.string().max(100) });
const Sent = z.object({
  token: Token.catch(''),
  id: z.uuid().catch(() => randomUUID()),
  text: z.string().max(LONGEST_TEXT).catch(''),
  /** A button that says something. What is in the box then stays unsaid. */
  suggested: z.string().max(LONGEST_TEXT).optional(),
});

export async function mountChatPage(server: Server, world: ChatPageWorld): Promise<void> {
  const { content, conversations, tokens, limits, addressOf, publicOrigin, accent = ACCENT } = world;
  const wordsNow = madeOnce(content, () => ({
    dated: content.sources.map((source) => content.label('chat/dated', source)),
    texts: Object.fromEntries(CHAT_TEXTS.map((name) => [name, content.label(`chat/${name}`)])) as Texts,
  }));
  const framers = ["'self'", ...world.embedOrigins];
  const asset = await mountFolder(server, join(world.scripts, 'chat'));
  const style = (await readFile(join(world.scripts, 'chat/chat-page.css'), 'utf8')).trim();
  const colours = `:root{--accent-light:${accent};--accent-dark:${readableInTheDark(accent)}}`;

  const activitiesOf = (id: string, entries: readonly Logged[]): Activity[] =>
    entries.flatMap((entry) => Activity.safeParse(toDirectLineActivity(id, entry, content.rules)).data ?? []);

  const welcome = (): Activity[] => {
    const entries = conversations.welcome().map((said, index): Logged => ({
      author: 'bot',
      seq: index + 1,
      at: world.now(),
      said,
      answers: undefined,
      turn: 1,
    }));
    return activitiesOf('', entries);
  };

  type Shown = { activities: Activity[]; token: string; status?: number; isBusy?: boolean };
  const sendChat = (req: Request, res: Response, { activities, token, status = 200, isBusy = false }: Shown): void => {
    const { texts, dated } = wordsNow();
    const form = { token, id: randomUUID() };
    const data: ChatPageData = { texts, dated, activities, form };
    const host = req.header('host', '');
    const chat = { ...atRest(activities), isBusy };
    const view = <ChatView chat={chat} texts={texts} dated={dated} form={form} isAlive={false} isFramed={false} />;
    sendPage(res, {
      title: texts.title,
      status,
      head: (nonce) =>
        [
          `<style nonce="${nonce}">${style}${colours}</style>`,
          `<script nonce="${nonce}" type="module" src="${asset('chat-page.js')}"></script>`,
          '<meta name="color-scheme" content="light dark">',
          '<link rel="icon" href="data:,">',
        ].join('\n'),
      body: [
        `<div id="app">${render(view)}</div>`,
        `<script id="data" type="application/json">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`,
      ].join('\n'),
      referrer: 'same-origin',
      framedBy: framers,
      allows: (nonce) => [
        `script-src 'nonce-${nonce}' 'strict-dynamic'`,
        `style-src 'nonce-${nonce}'`,
        `connect-src 'self' ws://${host} wss://${host}`,
        'img-src data:',
        "form-action 'self'",
      ],
      // Of a page with a token in it, the weight could tell something.
      ...(token === '' && { accepts: req.header('accept-encoding', '') }),
    });
  };

  /** Framed by the same pages as the chat that it stands for. */
  const sendContact = (res: Response, unsure?: Unsure): void => {
    sendPage(res, { ...contactPage(content, unsure), referrer: 'same-origin', framedBy: framers });
  };
  /** Whoever asks for a page gets one, though nothing can be read or kept: it says whom to contact. */
  const orContact =
    (handle: (req: Request, res: Response) => Promise<void>, isAgain = false) =>
    async (req: Request, res: Response): Promise<void> => {
      try {
        await handle(req, res);
      } catch (mistake) {
        if (res.headersSent) throw mistake;
        world.onMistake(mistake);
        sendContact(res, isAgain ? { action: req.getPath(), fields: fieldsOf(Sent.parse(req.body ?? {})) } : undefined);
      }
    };

  const claimsFrom = async (token: string): Promise<Claims | undefined> => {
    const claims = await tokens.read('return', token);
    if (typeof claims === 'string') return undefined;
    return (await conversations.has(placeOf(claims.conversation).conversation)) ? claims : undefined;
  };

  /** Whether somebody has to wait: a conversation for what is written in it, and an address for what it begins. */
  const isTooMuch = async (req: Request, res: Response, claims: Claims | undefined): Promise<boolean> => {
    const seconds = claims
      ? await limits.secondsToWait('messages', claims.conversation)
      : await limits.secondsToWait('beginnings', addressOf(req));
    if (seconds !== undefined) res.setHeader('Retry-After', seconds);
    return seconds !== undefined;
  };

  /** What was sent from our own page. From anybody else's, nothing is done. */
  const sentFrom = (req: Request, res: Response): z.infer<typeof Sent> | undefined => {
    if (isFromOurPage(req, publicOrigin())) return Sent.parse(req.body ?? {});
    res.send(403, { error: { code: 'Forbidden', message: 'This is not sent from the chat.' } });
    return undefined;
  };

  server.get('/', (req: Request, res: Response, next: Next) => {
    if (world.isReached()) sendChat(req, res, { activities: welcome(), token: '' });
    else sendContact(res);
    next(false);
  });

  const { invited } = world;
  if (invited) {
    /** A way in is taken by whoever presses the button, and not by what only looks where an address leads. */
    server.get('/c/:code', (req: Request, res: Response, next: Next) => {
      sendWayIn(res, { id: randomUUID(), action: req.getPath() });
      next(false);
    });

    server.post(
      '/c/:code',
      orContact(async (req: Request, res: Response) => {
        const sent = sentFrom(req, res);
        if (!sent) return;
        if (await isTooMuch(req, res, undefined)) {
          sendWayIn(res, { status: 429 });
          return;
        }
        const { code } = WayIn.parse(req.params);
        const conversation = await invited(code, sent.id);
        const claims = conversation === undefined ? undefined : comingTo(conversation);
        if (!claims || conversation === undefined) {
          sendWayIn(res, { status: 410 });
          return;
        }
        const activities = activitiesOf(claims.conversation, await conversations.log(conversation, 0));
        const { token } = await tokens.issue('return', claims);
        sendChat(req, res, { activities, token });
      }),
    );
  }

  const sendWayIn = (res: Response, to: { id: string; action: string } | { status: 410 | 429 }): void => {
    const label = (name: string) => escaped(content.label(`chat/${name}`));
    const { title } = wordsNow().texts;
    const body =
      'status' in to
        ? `<p>${label(to.status === 410 ? 'wayInIsGone' : 'busy')}</p>\n<p><a href="/">${label('wayInElsewhere')}</a></p>`
        : `<p>${label('wayInText')}</p>
<form method="post" action="${escaped(to.action)}"><input type="hidden" name="id" value="${to.id}">
<button type="submit">${label('wayInOpen')}</button></form>`;
    sendPage(res, {
      title,
      ...('status' in to && { status: to.status }),
      head: (nonce) => `<style nonce="${nonce}">${READING_STYLE}</style>\n<link rel="icon" href="data:,">`,
      body: `<main>\n<h1>${escaped(title)}</h1>\n${body}\n</main>`,
      referrer: 'same-origin',
      allows: (nonce) => [`style-src 'nonce-${nonce}'`, 'img-src data:', "form-action 'self'"],
    });
  };

  server.post(
    '/chat',
    orContact(async (req: Request, res: Response) => {
      const sent = sentFrom(req, res);
      if (!sent) return;
      const text = sent.suggested ?? sent.text;
      const before = await claimsFrom(sent.token);
      if (!before && text.trim() === '') {
        sendChat(req, res, { activities: welcome(), token: '' });
        return;
      }
      const claims = before ?? newcomer();
      const place = placeOf(claims.conversation);
      const isBusy = text.trim() !== '' && (await isTooMuch(req, res, before));
      if (isBusy && !before) {
        sendChat(req, res, { activities: welcome(), token: '', status: 429, isBusy });
        return;
      }
      if (!before) await conversations.open(place);
      if (text.trim() !== '' && !isBusy) {
        const { answered } = await conversations.accept({ ...place, id: sent.id, text });
        await Promise.race([answered, wait(PATIENCE, undefined, { ref: false })]);
      }
      const activities = activitiesOf(claims.conversation, await conversations.log(place.conversation, 0));
      const { token } = await tokens.issue('return', claims);
      sendChat(req, res, { activities, token, status: isBusy ? 429 : 200, isBusy });
    }, true),
  );

  /** Leaves the conversation, and whoever was signed in there is so no more. */
  server.post(
    '/chat/new',
    orContact(async (req: Request, res: Response) => {
      const sent = sentFrom(req, res);
      if (!sent) return;
      const claims = await claimsFrom(sent.token);
      if (claims) {
        await conversations.accept({
          ...placeOf(claims.conversation),
          id: sent.id,
          text: wordsNow().texts.signOutWish,
        });
      }
      res.writeHead(303, { Location: '/' });
      res.end();
    }),
  );

  server.post(
    '/chat/transcript',
    orContact(async (req: Request, res: Response) => {
      const sent = sentFrom(req, res);
      if (!sent) return;
      const claims = await claimsFrom(sent.token);
      const entries = claims ? await conversations.log(placeOf(claims.conversation).conversation, 0) : [];
      const activities = claims ? activitiesOf(claims.conversation, entries) : welcome();
      const { texts, dated } = wordsNow();
      res.sendRaw(200, toTranscript(activities, texts, dated), {
        'Content-Type': 'text/plain; charset=utf-8',
        'Content-Disposition': 'attachment; filename="kortlotsen.txt"',
      });
    }),
  );

  /** A token for the conversation that is come back to, or for a new one. */
  server.post('/chat/token', async (req: Request, res: Response) => {
    if (!isFromOurPage(req, publicOrigin())) {
      res.send(403, { error: { code: 'Forbidden', message: 'This is not sent from the chat.' } });
      return;
    }
    if (await isTooMuch(req, res, undefined)) {
      res.send(429, { error: { code: 'TooManyRequests', message: 'Too many chats are begun from there just now.' } });
      return;
    }
    const { returnToken = '' } = Returning.safeParse(req.body).data ?? {};
    const before = await claimsFrom(returnToken);
    const claims = before ?? newcomer();
    const [chat, back] = await Promise.all([tokens.issue('chat', claims), tokens.issue('return', claims)]);
    res.send(200, { ...claims, isKnown: before !== undefined, token: chat.token, returnToken: back.token });
  });
}

/** What a form sent, to be sent again as it was. */
const fieldsOf = ({ token, id, text, suggested }: z.infer<typeof Sent>): Record<string, string> => ({
  token,
  id,
  text,
  ...(suggested !== undefined && { suggested }),
});
