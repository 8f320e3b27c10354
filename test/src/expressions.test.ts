/**
 * Every regular expression of ours, whether it sees what students write or not:
 * none takes long on a text that is made to make it. They are found in the
 * sources, and as they are put together when the product is loaded, so one that
 * is new is tried as well.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { expect, it } from '@jest/globals';
import ts from 'typescript';

const root = join(import.meta.dirname, '../..');

type Found = { where: string; source: string; flags: string };

const files = ['src', 'dialogs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name)),
);
const found: Found[] = files.flatMap(expressionsIn);

function expressionsIn(file: string): Found[] {
  const tree = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const inFile: Found[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
      inFile.push({
        where: `${file}:${line + 1}`,
        source: node.text.slice(1, end),
        flags: node.text.slice(end + 1),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return inFile;
}

/** Those that are made of parts, while the work is done. */
async function puttingTogether(work: () => Promise<unknown>): Promise<Found[]> {
  const made: Found[] = [];
  const original = globalThis.RegExp;
  globalThis.RegExp = new Proxy(original, {
    construct(target, values, constructor) {
      const expression = Reflect.construct(target, values, constructor) as RegExp;
      const frames = (new Error().stack ?? '')
        .split('\n')
        .filter((frame) => /^ +at (?!.*expressions\.test)/.test(frame));
      const [, where] = /\/((?:src|dialogs)\/[\w/-]+\.tsx?)/.exec(frames[0] ?? '') ?? [];
      if (where) made.push({ where: `${where}:`, source: expression.source, flags: expression.flags });
      return expression;
    },
  });
  try {
    await work();
  } finally {
    globalThis.RegExp = original;
  }
  return made;
}

const together = await puttingTogether(async () => {
  await import('../../src/masking.ts');
  await import('../../src/identity/sign-ins.ts');
  const { readUnderstanding } = await import('../product.ts');
  readUnderstanding();
});

/** In characters: as long as the longest message of Direct Line. */
const LENGTH = 10_000;
/** In milliseconds of CPU. What is linear takes a few for each text, and what is not takes many times as long. */
const LONGEST = 60;
/** In milliseconds, for all the texts of one: what would not end otherwise. */
const ALTOGETHER = 10_000;
const PIECES = [
  'a',
  '0',
  ' ',
  '\n',
  'å',
  '-',
  '.',
  ':',
  ',',
  '/',
  '*',
  '[',
  '<',
  '<at>',
  '<a',
  'a ',
  '0 ',
  '0-',
  'pin',
  '\u200b',
];

/** What tempts one to try all the ways there are: the same over and over, of what it names itself, and an end that does not fit. */
function temptations({ source }: Found): string[] {
  const own = source.match(/[\p{L}\p{N} <>@:/=&;,.-]{1,6}/gu) ?? [];
  return [...new Set([...PIECES, ...own])].flatMap((piece) => {
    const many = piece.repeat(LENGTH / piece.length);
    return [`${many}\u0001`, `\u0001${many}`, `${own[0] ?? ''}${many}\u0001`];
  });
}

/** Each of the texts is given to the expression, until one takes too long. */
const trying = new Script(`
  for (const text of texts) {
    tried = text;
    const begun = spent();
    expression.test(text);
    if (spent() - begun > longest) throw 'timed out';
  }`);

/** In milliseconds of CPU. */
const spent = (): number => process.cpuUsage().user / 1_000;

/** Nothing, if it is quick; otherwise the beginning of what it is slow at, also when it is tried again. */
function slowAt(each: Found, altogether = ALTOGETHER): string | undefined {
  let slow = triedAt(each, altogether);
  // A pause of the garbage collector is not the expression's doing.
  for (let tries = 0; slow !== undefined && tries < 3; tries++) slow = triedAt(each, altogether);
  return slow?.slice(0, 20);
}

function triedAt(each: Found, altogether: number): string | undefined {
  const expression = new RegExp(each.source, each.flags.replace(/[gy]/g, ''));
  const world = createContext({ expression, texts: temptations(each), tried: '', spent, longest: LONGEST });
  try {
    trying.runInContext(world, { timeout: altogether });
    return undefined;
  } catch (mistake) {
    // It is not an Error of this realm.
    if (!String(mistake).includes('timed out')) throw mistake;
    return String(world.tried);
  }
}

/** Files of which the slow ones see settings, or names and texts of our own, and nobody's from outside. */
const OURS_ALONE = ['src/settings.ts', 'src/servicedesk/hours.ts', 'src/cli/diagram.ts', 'dialogs/chart.ts'];

it('finds them all', () => {
  expect(found.length).toBeGreaterThan(100);
  const places = together.map(({ where }) => where);
  expect(places).toEqual(expect.arrayContaining(['src/masking.ts:', 'src/understanding/dates.ts:']));
});

it('none of them that sees anybody’s text takes long, whatever it is given', () => {
  const slow = [...found, ...together].flatMap((each) => {
    if (OURS_ALONE.some((file) => each.where.startsWith(`${file}:`))) return [];
    const text = slowAt(each);
    return text === undefined ? [] : [`${each.where} /${each.source}/ at ${JSON.stringify(text)}`];
  });
  expect(slow).toEqual([]);
});

it('one that does is found', () => {
  expect(slowAt({ where: '', source: '^(a+)+$', flags: '' }, 500)).toBeDefined();
  expect(slowAt({ where: '', source: '\\d+$', flags: '' })).toBeDefined();
});
