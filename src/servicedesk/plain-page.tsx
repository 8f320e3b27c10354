/**
 * The servicedesk's pages that need no script: who may see them, and what
 * stands around what they show.
 */
import type { ComponentChildren } from 'preact';
import { render } from 'preact-render-to-string';
import type { Request, Response } from 'restify';
import type { Content } from '../content.ts';
import { READING_STYLE, sendPage } from '../web/page.ts';
import { deskSignInPath, type Member, type Role, type Sessions } from './sessions.ts';

export type PlainPages = {
  /**
   * Who asks, if they have one of these roles. Anybody else has been answered: sent to sign in and back again, or told
   * that it is not for them.
   */
  admit: (req: Request, res: Response, roles: readonly Role[], back?: string) => Promise<Member | undefined>;
  send: (res: Response, member: Member, page: { title: string; style: string; children: ComponentChildren }) => void;
  /** Says that it cannot be done. */
  refuse: (res: Response, status: number, text: string) => void;
};

const PAGES: readonly { path: string; name: string; roles: readonly Role[] }[] = [
  { path: '/servicedesk', name: 'toCases', roles: ['agent'] },
  { path: '/servicedesk/lessons', name: 'toLessons', roles: ['editor'] },
  { path: '/servicedesk/figures', name: 'toFigures', roles: ['agent', 'editor'] },
];

export function createPlainPages(content: Pick<Content, 'label'>, sessions: Pick<Sessions, 'memberOf'>): PlainPages {
  const label = (name: string) => content.label(`desk-pages/${name}`);
  const around = (res: Response, title: string, style: string, status: number, body: ComponentChildren) => {
    sendPage(res, {
      title,
      status,
      head: (nonce) =>
        `<style nonce="${nonce}">${READING_STYLE}${STYLE}${style}</style>\n<link rel="icon" href="data:,">`,
      body: render(<main>{body}</main>),
      // A browser that is told to keep quiet about it sends our own forms from nowhere.
      referrer: 'same-origin',
      allows: (nonce) => [`style-src 'nonce-${nonce}'`, 'img-src data:', "form-action 'self'"],
    });
  };
  const refuse = (res: Response, status: number, text: string) => {
    around(
      res,
      label('refused'),
      '',
      status,
      <>
        <h1>{label('refused')}</h1>
        <p>{text}</p>
      </>,
    );
  };

  return {
    refuse,
    async admit(req, res, roles, back = req.url) {
      const member = await sessions.memberOf(req);
      if (!member) {
        res.writeHead(303, { Location: deskSignInPath(back ?? '') });
        res.end();
        return undefined;
      }
      if (member.roles.some((role) => roles.includes(role))) return member;
      refuse(res, 403, label('notForYou'));
      return undefined;
    },
    send(res, member, { title, style, children }) {
      const pages = PAGES.filter(({ roles }) => member.roles.some((role) => roles.includes(role)));
      around(
        res,
        title,
        style,
        200,
        <>
          <nav aria-label={label('pages')}>
            <ul class="pages">
              {pages.map(({ path, name }) => (
                <li>
                  <a href={path}>{label(name)}</a>
                </li>
              ))}
            </ul>
          </nav>
          <h1>{title}</h1>
          {children}
        </>,
      );
    },
  };
}

const STYLE = `
main { max-width: 64rem; }
.pages { display: flex; flex-wrap: wrap; gap: 0.5rem 1.25rem; margin: 0; padding: 0; list-style: none; }
.pages li + li { margin: 0; }
form { display: flex; flex-wrap: wrap; gap: 0.75rem 1rem; align-items: end; margin: 1rem 0; }
label {
  display: grid; grid-template-columns: minmax(0, max-content); gap: 0.2rem; max-width: 100%; font-weight: 600;
}
select, input, button, .button {
  box-sizing: border-box; max-width: 100%; min-height: 2.75rem; padding: 0.4rem 0.7rem; border: 1px solid var(--subtle);
  border-radius: 0.4rem; font: inherit; font-weight: normal; background: Canvas; color: CanvasText;
}
button, .button { border-color: var(--accent); background: var(--accent); color: Canvas; font-weight: 600; cursor: pointer; }
.button { display: inline-block; padding: 0.55rem 0.7rem; text-decoration: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.notice { padding: 0.5rem 0.75rem; border-left: 4px solid var(--accent); background: var(--notice); }
table { width: 100%; border-collapse: collapse; }
caption { padding: 0.25rem 0; font-weight: 600; text-align: left; }
th, td { padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tbody th { font-weight: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
`;
