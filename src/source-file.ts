/**
 * Files that editors write, read so that a mistake can be pointed at.
 *
 * Every problem knows its file and line, and all problems are gathered, so
 * that a whole folder can be put right in one go. How a problem is put in words
 * is written in `content/checker.yaml`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorCode, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type YAMLMap } from 'yaml';
import { z } from 'zod';

/** `name` is the path within the content folder; `firstLine` the line its text begins on in the file. */
export type SourceFile = { name: string; text: string; firstLine: number };

/** All that can be wrong with the content. Each kind has its Swedish in `content/checker.yaml`. */
export const kinds = [
  // A file cannot be read.
  'missingFile',
  'unknownFile',
  'notUtf8',
  'notYaml',
  'keyTwice',
  'tabAsIndent',
  'headingWithoutRule',
  // Something is not where or what it should be.
  'fieldMissing',
  'fieldUnknown',
  'empty',
  'tooLong',
  'notText',
  'notList',
  'notFields',
  'notTrueOrFalse',
  'notAChoice',
  'notADate',
  'notATime',
  'wrongShape',
  'writtenTwice',
  // A claim is not founded on the guidance.
  'uncited',
  'citedAndUncited',
  'claimUncited',
  'unknownRule',
  'lapsedRule',
  'numberNotInRule',
  'contactDetail',
  // The rules and the page they were read from do not fit.
  'pageMissing',
  'ruleNotOnPage',
  'dateNotOnPage',
  // The dialogs and the content do not fit.
  'lineWithoutState',
  'stateWithoutLine',
  'unknownVisit',
  'visitUnused',
  'unknownIntent',
  'intentWithoutUtterances',
  'unknownPlaceholder',
  'logicInText',
  'phraseNotSpoken',
  // It cannot be told apart, or is not well put.
  'utteranceTwice',
  'titleTwice',
  'synonymTwice',
  'brokenMarkdown',
  'notKlarsprak',
  'tooLongForTeams',
] as const;

export type Kind = (typeof kinds)[number];

/** `about` is the word, rule or line that is wrong; `detail` whatever else the editor needs to see. */
export type Problem = { file: string; line: number; kind: Kind; about: string; detail?: string };

/** Files whose names begin with a dot belong to the computer, not to the editors. */
export function readFolder(folder: string, topic = ''): SourceFile[] {
  return readdirSync(join(folder, topic), { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((one, other) => one.name.localeCompare(other.name))
    .flatMap((entry) => {
      const name = topic ? `${topic}/${entry.name}` : entry.name;
      if (entry.isDirectory()) return readFolder(folder, name);
      return [{ name, text: readFileSync(join(folder, name), 'utf8').replace(/^\uFEFF|\r(?=\n)/g, ''), firstLine: 1 }];
    });
}

/** A file that was saved in another encoding has lost its å, ä and ö, and is not what its editor wrote. */
export function garbled({ name, text }: SourceFile): Problem[] {
  const rows = text.split('\n');
  const row = rows.findIndex((each) => each.includes('\uFFFD'));
  return row < 0 ? [] : [{ file: name, line: row + 1, kind: 'notUtf8', about: (rows[row] ?? '').trim() }];
}

/** Splits a Markdown file into its YAML front matter and its body. */
export function frontMatter({ name, text }: SourceFile): { head: SourceFile; body: SourceFile } {
  const [fenced = '', head = ''] = /^---\n(.*?\n)---\n/s.exec(text) ?? [];
  return {
    head: { name, text: head, firstLine: 2 },
    body: { name, text: text.slice(fenced.length), firstLine: fenced.split('\n').length },
  };
}

type Path = readonly PropertyKey[];

/** Parsing is most of what reading takes, and a file is read for several reasons. It goes when the file does. */
const parsed = new WeakMap<SourceFile, ReturnType<typeof parse>>();

/** `entryAt` finds what an entry of a map or a list is, and where it is written: by its key, or where it stands. */
function parse(text: string) {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, logLevel: 'error' });
  const indexed = new Map<YAMLMap, Map<string, Entry>>();
  const entriesOf = (map: YAMLMap): Map<string, Entry> => {
    const known = indexed.get(map);
    if (known) return known;
    const entries = new Map<string, Entry>();
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? String(key.value) : undefined;
      // Of what is written twice, the first is meant.
      if (name !== undefined && !entries.has(name)) entries.set(name, { written: key, value });
    }
    indexed.set(map, entries);
    return entries;
  };
  const entryAt = (path: Path): Entry | undefined => {
    let entry: Entry | undefined = { written: document.contents, value: document.contents };
    for (const key of path) {
      const parent: unknown = entry?.value;
      const item: unknown = isSeq(parent) ? parent.items[Number(key)] : undefined;
      entry = isMap(parent)
        ? entriesOf(parent).get(String(key))
        : isNode(item)
          ? { written: item, value: item }
          : undefined;
    }
    return entry;
  };
  return { document, lines, entryAt };
}

type Entry = { written: unknown; value: unknown };

/**
 * Reads YAML as the schema wants it. `lineOf` tells the line that an entry is
 * written on, `textAt` the line that its text begins on.
 */
export function readYaml<T>(schema: z.ZodType<T>, file: SourceFile, problems: Problem[]) {
  const { name, text, firstLine } = file;
  const known = parsed.get(file) ?? parse(text);
  parsed.set(file, known);
  const { document, lines, entryAt } = known;
  const lineAt = (offset: number) => lines.linePos(offset).line + firstLine - 1;

  const lineOf = (path: Path): number => {
    if (path.length === 0) return firstLine;
    const { written } = entryAt(path) ?? {};
    return isNode(written) && written.range ? lineAt(written.range[0]) : lineOf(path.slice(0, -1));
  };
  const textAt = (path: Path): number => {
    const { value } = entryAt(path) ?? {};
    return lineOf(path) + (isScalar(value) && value.type?.startsWith('BLOCK') ? 1 : 0);
  };

  const unreadable = document.errors.map(({ code, pos }) => ({ code, at: lineAt(pos[0]) }));
  // A text that begins with a star is Markdown to an editor. To YAML it is a name that stands for something else.
  visit(document, {
    Alias: (_, { range }) => void unreadable.push({ code: 'BAD_ALIAS', at: lineAt(range?.[0] ?? 0) }),
  });
  const [keys, others] = [unreadable.filter(isKeyTwice), unreadable.filter((error) => !isKeyTwice(error))];
  // What follows after the first row that cannot be read is mostly a consequence.
  for (const error of [...keys, ...others.slice(0, 1)]) {
    const row = text.split('\n')[error.at - firstLine] ?? '';
    const kind = isKeyTwice(error) ? 'keyTwice' : /^ *\t/.test(row) ? 'tabAsIndent' : 'notYaml';
    problems.push({ file: name, line: error.at, kind, about: row.trim() });
  }
  if (unreadable.length > 0) return { data: undefined, lineOf, textAt };

  const { data, error } = schema.safeParse(document.toJS(), { reportInput: true });
  for (const { path, kind, detail } of misshapen(error?.issues ?? [], schema)) {
    const about = path.filter((key) => typeof key === 'string').at(-1) ?? name;
    problems.push({ file: name, line: lineOf(path), kind, about, ...(detail !== undefined && { detail }) });
  }
  return { data, lineOf, textAt };
}

/** The name that a misspelt one comes nearest to. */
export function nearest(name: string, names: Iterable<string>): string {
  const byDistance = [...names].map((each) => ({ each, distance: distance(name.toLowerCase(), each.toLowerCase()) }));
  return byDistance.sort((one, other) => one.distance - other.distance)[0]?.each ?? '';
}

/** How many letters have to be put in, taken out, changed or swapped. */
function distance(one: string, other: string): number {
  const costs = [Array.from({ length: other.length + 1 }, (_, index) => index)];
  const cost = (row: number, column: number) => costs[row]?.[column] ?? 0;
  for (let row = 1; row <= one.length; row++) {
    costs.push([row]);
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      costs[row]?.push(
        Math.min(
          cost(row - 1, column - 1) + (isSame ? 0 : 1),
          cost(row - 1, column) + 1,
          cost(row, column - 1) + 1,
          isSwapped ? cost(row - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return cost(one.length, other.length);
}

const isKeyTwice = ({ code }: { code: ErrorCode }): boolean => code === 'DUPLICATE_KEY';

const expectations: Partial<Record<string, Kind>> = {
  string: 'notText',
  array: 'notList',
  object: 'notFields',
  record: 'notFields',
  boolean: 'notTrueOrFalse',
};

type Misshapen = { path: Path; kind: Kind; detail?: string };

/** What a schema complains of. A field that is misspelt is one mistake, though it is both missing and unknown. */
function misshapen(issues: readonly z.core.$ZodIssue[], schema: z.ZodType): Misshapen[] {
  const found = issues.flatMap((issue) => mistakesIn(issue, schema));
  const misspelt = found.filter(({ kind }) => kind === 'fieldUnknown');
  const isMeant = ({ path }: Misshapen) =>
    misspelt.some((other) => String([...other.path.slice(0, -1), other.detail]) === String(path));
  return found.filter((each) => each.kind !== 'fieldMissing' || !isMeant(each));
}

function mistakesIn(issue: z.core.$ZodIssue, schema: z.ZodType): Misshapen[] {
  const { code, path, input, message } = issue;
  if (code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      kind: 'fieldUnknown',
      detail: nearest(key, fieldsAt(path, schema)),
    }));
  }
  if (input === undefined) return [{ path, kind: 'fieldMissing' }];
  if (input === null || code === 'too_small') return [{ path, kind: 'empty' }];
  if (code === 'invalid_type') return [{ path, kind: expectations[issue.expected] ?? 'wrongShape' }];
  if (code === 'invalid_value') return [{ path, kind: 'notAChoice', detail: issue.values.join(', ') }];
  if (code === 'too_big') return [{ path, kind: 'tooLong', detail: String(issue.maximum) }];
  if (code === 'invalid_format' && issue.format === 'date') return [{ path, kind: 'notADate' }];
  // A schema may name the kind of its own complaint.
  return [{ path, kind: kinds.find((kind) => kind === message) ?? 'wrongShape' }];
}

/** As much of JSON Schema as it takes to find the fields of a place. */
type Described = {
  properties?: Record<string, Described>;
  propertyNames?: { enum?: string[] };
  additionalProperties?: Described;
  items?: Described;
};

/** The fields a schema knows of in one place. */
function fieldsAt(path: Path, schema: z.ZodType): string[] {
  const whole = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }) as Described;
  const place = path.reduce<Described | undefined>(
    (at, key) => at?.properties?.[String(key)] ?? at?.additionalProperties ?? at?.items,
    whole,
  );
  return place?.propertyNames?.enum ?? Object.keys(place?.properties ?? {});
}
