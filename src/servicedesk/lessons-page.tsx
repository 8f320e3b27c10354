/**
 * Where editors look through what is to be learned, decide what each means,
 * and fetch what they have decided, ready for the content.
 *
 * It is forms and links alone. What students have written is shown as text,
 * and is nobody's to fetch but an editor's.
 */
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import { type Intent, intents } from '../../dialogs/intents.ts';
import { type Content, madeOnce } from '../content.ts';
import type { Database } from '../storage/database.ts';
import type { Understanding } from '../understanding/understanding.ts';
import { isFromOurPage } from '../web/requests.ts';
import {
  type Decision,
  decideLesson,
  exportLessons,
  type Filter,
  findLessons,
  KINDS,
  type Lesson,
  LESSONS_A_PAGE,
  LONGEST_WISH,
  ORDERS,
  STATES,
} from './lessons.ts';
import { createPlainPages } from './plain-page.tsx';
import type { Sessions } from './sessions.ts';

export type LessonsWorld = {
  content: Content;
  database: Database;
  understanding: Pick<Understanding, 'understand'>;
  sessions: Pick<Sessions, 'memberOf'>;
  /** Where browsers reach us. It is known once we listen. */
  publicOrigin: () => string;
  now: () => Date;
};

const PATH = '/servicedesk/lessons';
/** What is less probable is not worth an editor's look. */
const LEAST_SHOWN = 0.01;

const Asked = z.object({
  kind: z.enum(KINDS).optional().catch(undefined),
  state: z.enum(STATES).catch('undecided'),
  order: z.enum(ORDERS).catch('newest'),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
});
const Shown = Asked.extend({
  /** What came of what was sent last. */
  outcome: z.enum(['saved', 'gone', 'undecided', 'nameless']).optional().catch(undefined),
});
/** In a select there are the intents and these two. */
const [NEW, DISMISSED] = ['new', 'dismissed'] as const;
const Sent = Asked.extend({
  lesson: z.string().regex(/^\d{1,18}$/),
  decision: z.union([z.enum([NEW, DISMISSED, '']), z.string().transform(intentCalled)]),
  wished: z.string().trim().max(LONGEST_WISH).default(''),
  about: z.coerce.number().int().min(1).max(2_000_000_000).optional().catch(undefined),
});

function intentCalled(name: string, context: z.RefinementCtx<string>): Intent {
  const intent = intents.find((each) => each === name);
  if (intent) return intent;
  context.addIssue('is no intent');
  return z.NEVER;
}

export function mountLessons(server: Server, world: LessonsWorld): void {
  const { content, database, understanding, sessions, publicOrigin, now } = world;
  const label = (name: string, facts?: Record<string, string>) => content.label(`lessons/${name}`, facts);
  const pages = createPlainPages(content, sessions);
  const titlesNow = madeOnce(
    content,
    () => new Map<string, string>(content.taught.map(({ intent, title }) => [intent, title])),
  );
  const titleOf = (intent: string) => titlesNow().get(intent) ?? intent;
  const choicesNow = () => [...titlesNow()].sort(([, one], [, other]) => one.localeCompare(other, 'sv'));

  server.get(PATH, async (req: Request, res: Response) => {
    const member = await pages.admit(req, res, ['editor']);
    if (!member) return;
    const { outcome, ...filter } = Shown.parse(Object.fromEntries(new URLSearchParams(req.getQuery())));
    const { lessons, total } = await findLessons(database, filter);
    pages.send(res, member, { title: label('title'), style: STYLE, children: body(filter, lessons, total, outcome) });
  });

  server.get(`${PATH}/export`, async (req: Request, res: Response) => {
    if (!(await pages.admit(req, res, ['editor'], PATH))) return;
    res.sendRaw(200, await exportLessons(database, content), {
      'Content-Type': 'application/yaml; charset=utf-8',
      'Content-Disposition': 'attachment; filename="utterances.yaml"',
    });
  });

  server.post(PATH, async (req: Request, res: Response) => {
    const member = await pages.admit(req, res, ['editor'], PATH);
    if (!member) return;
    if (!isFromOurPage(req, publicOrigin())) {
      pages.refuse(res, 403, label('notFromHere'));
      return;
    }
    const sent = Sent.safeParse(req.body);
    if (!sent.success) {
      pages.refuse(res, 400, label('unreadable'));
      return;
    }
    const { lesson, decision, wished, about, ...filter } = sent.data;
    const as = decisionIn(decision, wished);
    const by = { id: member.id, name: member.name };
    const outcome =
      typeof as === 'string' && as !== DISMISSED
        ? as
        : (await decideLesson(database, lesson, { as, by, about, at: now() }))
          ? 'saved'
          : 'gone';
    res.writeHead(303, { Location: addressOf({ ...filter, outcome }) });
    res.end();
  });

  const body = (filter: Filter, lessons: readonly Lesson[], total: number, outcome: Outcome | undefined) => (
    <>
      <p>{label('intro')}</p>
      {outcome && (
        <p class="notice" role="status">
          {label(`outcome.${outcome}`)}
        </p>
      )}
      <form method="get" action={PATH}>
        {select('kind', filter.kind, ['', ...KINDS])}
        {select('state', filter.state, STATES)}
        {select('order', filter.order, ORDERS)}
        <button type="submit">{label('show')}</button>
      </form>
      <p>
        <a class="button" href={`${PATH}/export`} download>
          {label('export')}
        </a>
      </p>
      <p>{label('exportText')}</p>
      <p>{total === 0 ? label('none') : label('count', { count: total.toLocaleString('sv-SE') })}</p>
      {lessons.map((lesson) => shown(lesson, filter))}
      <nav aria-label={label('pages')}>
        {filter.page > 1 && <a href={addressOf({ ...filter, page: filter.page - 1 })}>{label('previous')}</a>}{' '}
        {filter.page * LESSONS_A_PAGE < total && (
          <a href={addressOf({ ...filter, page: filter.page + 1 })}>{label('next')}</a>
        )}
      </nav>
    </>
  );

  const select = (name: 'kind' | 'state' | 'order', chosen: string | undefined, values: readonly string[]) => (
    <label>
      {label(name)}
      <select name={name}>
        {values.map((value) => (
          <option value={value} selected={value === (chosen ?? '')}>
            {label(`${name}.${value || 'any'}`)}
          </option>
        ))}
      </select>
    </label>
  );

  const fact = (name: string, value: string) => (
    <>
      <dt>{label(name)}</dt>
      <dd>{value}</dd>
    </>
  );

  const shown = (lesson: Lesson, filter: Filter) => {
    const { id, text, kinds, times, at, between, wish, decided } = lesson;
    return (
      <article aria-labelledby={`lesson-${id}`}>
        <h2 id={`lesson-${id}`} class="said">
          {text || label('textless')}
        </h2>
        <dl>
          {fact('why', kinds.map((kind) => label(`kind.${kind}`)).join(', '))}
          {fact('times', times.toLocaleString('sv-SE'))}
          {fact('at', inWords.format(at))}
          {between.length > 0 && fact('between', between.map(titleOf).join(', '))}
          {wish !== undefined && fact('wish', titleOf(wish))}
          {text !== '' && fact('thinks', thought(text))}
          {decided &&
            fact(
              'decided',
              label('decidedBy', { as: put(decided.as), by: decided.by, at: inWords.format(decided.at) }),
            )}
        </dl>
        {form(lesson, filter)}
      </article>
    );
  };

  const form = ({ id, text, before, decided }: Lesson, filter: Filter) => {
    const as = decided?.as;
    const chosen = as === undefined ? '' : as === DISMISSED ? DISMISSED : 'intent' in as ? as.intent : NEW;
    const option = (value: string, name: string) => (
      <option value={value} selected={value === chosen}>
        {name}
      </option>
    );
    return (
      <form method="post" action={PATH}>
        <input type="hidden" name="lesson" value={id} />
        {Object.entries(filter).map(
          ([name, value]) => value !== undefined && <input type="hidden" name={name} value={value} />,
        )}
        {before.length > 0 && (
          <fieldset>
            <legend>{label('about')}</legend>
            {before.map((message, index) => (
              <label class="choice">
                <input
                  type="radio"
                  name="about"
                  value={message.seq}
                  checked={text === '' ? index === before.length - 1 : message.text === text}
                />
                {message.text}
              </label>
            ))}
          </fieldset>
        )}
        <label>
          {label('decision')}
          <select name="decision">
            {option('', label('decision.none'))}
            {choicesNow().map(([intent, title]) => option(intent, title))}
            {option(NEW, label('decision.new'))}
            {option(DISMISSED, label('decision.dismissed'))}
          </select>
        </label>
        <label>
          {label('wished')}
          <input
            name="wished"
            maxLength={LONGEST_WISH}
            autocomplete="off"
            value={as !== undefined && as !== DISMISSED && 'wished' in as ? as.wished : ''}
          />
        </label>
        <button type="submit" aria-describedby={`lesson-${id}`}>
          {label('save')}
        </button>
      </form>
    );
  };

  /** What the understanding makes of it now, which may be another than then. */
  const thought = (text: string): string => {
    const { decision, candidates } = understanding.understand(text.replaceAll(content.masked, ' '));
    const likely = candidates
      .filter(({ probability }, index) => index === 0 || probability >= LEAST_SHOWN)
      .slice(0, 3)
      .map(({ intent, probability }) => `${titleOf(intent)} ${Math.round(probability * 100)}\u00a0%`);
    return `${label(`thinks.${decision}`)} ${likely.join(', ')}`;
  };

  const put = (as: Decision): string => {
    if (as === 'dismissed') return label('decision.dismissed');
    return 'intent' in as ? titleOf(as.intent) : label('decidedNew', { name: as.wished });
  };
}

type Outcome = NonNullable<z.infer<typeof Shown>['outcome']>;

function decisionIn(decision: Intent | typeof NEW | typeof DISMISSED | '', wished: string) {
  if (decision === '') return 'undecided' as const;
  if (decision === DISMISSED) return DISMISSED;
  if (decision !== NEW) return { intent: decision };
  return wished === '' ? ('nameless' as const) : { wished };
}

function addressOf(filter: Filter & { outcome?: Outcome }): string {
  const told = Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return `${PATH}?${new URLSearchParams(told).toString()}`;
}

const inWords = new Intl.DateTimeFormat('sv-SE', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'Europe/Stockholm',
});

const STYLE = `
article { margin-top: 2rem; }
h2.said { margin-top: 0; white-space: pre-wrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin: 0.5rem 0; }
dt { font-weight: 600; }
dd { margin: 0; }
fieldset { width: 100%; margin: 0; border: 1px solid var(--line); border-radius: 0.4rem; }
.choice { display: flex; gap: 0.5rem; align-items: center; min-height: 2rem; font-weight: normal; }
.choice input { flex: none; min-height: 0; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 0.4rem; } }
`;
