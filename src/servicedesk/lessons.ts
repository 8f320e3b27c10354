/**
 * What is to be learned: every message that was not understood, not known of
 * or asked back about, and every conversation that did not help.
 *
 * Texts that differ only in capitals, signs and dots are one lesson, whoever
 * wrote them, and what an editor decides of it is decided of them all, also of
 * those that are written after. A lesson lives as long as a conversation that
 * it comes from. What is to outlive them an editor has read, exported and put
 * in the content.
 */
import { z } from 'zod';
import { type Intent, intents } from '../../dialogs/intents.ts';
import type { Content } from '../content.ts';
import { comparable } from '../conversations/figures.ts';
import type { Agent, Lesson as Learned } from '../conversations/store.ts';
import type { Database, Statement } from '../storage/database.ts';
import { wordsIn } from '../understanding/words.ts';

export const KINDS = ['notUnderstood', 'notKnown', 'clarified', 'notHelped'] as const satisfies Learned['kind'][];
export const STATES = ['undecided', 'decided', 'all'] as const;
export const ORDERS = ['newest', 'often'] as const;

export type Filter = {
  kind?: Learned['kind'] | undefined;
  state: (typeof STATES)[number];
  order: (typeof ORDERS)[number];
  /** From 1. */
  page: number;
};

/** The intent it is, what a new one would be called, or that there is nothing to learn from it. */
export type Decision = { intent: Intent } | { wished: string } | 'dismissed';

export type Lesson = {
  id: string;
  kinds: Learned['kind'][];
  /** Masked. Nothing, where it did not help and no editor has said which message that was about. */
  text: string;
  /** How many times the same has been written. */
  times: number;
  /** The last time. */
  at: Date;
  between: string[];
  /** What the student wanted last, as far as that was understood. */
  wish: string | undefined;
  /** Where it did not help: the last that the student had written before, in order. */
  before: { seq: number; text: string }[];
  decided: { as: Decision; by: string; at: Date } | undefined;
};

export const LESSONS_A_PAGE = 20;
/** The longest name of a new intent, in characters. */
export const LONGEST_WISH = 80;
/** How many messages before one that did not help are shown. */
const SHOWN_BEFORE = 5;

/** Rows that are one lesson have the same key, and the decision is the last that was made of any of them. */
const GROUPED = `select max(id) as id, count(*)::integer as times, max(at) as at, array_agg(distinct kind) as kinds,
    (array_agg(text order by id desc))[1] as text,
    (array_agg(wish order by id desc) filter (where wish is not null))[1] as wish,
    (array_agg(to_jsonb(between) order by id desc) filter (where between <> '{}'))[1] as between,
    (array_agg(intent order by decided_at desc nulls last))[1] as intent,
    (array_agg(wished order by decided_at desc nulls last))[1] as wished,
    (array_agg(decider order by decided_at desc nulls last))[1] as decider,
    max(decided_at) as decided_at
  from lessons group by coalesce(nullif(folded, ''), '#' || id)`;

const list: Statement = {
  name: 'lessons',
  text: `with grouped as materialized (${GROUPED}), wanted as (
      select *, count(*) over ()::integer as total from grouped
      where ($1::text is null or $1 = any (kinds))
        and ($2 = 'all' or (decided_at is not null) = ($2 = 'decided'))
      order by case when $3 = 'often' then times end desc nulls last, at desc, id desc
      limit ${LESSONS_A_PAGE} offset ($4::integer - 1) * ${LESSONS_A_PAGE}
    )
    select w.id::text, w.times, w.at, w.kinds, w.text, w.intent, w.wished, w.decider, w.decided_at, w.total,
      w.wish, coalesce(w.between, '[]') as between,
      case when l.kind = 'notHelped' then (
        select json_agg(json_build_object('seq', b.seq, 'text', b.said ->> 'text') order by b.seq) from (
          select m.seq, m.said from messages m
          where m.conversation = l.conversation and m.author = 'student' and m.kind = 'message' and m.seq < l.seq
          order by m.seq desc limit ${SHOWN_BEFORE}
        ) b
      ) end as before
    from wanted w join lessons l on l.id = w.id
    order by case when $3 = 'often' then w.times end desc nulls last, w.at desc, w.id desc`,
};

const Row = z.object({
  id: z.string(),
  times: z.int(),
  at: z.date(),
  kinds: z.array(z.enum(KINDS)),
  text: z.string(),
  intent: z.string().nullable(),
  wished: z.string().nullable(),
  decider: z.string().nullable(),
  decided_at: z.date().nullable(),
  total: z.int(),
  between: z.array(z.string()),
  wish: z.string().nullable(),
  before: z.array(z.object({ seq: z.int(), text: z.string() })).nullable(),
});

export async function findLessons(
  database: Database,
  { kind, state, order, page }: Filter,
): Promise<{ lessons: Lesson[]; total: number }> {
  const rows = z.array(Row).parse(await database.run(list, [kind ?? null, state, order, page]));
  const lessons = rows.map(({ before, wish, decided_at, decider, intent, wished, total: _, ...shown }): Lesson => ({
    ...shown,
    wish: wish ?? undefined,
    before: before ?? [],
    decided: decided_at === null ? undefined : { as: decisionOf(intent, wished), by: decider ?? '', at: decided_at },
  }));
  return { lessons, total: rows[0]?.total ?? 0 };
}

/** An intent that there is no more is as good as none. */
function decisionOf(intent: string | null, wished: string | null): Decision {
  const known = intents.find((each) => each === intent);
  if (known) return { intent: known };
  const name = wished ?? intent;
  return name === null ? 'dismissed' : { wished: name };
}

const messageBefore: Statement = {
  name: 'lesson-message',
  text: `select m.said ->> 'text' as text from lessons l join messages m on m.conversation = l.conversation
    where l.id = $1 and l.kind = 'notHelped' and m.seq = $2 and m.seq < l.seq
      and m.author = 'student' and m.kind = 'message'`,
};

const decide: Statement = {
  name: 'decide-lesson',
  text: `update lessons l set
      intent = $2, wished = $3, decided_by = $4, decider = $5, decided_at = $6,
      text = case when l.id = $1 then coalesce($7, l.text) else l.text end,
      folded = case when l.id = $1 then coalesce($8, l.folded) else l.folded end
    where l.id = $1 or l.folded = (select coalesce($8, nullif(o.folded, '')) from lessons o where o.id = $1)
    returning l.id`,
};

/**
 * Decides of a lesson, anew if it was decided before. `about` is which message it was that did not help, by its place
 * in the conversation. False if the lesson is gone, as its conversation may be.
 */
export async function decideLesson(
  database: Database,
  id: string,
  { as, by, about, at }: { as: Decision; by: Agent; about?: number | undefined; at: Date },
): Promise<boolean> {
  const [intent, wished] = as === 'dismissed' ? [null, null] : 'intent' in as ? [as.intent, null] : [null, as.wished];
  const [message] = about === undefined ? [] : await database.run<{ text: string }>(messageBefore, [id, about]);
  const text = message?.text ?? null;
  const folded = text === null ? null : comparable(text);
  return (await database.run(decide, [id, intent, wished, by.id, by.name, at, text, folded])).length > 0;
}

const decided: Statement = {
  name: 'decided-lessons',
  text: `select text, intent, wished from (${GROUPED}) g
    where decided_at is not null and text <> '' and coalesce(intent, wished) is not null
    order by decided_at desc, id desc`,
};

type Writing = Pick<Content, 'label' | 'taught' | 'borders' | 'masked'>;

/**
 * The utterances that editors have decided of and that are not in the content, as YAML for its `utterances.yaml`: each
 * intent with its file, and new intents apart, as notes.
 */
export async function exportLessons(database: Database, content: Writing): Promise<string> {
  const rows = await database.run<{ text: string; intent: string | null; wished: string | null }>(decided, []);
  const places = placesOf(content);
  const news = new Map<Intent, string[]>();
  const wishes = new Map<string, string[]>();
  const elsewhere: string[] = [];
  for (const { text, intent, wished } of rows) {
    const utterance = utteranceIn(text, content);
    const as = decisionOf(intent, wished);
    if (wordsIn(utterance).length === 0 || as === 'dismissed') continue;
    const place = places.get(comparable(utterance));
    const isThere = 'intent' in as && place?.intents.includes(as.intent);
    if (place && !isThere) elsewhere.push(`${utterance} (${place.file})`);
    if (place) continue;
    if ('intent' in as) {
      news.set(as.intent, [...(news.get(as.intent) ?? []), utterance]);
      places.set(comparable(utterance), { file: fileOf(as.intent, content), intents: [as.intent] });
    } else wishes.set(as.wished, [...(wishes.get(as.wished) ?? []), utterance]);
  }
  const label = (name: string) => `# ${inOneRow(content.label(`lessons/${name}`))}`;
  const noted = (texts: readonly string[]) => texts.map((text) => `#   - ${text}`);
  const parts = [
    [label(news.size > 0 ? 'exportIntro' : 'exportEmpty')],
    ...[...news]
      .sort(byName)
      .map(([intent, texts]) => [
        `# ${fileOf(intent, content)}`,
        `${intent}:`,
        '  examples:',
        ...texts.map((text) => `    - ${asYaml(text)}`),
      ]),
    ...(wishes.size > 0 ? [[label('exportNew')]] : []),
    ...[...wishes].sort(byName).map(([name, texts]) => [`# ${inOneRow(name)}`, ...noted(texts)]),
    ...(elsewhere.length > 0 ? [[label('exportElsewhere'), ...noted(elsewhere)]] : []),
  ];
  return `${parts.map((rows) => rows.join('\n')).join('\n\n')}\n`;
}

const byName = ([one]: [string, unknown], [other]: [string, unknown]): number => one.localeCompare(other);

/** Where each text is that is in the content already, and what it is an example of there. */
function placesOf({ taught, borders }: Writing): Map<string, { file: string; intents: string[] }> {
  const all = [
    ...taught.flatMap(({ file, intent, examples }) => examples.map((text) => ({ text, file, intents: [intent] }))),
    ...borders.flatMap(({ file, sides, undecided }) => [
      ...sides.flatMap(({ intent, examples }) => examples.map((text) => ({ text, file, intents: [intent] }))),
      ...undecided.map((text) => ({ text, file, intents: [] })),
    ]),
  ];
  return new Map(all.map(({ text, ...place }) => [comparable(text), place]));
}

const fileOf = (intent: Intent, { taught }: Writing): string =>
  taught.find((each) => each.intent === intent)?.file ?? `${intent}/utterances.yaml`;

/** A text as it may stand in the content: in one row, and without what was masked or cannot be seen or read. */
const utteranceIn = (text: string, { masked }: Writing): string => inOneRow(text.replaceAll(masked, ' '));
const inOneRow = (text: string): string =>
  text
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .replace(/[\p{C}\uFFFD]/gu, '')
    .replace(/ {2,}/g, ' ')
    .trim();

/** As the editors write: quoted only where YAML would read something else. */
const asYaml = (text: string): string =>
  /^\p{L}[\p{L}\p{N} ,.?!()/-]*$/u.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : `'${text.replaceAll("'", "''")}'`;
