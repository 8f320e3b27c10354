/** A page of ours: HTML whose every text is escaped, under a policy that lets nothing else run. */
import { randomBytes } from 'node:crypto';
import type { Response } from 'restify';

export type Page = {
  title: string;
  /** What is in `body`, and `head`, is HTML already. The nonce is for its scripts and styles. */
  head?: (nonce: string) => string;
  body: string;
  status?: number;
  /** What the page may do beyond nothing, as directives of its Content-Security-Policy. */
  allows?: (nonce: string) => string[];
};

export function sendPage(res: Response, { title, head, body, status = 200, allows }: Page): void {
  const nonce = randomBytes(16).toString('base64');
  const policy = ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", ...(allows?.(nonce) ?? [])];
  const html = `<!doctype html>
<html lang="sv">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
${head?.(nonce) ?? ''}
</head>
<body>
${body}
</body>
</html>
`;
  res.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(html);
}

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => SIGNS[sign] ?? sign);
