/**
 * The page with the stock Web Chat, from our own server, and the token it
 * begins with: one of ours or, by setting, of Azure's Direct Line.
 *
 * What Web Chat needs in order to run under the policy was found by running it:
 * blobs for its worker and its own images, and the hash of the empty style that
 * it creates.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Next, Request, Response, Server } from 'restify';
import { z } from 'zod';
import { newcomer, placeOf } from '../channels/direct-line/direct-line.ts';
import type { Limits } from '../channels/direct-line/limits.ts';
import type { Claims, Tokens } from '../channels/direct-line/tokens.ts';
import { type Content, madeOnce } from '../content.ts';
import type { Conversations } from '../conversations/conversations.ts';
import type { Settings } from '../settings.ts';
import { mountScript } from './assets.ts';
import { createAzureDirectLine, type Opened } from './azure-direct-line.ts';
import { WEB_CHAT_STRINGS } from './labels.ts';
import { escaped, sendPage } from './page.ts';
import { type AddressOf, isFromOurPage } from './requests.ts';

/** What the script in the page is given. */
export type StockPageData = {
  title: string;
  offline: string;
  online: string;
  unreachable: string;
  strings: Record<string, string>;
};

/** What it is given to chat with, as Direct Line names it. `domain` may be a path of ours; `expires_in` is in seconds. */
export type StockChat = {
  domain: string;
  conversationId: string;
  user: string;
  isKnown: boolean;
  token: string;
  expires_in?: number;
  /** To come back with, if the tab is reloaded. */
  returnToken: string;
};

export type StockPageWorld = {
  content: Content;
  conversations: Conversations;
  tokens: Tokens;
  limits: Limits;
  addressOf: AddressOf;
  publicOrigin: () => string;
  azure: Settings['azureDirectLine'];
  onMistake: (mistake: unknown) => void;
  /** Where `npm run build` puts the scripts of the pages. */
  scripts: string;
};

const BASE = '/v3/directline';
const EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
/** Of return tokens, so that none is taken for one of a conversation of our own. */
const AZURE = 'azure/';
/** `token` is the last that the page was given. */
const Returning = z.object({
  returnToken: z.string().max(2_000).default(''),
  token: z.string().max(8_000).optional().catch(undefined),
});

export async function mountStockPage(server: Server, world: StockPageWorld): Promise<void> {
  const { content, conversations, tokens, limits, addressOf, publicOrigin, onMistake } = world;
  const azure = world.azure && createAzureDirectLine({ ...world.azure, publicOrigin, onMistake });
  const label = (name: string, facts?: Record<string, string>) => content.label(`web-chat/${name}`, facts);
  const scripts = await Promise.all(
    ['webchat.js', 'stock-page.js'].map((name) => mountScript(server, world.scripts, name)),
  );
  const style = await readFile(join(world.scripts, 'stock-page.css'), 'utf8');

  const bodyNow = madeOnce(content, () => {
    const data: StockPageData = {
      title: label('title'),
      offline: label('offline'),
      online: label('online'),
      unreachable: label('unreachable'),
      strings: Object.fromEntries(WEB_CHAT_STRINGS.map((name) => [name, label(name)])),
    };
    const dated = content.sources.map((source) => label('dated', source));
    return `
<header>
  <h1>${escaped(label('title'))}</h1>
  <button id="leave" type="button">${escaped(label('leave'))}</button>
  <p>${escaped(label('intro'))} ${escaped(dated.join(' '))}</p>
</header>
<p id="status" role="status"></p>
<main id="chat" aria-label="${escaped(label('chat'))}"><p class="loading">${escaped(label('loading'))}</p></main>
<noscript><p class="loading">${escaped(label('noScript'))}</p></noscript>
<script id="data" type="application/json">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`;
  });

  server.get('/web-chat', (req: Request, res: Response, next: Next) => {
    const host = req.header('host', '');
    sendPage(res, {
      title: label('title'),
      head: (nonce) =>
        [
          `<style nonce="${nonce}">${style}</style>`,
          ...scripts.map((url) => `<script nonce="${nonce}" src="${url}" defer></script>`),
          '<link rel="icon" href="data:,">',
        ].join('\n'),
      body: bodyNow(),
      allows: (nonce) => [
        `script-src 'nonce-${nonce}'`,
        `style-src 'nonce-${nonce}' ${EMPTY_STYLE}`,
        `connect-src 'self' blob: ${(azure?.sources ?? [`ws://${host}`, `wss://${host}`]).join(' ')}`,
        "img-src 'self' data: blob:",
        'worker-src blob:',
        "form-action 'none'",
      ],
    });
    next();
  });

  const openOurs = async (before: Claims | undefined): Promise<Opened> => {
    const isKnown = before !== undefined && (await conversations.has(placeOf(before.conversation).conversation));
    const claims = isKnown ? before : newcomer();
    return { ...claims, isKnown, ...(await tokens.issue('chat', claims)) };
  };

  /** A token for the conversation that is come back to, or for a new one. */
  server.post('/web-chat/token', async (req: Request, res: Response) => {
    if (!isFromOurPage(req, publicOrigin())) {
      res.send(403, { error: { code: 'Forbidden', message: 'Only our own page is given a token.' } });
      return;
    }
    const seconds = await limits.secondsToWait('beginnings', addressOf(req));
    if (seconds !== undefined) {
      res.header('Retry-After', String(seconds));
      res.send(429, { error: { code: 'TooManyRequests', message: 'Too many chats are begun from there just now.' } });
      return;
    }
    const { returnToken = '', token: last } = Returning.safeParse(req.body).data ?? {};
    const read = await tokens.read('return', returnToken);
    const before = typeof read === 'string' ? undefined : read;
    const opened = azure ? await azure.open(newcomer().user, azures(before, last)) : await openOurs(before);
    if (!opened) {
      res.send(503, { error: { code: 'ServiceUnavailable', message: 'The chat cannot be reached just now.' } });
      return;
    }
    const { conversation, user, isKnown, token, expiresIn } = opened;
    const back = await tokens.issue('return', { conversation: azure ? AZURE + conversation : conversation, user });
    const chat: StockChat = {
      domain: azure?.url ?? BASE,
      conversationId: conversation,
      user,
      isKnown,
      token,
      ...(expiresIn !== undefined && { expires_in: expiresIn }),
      returnToken: back.token,
    };
    res.send(200, chat);
  });
}

/** The conversation of Azure's that is come back to, if it is one. */
const azures = (before: Claims | undefined, token: string | undefined) =>
  before?.conversation.startsWith(AZURE)
    ? { conversation: before.conversation.slice(AZURE.length), user: before.user, token }
    : undefined;
