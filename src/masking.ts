/**
 * The door: what is kept of a message is what it lets through.
 *
 * A personnummer never passes. Any other number of four digits or more is
 * stopped where it may be a PIN or a PUK. In doubt it is stopped: a date that
 * was lost can be asked for again, a code that was kept is known to others.
 *
 * A number is found whichever way it is typed, so the message is first read
 * plainly: digits of every script as 0–9, letters without case and accents,
 * and nothing of what is not seen.
 */
import type { Asks } from '../dialogs/vocabulary.ts';

/** What the question that is open lets through: dates that could be codes, no digits that could be codes, or neither. */
export type Door = 'dates' | 'codes' | 'open';
export type Masked = { text: string; isMasked: boolean };

const ABOUT_CODES: ReadonlySet<Asks | undefined> = new Set<Asks>([
  'codesArrived',
  'hasPinCodes',
  'hasPuk',
  'readiness',
  'wrongPin',
]);
const ABOUT_DATES: ReadonlySet<Asks | undefined> = new Set<Asks>([
  'expiresOn',
  'hasExpired',
  'hasOldCertificate',
  'issuedOn',
  'orderedBeforeChange',
  'orderedOn',
]);

/** How many characters there may be between a number and the word that makes a code of it. */
const NEAR = 60;

export function doorOf(asked: Asks | undefined): Door {
  if (ABOUT_DATES.has(asked)) return 'dates';
  return ABOUT_CODES.has(asked) ? 'codes' : 'open';
}

export function mask(text: string, asked: Asks | undefined, replacement: string): Masked {
  return maskAt(doorOf(asked), read(text), replacement);
}

/** For when the question that will be open is not known yet. */
export function maskForAny(text: string, replacement: string): Record<Door, Masked> {
  const typed = read(text);
  return {
    dates: maskAt('dates', typed, replacement),
    codes: maskAt('codes', typed, replacement),
    open: maskAt('open', typed, replacement),
  };
}

function maskAt(door: Door, { plain, sources }: Typed, replacement: string): Masked {
  const secrets = secretsIn(plain, door);
  let masked = '';
  let end = 0;
  for (const { index, written } of secrets) {
    masked += sources.slice(end, index).join('') + replacement;
    end = index + written.length;
  }
  return { text: masked + sources.slice(end).join(''), isMasked: secrets.length > 0 };
}

const UNSEEN = String.raw`(?:[\p{M}\p{Default_Ignorable_Code_Point}]|(?!\s)\p{C})`;
const SIGN_AND_UNSEEN = new RegExp(`.${UNSEEN}*`, 'gsu');
const EVERY_UNSEEN = new RegExp(UNSEEN, 'gu');

/** The message as plain signs, and what was typed for each of them. */
type Typed = { plain: string; sources: string[] };

function read(text: string): Typed {
  let plain = '';
  const sources: string[] = [];
  for (const [typed] of text.matchAll(SIGN_AND_UNSEEN)) {
    const signs = plainly(typed) || ' ';
    plain += signs;
    sources.push(typed, ...Array<string>(signs.length - 1).fill(''));
  }
  return { plain, sources };
}

const plainly = (typed: string): string =>
  typed
    .normalize('NFKD')
    .replace(EVERY_UNSEEN, '')
    .replace(/[\p{Pd}\u2212]/gu, '-')
    .replace(/\p{Nd}/gu, (digit) => String(valueOf(digit)))
    .toLowerCase();

/** Every script has its ten digits in a row. */
function valueOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let below = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - below - 1))) below++;
  return below % 10;
}

/** Any one sign may stand between digits that are spelled out, and before the last four of a personnummer. */
const ODD_SIGN = String.raw`\s?[^\p{L}\p{N}\s]\s?`;
const SIGNS = String.raw`[\s.+-]{0,5}`;
const BETWEEN = String.raw`${SIGNS}|(?<=\d{6})${ODD_SIGN}(?=\d{4}(?!\d))`;
const NUMBER = new RegExp(String.raw`(?<!\d)\d(?:${ODD_SIGN}\d(?!\d)){3,}|\d(?:(?:${BETWEEN})\d){3,}`, 'gu');

/** Month, day (60 more in a samordningsnummer) and four digits: looked for anywhere in a number, however mistyped. */
const PERSONAL_NUMBER = /\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[1278]\d|[39][01]|6[1-9])\d{4}/;
/** SE, ten digits and an ending, unless a personnummer is hidden in the ending or goes on from there. */
const HSA_ID = new RegExp(
  String.raw`se\d{10}-(?![a-z0-9]{0,8}${PERSONAL_NUMBER.source})[a-z0-9]{1,18}(?![\p{L}\p{N}]|${SIGNS}\d)`,
  'gu',
);
const CODE_WORD = /pin|puk|kod|code/;

type Found = { index: number; written: string };

function secretsIn(plain: string, door: Door): Found[] {
  const known = plain.replace(HSA_ID, veiled);
  const others = known.replace(NUMBER, (written) =>
    holdsPersonalNumber(written) ? TAKEN.repeat(written.length) : written,
  );
  const undated = others.replace(door === 'dates' ? ANSWERED_DATE : WRITTEN_DATE, veiled);
  return [
    ...numbersIn(known).filter(({ written }) => holdsPersonalNumber(written)),
    ...(door === 'codes' ? numbersIn(undated) : numbersNearCodeWords(undated)),
  ].sort((one, other) => one.index - other.index);
}

const numbersIn = (text: string): Found[] =>
  [...text.matchAll(NUMBER)].map(({ 0: written, index }) => ({ index, written }));

const holdsPersonalNumber = (written: string): boolean => PERSONAL_NUMBER.test(written.replace(/\D/g, ''));

/** Distance is counted without the numbers themselves, so that it is no shorter once they are masked. */
function numbersNearCodeWords(text: string): Found[] {
  const between = text.split(NUMBER).map((each) => each.replaceAll(TAKEN, ''));
  const gist = between.join(' ');
  const isNear = new Uint8Array(gist.length);
  for (const { 0: word, index } of gist.matchAll(/\p{L}+/gu)) {
    if (CODE_WORD.test(word)) isNear.fill(1, Math.max(0, index - NEAR - 1), index + word.length + NEAR + 1);
  }
  let place = -1;
  return numbersIn(text).filter((_, nth) => {
    place += (between[nth]?.length ?? 0) + 1;
    return isNear[place] === 1;
  });
}

/** Stand for what is no code, or is masked already, sign by sign. Nothing that is read plainly holds them. */
const VEIL = '\u0001';
const TAKEN = '\0';
const veiled = (written: string): string => VEIL.repeat(written.length);

const YEAR = String.raw`20[1-3]\d`;
const MONTH = '(?:0[1-9]|1[0-2])';
const DAY = String.raw`(?:0[1-9]|[12]\d|3[01])`;
const MONTH_NAME = monthNames().join('|');

/** 2022-05-04, 18/2 2020 and 4 maj 2022: written so that it is no code. */
const WRITTEN = [
  ...numeric(`${YEAR}-${MONTH}-${DAY}`, String.raw`(?:${DAY}|\d)/(?:${MONTH}|\d)[\s/-]${YEAR}`),
  String.raw`(?<!\p{L})(?:${MONTH_NAME})[.,]?\s?${YEAR}(?!${SIGNS}\d)`,
];
/** Whatever may be the date that was asked for, from a year on. */
const ANSWERED = numeric(
  String.raw`(?:${DAY}|\d)[\s./-]\s?(?:${MONTH}|\d)[\s./-]\s?${YEAR}`,
  String.raw`(?:(?:${DAY}[\s./-]?)?${MONTH}[\s./-]?)?${YEAR}`,
  String.raw`${YEAR}[\s./-]?${MONTH}(?:[\s./-]?${DAY})?`,
  String.raw`${DAY}[\s./-]?${MONTH}[\s./-]?[1-3]\d`,
  String.raw`[1-3]\d[\s./-]?${MONTH}[\s./-]?${DAY}`,
);
const WRITTEN_DATE = new RegExp(WRITTEN.join('|'), 'gu');
const ANSWERED_DATE = new RegExp([...WRITTEN, ...ANSWERED].join('|'), 'gu');

/** What is part of a longer number is no date. */
function numeric(...shapes: string[]): string[] {
  return shapes.map((shape) => String.raw`(?<!\d${SIGNS})(?:${shape})(?!${SIGNS}\d)`);
}

function monthNames(): string[] {
  const formats = (['long', 'short'] as const).map(
    (month) => new Intl.DateTimeFormat('sv-SE', { month, timeZone: 'UTC' }),
  );
  const months = Array.from({ length: 12 }, (_, month) => Date.UTC(2022, month));
  return formats.flatMap((format) => months.map((month) => format.format(month).replace(/\P{L}/gu, '')));
}
