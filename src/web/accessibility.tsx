/** What has been done so that everybody can use the chat, and what has been tested of it. It is the content's to say. */
import { render } from 'preact-render-to-string';
import type { Next, Request, Response, Server } from 'restify';
import { type Content, madeOnce } from '../content.ts';
import { blocksOf } from './chat/markdown.tsx';
import { READING_STYLE, sendPage } from './page.ts';

const SECTIONS = ['use', 'tested', 'untested', 'known', 'report'];

export const accessibilityLabels = [
  'title',
  'intro',
  ...SECTIONS.flatMap((section) => [`${section}Title`, `${section}Text`]),
].map((name) => `accessibility/${name}`);

export function mountAccessibility(server: Server, content: Pick<Content, 'label' | 'rules'>): void {
  const label = (name: string) => content.label(`accessibility/${name}`);
  const text = (name: string) => blocksOf(label(name), content.label('chat/newTab')).map(({ shown }) => shown);
  const bodyNow = madeOnce(content, () =>
    render(
      <main>
        <h1>{label('title')}</h1>
        {text('intro')}
        {SECTIONS.map((section) => (
          <section>
            <h2>{label(`${section}Title`)}</h2>
            {text(`${section}Text`)}
          </section>
        ))}
      </main>,
    ),
  );

  server.get('/accessibility', (req: Request, res: Response, next: Next) => {
    sendPage(res, {
      title: label('title'),
      head: (nonce) => `<style nonce="${nonce}">${READING_STYLE}</style>\n<link rel="icon" href="data:,">`,
      body: bodyNow(),
      allows: (nonce) => [`style-src 'nonce-${nonce}'`, 'img-src data:', "form-action 'none'"],
      accepts: req.header('accept-encoding', ''),
    });
    next(false);
  });
}
