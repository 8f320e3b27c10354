/** The threat model names a test for whatever is done about a threat, and each of them is there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { root } from '../../product.ts';

const text = readFileSync(join(root, 'src/operations/threat-model.md'), 'utf8');
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );

/** What the file of a test says in quotes: its titles, and the names of its rows. */
const titlesIn = (file: string): string =>
  existsSync(file)
    ? [...readFileSync(file, 'utf8').matchAll(/(['"`])((?:(?!\1).)*)\1/g)].map(([, , title]) => title).join('\n')
    : '';

const named = rows.map(([where = '', threat = '', , , test = '']) => {
  const [, file = '', title = ''] = /^`([^:]+\.test\.tsx?): (.+)`$/.exec(test) ?? [];
  return { row: `${where} ${threat} ${test}`, file: join(root, 'test', file), title };
});

it('has a test in every row, which is there', () => {
  expect(rows.length).toBeGreaterThan(30);
  const missing = named.filter(({ file, title }) => title === '' || !titlesIn(file).includes(title));
  expect(missing.map(({ row }) => row)).toEqual([]);
});

it.each(['S', 'T', 'R', 'I', 'D', 'E'])('has threats of the kind %s', (kind) => {
  expect(rows.some(([, threat]) => threat === kind)).toBe(true);
});

it.each(['student', 'Teams', 'hub', 'agents', 'ledger', 'identity', 'PostgreSQL', 'editors', 'operator'])(
  'heeds the %s',
  (part) => {
    expect(rows.some(([where]) => where?.includes(part))).toBe(true);
  },
);
