/**
 * What tests write in chats, sign in as, and set: none of it may be found in
 * any log, on any standard error, nor in any metric. When the last test is over
 * all that the services of the tests have written is looked through for it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A word that nobody needs, for whatever somebody could write, be called or have as a secret. */
export const CANARY = 'kanariefågel';

const ofWord = (word: string) => new RegExp(word, 'i');

/** A number, but no part of a longer one, nor the decimals of a measurement. */
const ofNumber = (number: string) => new RegExp(`(?<![\\d.])(?:${number})(?!\\d)`);

export type Canary = { what: string; is: RegExp };

export const canaries: readonly Canary[] = [
  { what: 'a canary', is: ofWord('kanarie') },
  { what: 'a secret of the tests', is: ofWord('hemlig') },
  // What we log is English, in ASCII, and what people write is Swedish.
  { what: 'Swedish', is: /[åäö]/i },
  {
    what: 'a message',
    is: /slagit fel|tappat (?:bort|kort)|stulet|mitt kort|mina koder|min (?:pin|puk)|lost my card|drop table|asdf qwer/i,
  },
  {
    what: 'a personnummer',
    is: ofNumber('(?:19|20)\\d\\d(?:0[1-9]|1[0-2])(?:0[1-9]|[1-3]\\d|[6-9]\\d)[-+ ]?\\d{4}'),
  },
  { what: 'a personnummer', is: ofNumber('\\d{6}[-+]\\d{4}') },
  { what: 'a personnummer', is: ofNumber('8507099805|8507699801|6408233234|1212121212') },
  { what: 'a pin or a puk', is: ofNumber('739184|60413927') },
  { what: 'a pin or a puk', is: /\b(?:pin|puk)\w*\W{1,3}\d{4}/i },
  { what: 'the number of a card', is: ofNumber('9752\\d{12}') },
  { what: 'a signed token', is: /eyJ[\w-]{8,}\.[\w-]{8,}/ },
  { what: 'a token', is: /\bbearer [\w.~+/=-]{8,}/i },
  { what: 'a cookie', is: /kortlotsen-[\w-]+=/ },
  { what: 'an address with what is secret in it', is: /[?&](?:challenge|state|code|token|t)=/ },
  // But for the example that is given to whoever has written one that is none.
  { what: 'the password of a database', is: /postgres(?:ql)?:\/\/(?!user:password@)[^:@/\s"]*:[^@\s"]+@/ },
  { what: 'a conversation, as its channel calls it', is: /"conversation":|bot\/\w+\/|\b(?:a:1|19:|29:)[\w-]{8,}/ },
];

export type Found = { file: string; line: number; what: string; text: string };

/** Looks through every file of a folder. */
export function findCanaries(folder: string): Found[] {
  const any = new RegExp(canaries.map(({ is }) => `(?:${is.source})`).join('|'), 'i');
  return readdirSync(folder).flatMap((name) => {
    const file = join(folder, name);
    const written = readFileSync(file, 'utf8');
    if (!any.test(written)) return [];
    return written.split('\n').flatMap((text, index) => {
      const found = canaries.find(({ is }) => is.test(text));
      return found ? [{ file, line: index + 1, what: found.what, text }] : [];
    });
  });
}

/** In one sentence each, for whoever has to find where it comes from. */
export const toldOf = (found: readonly Found[]): string =>
  [
    `What services of the tests have written holds what nobody may read there, on ${found.length} lines:`,
    ...found.slice(0, 20).map(({ file, line, what, text }) => `${file}:${line} has ${what}: ${text.slice(0, 300)}`),
  ].join('\n');
