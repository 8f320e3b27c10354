/**
 * The assistant's Swedish, read from `content/` and never written in code.
 *
 * A text that claims something cites the rules it is founded on. From them
 * comes who said so, when, and until which day it may be repeated; after that
 * day the text is not spoken. Where a routine may have changed since, the
 * caution is added here, so that no editor can forget it.
 */
import { z } from 'zod';
import type { Day } from '../dialogs/card-validity.ts';
import type { Intent } from '../dialogs/intents.ts';
import type { Office, Opening, Quotable } from '../dialogs/vocabulary.ts';
import type { Offices } from './calendar.ts';
import { type Guidance, hasLapsed, type Page, readPage, readRules, type Rule } from './guidance.ts';
import { frontMatter, garbled, type Kind, type Problem, readFolder, readYaml, type SourceFile } from './source-file.ts';
import type { Reply } from './turn.ts';
import {
  type ContactDetails,
  contactInWords,
  type ContactName,
  dayInWords,
  type FactName,
  openingInWords,
  quoting,
  voice,
  Words,
} from './wording.ts';

export type Spoken = {
  text: string;
  cites: string[];
  suggests: string[];
  /** Who says so, and of which date, in plain words; for a reply that cites rules. */
  source: string | undefined;
  /** What a reply that tells of a receipt says of it, to be shown and saved. */
  receipt?: ReceiptInWords;
  /** Where a reply sends the student. */
  visits?: VisitInWords[];
};

export type ReceiptInWords = { title: string; rows: { name: string; value: string }[] };

/** A visit, to be shown: where, when and with what. Of what the guidance does not say, nothing is there. */
export type VisitInWords = {
  /** As it is called in `content/visits.yaml`. */
  name: string;
  title: string;
  rows: { name: string; value: string }[];
  bring?: { name: string; items: string[] };
  /** The drop-in to go by, if the visit has one. */
  opening?: Opening;
  /** Its own rules; the text it comes with has its own. */
  cites: string[];
};

/** The same, as it stands in a calendar, where nothing else is near it. */
export type VisitNote = { title: string; place: string; text: string; updated: Day };

/** What an editor has written to teach the understanding of one intent. */
export type Taught = { intent: Intent; title: string; rules: string[]; examples: string[] };

/** A text of the content, as it is spoken and as it is written; and the lines of its entry, text and citations. */
export type Line = {
  name: string;
  file: string;
  at: number;
  textAt: number;
  citesAt: number;
  text: string;
  written: string;
  cites: string[];
  uncited: string | undefined;
  history: boolean;
  until: string | undefined;
  suggests: string[];
  visits: string[];
  visitsAt: number;
};

/** What a visit takes, as a text that claims it. `time` is the office whose drop-in it follows, or that it is booked. */
export type Visit = Line & {
  title: string;
  place: string;
  bring: string[];
  time: Office | 'booked' | undefined;
  timeAt: number;
};

export type Written<T> = T & { file: string; at: number };

/** What is taught, and the lines its rules and examples are written on. */
export type Lesson = Written<Taught> & { rulesAt: number; examplesAt: number[] };

/**
 * Wishes that are easily taken for each other, with examples of each in which a
 * word decides; and messages that may be any of them, and are asked back about.
 */
export type Border = Written<{ name: string; undecided: string[]; undecidedAt: number[]; sides: BorderSide[] }>;
export type BorderSide = Written<Pick<Taught, 'intent' | 'examples'>> & { examplesAt: number[] };

export type Content = {
  /** The Swedish for a reply and, where it claims something, according to whom. */
  speak(reply: Reply, on: Day): Spoken;
  /** Who says what the guidance says, and of which date, for each page that was read. */
  sources: readonly Record<'source' | 'updated' | 'factChecked', string>[];
  /** A text that is not said in a conversation: of the terminal, say. Nothing is cited there. */
  label(line: string, facts?: Record<string, string>): string;
  /** What a calendar is to say of a visit at an opening. Nothing, if its rules have lapsed by then. */
  noteOf(visit: Visit, opening: Opening): VisitNote | undefined;
  visits: ReadonlyMap<string, Visit>;
  lines: ReadonlyMap<string, Line>;
  rules: ReadonlyMap<string, Rule>;
  taught: readonly Lesson[];
  borders: readonly Border[];
  /** Ways to say the same, by what they mean. */
  synonyms: Readonly<Record<string, readonly string[]>>;
  offices: Offices;
  /** Stands where a secret was written. */
  masked: string;
  /** How answers are read, as `content/answers.yaml` has it. */
  answers: SourceFile;
  dates: SourceFile;
};

const Cites = z.array(z.string());
const UNCITED = ['question', 'conversation', 'ledger', 'setting', 'caution', 'tested'] as const;

const LineShape = z.strictObject({
  text: z.string().min(1),
  cites: Cites.optional(),
  uncited: z.enum(UNCITED).optional(),
  history: z.boolean().optional(),
  until: z.iso.date().optional(),
  suggests: z.array(z.string().min(1)).optional(),
  visits: z.array(z.string().min(1)).optional(),
});
const Lines = z.record(z.string(), LineShape);
const Answer = LineShape.omit({ text: true }).extend({ title: z.string().min(1) });
const Examples = z.array(z.string().min(1)).min(1);
const Utterances = z.record(
  z.string(),
  z.strictObject({ title: z.string().min(1).max(38), rules: Cites, examples: Examples }),
);

const Borders = z.record(
  z.string(),
  z.strictObject({
    decides: z.string().min(1),
    undecided: Examples.optional(),
    sides: z.record(z.string(), Examples),
  }),
);
const SynonymsShape = z.record(z.string(), z.array(z.coerce.string().min(1)).min(1));

const weekdays = ['mån', 'tis', 'ons', 'tors', 'fre', 'lör', 'sön'] as const;
const Time = z.string().regex(/^\d{1,2}:\d{2}$/, 'notATime' satisfies Kind);
const OfficeShape = z.strictObject({
  cites: Cites,
  drop_in: z
    .array(
      z.strictObject({
        days: z.array(z.enum(weekdays)).min(1),
        from: Time,
        to: Time,
        helgfria: z.boolean().optional(),
      }),
    )
    .min(1),
});
const OfficesShape = z.strictObject({ booth: OfficeShape, sodersjukhuset: OfficeShape });

const Visits = z.record(
  z.string(),
  z.strictObject({
    title: z.string().min(1),
    place: z.string().min(1),
    bring: z.array(z.string().min(1)).min(1).optional(),
    time: z.enum(['booth', 'sodersjukhuset', 'booked']).optional(),
    cites: Cites.min(1),
  }),
);

/** The files there may be: in the content folder itself, and in the folder of a topic. */
export const commonFiles = [
  'answers.yaml',
  'borders.yaml',
  'checker.yaml',
  'dates.yaml',
  'offices.yaml',
  'synonyms.yaml',
  'visits.yaml',
  'words.yaml',
] as const;
export const topicFiles = ['answer.md', 'lines.yaml', 'utterances.yaml'] as const;

/** Rules of the guidance are written in `guidance/`, a file for each page that was read. */
export const isGuidance = (file: string): boolean => /^guidance\/.*\.md$/.test(file) && !isForReaders(file);
/** The pages themselves lie beside their rules. */
export const isPage = (file: string): boolean => /^guidance\/[^/]+\.yaml$/.test(file);
export const isForReaders = (file: string): boolean => file.endsWith('README.md');

/**
 * What is made of the content, once of each that comes into service. `rules` are another map in each, so they tell
 * one from another.
 */
export function madeOnce<Made>(content: Pick<Content, 'rules'>, make: () => Made): () => Made {
  let last: { of: Content['rules']; made: Made } | undefined;
  return () => {
    if (last?.of !== content.rules) last = { of: content.rules, made: make() };
    return last.made;
  };
}

/** Everything that is written, and everything that keeps it from being read. */
export type Reading = Omit<Content, 'speak' | 'label' | 'noteOf' | 'sources' | 'offices' | 'masked'> & {
  words: Words | undefined;
  offices: Offices | undefined;
  /** When each office has drop-in, as a text that claims it. */
  openings: readonly Line[];
  pages: readonly Page[];
  /** How the content is checked, and how that is put. */
  checker: SourceFile;
  files: readonly SourceFile[];
};

/** Said on no state's behalf, but by the program that holds the conversation. */
export const programLines = [
  'begunAnew',
  'caution',
  'failed',
  'lapsed',
  'privateChat',
  'signIn',
  'source',
  'takenBack',
  'wayBack',
]
  .map((name) => `conversation/${name}`)
  .concat('switches/botIsOff', 'switches/botIsOffAndDeskIsOpen');

/** The topic whose every text an agent may answer with. No state says them, so editors write as many as they like. */
export const cannedTopic = 'canned';
/** What such a text may quote, beside contacts: nothing of whom it is written to. */
export const cannedFacts: readonly FactName[] = ['nextAtBooth', 'nextAtSodersjukhuset'];

/** Said of visits, on cards and in calendars. */
export const visitLabels = ['where', 'when', 'dropIn', 'booked', 'bring', 'rules', 'save', 'gone', 'askAgain'].map(
  (name) => `visit/${name}`,
);

/** Reads a content folder, and gathers what is wrong with it. */
export const readFiles = (folder: string) => readContent(readFolder(folder));

/** The same, of files that were read already. */
export function readContent(files: readonly SourceFile[]): { reading: Reading; problems: Problem[] } {
  const problems = files.flatMap(garbled);
  const fileAt = (name: (typeof commonFiles)[number]): SourceFile => {
    const file = files.find((each) => each.name === name);
    if (!file) problems.push({ file: name, line: 1, kind: 'missingFile', about: name });
    return file ?? { name, text: '', firstLine: 1 };
  };
  const named = (name: (typeof topicFiles)[number]) => files.filter((file) => file.name.endsWith(`/${name}`));

  const { offices, openings } = readOffices(fileAt('offices.yaml'), problems);
  const { data: words } = readYaml(Words, fileAt('words.yaml'), problems);
  const rules = files.filter(({ name }) => isGuidance(name)).flatMap((file) => readRules(file, problems));
  const lines = [
    ...named('lines.yaml').flatMap((file) => readLines(file, problems)),
    ...named('answer.md').flatMap((file) => readAnswer(file, problems)),
  ];
  const taught = named('utterances.yaml').flatMap((file) => readUtterances(file, problems));
  const { data: synonyms = {} } = readYaml(SynonymsShape, fileAt('synonyms.yaml'), problems);
  const reading = {
    files,
    words,
    offices,
    openings,
    visits: byName(readVisits(fileAt('visits.yaml'), problems), ({ name }) => name, problems),
    rules: byName(rules, ({ id }) => id, problems),
    pages: files.filter(({ name }) => isPage(name)).map((file) => readPage(file, problems)),
    lines: byName(lines, ({ name }) => name, problems),
    taught: [...byName(taught, ({ intent }) => intent, problems).values()],
    borders: readBorders(fileAt('borders.yaml'), problems),
    synonyms,
    answers: fileAt('answers.yaml'),
    dates: fileAt('dates.yaml'),
    checker: fileAt('checker.yaml'),
  };
  return { reading, problems };
}

/** Content that may be spoken. `details` are the contacts of this deployment. */
export function createContent({ files: _, checker: __, ...reading }: Reading, details: ContactDetails = {}): Content {
  const { lines, rules, taught, words, offices, visits } = reading;
  if (!words || !offices) throw new Error('The content has no words or no offices');
  const titles = new Map(taught.map(({ intent, title }) => [intent, title]));

  const lineAt = (name: string): Line => {
    const line = lines.get(name);
    if (!line) throw new Error(`No text is written for ${name}`);
    return line;
  };
  const rulesOf = ({ cites }: Line) => cites.flatMap((id) => rules.get(id) ?? []);
  const isInForce = (line: Line, on: Day) => !rulesOf(line).some((rule) => hasLapsed(rule, on));
  const mayBeSpoken = (line: Line, on: Day) =>
    !(line.until !== undefined && on > line.until) && (line.history || isInForce(line, on));
  const contact = (name: string) =>
    name in words.contacts ? contactInWords(name as ContactName, details, words) : undefined;
  const plain = (name: string, facts: Record<string, string> = {}) =>
    quoting(lineAt(name).text, (fact) => facts[fact] ?? contact(fact)).trim();

  const sourceOf = ({ source, updated, fact_checked }: Guidance) => ({
    source,
    updated: dayInWords(updated as Day, words),
    factChecked: dayInWords(fact_checked as Day, words),
  });
  const according = (guidance: Guidance): string => plain('conversation/source', sourceOf(guidance));
  const cautionsFor = (cited: readonly Rule[]) =>
    cited.some((rule) => rule.mayHaveChanged) ? [lineAt('conversation/caution')] : [];

  const receiptOf = (facts: Quotable): ReceiptInWords => {
    const rows = (['receipt', 'revokedCard', 'revokedAt'] as const).flatMap((fact) => {
      const known = facts[fact];
      return known ? [{ name: plain(receiptRows[fact]), value: voice(known, words) }] : [];
    });
    return { title: plain('receipt/title'), rows };
  };

  const dropInAt = (opening: Opening) => plain('visit/dropIn', { opening: openingInWords(opening, words) });
  const visitsOf = (line: Line, facts: Quotable, on: Day) =>
    line.visits.flatMap((name) => {
      const visit = visits.get(name);
      if (!visit) throw new Error(`No visit is called ${name}`);
      const opening = openingFor(visit, facts);
      return isInForce(visit, opening?.day ?? on) ? [{ visit, opening }] : [];
    });
  const visitInWords = ({ visit, opening }: ReturnType<typeof visitsOf>[number]): VisitInWords => {
    const { name, title, place, bring, cites } = visit;
    const time = visit.time === 'booked' ? plain('visit/booked') : opening && dropInAt(opening);
    return {
      name,
      title,
      rows: [
        { name: plain('visit/where'), value: place },
        ...(time === undefined ? [] : [{ name: plain('visit/when'), value: time }]),
      ],
      ...(bring.length > 0 && { bring: { name: plain('visit/bring'), items: bring } }),
      ...(opening && { opening }),
      cites,
    };
  };

  return {
    ...reading,
    offices,
    masked: words.masked,
    sources: [...new Set([...rules.values()].map(({ guidance }) => guidance))].map(sourceOf),
    label: plain,
    noteOf(visit, opening) {
      const { title, place, bring, cites } = visit;
      const cited = rulesOf(visit);
      const [first] = cited;
      if (!first || !isInForce(visit, opening.day)) return undefined;
      const paragraphs = [
        dropInAt(opening),
        ...(bring.length > 0 ? [[`${plain('visit/bring')}:`, ...bring.map((item) => `- ${item}`)].join('\n')] : []),
        ...cautionsFor(cited).map(({ name }) => plain(name)),
        `${according(first.guidance)} ${plain('visit/rules', { rules: cites.join(', ') })}`,
      ];
      return { title, place, text: paragraphs.join('\n\n'), updated: first.guidance.updated as Day };
    },
    speak({ line: name, facts, offers }, on) {
      const wished = lineAt(name);
      const line = mayBeSpoken(wished, on) ? wished : lineAt('conversation/lapsed');
      const quoted = quoting(line.text, (fact) => {
        const known = facts[fact];
        return known ? voice(known, words) : contact(fact);
      }).trim();
      const going = visitsOf(line, facts, on);
      const cited = [line, ...going.map(({ visit }) => visit)].flatMap(rulesOf);
      const [first] = cited;
      const cautions = cautionsFor(cited);
      return {
        text: [quoted, ...cautions.map(({ name: caution }) => plain(caution))].join('\n\n'),
        cites: [...new Set([line, ...cautions].flatMap(({ cites }) => cites))],
        suggests: [...line.suggests, ...offers.map((intent) => titles.get(intent) ?? intent)],
        source: first && according(first.guidance),
        ...(line.text.includes('{{receipt}}') && { receipt: receiptOf(facts) }),
        ...(going.length > 0 && { visits: going.map(visitInWords) }),
      };
    },
  };
}

const receiptRows = { receipt: 'receipt/number', revokedCard: 'receipt/card', revokedAt: 'receipt/at' } as const;

const drops = {
  booth: { next: 'nextAtBooth', asked: 'slotsAtBooth' },
  sodersjukhuset: { next: 'nextAtSodersjukhuset', asked: 'slotsAtSodersjukhuset' },
} as const satisfies Record<Office, { next: FactName; asked: FactName }>;

/** The drop-in to go by: the first of the day that was asked about, if it is yet to come and sure; else the next. */
function openingFor({ time }: Visit, facts: Quotable): Opening | undefined {
  if (time === undefined || time === 'booked') return undefined;
  const [next, asked, slots] = [facts[drops[time].next], facts.askedDay, facts[drops[time].asked]];
  if (!next || !('opening' in next)) return undefined;
  if (!asked || !('askedDay' in asked) || asked.askedDay <= next.opening.day) return next.opening;
  const sure = slots && 'slots' in slots ? slots.slots.find(({ confirmed }) => confirmed) : undefined;
  return sure ? { day: asked.askedDay, from: sure.from, to: sure.to } : next.opening;
}

/** Of what is written twice, the first is kept. */
function byName<T extends { file: string; at: number }>(
  written: readonly T[],
  nameOf: (each: T) => string,
  problems: Problem[],
): Map<string, T> {
  const kept = new Map<string, T>();
  for (const each of written) {
    const first = kept.get(nameOf(each));
    if (!first) kept.set(nameOf(each), each);
    else {
      const [about, detail] = [nameOf(each), `${first.file}:${first.at}`];
      problems.push({ file: each.file, line: each.at, kind: 'writtenTwice', about, detail });
    }
  }
  return kept;
}

function readLines(file: SourceFile, problems: Problem[]): Line[] {
  const { data = {}, lineOf, textAt } = readYaml(Lines, file, problems);
  const topic = file.name.replace('/lines.yaml', '');
  return Object.entries(data).map(([state, shape]) => ({
    ...toLine(`${topic}/${state}`, shape),
    file: file.name,
    at: lineOf([state]),
    textAt: textAt([state, 'text']),
    citesAt: lineOf([state, 'cites']),
    visitsAt: lineOf([state, 'visits']),
  }));
}

function readAnswer(file: SourceFile, problems: Problem[]): Line[] {
  const { head, body } = frontMatter(file);
  const { data, lineOf } = readYaml(Answer, head, problems);
  if (!data) return [];
  const line = toLine(`${file.name.replace('/answer.md', '')}/answer`, { ...data, text: body.text });
  if (!line.written) problems.push({ file: file.name, line: body.firstLine, kind: 'empty', about: file.name });
  const blank = /^\s*/.exec(body.text)?.[0] ?? '';
  const textAt = body.firstLine + blank.split('\n').length - 1;
  const [citesAt, visitsAt] = [lineOf(['cites']), lineOf(['visits'])];
  return [{ ...line, file: file.name, at: head.firstLine, textAt, citesAt, visitsAt }];
}

function toLine(name: string, shape: z.infer<typeof LineShape>) {
  const { text, cites = [], uncited, history = false, until, suggests = [], visits = [] } = shape;
  return { name, text: reflowed(text), written: text.trim(), cites, uncited, history, until, suggests, visits };
}

/** One line a paragraph and a list item: where an editor broke a line to see it whole is nothing to a reader. */
function reflowed(text: string): string {
  return text.trim().replace(/(?<!\n)\n(?!\n|- |\d+\. )\s*/g, ' ');
}

function readUtterances(file: SourceFile, problems: Problem[]): Lesson[] {
  const { data = {}, lineOf } = readYaml(Utterances, file, problems);
  return Object.entries(data).map(([intent, { title, rules, examples }]) => ({
    intent: intent as Intent,
    title,
    rules,
    examples,
    file: file.name,
    at: lineOf([intent]),
    rulesAt: lineOf([intent, 'rules']),
    examplesAt: examples.map((_, index) => lineOf([intent, 'examples', index])),
  }));
}

function readBorders(file: SourceFile, problems: Problem[]): Border[] {
  const { data = {}, lineOf } = readYaml(Borders, file, problems);
  return Object.entries(data).map(([name, { undecided = [], sides }]) => ({
    name,
    undecided,
    undecidedAt: undecided.map((_, index) => lineOf([name, 'undecided', index])),
    file: file.name,
    at: lineOf([name]),
    sides: Object.entries(sides).map(([intent, examples]) => ({
      intent: intent as Intent,
      examples,
      file: file.name,
      at: lineOf([name, 'sides', intent]),
      examplesAt: examples.map((_, index) => lineOf([name, 'sides', intent, index])),
    })),
  }));
}

function readOffices(file: SourceFile, problems: Problem[]): { offices: Offices | undefined; openings: Line[] } {
  const { data, lineOf } = readYaml(OfficesShape, file, problems);
  const openings = Object.entries(data ?? {}).map(([office, { cites, drop_in }]) => ({
    ...toLine(office, { cites, text: drop_in.map(({ from, to }) => `${from} ${to}`).join('\n') }),
    file: file.name,
    at: lineOf([office]),
    textAt: lineOf([office, 'drop_in', 0]),
    citesAt: lineOf([office, 'cites']),
    visitsAt: lineOf([office]),
  }));
  const offices = data && { booth: dropInsOf(data.booth), sodersjukhuset: dropInsOf(data.sodersjukhuset) };
  return { offices, openings };
}

function readVisits(file: SourceFile, problems: Problem[]): Visit[] {
  const { data = {}, lineOf } = readYaml(Visits, file, problems);
  return Object.entries(data).map(([name, { title, place, bring = [], time, cites }]) => {
    const at = lineOf([name]);
    const written = [
      { text: title, row: lineOf([name, 'title']) - at },
      { text: place, row: lineOf([name, 'place']) - at },
      ...bring.map((text, index) => ({ text, row: lineOf([name, 'bring', index]) - at })),
    ];
    const line = {
      ...toLine(name, { cites, text: '' }),
      file: file.name,
      at,
      textAt: at,
      citesAt: lineOf([name, 'cites']),
      visitsAt: at,
      written: inRows(written),
    };
    return { ...line, title, place, bring, time, timeAt: lineOf([name, 'time']) };
  });
}

/** One text, where each is on the row it has in the file. */
function inRows(written: readonly { text: string; row: number }[]): string {
  const height = Math.max(...written.map(({ row }) => row)) + 1;
  const textOn = (row: number) => written.flatMap((each) => (each.row === row ? [each.text] : [])).join(', ');
  return Array.from({ length: height }, (_, row) => textOn(row)).join('\n');
}

const dropInsOf = ({ drop_in }: z.infer<typeof OfficeShape>) =>
  drop_in.map(({ days, from, to, helgfria = false }) => ({
    weekdays: days.map((day) => weekdays.indexOf(day) + 1),
    from,
    to,
    notOnHolidays: helgfria,
  }));
