/** How a fact is put in Swedish, with the words of `content/words.yaml`. */
import { z } from 'zod';
import { addDays, type Day } from '../dialogs/card-validity.ts';
import { dayOf, type Instant, type Opening, type Quoted } from '../dialogs/vocabulary.ts';

export const Words = z.strictObject({
  words: z.record(z.string(), z.string().min(1)),
  days: z.strictObject({
    date: z.string(),
    today: z.string(),
    tomorrow: z.string(),
    this_week: z.string(),
    later: z.string(),
  }),
  instant: z.string(),
  opening: z.string(),
  slot: z.string(),
  and: z.string(),
  contacts: z.strictObject({ servicedesk: z.string(), itPortal: z.string(), bookingCalendar: z.string() }),
  with_details: z.string(),
  masked: z.string(),
});

export type Words = z.infer<typeof Words>;
export type ContactName = keyof Words['contacts'];
export const contactNames: readonly ContactName[] = ['servicedesk', 'itPortal', 'bookingCalendar'];
/** Number, address or link of a contact, where the deployment has set one. */
export type ContactDetails = Partial<Record<ContactName, string>>;

/** Every fact a line may quote: `{{expiresOn}}`. */
export const factNames = [
  'today',
  'nextAtBooth',
  'nextAtSodersjukhuset',
  'askedDay',
  'slotsAtBooth',
  'slotsAtSodersjukhuset',
  'orderLapsesOn',
  'orderedOn',
  'expiresOn',
  'expiryTold',
  'renewBy',
  'leftPath',
  'deskOpens',
  'agent',
  'card',
  'cardKind',
  'reason',
  'revokedCard',
  'receipt',
  'revokedAt',
  'servicedesk',
  'itPortal',
  'bookingCalendar',
  'source',
  'updated',
  'factChecked',
] as const;
export type FactName = (typeof factNames)[number];

/** Replaces `{{name}}` in a text. A name that has no value is a mistake of ours. */
export function quoting(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replace(/\{\{([^{}]*)\}\}/g, (_, written: string) => {
    const name = written.trim();
    const value = valueOf(name);
    if (value === undefined) throw new Error(`“${text}” quotes ${name}, which is not known there`);
    return value;
  });
}

export function voice(quoted: Quoted, words: Words): string {
  if ('text' in quoted) return quoted.text;
  if ('word' in quoted) return words.words[quoted.word] ?? quoted.word;
  if ('day' in quoted) return dayInWords(quoted.day, words);
  if ('instant' in quoted) return instantInWords(quoted.instant, words);
  if ('askedDay' in quoted) return dayNear(quoted.askedDay, quoted.today, words);
  if ('slots' in quoted) return slotsInWords(quoted.slots, words);
  const { day, from, to } = quoted.opening;
  return quoting(words.opening, (name) => ({ day: dayNear(day, quoted.today, words), from, to })[name]);
}

export function contactInWords(name: ContactName, details: ContactDetails, words: Words): string {
  const plain = words.contacts[name];
  const written = details[name];
  return written ? quoting(words.with_details, (part) => ({ name: plain, details: written })[part]) : plain;
}

/** 4 maj 2022 */
export function dayInWords(day: Day, { days }: Words): string {
  return quoting(days.date, (name) => ({ date: format(day, 'date'), year: day.slice(0, 4) })[name]);
}

/** 14 november 2026 klockan 10.15, by the clock on the wall there and then. */
export function instantInWords(instant: Instant, words: Words): string {
  const day = dayInWords(dayOf({ at: instant }), words);
  return quoting(words.instant, (name) => ({ day, time: instant.slice(11, 16).replace(':', '.') })[name]);
}

/** tisdag den 8 december 13:30–15:00, which is still right when it is read on another day. */
export function openingInWords({ day, from, to }: Opening, words: Words): string {
  return quoting(words.opening, (name) => ({ day: weekdayAndDate(day, words), from, to })[name]);
}

/** “idag”, “på onsdag” or “tisdag den 8 december”, as one says it on a day. */
function dayNear(day: Day, today: Day, words: Words): string {
  const { days } = words;
  if (day === today) return days.today;
  if (day === addDays(today, 1)) return days.tomorrow;
  return weekdayAndDate(day, words, day > today && day < addDays(today, 7) ? days.this_week : days.later);
}

function weekdayAndDate(day: Day, { days }: Words, phrase = days.later): string {
  return quoting(phrase, (name) => ({ weekday: format(day, 'weekday'), date: format(day, 'date') })[name]);
}

function slotsInWords(slots: readonly { from: string; to: string }[], words: Words): string {
  return slots.map(({ from, to }) => quoting(words.slot, (name) => ({ from, to })[name])).join(` ${words.and} `);
}

const formats = {
  weekday: new Intl.DateTimeFormat('sv-SE', { weekday: 'long', timeZone: 'UTC' }),
  date: new Intl.DateTimeFormat('sv-SE', { day: 'numeric', month: 'long', timeZone: 'UTC' }),
};
const format = (day: Day, form: keyof typeof formats) => formats[form].format(new Date(day));
