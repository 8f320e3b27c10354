/**
 * What is served where no chat can be: whom to contact, in plain words, and
 * that it may be tried again. It asks nothing of anybody, so it can be had with
 * every neighbour down; and as a file, by whoever stands before us, while we
 * are not there ourselves.
 *
 * It is sent with 200. What it says is for students, and proxies and browsers
 * may show a page of their own instead of one that comes with 503; whoever
 * leads requests here asks `/health`.
 */
import { createHash } from 'node:crypto';
import type { Content } from '../content.ts';
import { documentOf, escaped, type Page, READING_STYLE } from './page.ts';

const TEXTS = ['title', 'why', 'urgentTitle', 'urgent', 'otherTitle', 'other', 'againTitle', 'again', 'send'];

export const contactPageLabels = TEXTS.map((name) => `contact-page/${name}`);

/** What was sent by a form and may not have come through, to be sent again under the same id. */
export type Unsure = { action: string; fields: Readonly<Record<string, string>> };

export function contactPage(content: Pick<Content, 'label' | 'sources'>, unsure?: Unsure): Page {
  return {
    title: content.label('contact-page/title'),
    head: (nonce) => `<style nonce="${nonce}">${READING_STYLE}</style>\n<link rel="icon" href="data:,">`,
    body: bodyOf(content, unsure),
    allows: (nonce) => [`style-src 'nonce-${nonce}'`, 'img-src data:', "form-action 'self'"],
  };
}

/** The same as a file, whose policy is in itself. */
export function contactFile(content: Pick<Content, 'label' | 'sources'>): string {
  const hash = createHash('sha256').update(READING_STYLE).digest('base64');
  const policy = `default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'sha256-${hash}'`;
  return documentOf({
    title: content.label('contact-page/title'),
    head: `<meta http-equiv="Content-Security-Policy" content="${policy}">\n<style>${READING_STYLE}</style>\n<link rel="icon" href="data:,">`,
    body: bodyOf(content),
  });
}

function bodyOf(content: Pick<Content, 'label' | 'sources'>, unsure?: Unsure): string {
  const say = (name: string) => escaped(content.label(`contact-page/${name}`));
  const section = (name: string) => `<h2>${say(`${name}Title`)}</h2>\n<p>${say(name)}</p>`;
  return `<main>
<h1>${say('title')}</h1>
<p>${say('why')}</p>
${['urgent', 'other', 'again'].map(section).join('\n')}
${content.sources.map((source) => `<p><small>${escaped(content.label('conversation/source', source))}</small></p>`).join('\n')}${unsure ? `\n${formOf(unsure, say('send'))}` : ''}
</main>`;
}

function formOf({ action, fields }: Unsure, button: string): string {
  const kept = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  return `<form method="post" action="${escaped(action)}">${kept.join('')}<button type="submit">${button}</button></form>`;
}
