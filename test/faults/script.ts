/** What a simulated student writes, and in which rounds. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { canaries } from '../canaries.ts';
import { root } from './built-product.ts';
import type { Chance } from './chance.ts';

export type Line = { text: string; hasSecret: boolean };

export const plain = (text: string): Line => ({ text, hasSecret: false });

export type Round =
  /** Written at once, one or several. One that is suggested is what the assistant suggested last, if it did. */
  | { kind: 'write'; lines: (Line | 'suggested')[]; waits: boolean }
  /**
   * Asks for a revocation, signs in as the holder, and says yes to the card. Who is in a hurry writes on meanwhile,
   * while the ledger is asked.
   */
  | { kind: 'revoke'; holder: string; wish: string; isHurried: boolean }
  /** Asks for a revocation of their own card, and does not give up before there is a receipt. */
  | { kind: 'revokeOwn'; who: string }
  /** Written once, when everything before is answered. After it the student only waits. */
  | { kind: 'last'; line: Line | 'suggested' };

/** How many messages a revocation takes: another for every code that came too late. */
export const REVOKING = 6;

/** Not one of these digits may be found in any row. They belong to nobody. */
export const secrets: readonly string[] = [...canaries.numbers, ...canaries.codes];

const withSecrets: readonly string[] = [
  '850709-9805',
  'jag har tappat kortet, mitt personnummer är 19990101-2384',
  'mitt nummer är 850769-9801 hittar ni mig?',
  'min pinkod 7 3 9 1 8 4 funkar inte',
  'pukkoden är 60413927 men kortet är ändå låst',
  'Mitt personnummer: ８５０７０９ ９８０５',
];

const always: readonly string[] = [
  ...['stopp', 'börja om', 'tillbaka', 'människa', 'ja', 'nej', 'vet inte', 'tack', 'Hej!', 'Vad kan du?'],
  ...['asdf qwer zxcv', '', '   ', '😭🤷‍♀️💳', "'; DROP TABLE messages; --", '{{receipt}} ${7*7} %s', 'لقد فقدت بطاقتي'],
  ...['jag har slagit fel kod tre gånger', 'jag har tappat kortet', 'I have lost my card', 'jag har skyddad identitet'],
  ...['när är sös öppet på onsdag?', 'när måste jag förnya kortet?', 'hur beställer jag kort?', 'kortet är trasigt'],
];

/** Who has a card that can be revoked on any day, and for which reason. */
const revocable: readonly { holder: string; wish: string }[] = [
  { holder: 'active', wish: 'kortet är stulet' },
  { holder: 'expiring', wish: 'Hej! någon har snott min väska med etjänstekortet i' },
  { holder: 'reserve', wish: 'kortet är stulet' },
  { holder: 'awaiting-handover', wish: 'någon har sett mina koder' },
  { holder: 'active', wish: 'nån har öppnat mitt kodbrev från telia' },
];

/** Whether it has a long number, which is masked or not by what is asked just then. */
export const mayBeMasked = (text: string): boolean => /\d\D{0,3}\d\D{0,3}\d/.test(text);

/** The examples that the editors have written, by what they mean. */
function readExamples(): Map<string, string[]> {
  const content = join(root, 'content');
  const all = readdirSync(content)
    .map((name) => join(content, name, 'utterances.yaml'))
    .filter((file) => existsSync(file))
    .flatMap((file) => Object.entries(parse(readFileSync(file, 'utf8')) as Intents));
  return new Map(
    all.flatMap(([intent, { examples = [] }]): [string, string[]][] => {
      const plain = examples.filter((text) => !mayBeMasked(text));
      return plain.length > 0 ? [[intent, plain]] : [];
    }),
  );
}

type Intents = Record<string, { examples?: string[] }>;

let read: Map<string, string[]> | undefined;
const examplesByIntent = () => (read ??= readExamples());
let examples: string[] | undefined;

/** What students can mean: every path begins with one of them. */
export const intents = (): string[] => [...examplesByIntent().keys()];

function chooseLine(chance: Chance): Line | 'suggested' {
  if (chance.happens(0.3)) return 'suggested';
  if (chance.happens(0.06)) return { text: chance.oneOf(withSecrets), hasSecret: true };
  examples ??= [...examplesByIntent().values()].flat();
  return { text: chance.oneOf(chance.happens(0.3) ? always : examples), hasSecret: false };
}

/** `nth` decides the habits: of five students two write in bursts, and one signs in. */
export function writeScript(chance: Chance, nth: number, messages: number): Round[] {
  const bursts = nth % 5 === 2 || nth % 5 === 4;
  const revokes = nth % 5 === 3 && messages > REVOKING + 1;
  const rounds: Round[] = [];
  let left = messages - (revokes ? REVOKING : 0) - (bursts ? 0 : 1);
  while (left > 0) {
    const size = bursts ? Math.min(left, 1 + chance.below(6)) : 1;
    const lines = Array.from({ length: size }, () => chooseLine(chance));
    rounds.push({ kind: 'write', lines, waits: !bursts || chance.happens(0.5) });
    left -= size;
  }
  if (revokes) {
    const revoke = { ...chance.oneOf(revocable), isHurried: chance.happens(0.5) };
    // In the first half, since a request whose process was killed is left alone for a while.
    rounds.splice(1 + chance.below(rounds.length / 2), 0, { kind: 'revoke', ...revoke });
  }
  if (!bursts) rounds.push({ kind: 'last', line: chooseLine(chance) });
  return rounds;
}

/**
 * Begins with what the `nth` path begins with, goes where it is led, and now and then elsewhere. `who` is a person who
 * revokes their own card in the middle of it, if anybody is.
 */
export function writePath(chance: Chance, nth: number, messages: number, who: string | undefined): Round[] {
  const all = intents();
  const openings = examplesByIntent().get(all[nth % all.length] ?? '') ?? [];
  const rounds: Round[] = [
    { kind: 'write', lines: [plain(chance.oneOf(openings))], waits: true },
    { kind: 'write', lines: ['suggested'], waits: true },
  ];
  for (let left = messages - rounds.length - 1; left > 0;) {
    const size = chance.happens(0.2) ? Math.min(left, 2 + chance.below(2)) : 1;
    const lines = Array.from({ length: size }, () => (chance.happens(0.4) ? 'suggested' : chooseLine(chance)));
    rounds.push({ kind: 'write', lines, waits: size === 1 || chance.happens(0.5) });
    left -= size;
  }
  if (who !== undefined) rounds.splice(1 + chance.below(rounds.length), 0, { kind: 'revokeOwn', who });
  rounds.push({ kind: 'last', line: chooseLine(chance) });
  return rounds;
}
