/**
 * The page a student chats on: Web Chat in a frame of our own, from our own
 * server, and the token it begins with.
 *
 * What Web Chat needs in order to run under the policy was found by running it:
 * blobs for its worker and its own images, and the hash of the empty style that
 * it creates.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Next, Request, Response, Server } from 'restify';
import { z } from 'zod';
import { newcomer } from '../channels/direct-line/direct-line.ts';
import type { Tokens } from '../channels/direct-line/tokens.ts';
import type { Content } from '../content.ts';
import type { Conversations } from '../conversations/conversations.ts';
import { mountScript } from './assets.ts';
import { WEB_CHAT_STRINGS } from './labels.ts';
import { escaped, sendPage } from './page.ts';

/** What the script in the page is given. */
export type StockPageData = {
  title: string;
  offline: string;
  online: string;
  strings: Record<string, string>;
};

export type StockPageWorld = {
  content: Content;
  conversations: Conversations;
  tokens: Tokens;
  /** Where `npm run build` puts the scripts of the pages. */
  scripts: string;
};

const EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
const Returning = z.object({ returnToken: z.string().max(2_000).optional() });

export async function mountStockPage(server: Server, world: StockPageWorld): Promise<void> {
  const { content, conversations, tokens } = world;
  const label = (name: string, facts?: Record<string, string>) => content.label(`web-chat/${name}`, facts);
  const data: StockPageData = {
    title: label('title'),
    offline: label('offline'),
    online: label('online'),
    strings: Object.fromEntries(WEB_CHAT_STRINGS.map((name) => [name, label(name)])),
  };
  const scripts = await Promise.all(
    ['webchat.js', 'stock-page.js'].map((name) => mountScript(server, world.scripts, name)),
  );
  const style = await readFile(join(world.scripts, 'stock-page.css'), 'utf8');
  const dated = content.sources.map((source) => label('dated', source));

  const body = `
<header>
  <h1>${escaped(label('title'))}</h1>
  <button id="leave" type="button">${escaped(label('leave'))}</button>
  <p>${escaped(label('intro'))} ${escaped(dated.join(' '))}</p>
</header>
<p id="status" role="status"></p>
<main id="chat" aria-label="${escaped(label('chat'))}"><p class="loading">${escaped(label('loading'))}</p></main>
<noscript><p class="loading">${escaped(label('noScript'))}</p></noscript>
<script id="data" type="application/json">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`;

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
      body,
      allows: (nonce) => [
        `script-src 'nonce-${nonce}'`,
        `style-src 'nonce-${nonce}' ${EMPTY_STYLE}`,
        `connect-src 'self' blob: ws://${host} wss://${host}`,
        "img-src 'self' data: blob:",
        'worker-src blob:',
        "form-action 'none'",
      ],
    });
    next();
  });

  /** A token for the conversation that is come back to, or for a new one. */
  server.post('/web-chat/token', async (req: Request, res: Response) => {
    const { returnToken = '' } = Returning.safeParse(req.body).data ?? {};
    const before = await tokens.read('return', returnToken);
    const isKnown = typeof before !== 'string' && (await conversations.has(`web/${before.conversation}`));
    const claims = isKnown ? before : newcomer();
    const [chat, back] = await Promise.all([tokens.issue('chat', claims), tokens.issue('return', claims)]);
    res.header('Cache-Control', 'no-store');
    res.send(200, { ...claims, isKnown, token: chat.token, returnToken: back.token });
  });
}
