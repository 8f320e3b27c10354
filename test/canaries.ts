/**
 * What no log, no word on standard error and no metric may hold: who somebody
 * is, what they have written, and what is secret.
 *
 * Whatever starts the product in a test keeps what it has written (written.ts),
 * and all of that is scanned when the last test of a run is over. A canary is
 * found that a test has put into what it wrote, sent or set; and so is what
 * looks like a secret, and what the databases of the tests hold of people.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const canaries = {
  /** Somewhere in every text, name, header, cookie and address that a test looks for afterwards. */
  word: /kanarie|canary-|hemligt/i,
  /** Of nobody: in what students write while processes are killed. */
  numbers: ['8507099805', '199901012384', '8507699801'],
  codes: ['739184', '60413927'],
  /** Of holders in the ledger, with which their names and their cards begin. */
  holder: 'ZQXV77',
  card: '9752268831',
  /** Of the invented holder who is protected. */
  protectedCard: '9752260000009090',
  azure: 'a-secret-of-azures-that-nobody-may-see',
  hub: 'the-secret-of-the-school',
  otherHub: 'the-secret-of-the-region',
};

/** A part of a longer name, as of one made by chance, is nothing. */
const apart = (shape: string): string => String.raw`(?<![\w.-])(?:${shape})(?![\w-])`;

const { word, codes, ...others } = canaries;
// So few digits are also among those of a long number.
const PLANTED = [word, new RegExp(Object.values(others).flat().join('|')), new RegExp(apart(codes.join('|')))];

const CENTURY = '(?:19|20)?';
/** With 60 more it is the day of a samordningsnummer. */
const DATE = String.raw`\d\d(?:0[1-9]|1[0-2])(?:[06][1-9]|[1278]\d|[39][01])`;

const LOOKS_LIKE: readonly (readonly [what: string, shape: RegExp])[] = [
  ['a personnummer', new RegExp(apart(String.raw`${CENTURY}${DATE}[-+]?\d{4}`))],
  ['a code of a card', /\b(?:pin|puk)(?:-?(?:kod|code))?(?:en)?(?: är| is|:)? ?\d{4,8}\b/i],
  ['a code to be typed back', new RegExp(apart('[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}'))],
  ['a signed token', /\beyJ[\w-]{15,}\.[\w-]+/],
  ['what proves who asks', /\b(?:bearer|basic) [\w+/~-]*(?:\d|\.[\w-]+\.)[\w.+/~-]*/i],
  ['a cookie', /\bcookie["']?[:=]|kortlotsen-(?:sign-in|desk|session)\w*=/i],
  ['a private key', /-----BEGIN|PRIVATE KEY/],
  // We say how such an address is written.
  ['a password in an address', /\/\/(?!user:password@)[^\s/@"]*:[^\s/@"]+@/],
  ['a secret in an address', /[?&](?:code|state|challenge|t|token|ticket|nonce|(?:client_)?secret|watermark)=[^&\s"]/],
  // The product itself logs in English, so that is somebody's.
  ['Swedish', /[åäö]|\\u00[ce][456]/i],
];

/** In Swedish and nobody's: what is wrong in the content, and where, for those who edit it. */
const OF_EDITORS = /"msg":"content is refused"|^content\/|^Innehållet/;
/** Of a metric, what is measured and of what; a number may be any. */
const VALUE_OF_METRIC = /^(?!#)(\S+(?:\{.*\})?) [^{}]*$/;

/** In characters. A shorter text may stand in a line by chance, and of a longer one its beginning is enough. */
const LEAST = 10;
const MOST = 24;
/** Somebody may have written what we call something, too, as `servicedesk`. */
const ONE_WORD = /^\p{L}+$/u;

/** Says what is found in a line, if something is. `people` is what is held of people: texts, names and secrets. */
export function createFinder(people: Iterable<string>): (line: string) => string | undefined {
  const beginnings = new Map<string, Set<string>>();
  for (const text of people) {
    // As it would be in an object of JSON.
    const written = JSON.stringify(text.trim()).slice(1, -1);
    if (written.length < LEAST || ONE_WORD.test(written)) continue;
    const first = written.slice(0, LEAST);
    beginnings.set(first, (beginnings.get(first) ?? new Set()).add(written.slice(0, MOST)));
  }
  const isSomebodys = (line: string): boolean =>
    [...line.matchAll(/(?<![\p{L}\p{N}])\S/gu)].some(({ index }) =>
      [...(beginnings.get(line.slice(index, index + LEAST)) ?? [])].some((text) => line.startsWith(text, index)),
    );
  return (line) => {
    if (PLANTED.some((each) => each.test(line))) return 'a canary';
    const shape = LOOKS_LIKE.find(([what, each]) => each.test(line) && !(what === 'Swedish' && OF_EDITORS.test(line)));
    return shape?.[0] ?? (isSomebodys(line) ? 'what a database holds of somebody' : undefined);
  };
}

/**
 * Everything that is found in a folder of what was written: which file, which line, and what. `people` are those of a
 * server that many tests share; what servers of their own held is in the folder.
 */
export function findCanaries(folder: string, people: ReadonlySet<string>): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const ofPeople = files.filter((path) => path.endsWith('.people'));
  const find = createFinder([
    ...people,
    ...ofPeople.flatMap((path) => JSON.parse(readFileSync(path, 'utf8')) as string[]),
  ]);
  const seen = new Map<string, string | undefined>();
  const found: string[] = [];
  for (const path of files.filter((each) => !ofPeople.includes(each))) {
    const isMetrics = path.endsWith('.metrics');
    for (const [index, written] of readFileSync(path, 'utf8').split('\n').entries()) {
      const line = isMetrics ? written.replace(VALUE_OF_METRIC, '$1') : written;
      // Of many metrics, and of many mistakes, there is the same line again.
      if (!seen.has(line)) seen.set(line, find(line));
      const what = seen.get(line);
      if (what) found.push(`${path.slice(folder.length + 1)}:${index + 1} has ${what}: ${written}`);
    }
  }
  return found;
}
