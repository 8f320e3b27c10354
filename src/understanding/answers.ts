/**
 * Answers to what a state asks, read from the words in `content/answers.yaml`.
 *
 * A question is answered by its own words first, by a plain yes or no after
 * that. The longer phrase is the truer one, so that “inte kvar” is not “kvar”.
 * A yes to a revocation is read by a stricter law: it has to be nothing else.
 */
import { z } from 'zod';
import type { Day, Span } from '../../dialogs/card-validity.ts';
import type { Asks, Fact, Known } from '../../dialogs/vocabulary.ts';
import { type Problem, readYaml, type SourceFile } from '../source-file.ts';
import type { DateReader } from './dates.ts';
import { foldedWordsIn } from './words.ts';
import { compile, finderOf, type Phrase, standsAt } from './phrases.ts';

/** `isPlain` says that the message begins with a yes or no, `isWhole` that it is an answer and little else. */
export type AnswerRead = { told: Known | 'yes' | 'no'; isPlain: boolean; isWhole: boolean };

export type Command = (typeof commands)[number];

export type AnswerReader = {
  /** What a message tells of the fact that is asked for, if it tells anything. */
  answer(text: string, asks: Asks, today: Day): AnswerRead | undefined;
  /** What a message tells of its own accord, whatever it is about. */
  volunteered(text: string, today: Day): Known;
  command(text: string): Command | undefined;
  /** A message that is a plain yes or no, when nothing was asked. */
  agreement(text: string): 'yes' | 'no' | undefined;
  /** Everything that was suggested, at once: “båda”. */
  isAll(text: string): boolean;
  /** What stands after a change of mind, and counts: “nej vänta, jag hittade det”. */
  corrected(text: string): string | undefined;
  /** Finds the words between two wishes. */
  links: RegExp;
  /** The place in a list that a message points at, from 0: “den andra”. */
  ordinal(text: string): number | undefined;
};

const Phrases = z.array(z.coerce.string().min(1));
const commands = [
  'cancel',
  'startOver',
  'back',
  'help',
  'human',
  'signOut',
  'forgetMe',
  'remindMe',
  'stopReminding',
] as const;
const dateFacts = ['expiresOn', 'issuedOn', 'orderedOn'] as const;
type DateFact = (typeof dateFacts)[number];
const Values = z.record(z.string(), Phrases);

const Answers = z.strictObject({
  yes: Phrases,
  no: Phrases,
  unknown: Phrases,
  commands: z.strictObject(
    Object.fromEntries(commands.map((each) => [each, Phrases])) as Record<Command, typeof Phrases>,
  ),
  ordinals: z.array(Phrases),
  all: Phrases,
  corrections: Phrases,
  links: Phrases,
  confirmation: z.strictObject({ yes: Phrases, filler: Phrases, no: Phrases }),
  facts: z.record(
    z.string(),
    z.strictObject({ says: Values, volunteers: Values.optional(), unless: Values.optional() }),
  ),
  dates: z.strictObject({ expiresOn: Phrases, issuedOn: Phrases, orderedOn: Phrases }),
  past: Phrases,
});

/** Questions that a date answers as well as a yes or no. */
const datesFor: Partial<Record<Asks, DateFact>> = { hasExpired: 'expiresOn', hasOldCertificate: 'issuedOn' };

/** A message of so few words is all answer, or all yes or no. */
const WORDS_OF_AN_ANSWER = 5;
const WORDS_OF_AN_AGREEMENT = 2;
/** How far before a date, in characters, the word stands that says what the date is about. */
const REACH_OF_A_CUE = 40;

export function createAnswerReader(file: SourceFile, dates: DateReader): AnswerReader {
  const problems: Problem[] = [];
  const { data } = readYaml(Answers, file, problems);
  if (!data)
    throw new Error(problems.map(({ line, about, detail }) => `${file.name}:${line} ${about} ${detail}`).join('\n'));

  const yes = compile(data.yes);
  const no = compile(data.no);
  const unknown = compile(data.unknown);
  const past = compile(data.past);
  const said = new Map(
    Object.entries(data.facts).map(([fact, { says, unless }]) => [fact, compileValues(says, unless)]),
  );
  const offered = Object.entries(data.facts).map(
    ([fact, { volunteers = {}, unless }]) => [fact, compileValues(volunteers, unless)] as const,
  );
  const cues = dateFacts.map((fact) => [fact, compile(data.dates[fact])] as const);
  const confirming = {
    yes: compile(data.confirmation.yes),
    allowed: compile([...data.confirmation.yes, ...data.confirmation.filler]),
    no: compile(data.confirmation.no),
  };
  const ordered = commands.map((each) => [each, wholeOf(data.commands[each])] as const);
  const all = wholeOf(data.all);
  const ordinals = data.ordinals.map(wholeOf);
  const corrections = finderOf(data.corrections);

  const plain = (words: readonly string[]): 'yes' | 'no' | 'unknown' | undefined => {
    if (longest(unknown, words) > 0) return 'unknown';
    const [first = ''] = words;
    if (longest(yes, [first]) > 0) return 'yes';
    if (longest(no, [first]) > 0) return 'no';
    const lengths = { yes: longest(yes, words), no: longest(no, words) };
    if (lengths.yes === lengths.no) return undefined;
    return lengths.yes > lengths.no ? 'yes' : 'no';
  };

  const confirmation = (words: readonly string[]): 'yes' | 'no' | undefined => {
    if (longest(confirming.no, words) > 0) return 'no';
    return longest(confirming.yes, words) > 0 && isMadeOf(confirming.allowed, words) ? 'yes' : undefined;
  };

  /** The first date that may be about a fact; that of an order or a card that exists lies behind us. */
  const readSpan = (text: string, words: readonly string[], fact: DateFact, today: Day, isAsked: boolean) => {
    const leaning = fact !== 'expiresOn' || longest(past, words) > 0 ? 'past' : 'future';
    const found = dates.read(text, today, leaning).find(({ start }) => {
      const cue = cueBefore(text, start, cues);
      return cue === fact || (isAsked && cue === undefined);
    });
    return found && (fact === 'expiresOn' ? found.span : upTo(found.span, today));
  };

  const dateAnswer = (text: string, words: readonly string[], fact: DateFact, today: Day) => {
    const span = readSpan(text, words, fact, today, true);
    if (span) return { [fact]: span };
    return longest(unknown, words) > 0 ? { [fact]: 'unknown' as const } : undefined;
  };

  const valueAnswer = (words: readonly string[], fact: string): string | undefined => {
    const own = said.get(fact) ?? [];
    const value = strongest(own, words);
    if (value !== undefined) return value;
    const general = plain(words);
    if (general === 'unknown' || general === undefined) return general;
    return isYesOrNo(own) || fact === 'readiness' ? String(general === 'yes') : undefined;
  };

  const answer = (text: string, words: readonly string[], asks: Asks, today: Day): AnswerRead['told'] | undefined => {
    if (asks === 'confirmation') return confirmation(words);
    if (asks === 'signInCode') return undefined;
    if (isDateFact(asks)) return dateAnswer(text, words, asks, today);
    const dated = datesFor[asks];
    const date = dated && dateAnswer(text, words, dated, today);
    if (date && asks !== 'readiness' && !Object.values(date).includes('unknown')) {
      const own = strongest(said.get(asks) ?? [], words);
      return own ? { ...date, ...told(asks, own) } : date;
    }
    const value = valueAnswer(words, asks);
    if (value === undefined) return undefined;
    return asks === 'readiness' ? readinessOf(value) : told(asks, value);
  };

  return {
    answer(text, asks, today) {
      const words = foldedWordsIn(text);
      const found = answer(text, words, asks, today);
      if (found === undefined) return undefined;
      const isPlain = plain(words.slice(0, 1)) !== undefined;
      const isWhole = isPlain || words.length <= WORDS_OF_AN_ANSWER || endsIn(unknown, words);
      return { told: found, isPlain, isWhole };
    },
    volunteered(text, today) {
      const words = foldedWordsIn(text);
      const values = offered.flatMap(([fact, own]) => {
        const value = strongest(own, words);
        return value === undefined ? [] : [told(fact as Fact, value)];
      });
      const dated = dateFacts.flatMap((fact) => {
        const span = readSpan(text, words, fact, today, false);
        return span ? [{ [fact]: span }] : [];
      });
      return Object.assign({}, ...values, ...dated) as Known;
    },
    command(text) {
      const whole = folded(text);
      return ordered.find(([, phrases]) => phrases.has(whole))?.[0];
    },
    agreement(text) {
      const words = foldedWordsIn(text);
      const said = plain(words.slice(0, 1));
      return words.length <= WORDS_OF_AN_AGREEMENT && said !== 'unknown' ? said : undefined;
    },
    links: finderOf(data.links),
    isAll: (text) => all.has(folded(text)),
    corrected(text) {
      const [found] = [...text.matchAll(corrections)].slice(-1);
      const rest = found && text.slice(found.index + found[0].length);
      return rest && foldedWordsIn(rest).length > 0 ? rest : undefined;
    },
    ordinal(text) {
      const whole = folded(text);
      const place = ordinals.findIndex((phrases) => phrases.has(whole));
      return place < 0 ? undefined : place;
    },
  };
}

type Value = { value: string; phrases: Phrase[]; unless: Phrase[] };

/** Of texts that are meant as a whole; folded once, since every message is held against all of them. */
const wholeOf = (phrases: readonly string[]): ReadonlySet<string> => new Set(phrases.map(folded));

const folded = (text: string): string => foldedWordsIn(text).join(' ');

const compileValues = (values: Record<string, string[]>, unless: Record<string, string[]> = {}): Value[] =>
  Object.entries(values).map(([value, phrases]) => ({
    value,
    phrases: compile(phrases),
    unless: compile(unless[value] ?? []),
  }));

const isYesOrNo = (values: readonly Value[]) => values.some(({ value }) => value === 'true');

/** The value whose longest phrase is found; none, if two are equally long. */
function strongest(values: readonly Value[], words: readonly string[]): string | undefined {
  const lengths = values
    .filter(({ unless }) => longest(unless, words) === 0)
    .map(({ value, phrases }) => ({ value, length: longest(phrases, words) }))
    .filter(({ length }) => length > 0)
    .sort((one, other) => other.length - one.length);
  const [first, second] = lengths;
  return first && first.length !== second?.length ? first.value : undefined;
}

/** How many words the longest phrase has that is found. */
function longest(phrases: readonly Phrase[], words: readonly string[]): number {
  return Math.max(
    0,
    ...phrases.filter((phrase) => words.some((_, at) => standsAt(phrase, words, at))).map(({ length }) => length),
  );
}

const endsIn = (phrases: readonly Phrase[], words: readonly string[]): boolean =>
  phrases.some((phrase) => standsAt(phrase, words, words.length - phrase.length));

/** Every word belongs to one of the phrases. */
function isMadeOf(phrases: readonly Phrase[], words: readonly string[]): boolean {
  const covered = new Set<number>();
  words.forEach((_, at) => {
    for (const phrase of phrases)
      if (standsAt(phrase, words, at)) phrase.forEach((_word, offset) => covered.add(at + offset));
  });
  return covered.size === words.length;
}

/** Which fact a date is about: the one whose word stands nearest before it. */
function cueBefore(
  text: string,
  start: number,
  cues: readonly (readonly [DateFact, Phrase[]])[],
): DateFact | undefined {
  const before = foldedWordsIn(text.slice(Math.max(0, start - REACH_OF_A_CUE), start));
  for (let from = before.length - 1; from >= 0; from--) {
    const found = cues.find(([, phrases]) => phrases.some((phrase) => standsAt(phrase, before, from)));
    if (found) return found[0];
  }
  return undefined;
}

const upTo = ({ from, to }: Span, today: Day): Span => ({ from, to: to > today && from <= today ? today : to });

const isDateFact = (asks: Asks): asks is DateFact => (dateFacts as readonly Asks[]).includes(asks);

function told(fact: Fact, value: string): Known {
  return { [fact]: value === 'true' ? true : value === 'false' ? false : value };
}

function readinessOf(value: string): Known {
  if (value === 'unknown') return { cardReady: 'unknown', codesArrived: 'unknown' };
  return {
    cardReady: ['both', 'card', 'true'].includes(value),
    codesArrived: ['both', 'codes', 'true'].includes(value),
  };
}
