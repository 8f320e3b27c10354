/**
 * What the chat has led to, in figures: for a period, by day, by path and by
 * rule. Whatever is drawn is written as well, so nothing depends on seeing it.
 */
import type { ComponentChildren } from 'preact';
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import { addDays, type Day } from '../../dialogs/card-validity.ts';
import { dayOf } from '../../dialogs/vocabulary.ts';
import { instantOf } from '../calendar.ts';
import { type Aged, agesOf } from '../content-age.ts';
import { type Content, madeOnce } from '../content.ts';
import type { Database } from '../storage/database.ts';
import { type Count, type Figures, LONGEST_PERIOD, type OfDay, type Period, readFigures } from './figures.ts';
import { createPlainPages } from './plain-page.tsx';
import type { Sessions } from './sessions.ts';

export type FiguresWorld = {
  content: Content;
  database: Database;
  sessions: Pick<Sessions, 'memberOf'>;
  now: () => Date;
};

const PATH = '/servicedesk/figures';
const LENGTHS = [7, 30, 90] as const;
const SERIES = ['conversations', 'answered', 'handedOver', 'unanswered'] as const satisfies (keyof OfDay)[];
const GROUPS = ['reasons', 'kinds', 'ratings', 'paths', 'wishes', 'rules'] as const satisfies (keyof Figures)[];
type Group = (typeof GROUPS)[number];

const Lasting = z.object({ days: z.coerce.number().pipe(z.union(LENGTHS.map((each) => z.literal(each)))) });
const isDay = (written: string): written is Day => z.iso.date().safeParse(written).success;
const Given = z.custom<Day>((written) => typeof written === 'string' && isDay(written));
const Between = z
  .object({ from: Given, to: Given })
  .refine(({ from, to }) => from <= to && to < addDays(from, LONGEST_PERIOD));

export function mountFigures(server: Server, { content, database, sessions, now }: FiguresWorld): void {
  const label = (name: string, facts?: Record<string, string>) => content.label(`figures/${name}`, facts);
  const pages = createPlainPages(content, sessions);
  const titlesNow = madeOnce(
    content,
    () => new Map<string, string>(content.taught.map(({ intent, title }) => [intent, title])),
  );

  /** What is written, or the last thirty days. */
  const periodIn = (req: Request): { period: Period; isUnderstood: boolean } => {
    const asked = Object.fromEntries(new URLSearchParams(req.getQuery()));
    const between = Between.safeParse(asked);
    if (between.success) return { period: between.data, isUnderstood: true };
    const lasting = Lasting.safeParse(asked);
    const today = dayOf({ at: instantOf(now()) });
    const days = lasting.data?.days ?? 30;
    return {
      period: { from: addDays(today, 1 - days), to: today },
      isUnderstood: lasting.success || Object.keys(asked).length === 0,
    };
  };

  /** A name that there are no words for, such as that of a path that is gone, is its own. */
  const nameOf = (group: Group, name: string): string => {
    if (group === 'wishes') return titlesNow().get(name) ?? name;
    if (group === 'rules') return [name, content.rules.get(name)?.text].filter(Boolean).join(': ');
    const line =
      { reasons: 'servicedesk/reason.', paths: 'servicedesk/path.', kinds: 'lessons/kind.', ratings: 'figures/rated.' }[
        group
      ] + name;
    return content.lines.has(line) ? content.label(line) : name;
  };

  server.get(PATH, async (req: Request, res: Response) => {
    const member = await pages.admit(req, res, ['editor', 'agent']);
    if (!member) return;
    const { period, isUnderstood } = periodIn(req);
    const figures = await readFigures(database, period);
    pages.send(res, member, { title: label('title'), style: STYLE, children: body(period, figures, isUnderstood) });
  });

  server.get(`${PATH}/export`, async (req: Request, res: Response) => {
    if (!(await pages.admit(req, res, ['editor', 'agent'], PATH))) return;
    const { period } = periodIn(req);
    const figures = await readFigures(database, period);
    const rows = [
      ['day', 'what', 'name', 'amount'].map((name) => label(`csv.${name}`)),
      ...figures.days.flatMap((of) => SERIES.map((each) => [of.day, label(each), '', of[each]])),
      ...GROUPS.flatMap((group) =>
        figures[group].map(({ name, count }) => ['', label(group), nameOf(group, name), count]),
      ),
      ['', label('resolved'), '', figures.resolved],
    ];
    res.sendRaw(200, `\uFEFF${rows.map((row) => row.map(asCell).join(';')).join('\r\n')}\r\n`, {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': `attachment; filename="kortlotsen-${period.from}-${period.to}.csv"`,
    });
  });

  const body = (period: Period, figures: Figures, isUnderstood: boolean) => {
    const { from, to } = period;
    const link = (days: number) => (
      <li>
        <a href={`${PATH}?days=${days}`}>{label('lastDays', { days: String(days) })}</a>
      </li>
    );
    return (
      <>
        <p>{label('intro')}</p>
        {!isUnderstood && (
          <p class="notice" role="status">
            {label('periodUnclear', { days: String(LONGEST_PERIOD) })}
          </p>
        )}
        <ul class="pages">{LENGTHS.map(link)}</ul>
        <form method="get" action={PATH}>
          <label>
            {label('from')}
            <input type="date" name="from" value={from} required />
          </label>
          <label>
            {label('to')}
            <input type="date" name="to" value={to} required />
          </label>
          <button type="submit">{label('show')}</button>
        </form>
        <p>
          <a class="button" href={`${PATH}/export?from=${from}&to=${to}`} download>
            {label('export')}
          </a>
        </p>
        <h2>{label('whole', { from, to })}</h2>
        <dl>
          {(['conversations', 'resolved', 'handedOver', 'unanswered'] as const).map((name) => (
            <div>
              <dt>{label(name)}</dt>
              <dd>{inDigits(figures[name])}</dd>
            </div>
          ))}
        </dl>
        <p>{label('resolvedText')}</p>
        <h2>{label('byDay')}</h2>
        {SERIES.map((series) => chart(series, figures.days))}
        <details>
          <summary>{label('asTable')}</summary>
          {byDay(figures.days)}
        </details>
        {GROUPS.map((group) => section(label(group), counts(group, figures[group])))}
        {section(label('ages'), ages(figures))}
      </>
    );
  };

  const section = (title: string, shown: ComponentChildren) => (
    <section>
      <h2>{title}</h2>
      {shown}
    </section>
  );

  const chart = (series: (typeof SERIES)[number], days: readonly OfDay[]) => {
    const most = Math.max(...days.map((of) => of[series]));
    const peak = days.find((of) => of[series] === most);
    const said =
      most === 0
        ? label('chartEmpty', { what: label(series) })
        : label('chart', { what: label(series), most: inDigits(most), day: peak?.day ?? '' });
    return (
      <figure>
        <figcaption>{said}</figcaption>
        <svg role="img" aria-label={said} viewBox={`0 0 ${days.length * 10} 100`} preserveAspectRatio="none">
          {days.map((of, index) => {
            const height = most === 0 ? 0 : (of[series] / most) * 98;
            return <rect x={index * 10 + 1} y={99 - height} width="8" height={height} />;
          })}
          <path d={`M0 99.5H${days.length * 10}`} />
        </svg>
        <p class="ends" aria-hidden="true">
          <span>{days[0]?.day}</span>
          <span>{days.at(-1)?.day}</span>
        </p>
      </figure>
    );
  };

  const byDay = (days: readonly OfDay[]) => (
    <div class="wide" tabIndex={0} role="group" aria-label={label('byDay')}>
      <table>
        <caption>{label('byDay')}</caption>
        <thead>
          <tr>
            <th scope="col">{label('csv.day')}</th>
            {SERIES.map((series) => (
              <th scope="col" class="number">
                {label(series)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map((of) => (
            <tr>
              <th scope="row">{of.day}</th>
              {SERIES.map((series) => (
                <td class="number">{inDigits(of[series])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );

  /** Of the rules that were given in the period: how long ago they were checked, and which texts give them. */
  const ages = ({ rules }: Figures) => {
    const today = dayOf({ at: instantOf(now()) });
    const given = agesOf(content, today, rules).filter((each) => each.given !== 0);
    if (given.length === 0) return <p>{label('nothing')}</p>;
    const columns = ['age.checked', 'age.days', 'csv.amount'];
    return (
      <div class="wide" tabIndex={0} role="group" aria-label={label('ages')}>
        <table>
          <caption>{label('agesText')}</caption>
          <thead>
            <tr>
              <th scope="col">{label('csv.name')}</th>
              {columns.map((column) => (
                <th scope="col" class="number">
                  {label(column)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{given.map(age)}</tbody>
        </table>
      </div>
    );
  };

  const age = ({ rule, days, given = 0, lines }: Aged) => (
    <tr>
      <th scope="row">
        {nameOf('rules', rule.id)}
        {rule.mayHaveChanged && <p>{label('age.mayHaveChanged')}</p>}
        <details>
          <summary>{label('age.texts', { rule: rule.id, count: inDigits(lines.length) })}</summary>
          <ul>
            {lines.map(({ name }) => (
              <li>{name}</li>
            ))}
          </ul>
        </details>
      </th>
      <td class="number">{rule.guidance.fact_checked}</td>
      <td class="number">{inDigits(days)}</td>
      <td class="number">{inDigits(given)}</td>
    </tr>
  );

  /** The bar beside a number says the same once more. */
  const counts = (group: Group, all: readonly Count[]) => {
    if (all.length === 0) return <p>{label('nothing')}</p>;
    const most = Math.max(...all.map(({ count }) => count));
    return (
      <table class="counts">
        <caption>{label(`${group}Text`)}</caption>
        <thead>
          <tr>
            <th scope="col">{label('csv.name')}</th>
            <th scope="col" class="number">
              {label('csv.amount')}
            </th>
          </tr>
        </thead>
        <tbody>
          {all.map(({ name, count }) => (
            <tr>
              <th scope="row">
                {nameOf(group, name)}
                <svg class="bar" aria-hidden="true" viewBox="0 0 100 1" preserveAspectRatio="none">
                  <rect width={(count / most) * 100} height="1" />
                </svg>
              </th>
              <td class="number">{inDigits(count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  };
}

const inDigits = (count: number): string => count.toLocaleString('sv-SE');

const asCell = (value: string | number): string => {
  const text = String(value);
  return /[";\r\n]/.test(text) ? `"${text.replaceAll('"', '""').replace(/\s+/g, ' ')}"` : text;
};

const STYLE = `
dl { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0; }
dl div { flex: 1 1 10rem; padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 0.4rem; }
dd { margin: 0; font-size: 1.75rem; font-weight: 600; }
figure { margin: 1.25rem 0; }
figcaption { font-weight: 600; }
figure svg { display: block; width: 100%; height: 7rem; margin-top: 0.3rem; }
svg rect { fill: var(--accent); }
svg path { stroke: var(--subtle); stroke-width: 1; vector-effect: non-scaling-stroke; }
.bar { display: block; width: 100%; height: 0.5rem; margin-top: 0.2rem; }
.ends { display: flex; justify-content: space-between; max-width: none; color: var(--subtle); font-size: 0.85rem; }
.wide { overflow-x: auto; overflow-wrap: normal; }
.counts .number { width: 5rem; }
summary { min-height: 2rem; cursor: pointer; }
@media (forced-colors: active) { svg rect { fill: CanvasText; } }
`;
