/**
 * The agents' page as it is sent: its texts, the texts to answer with and the
 * ways to hand back, for the script that makes a page of them. Nothing of any
 * case is in it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { render } from 'preact-render-to-string';
import type { Request, Response, Server } from 'restify';
import { type Beginning, beginnings } from '../../dialogs/intents.ts';
import { dayOf, type Moment, type Quoted } from '../../dialogs/vocabulary.ts';
import { createCalendar } from '../calendar.ts';
import { cannedTopic, type Content, madeOnce } from '../content.ts';
import { mountFolder } from '../web/assets.ts';
import { ACCENT, readableInTheDark } from '../web/colours.ts';
import { sendPage } from '../web/page.ts';
import type { FactName } from '../wording.ts';
import { WAYS } from './audit.ts';
import { type Agent, CaseId, LONGEST_ANSWER } from './desk.ts';
import { factsFor, handBackIntents } from './hand-back.ts';
import type { Sessions } from './sessions.ts';
import type { Canned, Field, Way } from './shown.ts';
import { FACTS, PAGE_TEXTS, QUOTED, type Texts } from './texts.ts';

/** What the script of the page is given. */
export type ServicedeskPageData = {
  me: Agent;
  texts: Texts;
  /** How an agent may have made sure who somebody is, in words. */
  ways: { way: string; label: string }[];
  canned: Canned[];
  handBack: Way[];
  longest: number;
};

const PATH = '/servicedesk';
/** Where whoever edits and has no cases has their work. */
const EDITORS = '/servicedesk/lessons';

/** Where an agent takes a case, whether or not they have signed in. */
export const caseLink = (origin: string, id: string): string => `${origin}${PATH}/take/${id}`;

type PageWorld = {
  content: Content;
  scripts: string;
  sessions: Pick<Sessions, 'memberOf'>;
  now: () => Date;
  /** An agent has opened the page, and so is there. */
  isSeen: (agent: Agent) => void;
};

export async function mountPage(server: Server, world: PageWorld): Promise<void> {
  const { content, scripts, sessions, now, isSeen } = world;
  const itself = Object.fromEntries(QUOTED.map((name) => [name, `{{${name}}}`]));
  const wordsNow = madeOnce(content, () => ({
    texts: Object.fromEntries(PAGE_TEXTS.map((name) => [name, content.label(`servicedesk/${name}`, itself)])) as Texts,
    handBack: waysOf(content),
    ways: WAYS.map((way) => ({ way, label: content.label(`servicedesk/way.${way}`) })),
  }));
  const asset = await mountFolder(server, join(scripts, 'servicedesk'));
  const style = (await readFile(join(scripts, 'servicedesk/servicedesk.css'), 'utf8')).trim();
  const colours = `:root{--accent-light:${ACCENT};--accent-dark:${readableInTheDark(ACCENT)}}`;
  const calendar = createCalendar(content);
  const signIn = `${PATH}/sign-in?to=${encodeURIComponent(PATH)}`;

  // A fragment would be lost on the way by the sign-in.
  server.get(`${PATH}/take/:id`, async (req: Request, res: Response) => {
    const { data: id } = CaseId.safeParse((req.params as Record<string, unknown>).id);
    const here = id === undefined ? PATH : `${PATH}/take/${id}`;
    const member = await sessions.memberOf(req, 'acting');
    const to = member ? `${PATH}#${id ?? ''}` : `${PATH}/sign-in?to=${encodeURIComponent(here)}`;
    res.writeHead(303, { Location: to });
    res.end();
  });

  server.get(PATH, async (req: Request, res: Response) => {
    const member = await sessions.memberOf(req, 'acting');
    if (!member) {
      res.writeHead(303, { Location: signIn });
      res.end();
      return;
    }
    // Nobody has a session without a role: whoever is no agent edits.
    if (!member.roles.includes('agent')) {
      res.writeHead(303, { Location: EDITORS });
      res.end();
      return;
    }
    const me = { id: member.id, name: member.name };
    isSeen(me);
    const { texts, ways, handBack } = wordsNow();
    const canned = cannedIn(content, calendar.momentAt(now()));
    const data: ServicedeskPageData = { me, texts, ways, canned, handBack, longest: LONGEST_ANSWER };
    sendPage(res, {
      title: texts.title,
      head: (nonce) =>
        [
          `<style nonce="${nonce}">${style}${colours}</style>`,
          `<script nonce="${nonce}" type="module" src="${asset('servicedesk.js')}"></script>`,
          '<meta name="color-scheme" content="light dark">',
          '<link rel="icon" href="data:,">',
        ].join('\n'),
      body: [
        render(
          <div id="app">
            <header>
              <h1>{texts.title}</h1>
            </header>
            <main>
              <noscript>{texts.noScript}</noscript>
            </main>
          </div>,
        ),
        `<script id="data" type="application/json">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`,
      ].join('\n'),
      referrer: 'same-origin',
      allows: (nonce) => [
        `script-src 'nonce-${nonce}' 'strict-dynamic'`,
        `style-src 'nonce-${nonce}'`,
        "connect-src 'self'",
        'img-src data:',
        "form-action 'self'",
      ],
    });
  });
}

/** What an agent may answer with: the texts that are written for it, and the answers that students get. */
function cannedIn(content: Content, moment: Moment): Canned[] {
  const today = dayOf(moment);
  const facts = {
    nextAtBooth: { opening: moment.next.booth, today },
    nextAtSodersjukhuset: { opening: moment.next.sodersjukhuset, today },
  } satisfies Partial<Record<FactName, Quoted>>;
  const titles = new Map<string, string>(content.taught.map(({ intent, title }) => [intent, title]));
  return [...content.lines.values()].flatMap(({ name, uncited }) => {
    const [topic = '', line = ''] = name.split('/');
    if (topic !== cannedTopic && line !== 'answer') return [];
    const { text, cites } = content.speak({ line: name, facts, offers: [] }, today);
    // One whose rules have lapsed is spoken as a text that cites nothing.
    if (cites.length === 0 && uncited === undefined) return [];
    return [{ name, title: line === 'answer' ? titles.get(topic) : undefined, text, cites }];
  });
}

/** What an intent tells itself is not asked about. */
function waysOf(content: Content): Way[] {
  const label = (name: string) => content.label(`servicedesk/${name}`);
  const began = new Map<string, Beginning>(Object.entries(beginnings));
  const titles = new Map<string, string>(content.taught.map(({ intent, title }) => [intent, title]));
  return handBackIntents
    .map((intent): Way => {
      const told = began.get(intent)?.told ?? {};
      const fields = factsFor(intent)
        .filter((fact) => !(fact in told))
        .map((fact): Field => {
          const [kind, name] = [FACTS[fact], label(`fact.${fact}`)];
          if (typeof kind === 'string') return { fact, label: name, kind };
          const choices = kind.map((value) => ({ value, label: label(`value.${fact}.${value}`) }));
          return { fact, label: name, kind: 'choice', choices };
        });
      return { intent, title: titles.get(intent) ?? intent, fields };
    })
    .sort((one, other) => one.title.localeCompare(other.title, 'sv'));
}
