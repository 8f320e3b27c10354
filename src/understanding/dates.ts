/**
 * Dates as people write them: “18/2-20”, “i våras”, “typ tre veckor sen”.
 *
 * What is read is a span of days, as wide as the words leave open, so that
 * nothing is concluded from a precision that was never there. The words are in
 * `content/dates.yaml`; here is how they are put together. Of all the forms
 * that fit at a word the longest decides, also when what it says is no date:
 * “31 februari” is not read as February.
 */
import Holidays from 'date-holidays';
import { z } from 'zod';
import { addDays, addMonths, type Day, type Span } from '../../dialogs/card-validity.ts';
import { weekdayOf } from '../calendar.ts';
import { type Problem, readYaml, type SourceFile } from '../source-file.ts';

export type Leaning = 'past' | 'future';

/** `start` and `end` are positions in the text as it was given. */
export type FoundDate = { span: Span; start: number; end: number };

export type DateReader = {
  /** The dates of a text, in order. `leaning` tells which of its days a bare “18 februari” or “på onsdag” is. */
  read(text: string, today: Day, leaning: Leaning): FoundDate[];
};

/** A date that begins later than this is not read; nobody's answer comes later. */
const LONGEST_TEXT = 1200;
const LONGEST_DATE = 100;

/** “Före 2020” and “efter 2020” reach this far, and nothing beyond is read. */
const EARLIEST: Day = '1990-01-01';
const LATEST: Day = '2099-12-31';

/** How long a unit is, and how many days off it may be: people count days, and guess the rest. */
const UNITS = {
  day: { months: 0, days: 1, slack: 0 },
  week: { months: 0, days: 7, slack: 3 },
  month: { months: 1, days: 0, slack: 10 },
  half_year: { months: 6, days: 0, slack: 31 },
  year: { months: 12, days: 0, slack: 183 },
} as const;
const SLACK_ABOUT_DAYS = 2;
const SLACK_ABOUT_A_DATE = 3;
const DAYS_OF_RECENTLY = 7;
const LONGEST_MONTH = 31;
/** Two digits are a year no further ahead than this: 27 is 2027, 85 is 1985. */
const YEARS_AHEAD = 20;

const Few = z.array(z.string().trim().min(1)).min(1);
const Steps = z.record(z.string().min(1), z.int());
const Name = z.strictObject({ names: Few, past: Few.optional(), short: Few.optional() });
/** As date-holidays writes them, of the kinds that Swedish days need. */
const Rule = z
  .string()
  .regex(
    /^(easter( -?\d{1,2})?|((mon|tues|wednes|thurs|fri|satur|sun)day after )?(0[1-9]|1[0-2])-([0-2][1-9]|[1-3]0|31))$/,
  );
const Occasion = Name.extend({
  from: Rule,
  before: Rule.optional(),
  either_year: z.boolean().optional(),
  term: z.boolean().optional(),
});

const Words = z.strictObject({
  months: z.array(Name).length(12),
  weekdays: z.array(Name).length(7),
  ordinals: z.array(Few).length(31),
  ordinal_endings: Few,
  numbers: z.record(z.string().min(1), z.number().positive()),
  and_a_half: Few,
  between_numbers: Few,
  units: z.strictObject({ day: Few, week: Few, month: Few, half_year: Few, year: Few, term: Few }),
  days: Steps,
  recently: Few,
  years: Steps,
  steps: Steps,
  seasons: z.array(Occasion).min(1),
  holidays: z.array(Occasion).min(1),
  words: z.strictObject({
    on: Few,
    in: Few,
    is: Few,
    the: Few,
    for: Few,
    ago: Few,
    ahead: Few,
    before: Few,
    after: Few,
    from: Few,
    between: Few,
    and: Few,
    to: Few,
    about: Few,
    exactly: Few,
    more_than: Few,
    less_than: Few,
    not: Few,
  }),
  not_dates: z.strictObject({ after: Few, before: Few, phrases: Few }),
});
type Words = z.infer<typeof Words>;
type Name = z.infer<typeof Name>;
type Occasion = z.infer<typeof Occasion>;
type Unit = keyof typeof UNITS;

type Now = { today: Day; leaning: Leaning };
type Parts = Partial<Record<string, string>>;
type Form = { pattern: RegExp; read(parts: Parts, now: Now): Span | undefined };
type Reading = { span: Span | undefined; end: number };

/** Throws one error with everything that is wrong in the file. */
export function createDateReader(file: SourceFile): DateReader {
  const problems: Problem[] = [];
  const { data } = readYaml(Words, file, problems);
  if (!data) {
    const listed = problems.map(
      ({ line, kind, about, detail = '' }) => `${file.name}:${line}: ${kind} ${about} ${detail}`,
    );
    throw new Error(`No dates can be read:\n${listed.join('\n')}`);
  }
  const phraseAt = phrasesOf(data.words, formsOf(data));

  return {
    read(text, today, leaning) {
      const { plain, places } = simplify(text.slice(0, LONGEST_TEXT + LONGEST_DATE));
      const placeOf = (index: number) => places[index] ?? text.length;
      const found: FoundDate[] = [];
      let done = 0;
      for (const { index } of plain.matchAll(TOKEN)) {
        if (index < done || placeOf(index) >= LONGEST_TEXT) continue;
        const phrase = phraseAt(plain, index, { today, leaning });
        if (!phrase) continue;
        done = phrase.end;
        if (phrase.span) found.push({ span: phrase.span, start: placeOf(index), end: placeOf(done) });
      }
      return found;
    },
  };
}

/** What stands at a place: a date, one that is turned (“före februari 2020”), or a range (“mellan 2019 och 2021”). */
function phrasesOf(words: Words['words'], forms: readonly Form[]) {
  const { not, before, after, from, about, between, and, to } = words;
  const turn = sticky(
    `(?:${anyOf(not, 'not')} )?(?:(?:${anyOf(before, 'before')}|${anyOf(after, 'after')}|${anyOf(from, 'from')}) )?` +
      `(?:${anyOf(about, 'about')} )?`,
  );
  const opening = sticky(`${anyOf(between)} `);
  const closing = sticky(`(?: ${anyOf([...and, ...to])} | ?- ?)`);
  const joining = sticky(`(?: ${anyOf(to)} | ?- ?)`);

  const dateAt = (text: string, at: number, now: Now): Reading | undefined => {
    let longest: { form: Form; match: Match } | undefined;
    for (const form of forms) {
      const match = matchAt(form.pattern, text, at);
      if (match && match.end > (longest?.match.end ?? at)) longest = { form, match };
    }
    return longest && { span: within(longest.form.read(longest.match.parts, now)), end: longest.match.end };
  };

  const turnedAt = (text: string, at: number, now: Now): Reading | undefined => {
    const turned = matchAt(turn, text, at);
    if (!turned || turned.end === at) return undefined;
    const date = dateAt(text, turned.end, now);
    return date && { span: date.span && within(turnedBy(turned.parts, date.span)), end: date.end };
  };

  const rangeAt = (text: string, at: number, date: Reading | undefined, now: Now): Reading | undefined => {
    const opened = matchAt(opening, text, at);
    const begin = opened?.end ?? at;
    const first = opened ? dateAt(text, begin, now) : date;
    const joint = first && matchAt(opened ? closing : joining, text, first.end);
    const last = joint && dateAt(text, joint.end, now);
    if (!last?.span) return last;
    // “Mellan november och februari 2020” says the year once.
    const isInOrder = first?.span && first.span.from <= last.span.from;
    const from = isInOrder ? first.span : dateAt(text, begin, { today: last.span.from, leaning: 'past' })?.span;
    return { span: from && within({ from: from.from, to: last.span.to }), end: last.end };
  };

  return (text: string, at: number, now: Now): Reading | undefined => {
    const date = dateAt(text, at, now);
    return [turnedAt(text, at, now), rangeAt(text, at, date, now)].reduce(
      (longest, each) => (each && each.end > (longest?.end ?? at) ? each : longest),
      date,
    );
  };
}

function turnedBy({ not, before, after, from, about }: Parts, date: Span): Span | undefined {
  if (not) return undefined;
  const span = about ? widened(date, Math.max(SLACK_ABOUT_A_DATE, Math.ceil(lengthOf(date) / 2))) : date;
  if (before) return { from: EARLIEST, to: addDays(span.from, -1) };
  if (after) return { from: addDays(span.to, 1), to: LATEST };
  if (from) return { from: span.from, to: LATEST };
  return span;
}

/** The forms of a single date. Among those that are equally long the first decides. */
function formsOf(data: Words): Form[] {
  const { units, words } = data;
  const occasions = occasionsOf([...data.seasons, ...data.holidays]);
  const months = data.months.map((month, index) => ({ ...month, recurring: every(monthOf(index + 1)) }));
  const terms = occasions.filter(({ term }) => term);

  const recurring = lexicon([...months, ...occasions].map((each) => [allOf(each), each.recurring]));
  const month = lexicon(data.months.map((each, index) => [allOf(each), index + 1]));
  const weekday = lexicon(data.weekdays.map((each, index) => [allOf(each), index + 1]));
  const ordinal = lexicon(data.ordinals.map((each, index) => [each, index + 1]));
  const number = lexicon(Object.entries(data.numbers).map(([word, meant]) => [[word], meant]));
  const day = lexicon(Object.entries(data.days).map(([word, by]) => [[word], by]));
  const step = lexicon(Object.entries(data.steps).map(([word, by]) => [[word], by]));
  const relativeYear = lexicon([
    ...Object.entries(data.years).map(([word, by]) => [[word], by] as const),
    ...Object.entries(data.steps).map(([word, by]) => [units.year.map((unit) => `${word} ${unit}`), by] as const),
  ]);
  const unit = lexicon((Object.keys(UNITS) as Unit[]).map((each) => [units[each], each]));

  const named = namesOf('names', [...months, ...occasions]);
  const steps = anyOf(step.words, 'step');
  const noAmount = `(?! ?${anyOf(data.not_dates.before)}${END})`;
  const year = `(?<year>${YEAR}|${anyOf(relativeYear.words)})${noAmount}`;
  const shortYear = `(?<mark> ?[-/']| |(?<=\\p{L}))(?<shortYear>\\d\\d)${noAmount}(?! ?${anyOf(month.words)}${END})`;
  const inYear = `(?:[,.]?(?: |[-/]|(?<=[\\p{L}.]))(?:${anyOf(units.year)} )?${year}|\\.?${shortYear})`;
  const maybeInYear = `(?:${inYear})?`;
  const on = anyOf(words.on);
  const into = anyOf(words.in);
  const maybeOn = `(?:(?:${on}|${into}) )?`;
  const the = `(?:${anyOf(weekday.words)},? )?(?:${anyOf(words.the)} )?`;
  const ending = ` ?${anyOf(data.ordinal_endings)}`;
  const date =
    `(?:(?<first>\\d\\d?)(?:${ending})?(?: ?- ?| ${anyOf([...words.and, ...words.to])} ))?` +
    `(?<date>\\d\\d?)(?:${ending})?`;
  const dateInMonth = `${maybeOn}${the}(?:${date}|${anyOf(ordinal.words, 'ordinal')}) ?${maybeOn}${anyOf(month.words, 'name')}`;
  const ofWeek = `(?:${maybeOn}${anyOf(weekday.words, 'weekday')} (?:${into} )?)?`;

  const count = `(?:\\d{1,3}(?:[.,]5)?|${anyOf(number.words)})`;
  const amount =
    `(?:(?<years>${count}) ${anyOf(units.year)}(?:,| ${anyOf(words.and)}) )?` +
    `(?<low>${count})(?<half> ${anyOf(data.and_a_half)})?` +
    `(?:(?: ?- ?| ${anyOf(data.between_numbers)} | )(?<high>${count}))? ?${anyOf(unit.words, 'unit')}`;
  const manner =
    `(?:(?:${anyOf(words.about, 'about')}|${anyOf(words.exactly, 'exactly')}` +
    `|${anyOf(words.more_than, 'more')}|${anyOf(words.less_than, 'less')}) )?`;
  const longAgo = `(?:${anyOf(words.for)} )?`;

  const yearIn = ({ year, shortYear = year }: Parts, today: Day): number | undefined => {
    const by = relativeYear.meaning(year);
    if (by !== undefined) return yearOf(today) + by;
    return shortYear === undefined ? undefined : fullYear(shortYear, today);
  };
  const dated = ({ each, inYear }: Recurring, parts: Parts, { today, leaning }: Now): Span | undefined => {
    const year = yearIn(parts, today);
    return year === undefined ? nearest(around(today, each), today, leaning) : inYear(year);
  };
  /** “Februari 20” is a day or a year, and nobody can tell; “hösten 20” is a year. */
  const datedForSure = (meant: Recurring, parts: Parts, now: Now): Span | undefined => {
    const span = dated(meant, parts, now);
    const isBare = parts.shortYear !== undefined && (parts.mark ?? '').trim() === '';
    return isBare && span && lengthOf(span) <= LONGEST_MONTH ? undefined : span;
  };
  const numbered = (parts: Parts, now: Now): Span | undefined => {
    const last = ordinal.meaning(parts.ordinal) ?? Number(parts.date);
    const monthNumber = month.meaning(parts.name) ?? Number(parts.month);
    return dated(every(daysOf(monthNumber, Number(parts.first ?? last), last)), parts, now);
  };
  const monthly = (parts: Parts, now: Now) => dated(every(monthOf(Number(parts.month))), parts, now);
  const recurringly = (parts: Parts, now: Now): Span | undefined => {
    const meant = recurring.meaning(parts.name);
    return meant && datedForSure(meant, parts, now);
  };
  const nextWeekday = (parts: Parts, { today, leaning }: Now) =>
    nearest(weekdaysAround(today, weekday.meaning(parts.weekday)), today, leaning);
  const lastWeekday = (parts: Parts, { today }: Now) =>
    stepFrom(today, -1, weekdaysAround(today, weekday.meaning(parts.weekday)));
  const inWeek = (parts: Parts, { today }: Now) =>
    weekdayIn(weekFrom(today, step.meaning(parts.step) ?? 0), weekday.meaning(parts.weekday));
  const numberIn = (text: string) => number.meaning(text) ?? Number(text.replace(',', '.'));
  const counted =
    (direction: 1 | -1) =>
    (parts: Parts, { today }: Now): Span => {
      const { years = '0', low = '0', half, high = low } = parts;
      const least = numberIn(low) + (half ? 0.5 : 0);
      const most = Math.max(least, numberIn(high));
      const amount = { unit: unit.meaning(parts.unit) ?? 'day', years: numberIn(years), least, most };
      return countedFrom(today, direction, amount, parts);
    };

  return [
    // plan 3, kod 2020, 24/7
    form(`${anyOf(data.not_dates.after)}(?: ${anyOf(words.is)})?:? ?\\d[-\\d./:]{0,20}`, () => undefined),
    form(anyOf(data.not_dates.phrases), () => undefined),
    // 2020-02-18, 20200218, 200218, 18.2.2020
    form(`(?<year>${YEAR}|\\d\\d)(?<mark>-?)(?<month>\\d\\d)\\k<mark>(?<date>\\d\\d)`, numbered),
    form(`(?<year>${YEAR})(?<mark>[-/. ])(?<month>\\d\\d?)\\k<mark>(?<date>\\d\\d?)`, numbered),
    form(`${the}(?<date>\\d\\d?)(?<mark>[-.])(?<month>\\d\\d?)\\k<mark>(?<year>${YEAR})`, numbered),
    form(`${the}(?<date>\\d\\d?)\\.(?<month>\\d\\d?)\\.(?<year>\\d\\d)`, numbered),
    // 2020-02, and as it is printed on a card: 02/2027, 02/27
    form(`(?<year>${YEAR})[-/](?<month>\\d\\d?)`, monthly),
    form(`(?<month>\\d\\d?)[-/](?<year>${YEAR})`, monthly),
    form('(?<month>\\d\\d?)/(?<year>1[3-9]|[2-9]\\d)', monthly),
    // 2019–2021
    form(`(?<first>${YEAR}) ?[-/] ?(?<last>${YEAR})`, ({ first, last }) =>
      hull(yearSpan(Number(first)), yearSpan(Number(last))),
    ),
    // 18/2, 18/2-20, 18–20/2; den 18:e februari 2020, artonde feb
    form(`${the}${date}/(?<month>\\d\\d?)${maybeInYear}`, numbered),
    form(`${dateInMonth}${maybeInYear}`, numbered),
    form(`${year},? ${dateInMonth}`, numbered),
    // den 18:e
    form(`${anyOf(words.the)} (?<date>\\d\\d?)${ending}${CLOSE}`, ({ date }, { today, leaning }) =>
      nearest(datesAround(today, Number(date)), today, leaning),
    ),
    // februari 2020, våren förra året, vintern 2019/20, julafton; jan 2020, i jan
    form(`${maybeOn}${named}(?: ${anyOf(units.month)})?(?:${inYear}(?:[-/](?:\\d\\d)?\\d\\d)?)?`, recurringly),
    form(`${namesOf('short', months)}${inYear}`, recurringly),
    form(`${into} ${namesOf('short', months)}`, recurringly),
    form(`^${namesOf('short', months)}${ALONE}`, recurringly),
    // förra året i mars
    form(`${year},? ${maybeOn}${named}`, recurringly),
    // i våras, i vår, förra våren, förra terminen
    form(`${into} ${namesOf('past', occasions)}`, ({ name }, { today }) => {
      const meant = recurring.meaning(name);
      return meant && lastOf(around(today, meant.each), today);
    }),
    form(`${into} ${namesOf('short', occasions)}${CLOSE}`, recurringly),
    form(`${steps} ${anyOf(recurring.words, 'name')}`, (parts, { today }) => {
      const meant = recurring.meaning(parts.name);
      return meant && steppedFrom(today, step.meaning(parts.step) ?? 0, meant.each);
    }),
    form(`${steps} ${anyOf(units.term)}`, (parts, { today }) => {
      const inOrder = terms.flatMap((term) => around(today, term.recurring.each)).sort(byFirstDay);
      return stepFrom(today, step.meaning(parts.step) ?? 0, inOrder);
    }),
    // 2020, i fjol, förra året; förra månaden
    form(`(?:${anyOf(units.year)} )?${year}`, (parts, { today }) => yearSpan(yearIn(parts, today) ?? 0)),
    form(`${steps} ${anyOf(units.month)}`, (parts, { today }) =>
      monthWith(addMonths(today, step.meaning(parts.step) ?? 0)),
    ),
    // vecka 48, på onsdag nästa vecka
    form(`${ofWeek}${anyOf(units.week)}\\.? ?(?<week>\\d\\d?)${maybeInYear}`, (parts, now) =>
      weekdayIn(datedForSure(every(weekOf(Number(parts.week))), parts, now), weekday.meaning(parts.weekday)),
    ),
    form(`${ofWeek}${steps} ${anyOf(units.week)}`, inWeek),
    // på onsdag, i onsdags, nästa onsdag
    form(`(?:${on} )?${namesOf('names', data.weekdays, 'weekday')}`, nextWeekday),
    form(`${on} ${namesOf('short', data.weekdays, 'weekday')}`, nextWeekday),
    form(`^${namesOf('short', data.weekdays, 'weekday')}${ALONE}`, nextWeekday),
    form(`(?:${into} )?${namesOf('past', data.weekdays, 'weekday')}`, lastWeekday),
    form(`${into} ${namesOf('short', data.weekdays, 'weekday')}`, lastWeekday),
    form(`(?:${on} )?${steps} ${namesOf('names', data.weekdays, 'weekday')}`, inWeek),
    // igår, nyss
    form(anyOf(day.words, 'day'), (parts, { today }) => oneDay(addDays(today, day.meaning(parts.day) ?? 0))),
    form(anyOf(data.recently), (_, { today }) => ({ from: addDays(today, -DAYS_OF_RECENTLY), to: today })),
    // för typ tre veckor sen, om ett halvår
    form(`${longAgo}${manner}${longAgo}${amount} ${anyOf(words.ago)}`, counted(-1)),
    form(`${anyOf(words.ahead)} ${manner}${amount}`, counted(1)),
  ];
}

/** Something that comes every year, or in some: the summer, week 53, the 29th of February. */
type Yearly = (year: number) => Span | undefined;

/** `inYear` is what is meant by it and a year: “vintern 2019” began in that year, or ended in it. */
type Recurring = { each: Yearly; inYear: Yearly };

const every = (yearly: Yearly): Recurring => ({ each: yearly, inYear: yearly });

/** Seasons, terms and named days, with their days as date-holidays works them out. */
function occasionsOf(occasions: readonly Occasion[]) {
  const calendar = new Holidays();
  for (const { from, before = from } of occasions) for (const rule of [from, before]) calendar.setHoliday(rule, rule);
  const years = new Map<number, Map<string, Day>>();
  const dayBy = (rule: string, year: number): Day | undefined => {
    if (year < yearOf(EARLIEST) || year > yearOf(LATEST)) return undefined;
    const known = years.get(year);
    const days = known ?? new Map(calendar.getHolidays(year).map((each) => [each.rule, each.date.slice(0, 10) as Day]));
    if (!known) years.set(year, days);
    return days.get(rule);
  };

  return occasions.map((occasion) => {
    const { from: begins, before: ends, either_year: isOfEitherYear } = occasion;
    const each: Yearly = (year) => {
      const from = dayBy(begins, year);
      if (!from || !ends) return oneDay(from);
      const before = [dayBy(ends, year), dayBy(ends, year + 1)].find((day) => day && day > from);
      return before && { from, to: addDays(before, -1) };
    };
    return {
      ...occasion,
      recurring: { each, inYear: isOfEitherYear ? (year: number) => hull(each(year - 1), each(year)) : each },
    };
  });
}

const oneDay = (day: Day | undefined): Span | undefined => day && { from: day, to: day };

const daysOf =
  (month: number, first: number, last = first): Yearly =>
  (year) => {
    const from = dayAt(year, month, first);
    const to = dayAt(year, month, last);
    return from && to && { from, to };
  };

const monthOf =
  (month: number): Yearly =>
  (year) => {
    const first = dayAt(year, month, 1);
    return first && monthWith(first);
  };

/** As in ISO 8601: the first week of a year is the one with 4 January in it. */
const weekOf =
  (week: number): Yearly =>
  (year) => {
    const span = weekFrom(`${year}-01-04`, week - 1);
    return week > 0 && yearOf(addDays(span.from, 3)) === year ? span : undefined;
  };

/** The month that a day is in. */
function monthWith(day: Day): Span {
  const from = addDays(day, 1 - Number(day.slice(8)));
  return { from, to: addDays(addMonths(from, 1), -1) };
}

const yearSpan = (year: number): Span => ({ from: `${year}-01-01`, to: `${year}-12-31` });

function weekFrom(day: Day, weeks: number): Span {
  const monday = addDays(day, 1 - weekdayOf(day) + 7 * weeks);
  return { from: monday, to: addDays(monday, 6) };
}

function weekdayIn(week: Span | undefined, weekday: number | undefined): Span | undefined {
  return week && weekday ? oneDay(addDays(week.from, weekday - 1)) : week;
}

function weekdaysAround(today: Day, weekday: number | undefined): Span[] {
  return [-1, 0, 1].flatMap((weeks) => weekdayIn(weekFrom(today, weeks), weekday) ?? []);
}

/** The days with a date in the months around a day. A month may lack it; the next one has it. */
function datesAround(today: Day, date: number): Span[] {
  const months = [-2, -1, 0, 1, 2].map((by) => addMonths(today, by));
  return months.flatMap((day) => daysOf(Number(day.slice(5, 7)), date)(yearOf(day)) ?? []);
}

/** A day that does not exist is none. */
function dayAt(year: number, month: number, date: number): Day | undefined {
  const time = new Date(Date.UTC(year, month - 1, date));
  const exists = time.getUTCMonth() === month - 1 && time.getUTCDate() === date;
  return exists ? (time.toISOString().slice(0, 10) as Day) : undefined;
}

function fullYear(digits: string, today: Day): number {
  const year = Number(digits);
  if (digits.length > 2) return year;
  return 2000 + year > yearOf(today) + YEARS_AHEAD ? 1900 + year : 2000 + year;
}

const yearOf = (day: Day): number => Number(day.slice(0, 4));

/** Its occurrences in the years around a day, in order; a leap day is among them. */
function around(today: Day, yearly: Yearly): Span[] {
  return [-4, -3, -2, -1, 0, 1, 2, 3, 4].flatMap((years) => yearly(yearOf(today) + years) ?? []);
}

/** The nearest in a direction. Today counts. */
function nearest(spans: readonly Span[], today: Day, leaning: Leaning): Span | undefined {
  return leaning === 'past' ? spans.findLast(({ from }) => from <= today) : spans.find(({ to }) => to >= today);
}

/** The last that is over. In November “i höstas” may also be what has been of this autumn. */
function lastOf(spans: readonly Span[], today: Day): Span | undefined {
  const last = stepFrom(today, -1, spans);
  const isUnderWay = stepFrom(today, 0, spans) !== undefined;
  return last && { from: last.from, to: isUnderWay ? today : last.to };
}

function stepFrom(today: Day, by: number, spans: readonly Span[]): Span | undefined {
  if (by < 0) return spans.filter(({ to }) => to < today).at(by);
  if (by > 0) return spans.filter(({ from }) => from > today).at(by - 1);
  return spans.find(({ from, to }) => from <= today && today <= to);
}

/** In April “nästa vår” is the one to come or the next year's, and neither can be ruled out. */
function steppedFrom(today: Day, by: number, yearly: Yearly): Span | undefined {
  const near = stepFrom(today, by, around(today, yearly));
  return by === 0 ? near : hull(near, yearly(yearOf(today) + by));
}

type Counted = { unit: Unit; years: number; least: number; most: number };

function countedFrom(today: Day, direction: 1 | -1, { unit, years, least, most }: Counted, manner: Parts): Span {
  const { months, days, slack } = UNITS[unit];
  const dayAfter = (count: number) => moved(today, direction * (12 * years + months * count), direction * days * count);
  const [near, far] = [dayAfter(least), dayAfter(most)];
  const { about, exactly, more, less } = manner;
  if (more) return direction > 0 ? { from: addDays(far, 1), to: LATEST } : { from: EARLIEST, to: addDays(far, -1) };
  if (less)
    return direction > 0 ? { from: addDays(today, 1), to: addDays(far, -1) } : { from: addDays(far, 1), to: today };

  const off = exactly ? 0 : about && unit === 'day' ? SLACK_ABOUT_DAYS : slack;
  return direction > 0
    ? { from: latest(addDays(today, 1), addDays(near, -off)), to: addDays(far, off) }
    : { from: addDays(far, -off), to: earliest(today, addDays(near, off)) };
}

/** Half a month is fifteen days. */
function moved(day: Day, months: number, days: number): Day {
  const whole = Math.trunc(months);
  return addDays(addMonths(day, whole), Math.round(days + 30 * (months - whole)));
}

const earliest = (one: Day, other: Day): Day => (one < other ? one : other);
const latest = (one: Day, other: Day): Day => (one > other ? one : other);

function hull(one: Span | undefined, other: Span | undefined): Span | undefined {
  if (!one || !other) return one ?? other;
  return { from: earliest(one.from, other.from), to: latest(one.to, other.to) };
}

const widened = ({ from, to }: Span, days: number): Span => ({ from: addDays(from, -days), to: addDays(to, days) });
const lengthOf = ({ from, to }: Span): number => (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;
const byFirstDay = (one: Span, other: Span): number => one.from.localeCompare(other.from);

function within(span: Span | undefined): Span | undefined {
  return span && EARLIEST <= span.from && span.from <= span.to && span.to <= LATEST ? span : undefined;
}

/** A word or a number, with what belongs to it: 13:30, SE2321000016-1234, 1,5. */
const TOKEN = /[\p{L}\p{N}]+(?:[-./:,]\p{N}[\p{L}\p{N}]*)*/gu;
/** A form ends where a word or a number does. */
const END = '(?![\\p{L}\\p{N}]|(?<=\\d)[-./:,]\\d)';
const CLOSE = '(?= ?(?:[.,;!?]|$))';
const ALONE = '(?=[ .!?]{0,3}$)';
/** Of any age, so that “18 februari 1985” is not read as the nearest 18 February. */
const YEAR = '[12]\\d{3}';

type Match = { parts: Parts; end: number };

const sticky = (pattern: string) => new RegExp(pattern, 'uy');
const form = (pattern: string, read: Form['read']): Form => ({ pattern: sticky(pattern + END), read });

function matchAt(pattern: RegExp, text: string, at: number): Match | undefined {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match ? { parts: match.groups ?? {}, end: pattern.lastIndex } : undefined;
}

type Lexicon<T> = { words: string[]; meaning(word: string | undefined): T | undefined };

/** What words mean. Of two meanings the later holds: “jul” is Christmas before it is July. */
function lexicon<T>(entries: readonly (readonly [words: readonly string[], meaning: T])[]): Lexicon<T> {
  const meanings = new Map(
    entries.flatMap(([words, meaning]) => words.map((word) => [dotless(word), meaning] as const)),
  );
  return {
    words: entries.flatMap(([words]) => words),
    meaning: (word = '') => meanings.get(dotless(word)),
  };
}

const allOf = ({ names, past = [], short = [] }: Name): string[] => [...names, ...past, ...short];

const namesOf = (kind: keyof Name, entries: readonly Name[], name = 'name'): string =>
  anyOf(
    entries.flatMap((entry) => entry[kind] ?? []),
    name,
  );

/** A pattern of any of the words, the longest first. Of no words, it is never met. */
function anyOf(words: readonly string[], name?: string): string {
  const longestFirst = [...words].sort((one, other) => other.length - one.length).map(withOrWithoutDots);
  return `(?${name ? `<${name}>` : ':'}${longestFirst.join('|') || '(?!)'})`;
}

/** Whoever writes without å, ä and ö writes “i ar” of the year. But “är” is not “år”. */
function withOrWithoutDots(word: string): string {
  const escaped = simplify(word).plain.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return escaped.replace(/[åäö]/g, (letter) => `[${letter}${dotless(letter)}]`);
}

const dotless = (word: string): string => simplify(word).plain.normalize('NFD').replace(/\p{M}/gu, '');

/**
 * A text without case, brackets, what cannot be seen, and diacritics that are
 * not Swedish, with one kind of space, hyphen and apostrophe, and the place in
 * the text of each character.
 */
function simplify(text: string): { plain: string; places: number[] } {
  let plain = '';
  const places: number[] = [];
  for (const { 0: letter, index } of text.matchAll(/\P{M}\p{M}*|\p{M}+/gu)) {
    const simple = simplified(letter);
    if (simple === ' ' && (plain === '' || plain.endsWith(' '))) continue;
    plain += simple;
    places.push(...Array<number>(simple.length).fill(index));
  }
  places.push(text.length);
  return { plain, places };
}

function simplified(letter: string): string {
  if (/^[\s()[\]"“”]/.test(letter)) return ' ';
  if (/^[\p{Pd}−]/u.test(letter)) return '-';
  if (/^[’‘´]/.test(letter)) return "'";
  const lower = letter.normalize('NFC').toLowerCase();
  return /^[a-zåäö]$/.test(lower) ? lower : lower.normalize('NFD').replace(/[\p{M}\p{Cc}\p{Cf}]/gu, '');
}
