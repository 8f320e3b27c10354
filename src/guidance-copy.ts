/**
 * A copy of a page of guidance, read as paragraphs: as text with one on each
 * row, or as HTML that a browser has saved.
 *
 * HTML is read for what a reader would see as a paragraph, by its block
 * elements. What a page folds away is read, since guidance lies there; its
 * navigation is not.
 */
import type { Day } from '../dialogs/card-validity.ts';

/** `at` is the row of the copy that it begins on. What is beside the main part of a page is often not of its own. */
export type Copied = { text: string; at: number; isBeside: boolean };

/** Nothing, where the file is of another kind or has no text. */
export function readCopy(bytes: Uint8Array): Copied[] | undefined {
  const text = decoded(bytes);
  if (text === undefined) return undefined;
  const copied = /<(?:!doctype|html|body|p|div|li|h[1-6])\b/i.test(text) ? paragraphsOfHtml(text) : rowsOf(text);
  return copied.length > 0 ? copied : undefined;
}

/** As one writes it, but for what only a typesetter would see: kinds of space, marks of a list, and hyphens at a break. */
export const tidied = (text: string): string =>
  text
    .normalize('NFC')
    .replace(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/^(?:[•·▪◦‣●○*] ?|[–-] (?=\p{L}))/u, '');

/** A word, a number with what divides it, or one sign. */
export const TOKEN = /\d+(?:[:.,]\d+)+|[\p{L}\p{N}]+(?:[-‐‑][\p{L}\p{N}]+)*|[^\s\p{L}\p{N}]/gu;
export const isWord = (token: string): boolean => /[\p{L}\p{N}]/u.test(token);

/** The words and numbers of a text, in small letters. */
export const wordsIn = (text: string): string[] =>
  (tidied(text).toLocaleLowerCase('sv').match(TOKEN) ?? []).filter(isWord).map((word) => word.replace(/[‐‑]/g, '-'));

const months = new Map(
  Array.from({ length: 12 }, (_, month) => [
    new Intl.DateTimeFormat('sv-SE', { month: 'long', timeZone: 'UTC' }).format(Date.UTC(2022, month)),
    String(month + 1).padStart(2, '0'),
  ]),
);

export const isMonth = (word: string): boolean => months.has(word);

/** The first day that a text tells, as “22 mars 2022” or “2022-03-22”. */
export function dayIn(text: string): Day | undefined {
  const found = /(?<!\d)(?:(?<day>\d{1,2})\s+(?<month>\p{L}+)\s+(?<year>\d{4})|(?<iso>\d{4}-\d{2}-\d{2}))(?!\d)/u.exec(
    text,
  );
  const { day = '', month = '', year = '', iso } = found?.groups ?? {};
  const number = months.get(month.toLocaleLowerCase('sv'));
  const written = iso ?? (number && `${year}-${number}-${day.padStart(2, '0')}`);
  return written === undefined ? undefined : (written as Day);
}

/** A page that was saved long ago, or by an office program, may be in another encoding than UTF-8. */
function decoded(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  // What is no text has such a byte among its first: a PDF, say, or a document of Word.
  if (bytes.subarray(0, 4_000).includes(0) || /^(?:%PDF|PK)/.test(String.fromCharCode(...bytes.subarray(0, 4)))) {
    return undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes)
      .toString('latin1')
      .replace(/[\u0080-\u009f]/g, inWindows);
  }
}

/** What Windows has where Unicode has no signs; HTML means that as well by such a number. Node's decoder leaves them. */
const WINDOWS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
const inWindows = (sign: string): string => WINDOWS[sign.charCodeAt(0) - 0x80] ?? sign;

const rowsOf = (text: string): Copied[] =>
  text
    .split(/\r\n|[\n\r\v\f\u2028\u2029]/)
    .map((row, index) => ({ text: tidied(row), at: index + 1, isBeside: false }))
    .filter((row) => row.text !== '');

const BLOCKS = new Set(
  (
    'address article aside blockquote body br caption center dd details dialog div dl dt fieldset figcaption figure ' +
    'footer form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol option p pre section summary table tbody td ' +
    'tfoot th thead tr ul'
  ).split(' '),
);
/** Nothing in these is markup, until they end. */
const RAW = new Set(['iframe', 'noscript', 'script', 'style', 'textarea', 'title', 'xmp']);
const UNREAD = new Set(['nav', 'svg', 'template']);

const MARKUP = /<!--|<[!?]|<(?<end>\/?)(?<name>[a-z][a-z\d:-]*)/iy;

/** Where what begins there has ended. What never ends is the rest, as it is to a browser. */
function endOfMarkup(html: string, from: number, opening: string): number {
  if (opening === '<!--') {
    const end = html.indexOf('-->', from + opening.length);
    return end < 0 ? html.length : end + 3;
  }
  let quote = '';
  for (let index = from + opening.length; index < html.length; index++) {
    const sign = html[index] ?? '';
    if (quote !== '') quote = sign === quote ? '' : quote;
    else if (sign === '>') return index + 1;
    else if (/["']/.test(sign) && html[index - 1] === '=') quote = sign;
  }
  return html.length;
}

function paragraphsOfHtml(html: string): Copied[] {
  const paragraphs: Copied[] = [];
  let [text, begins, depth, row, mains] = ['', 1, 0, 1, 0];
  const end = () => {
    const whole = tidied(text);
    if (whole !== '') paragraphs.push({ text: whole, at: begins, isBeside: mains === 0 });
    text = '';
  };
  const add = (written: string) => {
    if (depth === 0 && text.trim() === '') begins = row + (/^\s*/.exec(written)?.[0].split('\n').length ?? 1) - 1;
    if (depth === 0) text += charactersIn(written);
    row += written.split('\n').length - 1;
  };

  for (let index = 0; index < html.length;) {
    MARKUP.lastIndex = index;
    const { 0: opening = '', groups = {} } = MARKUP.exec(html) ?? {};
    if (opening === '') {
      const next = html.indexOf('<', index + 1);
      const written = html.slice(index, next < 0 ? undefined : next);
      add(written);
      index += written.length;
      continue;
    }
    const markup = html.slice(index, endOfMarkup(html, index, opening));
    const name = groups.name?.toLowerCase() ?? '';
    const opens = groups.end === '';
    let skipped = markup;
    if (opens && RAW.has(name)) {
      const rest = html.slice(index + markup.length);
      const closing = rest.toLowerCase().indexOf(`</${name}`);
      skipped += closing < 0 ? rest : rest.slice(0, closing);
    }
    if (BLOCKS.has(name)) end();
    if (name === 'main') mains = Math.max(0, mains + (opens ? 1 : -1));
    if (UNREAD.has(name) && !markup.endsWith('/>')) depth = Math.max(0, depth + (opens ? 1 : -1));
    row += skipped.split('\n').length - 1;
    index += skipped.length;
  }
  end();
  const hasMain = paragraphs.some(({ isBeside }) => !isBeside);
  return hasMain ? paragraphs : paragraphs.map((paragraph) => ({ ...paragraph, isBeside: false }));
}

/** Named characters from 160 on, in their order; and some that are elsewhere. */
const LATIN = (
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro ' +
  'para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil ' +
  'Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave ' +
  'Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml ' +
  'igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute ' +
  'thorn yuml'
).split(' ');
const NAMED = new Map([
  ...LATIN.map((name, index) => [name, String.fromCharCode(160 + index)] as const),
  ...Object.entries({
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    apos: "'",
    ndash: '–',
    mdash: '—',
    lsquo: '‘',
    rsquo: '’',
    sbquo: '‚',
    ldquo: '“',
    rdquo: '”',
    bdquo: '„',
    bull: '•',
    hellip: '…',
    rarr: '→',
    euro: '€',
    ensp: ' ',
    emsp: ' ',
    thinsp: ' ',
    zwj: '',
    zwnj: '',
  }),
]);

function charactersIn(text: string): string {
  return text.replace(
    /&(?:#x(?<hex>[0-9a-f]{1,6})|#(?<decimal>\d{1,7})|(?<name>[a-z]+\d*));/gi,
    (whole: string, ...rest) => {
      const { hex, decimal, name = '' } = rest.at(-1) as Record<string, string | undefined>;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      if (hex === undefined && decimal === undefined) return NAMED.get(name) ?? whole;
      return code > 0 && code <= 0x10ffff ? inWindows(String.fromCodePoint(code)) : whole;
    },
  );
}
