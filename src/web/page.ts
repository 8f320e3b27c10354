/** A page of ours: HTML whose every text is escaped, under a policy that lets nothing else run. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Response } from 'restify';
import { ACCENT, readableInTheDark } from './colours.ts';

export type Page = {
  title: string;
  /** What is in `body`, and `head`, is HTML already. The nonce is for its scripts and styles. */
  head?: (nonce: string) => string;
  body: string;
  status?: number;
  /** What the page may do beyond nothing, as directives of its Content-Security-Policy. */
  allows?: (nonce: string) => string[];
  /** Which pages may show it in a frame. Nothing: none. */
  framedBy?: readonly string[];
  /** What other pages are told of where one came from. */
  referrer?: 'no-referrer' | 'same-origin';
  /** Which encodings the browser takes, for a page that may be compressed: it must hold no secret. */
  accepts?: string;
};

export function sendPage(res: Response, page: Page): void {
  const { title, head, body, status = 200, allows, framedBy, referrer = 'no-referrer', accepts = '' } = page;
  const nonce = randomBytes(16).toString('base64');
  const frames = `frame-ancestors ${framedBy?.join(' ') ?? "'none'"}`;
  const policy = ["default-src 'none'", "base-uri 'none'", frames, ...(allows?.(nonce) ?? [])];
  // It knows nobody or ourselves, and browsers that heed both would frame it nowhere else.
  if (framedBy) res.removeHeader('X-Frame-Options');
  const html = documentOf({ title, head: head?.(nonce) ?? '', body });
  const isCompressed = /\bgzip\b/.test(accepts);
  const sent = isCompressed ? gzipSync(html) : Buffer.from(html);
  res.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': sent.length,
    ...(isCompressed && { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }),
    'Content-Security-Policy': policy.join('; '),
    'Referrer-Policy': referrer,
  });
  res.end(sent);
}

/** What is in `head` and `body` is HTML already. */
export function documentOf({ title, head, body }: { title: string; head: string; body: string }): string {
  return `<!doctype html>
<html lang="sv">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
${head}
</head>
<body>
${body}
</body>
</html>
`;
}

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => SIGNS[sign] ?? sign);

/** Of a page that is read. The dark is as the browser has it. */
export const READING_STYLE = `
:root { color-scheme: light dark; --accent: ${ACCENT}; --subtle: #4a5964; --line: #c9d6de; --notice: #fff3cd; }
@media (prefers-color-scheme: dark) {
  :root { --accent: ${readableInTheDark(ACCENT)}; --subtle: #b4c1ca; --line: #33434e; --notice: #453a12; }
}
body { margin: 0; font: 1rem/1.55 system-ui, 'Segoe UI', Roboto, sans-serif; overflow-wrap: anywhere; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
h2 { margin-top: 2.5rem; padding-top: 0.5rem; border-top: 3px solid var(--accent); font-size: 1.25rem; }
p, li { max-width: 44rem; }
p { margin: 0 0 0.5rem; }
li + li { margin-top: 0.35rem; }
a { color: var(--accent); }
`;
