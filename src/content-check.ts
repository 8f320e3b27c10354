/**
 * What is wrong with the content, so that an editor can put it right: every
 * mistake, each with its file and line.
 *
 * One mistake is one problem: what only follows from another is left out, such
 * as the lines that are missing because their file could not be read. Which
 * words make a claim, and how a problem is put, is for the editors to say, in
 * `content/checker.yaml`.
 */
import { z } from 'zod';
import { addDays } from '../dialogs/card-validity.ts';
import type { Intent } from '../dialogs/intents.ts';
import {
  type Border,
  cannedFacts,
  cannedTopic,
  commonFiles,
  isForReaders,
  isGuidance,
  isPage,
  type Lesson,
  type Line,
  readContent,
  type Reading,
  topicFiles,
  type Visit,
} from './content.ts';
import { type Page, pageFileOf, type Paragraph, type Rule } from './guidance.ts';
import { dayIn, wordsIn } from './guidance-copy.ts';
import { type Kind, kinds, nearest, type Problem, readYaml, type SourceFile } from './source-file.ts';
import { contactInWords, contactNames, dayInWords, voice } from './wording.ts';

/** What the dialogs need of the content. Labels are texts that no dialog says, such as `terminal/prompt`. */
export type Expected = {
  lines: ReadonlySet<string>;
  labels: ReadonlySet<string>;
  /** How many characters those may have that are shown in Teams, by their names. */
  teamsLimits: ReadonlyMap<string, number>;
  intents: readonly Intent[];
  facts: ReadonlySet<string>;
};

const mayQuote = (...names: string[]) =>
  z.string().regex(new RegExp(`^(?:[^{}]|\\{\\{(?:${names.join('|')})\\}\\})+$`));

export const Checker = z.strictObject({
  claim_words: z.array(z.string().min(1)).min(1),
  units: z.array(z.string().min(1)).min(1),
  number_words: z.record(z.string(), z.string().regex(/^\d+$/)),
  report: z.strictObject({
    fine: mayQuote('lines', 'rules', 'examples'),
    found: mayQuote('problems', 'files'),
    found_in_one_file: mayQuote('problems'),
    problem: mayQuote('line', 'says'),
    remedy: mayQuote('remedy'),
  }),
  problems: z.record(
    z.enum(kinds),
    z.strictObject({ says: mayQuote('about', 'detail'), remedy: mayQuote('about', 'detail') }),
  ),
});
export type Checker = z.infer<typeof Checker>;

/** Everything that is wrong in the files of a content folder, in the order of their names and lines. */
export function checkContent(files: readonly SourceFile[], expected: Expected): Problem[] {
  const { reading, problems: mistakes } = readContent(files);
  const { data: checker } = readYaml(Checker, reading.checker, mistakes);
  const founding = checker && createFounding(checker);
  for (const file of [reading.answers, reading.dates]) readYaml(z.unknown(), file, mistakes);

  const unknown = unknownFiles(reading);
  const missing = mistakes.filter(({ kind }) => kind === 'missingFile');
  const isMisnamed = ({ file }: Problem) => unknown.some(({ detail }) => detail === file);
  const isThere = ({ file }: Problem) => !missing.some((each) => each.file === file);
  const unread = [...missing.filter((each) => !isMisnamed(each)), ...mistakes.filter(isThere), ...unknown];
  const isRead = (place: string) => !unread.some(({ file }) => file.startsWith(place));
  const rules = isRead('guidance/') ? reading.rules : undefined;
  const [lines, visits] = [[...reading.lines.values()], [...reading.visits.values()]];

  return [
    ...unread,
    ...[...lines, ...reading.openings, ...visits].flatMap((line) => unfounded(line, rules, founding)),
    ...visits.flatMap((visit) => timesNotInRules(visit, reading.openings, rules, founding)),
    ...(rules ? unmatchedPages(reading, rules) : []),
    ...lines.flatMap((line) => misquoted(line, expected)),
    ...[...lines, ...visits].flatMap(illWritten),
    ...lines.flatMap((line) => tooLongForTeams(line, expected)),
    ...contactDetails(reading),
    ...quotedBesides(reading),
    ...phrasesNotSpoken(reading),
    ...unmatchedLines(reading, expected, isRead),
    ...(isRead('') ? unmatchedVisits(reading) : []),
    ...reading.taught.flatMap(({ file, rules: ids, rulesAt }) => unknownRules(ids, { file, at: rulesAt }, rules)),
    ...unmatchedIntents(reading.taught, expected.intents, isRead('')),
    ...unmatchedSides(reading.borders, expected.intents),
    ...saidTwice(reading),
    ...synonymsTwice(reading),
  ].sort((one, other) => one.file.localeCompare(other.file) || one.line - other.line);
}

type Place = { file: string; at: number };

function problem(kind: Kind, { file, at }: Place, about: string, detail?: string): Problem {
  return { file, line: at, kind, about, ...(detail !== undefined && { detail }) };
}

function unknownFiles({ files }: Reading): Problem[] {
  return files.flatMap(({ name }) => {
    const [base = '', ...folders] = name.split('/').reverse();
    const names: readonly string[] = folders.length === 0 ? commonFiles : topicFiles;
    if (isForReaders(name) || isGuidance(name) || isPage(name) || (folders.length < 2 && names.includes(base)))
      return [];
    return [problem('unknownFile', { file: name, at: 1 }, name, nearest(base, names))];
  });
}

/** `rules` are not known when the guidance could not be read. */
type Rules = ReadonlyMap<string, Rule> | undefined;

/** What makes a text a claim, as the editors have it. */
type Founding = ReturnType<typeof createFounding>;

/** A warning does, and what is told of tests of our own, which is never said in a conversation. */
const claimsFreely = ({ uncited, name }: Line): boolean =>
  uncited === 'caution' || (uncited === 'tested' && name.startsWith('accessibility/'));

function unfounded(line: Line, rules: Rules, founding: Founding | undefined): Problem[] {
  const { name, cites, uncited, file, citesAt } = line;
  if (cites.length === 0 && !uncited) return [problem('uncited', line, name)];
  return [
    ...(cites.length > 0 && uncited ? [problem('citedAndUncited', line, name)] : []),
    ...unknownRules(cites, { file, at: citesAt }, rules),
    ...(rules ? lapsedRules(line, rules) : []),
    ...(founding && cites.length === 0 && !claimsFreely(line) ? claimsUncited(line, founding) : []),
    ...numbersNotInRules(line, rules, founding),
  ];
}

function unknownRules(ids: readonly string[], place: Place, rules: Rules): Problem[] {
  return rules ? ids.filter((id) => !rules.has(id)).map((id) => problem('unknownRule', place, id)) : [];
}

function lapsedRules({ cites, history, until, file, citesAt }: Line, rules: ReadonlyMap<string, Rule>): Problem[] {
  return cites.flatMap((id) => {
    const lastDay = rules.get(id)?.until;
    const isKept = lastDay === undefined || history || (until !== undefined && until <= lastDay);
    return isKept ? [] : [problem('lapsedRule', { file, at: citesAt }, id, lastDay)];
  });
}

function claimsUncited(line: Line, { claim }: Founding): Problem[] {
  return [...withoutDetails(line.written).matchAll(claim)].map(({ 1: said = '', index }) =>
    problem('claimUncited', placeIn(line, index), said.trim()),
  );
}

function numbersNotInRules(line: Line, rules: Rules, founding: Founding | undefined): Problem[] {
  if (!founding || !rules || line.cites.length === 0 || !line.cites.every((id) => rules.has(id))) return [];
  const { numbersIn } = founding;
  const texts = line.cites.map((id) => rules.get(id)?.text ?? '');
  const known = new Set(texts.flatMap(numbersIn).flatMap(({ number, parts }) => [number, ...parts]));
  return numbersIn(withoutDetails(line.written).replace(/\{\{.*?\}\}/g, blank))
    .filter(({ number }) => !known.has(number))
    .map(({ written, index }) => problem('numberNotInRule', placeIn(line, index), written, line.cites.join(', ')));
}

/** Whoever is sent to an office's drop-in is told its times. What the office has wrong itself is not said again. */
function timesNotInRules(visit: Visit, openings: readonly Line[], ...by: [Rules, Founding | undefined]): Problem[] {
  const office = openings.find(({ name }) => name === visit.time);
  if (!office || numbersNotInRules(office, ...by).length > 0) return [];
  return numbersNotInRules({ ...visit, written: office.written.replaceAll('\n', ', '), textAt: visit.timeAt }, ...by);
}

/**
 * `claim` finds the first word or number of a row that makes it one.
 *
 * `numbersIn` reads numbers in one form, whoever wrote them, with what they
 * count: “09.30” is “9:30”, and “åtta veckor” is “8 veckor”. Of “4 maj 2022”
 * the parts “4 maj” and “2022” may be said alone.
 */
export function createFounding({ claim_words, units, number_words }: Checker) {
  const unit = `(?:${units.map(literally).join('|')})(?!\\p{L})`;
  const word = `(?<!\\p{L})(?:${Object.keys(number_words).map(literally).join('|')})(?=\\s+${unit})`;
  const number = new RegExp(
    `\\p{L}+\\d+|(?<digits>\\d{1,2}[:.]\\d{2}(?!\\d)|\\d+|${word})(?:\\s+(?<counted>${unit})(?:\\s+(?<year>\\d{4}))?)?`,
    'giu',
  );
  return {
    claim: new RegExp(`^.*?(${claim_words.map(literally).join('|')}|\\d+)`, 'gimu'),
    numbersIn: (text: string) =>
      [...text.matchAll(number)].map(({ 0: written, index, groups = {} }) => {
        const { digits = written, counted, year } = groups;
        const plain = number_words[digits.toLowerCase()] ?? digits.replace('.', ':').replace(/^0(?=\d)|:00$/g, '');
        const said = [plain, counted, year].filter((part) => part !== undefined).map((part) => part.toLowerCase());
        const parts = year ? [said.slice(0, 2).join(' '), year] : [];
        return { number: said.join(' '), parts, written: written.replace(/\s+/g, ' '), index };
      }),
  };
}

/** A rule has its page's own words, so that what the page says anew is seen in the rule. One that has lapsed may be gone. */
function unmatchedPages({ pages }: Reading, rules: ReadonlyMap<string, Rule>): Problem[] {
  const files = new Set([...rules.values()].map(({ file }) => file));
  const pageOf = (file: string) => pages.find(({ rulesFile }) => rulesFile === file);
  return [
    ...[...files]
      .filter((file) => !pageOf(file))
      .map((file) => problem('pageMissing', { file, at: 1 }, pageFileOf(file))),
    ...[...rules.values()].flatMap((rule) => notOnPage(rule, pageOf(rule.file))),
    ...pages.flatMap(({ paragraphs, rulesFile }) =>
      paragraphs.flatMap((paragraph) => [
        ...unknownRules(paragraph.rules, { file: paragraph.file, at: paragraph.rulesAt }, rules),
        ...otherDate(
          paragraph,
          [...rules.values()].find(({ file }) => file === rulesFile),
        ),
      ]),
    ),
  ];
}

function notOnPage(rule: Rule, page: Page | undefined): Problem[] {
  if (!page || rule.until !== undefined) return [];
  const read = page.paragraphs.filter(({ rules }) => rules.includes(rule.id));
  const known = new Set(read.flatMap(({ text }) => wordsIn(text)));
  const strange = wordsIn(rule.text).find((word) => !known.has(word));
  return strange === undefined ? [] : [problem('ruleNotOnPage', rule, rule.id, strange)];
}

function otherDate({ date, text, file, at }: Paragraph, rule: Rule | undefined): Problem[] {
  const wanted = date && rule?.guidance[date];
  return wanted === undefined || dayIn(text) === wanted
    ? []
    : [problem('dateNotOnPage', { file, at }, wanted, rule?.file)];
}

const CONTACT_DETAIL = new RegExp(
  [
    String.raw`\[[^\]\n]*\]\([^)\n]*\)`, // a Markdown link
    String.raw`[\w.+-]+@[\w-]+\.[\w.-]*\w`, // an e-mail address
    String.raw`(?:https?://|\bwww\.)[^\s)>]+`,
    String.raw`\b[\w-]+\.(?:se|nu|com|net|org|eu)\b(?:/[^\s)>]*)?`,
    String.raw`(?<![\w:])(?:\+\d\d|0\d{1,3})\)?(?:[ \u00a0-]?\d){5,}`, // a telephone number
  ].join('|'),
  'gi',
);

/** Contacts are settings of each deployment, and are set in where a text names one. */
function contactDetails(reading: Reading): Problem[] {
  const rows = [...reading.lines.values()].flatMap(rowsOf);
  const words = wordsFile(reading)
    .text.split('\n')
    .map((text, index) => ({ text: text.replace(/^ *#.*/, ''), file: 'words.yaml', at: index + 1 }));
  return [...rows, ...besides(reading), ...words].flatMap((place) =>
    (place.text.match(CONTACT_DETAIL) ?? []).map((detail) => problem('contactDetail', place, detail)),
  );
}

const rowsOf = ({ written, file, textAt }: Line) =>
  written.split('\n').map((text, index) => ({ text, file, at: textAt + index }));

/** Short texts beside the talk: what a student may choose instead of writing, and what a card tells of a visit. */
function besides({ lines, taught, visits }: Reading): (Place & { text: string })[] {
  return [
    ...[...visits.values()].flatMap(rowsOf),
    ...[...lines.values()].flatMap(({ suggests, file, at }) => suggests.map((text) => ({ text, file, at }))),
    ...taught.map(({ title, file, at }) => ({ text: title, file, at })),
  ];
}

const wordsFile = ({ files }: Reading): SourceFile =>
  files.find(({ name }) => name === 'words.yaml') ?? { name: 'words.yaml', text: '', firstLine: 1 };

const LOGIC = /^(?:if|else|unless|each|end)\b/;

/** What a label quotes is for the one who shows it to know. */
function misquoted(line: Line, { facts, labels }: Expected): Problem[] {
  const written = [...line.written.matchAll(/\{\{([^{}]*)\}\}|\{+[^{}]*\}*|\}+/g)];
  return written.flatMap(({ 0: quoted, 1: inner = '', index }) => {
    const place = placeIn(line, index);
    const name = inner.trim();
    if (!/^\w+$/.test(name) || LOGIC.test(name)) return [problem('logicInText', place, quoted)];
    const known = isCanned(line.name) ? mayBeQuotedToAnybody : facts;
    return known.has(name) || labels.has(line.name)
      ? []
      : [problem('unknownPlaceholder', place, quoted, `{{${nearest(name, known)}}}`)];
  });
}

const isCanned = (name: string): boolean => topicOf(name) === cannedTopic;
const mayBeQuotedToAnybody: ReadonlySet<string> = new Set([...cannedFacts, ...contactNames]);

/** Nothing is set in there. */
function quotedBesides(reading: Reading): Problem[] {
  return besides(reading)
    .filter(({ text }) => /[{}]/.test(text))
    .map((place) => problem('logicInText', place, place.text));
}

/** Phrases quote names of their own. One that cannot be said is found by saying it. */
function phrasesNotSpoken(reading: Reading): Problem[] {
  const { words } = reading;
  if (!words) return [];
  const { lineOf } = readYaml(z.unknown(), wordsFile(reading), []);
  const today = '2026-11-23';
  const slot = { from: '9:30', to: '10:30', confirmed: true };
  const phrases = [
    { at: ['days', 'date'], phrase: words.days.date, say: () => dayInWords(today, words) },
    {
      at: ['days', 'this_week'],
      phrase: words.days.this_week,
      say: () => voice({ askedDay: addDays(today, 2), today }, words),
    },
    {
      at: ['days', 'later'],
      phrase: words.days.later,
      say: () => voice({ askedDay: addDays(today, 30), today }, words),
    },
    { at: ['opening'], phrase: words.opening, say: () => voice({ opening: { day: today, ...slot }, today }, words) },
    { at: ['slot'], phrase: words.slot, say: () => voice({ slots: [slot] }, words) },
    {
      at: ['with_details'],
      phrase: words.with_details,
      say: () => contactInWords('servicedesk', { servicedesk: today }, words),
    },
  ];
  return phrases.flatMap(({ at, phrase, say }) => {
    try {
      say();
      return [];
    } catch {
      return [problem('phraseNotSpoken', { file: 'words.yaml', at: lineOf(at) }, phrase)];
    }
  });
}

function illWritten(line: Line): Problem[] {
  const found = (kind: Kind, pattern: RegExp) =>
    [...line.written.matchAll(pattern)].map(({ 0: about, index }) => problem(kind, placeIn(line, index), about.trim()));
  return [
    ...found('brokenMarkdown', /<[a-z/!][^>\n]*>?/gi),
    ...found('brokenMarkdown', /^#{1,6}\s.*$/gm),
    ...found('brokenMarkdown', /^ *\t.*$/gm),
    ...unclosed(line.written).map(({ mark, index }) => problem('brokenMarkdown', placeIn(line, index), mark)),
    ...found('notKlarsprak', /!+|\p{Extended_Pictographic}/gu),
  ];
}

/** As Teams counts, which is in characters and not in bytes. */
function tooLongForTeams(line: Line, { teamsLimits }: Expected): Problem[] {
  const longest = teamsLimits.get(line.name) ?? Infinity;
  const isTooLong = Array.from(line.text).length > longest;
  return isTooLong ? [problem('tooLongForTeams', placeIn(line, 0), line.name, String(longest))] : [];
}

/** Stars and brackets that have no counterpart in their paragraph. */
function unclosed(text: string): { mark: string; index: number }[] {
  const paragraphs = withoutMarkers(text).matchAll(/(?:.+\n?)+/g);
  return [...paragraphs].flatMap(({ 0: paragraph, index: start }) => {
    const open: { mark: string; index: number }[] = [];
    for (const { 0: mark, index } of paragraph.matchAll(/\*\*|[()[\]]/g)) {
      if (open.length > 0 && open.at(-1)?.mark === opening[mark]) open.pop();
      else open.push({ mark, index: start + index });
    }
    return open;
  });
}

const opening: Partial<Record<string, string>> = { '**': '**', ')': '(', ']': '[' };

function unmatchedLines({ lines }: Reading, expected: Expected, isRead: (place: string) => boolean): Problem[] {
  const written = [...lines.keys()].filter((name) => !isCanned(name));
  const { strange, absent } = compare(written, [...expected.lines, ...expected.labels]);
  return [
    ...strange.map(({ name, meant }) => problem('lineWithoutState', lines.get(name) ?? fileOf(name), name, meant)),
    ...absent
      .filter((name) => isRead(`${topicOf(name)}/`))
      .map((name) => problem('stateWithoutLine', fileOf(name), name, nearest(name, lines.keys()))),
  ];
}

const topicOf = (line: string) => line.slice(0, line.lastIndexOf('/'));

/** Where a line is to be written. */
const fileOf = (line: string): Place => ({
  file: `${topicOf(line)}/${line.endsWith('/answer') ? 'answer.md' : 'lines.yaml'}`,
  at: 1,
});

/** A line names a visit that there is, and each visit is one that a line sends somebody to. */
function unmatchedVisits({ lines, visits }: Reading): Problem[] {
  const senders = [...lines.values()];
  const { strange, absent } = compare(
    senders.flatMap((line) => line.visits),
    [...visits.keys()],
  );
  return [
    ...strange.flatMap(({ name, meant }) =>
      senders
        .filter((line) => line.visits.includes(name))
        .map(({ file, visitsAt }) => problem('unknownVisit', { file, at: visitsAt }, name, meant)),
    ),
    ...absent
      .flatMap((name) => [...visits.values()].filter((visit) => visit.name === name))
      .map((visit) => problem('visitUnused', visit, visit.name)),
  ];
}

function unmatchedIntents(taught: readonly Lesson[], intents: readonly Intent[], isRead: boolean): Problem[] {
  const lessons = new Map<string, Lesson>(taught.map((lesson) => [lesson.intent, lesson]));
  const { strange, absent } = compare([...lessons.keys()], intents);
  const fileOfIntent = (name: string) => lessons.get(name) ?? { file: `${name}/utterances.yaml`, at: 1 };
  return [
    ...strange.map(({ name, meant }) => problem('unknownIntent', fileOfIntent(name), name, meant)),
    ...(isRead ? absent.map((name) => problem('intentWithoutUtterances', fileOfIntent(name), name)) : []),
  ];
}

function unmatchedSides(borders: readonly Border[], intents: readonly Intent[]): Problem[] {
  const sides = borders.flatMap((border) => border.sides);
  return compare(
    sides.map(({ intent }) => intent),
    intents,
  ).strange.flatMap(({ name, meant }) =>
    sides.filter(({ intent }) => intent === name).map((side) => problem('unknownIntent', side, name, meant)),
  );
}

/** Names that nobody knows, each with the one it may have been meant to be; and those that nobody has written. */
function compare(written: readonly string[], known: readonly string[]) {
  const strange = written
    .filter((name) => !known.includes(name))
    .map((name) => ({ name, meant: nearest(name, known) }));
  const found = new Set([...written, ...strange.map(({ meant }) => meant)]);
  return { strange, absent: known.filter((name) => !found.has(name)) };
}

function saidTwice({ taught, borders }: Reading): Problem[] {
  const sides = borders.flatMap((border) => border.sides);
  const undecided = borders.map(({ file, undecided: texts, undecidedAt }) => ({
    file,
    examples: texts,
    examplesAt: undecidedAt,
  }));
  const examples = [...taught, ...sides, ...undecided].flatMap(({ file, examples: texts, examplesAt }) =>
    texts.map((text, index) => ({ text, file, at: examplesAt[index] ?? 1 })),
  );
  const titles = taught.map(({ title, file, at }) => ({ text: title, file, at }));
  return [...repeated('utteranceTwice', examples), ...repeated('titleTwice', titles)];
}

function synonymsTwice({ files, synonyms }: Reading): Problem[] {
  const file = files.find(({ name }) => name === 'synonyms.yaml');
  if (!file) return [];
  const { lineOf } = readYaml(z.unknown(), file, []);
  const ways = Object.entries(synonyms).flatMap(([concept, texts]) =>
    texts.map((text, index) => ({ text, file: file.name, at: lineOf([concept, index]) })),
  );
  return repeated('synonymTwice', ways);
}

function repeated(kind: Kind, texts: readonly (Place & { text: string })[]): Problem[] {
  const first = new Map<string, Place>();
  return texts.flatMap(({ text, ...place }) => {
    const known = first.get(plain(text));
    if (known) return [problem(kind, place, text, `${known.file}:${known.at}`)];
    first.set(plain(text), place);
    return [];
  });
}

/** What is left when nobody cares about capitals and punctuation. */
const plain = (text: string): string =>
  text
    .normalize('NFC')
    .toLocaleLowerCase('sv')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

function placeIn({ file, textAt, written }: Line, index: number): Place {
  return { file, at: textAt + written.slice(0, index).split('\n').length - 1 };
}

const blank = (written: string): string => written.replace(/[^\n]/g, ' ');
const withoutMarkers = (text: string): string => text.replace(/^[ \t]*\d+[.)](?=\s)/gm, blank);
const withoutDetails = (text: string): string => withoutMarkers(text).replace(CONTACT_DETAIL, blank);
const literally = (word: string): string => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
