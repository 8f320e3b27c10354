/**
 * Every regular expression of the product ends soon, whatever somebody from
 * outside has written: each is tried on texts as long as a message may be,
 * made of what it looks for over and over, that end in what it does not.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { expect, it } from '@jest/globals';
import ts from 'typescript';

const root = join(import.meta.dirname, '../..');

/** Whoever runs the product or edits its content writes what these read, and nobody else. */
const OURS =
  /^src\/(cli|operations)\/|^src\/(content|content-check|content-file|guidance|settings|source-file)\.ts$|^src\/servicedesk\/(example\/|hours)|^src\/web\/browser\//;
/** The last is as many characters as a message from Teams may have; a short text shows what would never end on that. */
const LENGTHS = [25, 1_000, 30_000];
/** In milliseconds of CPU. What takes a step for each sign takes less than one; for each pair of signs, seconds. */
const SOON = 150;
/** Signs that expressions have names for, such as a digit or a letter. */
const SIGNS = Array.from('aZå0 \n\t-–.,:;/<>"\'&#()[]{}_@\u200b\u0301');
const ENDS = ['', '!'];

type Expression = { pattern: RegExp; where: string };

const files = ['src', 'dialogs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/')),
);

/** As they stand in the text. */
function written(file: string): Expression[] {
  const kind = file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true, kind);
  const found: Expression[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const [, pattern = '', flags] = /^\/(.*)\/([a-z]*)$/s.exec(node.text) ?? [];
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      found.push({ pattern: new RegExp(pattern, flags), where: `${file}:${line}` });
    }
    ts.forEachChild(node, look);
  };
  look(source);
  return found;
}

/** As they are put together when the product is loaded and its understanding made. */
async function puttingTogether(work: () => Promise<unknown>): Promise<Expression[]> {
  const found: Expression[] = [];
  const original = globalThis.RegExp;
  globalThis.RegExp = new Proxy(original, {
    construct(target, values: [string, string?], made) {
      const pattern = Reflect.construct(target, values, made) as RegExp;
      const [by = ''] = (new Error().stack ?? '')
        .split('\n')
        .filter((frame) => /^ +at (?!.*expressions\.test)/.test(frame));
      const [, file] = /\/((?:src|dialogs)\/[\w/-]+\.tsx?)/.exec(by) ?? [];
      if (file && !by.includes('node_modules'))
        found.push({ pattern: new original(values[0], values[1]), where: file });
      return pattern;
    },
  });
  try {
    await work();
  } finally {
    globalThis.RegExp = original;
  }
  return found;
}

/** What may make it go back and forth: signs, words of its own, and two of them in turn. */
function morselsOf({ source }: RegExp): string[] {
  const words = source.match(/[\p{L}\p{N}<>:/&#@-]{2,}/gu) ?? [];
  const own = [...new Set([...SIGNS, ...words.slice(0, 6)])];
  const signs = [...new Set(source)].filter((sign) => SIGNS.includes(sign) || /\p{L}/u.test(sign)).slice(0, 7);
  return [...own, ...signs.flatMap((one) => signs.map((other) => one + other)), '{{ ', '<at ', '-\u200b'];
}

/** On what, if on anything. */
function takesLongOn(pattern: RegExp): string | undefined {
  const everywhere = new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`);
  return morselsOf(pattern).find((morsel) =>
    LENGTHS.some((length) =>
      ENDS.some((end) => {
        const text = morsel.repeat(Math.ceil(length / morsel.length)) + end;
        const begun = process.cpuUsage();
        text.replace(everywhere, '');
        return process.cpuUsage(begun).user / 1_000 > SOON;
      }),
    ),
  );
}

it('finds those that do not', () => {
  const bad = [/\d+$/, /\s*,/, /(a+)+!$/];
  expect(bad.filter((pattern) => takesLongOn(pattern) === undefined)).toEqual([]);
});

it('ends in time on any text', async () => {
  const constructed = await puttingTogether(async () => {
    await import('../../src/cli/serve.ts');
    const { readUnderstanding } = await import('../product.ts');
    readUnderstanding();
  });
  expect(constructed.map(({ where }) => where)).toEqual(
    expect.arrayContaining(['src/masking.ts', 'src/understanding/dates.ts']),
  );
  const all = [...files.flatMap(written), ...constructed].filter(({ where }) => !OURS.test(where.replace(/:.*/, '')));
  expect(all.length).toBeGreaterThan(100);
  const once = new Map(all.map((each) => [String(each.pattern), each]));
  const slow = [...once.values()].flatMap((each) => {
    const morsel = takesLongOn(each.pattern);
    return morsel === undefined ? [] : [`${each.where} ${String(each.pattern)} on ${JSON.stringify(morsel)}`];
  });
  expect(slow).toEqual([]);
}, 240_000);
