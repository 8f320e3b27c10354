/** `kortlotsen content age`: which answers rest on the oldest rules, times how often they were given. */
import { join, relative } from 'node:path';
import { addDays, type Day } from '../../dialogs/card-validity.ts';
import { type Aged, agesOf, weightOf } from '../content-age.ts';
import type { Content } from '../content.ts';

export const contentAgeLabels = [
  ...['intro', 'introWithoutTimes', 'rule', 'checked', 'days', 'given', 'weight', 'mayHaveChanged', 'lapsed', 'lines'],
].map((name) => `content-age/${name}`);

type Asked = { folder: string; today: Day; days: number; isJson: boolean };

/** `given` is how many answers have cited each rule in those days, where there is a database that knows. */
export async function runContentAge(
  { folder, today, days, isJson }: Asked,
  content: Content,
  given: readonly { name: string; count: number }[] | undefined,
  write: (text: string) => void | Promise<void>,
): Promise<void> {
  const aged = agesOf(content, today, given);
  if (isJson) {
    for (const each of aged) await write(`${JSON.stringify(inJson(each, folder))}\n`);
    return;
  }
  const label = (name: string, facts?: Record<string, string>) => content.label(`content-age/${name}`, facts);
  const period = { from: addDays(today, 1 - days), to: today };
  const columns = ['rule', 'checked', 'days', ...(given ? ['given', 'weight'] : [])].map((name) => label(name));
  const rows = aged.map((each) => [
    each.rule.id,
    each.rule.guidance.fact_checked,
    inDigits(each.days),
    ...(each.given === undefined ? [] : [inDigits(each.given), inDigits(weightOf(each))]),
  ]);
  const widths = columns.map((column, nth) =>
    Math.max(...[column, ...rows.map((row) => row[nth] ?? '')].map(lengthOf)),
  );
  // Numbers end where their column ends.
  const aligned = (row: readonly string[]) =>
    row.map((cell, nth) => (nth < 2 ? cell.padEnd(widths[nth] ?? 0) : cell.padStart(widths[nth] ?? 0))).join('  ');
  const notes = ({ rule }: Aged) => [
    ...(rule.mayHaveChanged ? [label('mayHaveChanged')] : []),
    ...(rule.until === undefined ? [] : [label('lapsed', { until: rule.until })]),
  ];
  const table = aged.map((each, nth) =>
    [
      [aligned(rows[nth] ?? []), ...notes(each)].join('  '),
      `    ${each.rule.text}`,
      `    ${label('lines', { names: each.lines.map(({ name }) => name).join(', ') })}`,
    ].join('\n'),
  );
  const intro = given ? label('intro', period) : label('introWithoutTimes');
  await write(`${intro}\n\n${aligned(columns)}\n${table.join('\n')}\n`);
}

function inJson({ rule, days, given, lines }: Aged, folder: string) {
  return {
    rule: rule.id,
    text: rule.text,
    factChecked: rule.guidance.fact_checked,
    days,
    given,
    mayHaveChanged: rule.mayHaveChanged,
    until: rule.until,
    lines: lines.map(({ name, file, at }) => ({ name, file: relative('', join(folder, file)), line: at })),
  };
}

const inDigits = (count: number): string => count.toLocaleString('sv-SE');
const lengthOf = (text: string): number => text.length;
