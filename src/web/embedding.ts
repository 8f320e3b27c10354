/**
 * The chat on somebody else's page, by one `<script>`: `GET /embed.js`, and a
 * page to try it on.
 *
 * The address is written on pages that are not ours and so never changes. What
 * is there may, and is therefore kept for five minutes and asked after by ETag.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Next, Request, Response, Server } from 'restify';
import { type Content, madeOnce } from '../content.ts';
import { ACCENT, DARK, readableInTheDark } from './colours.ts';
import { escaped, sendPage } from './page.ts';

const TEXTS = ['open', 'unread', 'answered', 'chat', 'close', 'opening', 'missing', 'newTab', 'again'] as const;
const EXAMPLE = ['exampleTitle', 'exampleIntro'];

export const embeddingLabels = [...TEXTS, ...EXAMPLE].map((name) => `embedding/${name}`);

/** What the script is given when it is served. */
export type Embedding = { texts: Record<(typeof TEXTS)[number], string>; style: string };

export type EmbeddingWorld = {
  content: Pick<Content, 'label' | 'sources' | 'rules'>;
  /** As #rrggbb, so dark that white can be read on it. Nothing: ours. */
  accent: string | undefined;
  /** There, nobody needs a page to try it on. */
  isProduction: boolean;
  /** Where `npm run build` puts the scripts of the pages. */
  scripts: string;
};

export async function mountEmbedding(server: Server, world: EmbeddingWorld): Promise<void> {
  const { content, accent = ACCENT, isProduction, scripts } = world;
  const [program, style] = await Promise.all(
    ['embed.js', 'embed.css'].map((name) => readFile(join(scripts, name), 'utf8')),
  );
  const colours = `:host{--accent:${accent};--accent-in-dark:${readableInTheDark(accent)};--dark:${DARK}}`;
  const made = madeOnce(content, () => {
    const texts = Object.fromEntries(TEXTS.map((name) => [name, content.label(`embedding/${name}`)]));
    const given = JSON.stringify({ texts, style: `${colours}${style}` });
    const script = Buffer.from(`(embedding=>{${program}})(${given});\n`);
    const compressed = { br: brotliCompressSync(script), gzip: gzipSync(script, { level: 9 }) };
    const tag = `"${createHash('sha256').update(script).digest('base64url').slice(0, 22)}"`;
    return { script, compressed, tag };
  });
  // Nobody who asks first after a start waits for it.
  made();

  server.get('/embed.js', (req: Request, res: Response, next: Next) => {
    const { script, compressed, tag } = made();
    const encoding = (['br', 'gzip'] as const).find((each) => req.acceptsEncoding(each));
    const sent = encoding ? compressed[encoding] : script;
    const kept = req.header('if-none-match', '').split(',');
    const isKept = kept.some((each) => ['*', tag, `W/${tag}`].includes(each.trim()));
    res.writeHead(isKept ? 304 : 200, {
      'Cache-Control': 'public, max-age=300',
      // Weak, since it is one for all its encodings.
      ETag: `W/${tag}`,
      Vary: 'Accept-Encoding',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      ...(!isKept && {
        'Content-Type': 'text/javascript; charset=utf-8',
        'Content-Length': sent.length,
        ...(encoding && { 'Content-Encoding': encoding }),
      }),
    });
    res.end(isKept ? undefined : sent);
    next();
  });

  if (!isProduction) mountExample(server, content);
}

/** A page like one of the guidance, which trusts us with a script and a frame and nobody with anything else. */
function mountExample(server: Server, content: EmbeddingWorld['content']): void {
  server.get('/embed-example', (_req: Request, res: Response, next: Next) => {
    const title = content.label('embedding/exampleTitle');
    const certain = [...content.rules.values()].filter(({ until, mayHaveChanged }) => !until && !mayHaveChanged);
    const paragraphs = [
      content.label('embedding/exampleIntro'),
      ...content.sources.map((source) => content.label('web-chat/dated', source)),
      ...certain.map(({ text }) => text),
    ];
    sendPage(res, {
      title,
      head: () => '<script src="/embed.js" async></script>',
      body: `<main>\n<h1>${escaped(title)}</h1>\n${paragraphs.map((text) => `<p>${escaped(text)}</p>`).join('\n')}\n</main>`,
      allows: () => ["script-src 'self'", "frame-src 'self'", "require-trusted-types-for 'script'"],
    });
    next();
  });
}
