/** `kortlotsen content diff`: what a new copy of the guidance says otherwise, and which rules and texts it touches. */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Checker, createFounding } from '../content-check.ts';
import type { Content, Reading } from '../content.ts';
import { readCopy } from '../guidance-copy.ts';
import type { CitingLine, Comparison, Difference, Piece } from '../guidance-diff.ts';
import { readYaml } from '../source-file.ts';

const changes = ['changed', 'moved', 'removed', 'new'] as const satisfies Difference['change'][];

export const guidanceDiffLabels = [
  ...['unreadable', 'unlike', 'unchanged', 'compared', 'legend', 'date.updated', 'date.fact_checked'],
  ...[...changes, 'changedAndMoved', 'place', 'rule', 'ruleLapsed', 'others', 'movedRules', 'noLine', 'line', 'says'],
  ...['unread', ...changes.map((change) => `unread.${change}`), 'next'],
].map((name) => `guidance-diff/${name}`);

type Asked = { folder: string; copy: string; isJson: boolean };
type Written = { content: Content; reading: Reading };

/** Returns the exit code: 0 nothing has changed, 1 something has, 2 the copy cannot be read or is of another page. */
export async function runContentDiff(
  { folder, copy, isJson }: Asked,
  { content, reading }: Written,
  write: (text: string) => void | Promise<void>,
): Promise<0 | 1 | 2> {
  const label = (name: string, facts?: Record<string, string>) => content.label(`guidance-diff/${name}`, facts);
  const { data: checker } = readYaml(Checker, reading.checker, []);
  if (!checker) throw new Error('The content cannot be used. See what content check says.');
  const copied = readCopy(await readFile(copy).catch(() => new Uint8Array()));
  const { compareGuidance } = await import('../guidance-diff.ts');
  const comparison = copied && compareGuidance(reading, copied, createFounding(checker).numbersIn);
  const pathOf = (file: string) => relative('', join(folder, file));
  if (!comparison) {
    const problem = copied ? 'unlike' : 'unreadable';
    await write(isJson ? `${JSON.stringify({ problem, copy })}\n` : `${label(problem, { copy })}\n`);
    return 2;
  }
  await write(isJson ? inJson(comparison, copy, pathOf) : inWords(comparison, label, pathOf));
  return isUnchanged(comparison) ? 0 : 1;
}

const isUnchanged = ({ differences, dates }: Comparison): boolean => differences.length + dates.length === 0;

/** Every difference with all that rests on it; files as they are reached from here, and rows from 1. */
function inJson(comparison: Comparison, copy: string, pathOf: (file: string) => string): string {
  const { page, same, dates, differences } = comparison;
  const told = {
    page: pathOf(page.file),
    rules: pathOf(page.rulesFile),
    copy,
    same,
    dates,
    differences: differences.map(({ change, isMoved, old, now, pieces, rules, lines }) => ({
      change,
      moved: isMoved,
      old: old.map(({ text, file, at }) => ({ file: pathOf(file), line: at, text })),
      new: now.map(({ text, at }) => ({ line: at, text })),
      words: pieces,
      rules: rules.map(({ rule: { id, file, at, text, until }, isTouched }) => ({
        rule: id,
        file: pathOf(file),
        line: at,
        text,
        ...(until !== undefined && { until }),
        touched: isTouched,
      })),
      lines: lines.map(({ name, file, at, sentence, rules: cited, isTouched, says }) => ({
        name,
        file: pathOf(file),
        line: at,
        sentence,
        rules: cited,
        touched: isTouched,
        says,
      })),
    })),
  };
  return `${JSON.stringify(told, undefined, 2)}\n`;
}

type Label = (name: string, facts?: Record<string, string>) => string;

function inWords(comparison: Comparison, label: Label, pathOf: (file: string) => string): string {
  const { page, same, differences, dates } = comparison;
  const [pageFile, file] = [pathOf(page.file), pathOf(page.rulesFile)];
  if (isUnchanged(comparison)) return `${label('unchanged', { page: pageFile })}\n`;

  const placeOf = (place: { file: string; at: number }) =>
    label('place', { file: pathOf(place.file), at: String(place.at) });
  const placesIn = ({ old, now }: Difference) => ({
    old: old[0] ? placeOf(old[0]) : '',
    now: String(now[0]?.at ?? ''),
  });
  const rested = differences.filter(({ rules }) => rules.length > 0);
  const unread = differences.filter(({ rules }) => rules.length === 0);
  const touchedRules = new Set(
    rested.flatMap(({ rules }) => rules.filter((each) => each.isTouched).map(({ rule }) => rule.id)),
  );
  const touchedLines = new Set(
    rested.flatMap(({ lines }) => lines.filter((each) => each.isTouched).map((each) => `${each.file} ${each.name}`)),
  );
  const countOf = (change: Difference['change']) => differences.filter((each) => each.change === change).length;

  const lineIn = (line: CitingLine) => [
    `    ${label('line', { place: placeOf(line), name: line.name, sentence: line.sentence })}`,
    ...(line.says.length > 0
      ? [`      ${label('says', { words: line.says.map((word) => `”${word}”`).join(', ') })}`]
      : []),
  ];
  const paragraph = (difference: Difference): string => {
    const { change, isMoved, rules, lines, pieces } = difference;
    const touched = rules.filter((each) => each.isTouched).map(({ rule }) => rule);
    const others = rules.filter((each) => !each.isTouched).map(({ rule }) => rule.id);
    const touchedHere = lines.filter((line) => line.isTouched);
    return [
      label(change === 'changed' && isMoved ? 'changedAndMoved' : change, placesIn(difference)),
      `  ${marked(pieces)}`,
      ...touched.map((rule) => {
        const facts = { rule: rule.id, place: placeOf(rule), text: rule.text };
        return `  ${rule.until === undefined ? label('rule', facts) : label('ruleLapsed', { ...facts, until: rule.until })}`;
      }),
      ...touchedHere.flatMap(lineIn),
      ...(touched.length > 0 && touchedHere.length === 0 ? [`    ${label('noLine')}`] : []),
      ...(others.length > 0
        ? [`  ${label(change === 'moved' ? 'movedRules' : 'others', { rules: others.join(', ') })}`]
        : []),
    ].join('\n');
  };
  const aside = (difference: Difference): string =>
    `  ${label(`unread.${difference.change}`, { ...placesIn(difference), text: marked(difference.pieces) })}`;

  const counts = {
    same,
    changed: countOf('changed'),
    moved: countOf('moved'),
    removed: countOf('removed'),
    added: countOf('new'),
    rules: touchedRules.size,
    lines: touchedLines.size,
  };
  const numbers = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)]));
  const blocks = [
    [
      label('compared', { page: pageFile, ...numbers }),
      ...dates.map(({ date, was, is }) => label(`date.${date}`, { is, was, file })),
      ...(counts.changed > 0 ? [label('legend')] : []),
    ].join('\n'),
    ...rested.map(paragraph),
    ...(unread.length > 0 ? [[label('unread'), ...unread.map(aside)].join('\n')] : []),
    label('next', { page: pageFile, file }),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** What is wholly gone or wholly new needs no marks. */
function marked(pieces: readonly Piece[]): string {
  const marks = { same: ['', ''], gone: ['[-', '-]'], added: ['[+', '+]'] } as const;
  const isWhole = pieces.length === 1;
  return pieces
    .map(({ kind, text }) => {
      const [before, after] = marks[isWhole ? 'same' : kind];
      return text.replace(/^(?<space> ?)(?<words>.*)$/s, `$<space>${before}$<words>${after}`);
    })
    .join('')
    .trim();
}
