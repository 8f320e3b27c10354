/**
 * When somebody is at the servicedesk, by the clock on its wall in
 * Europe/Stockholm.
 *
 * Red days, and the eves that are red by custom, are days of a kind of their
 * own: the desk is closed on them unless its hours say otherwise, whichever
 * day of the week they fall on. A day that it is closed on for once comes
 * before everything else.
 */
import { instantOf, rednessOf, weekdayOf } from '../calendar.ts';
import { addDays, type Day } from '../../dialogs/card-validity.ts';
import type { Opening } from '../../dialogs/vocabulary.ts';

export type Hours = { spans: readonly Span[]; closedDays: readonly Day[] };

/** On one kind of day: a weekday from Monday as 1, or a holiday. Minutes since midnight, of which a day has 1440. */
export type Span = { on: number; from: number; to: number };

export type DeskHours = {
  /** `next` is when it opens, if it is closed and does so within a year. */
  at: (time: Date) => { isOpen: boolean; next: Opening | undefined };
};

/** Without hours, it is always open. */
export function createDeskHours(hours: Hours | undefined): DeskHours {
  if (!hours) return { at: () => ({ isOpen: true, next: undefined }) };
  const { spans, closedDays } = hours;
  const ordered = [...spans].sort((one, other) => one.from - other.from);
  const spansOf = (day: Day): readonly Span[] => {
    if (closedDays.includes(day)) return [];
    const kind = rednessOf(day) === 'none' ? weekdayOf(day) : HOLIDAY;
    return ordered.filter(({ on }) => on === kind);
  };
  const nextAfter = (day: Day, minute: number): Opening | undefined => {
    for (let offset = 0; offset <= YEAR; offset++) {
      const candidate = addDays(day, offset);
      const span = spansOf(candidate).find(({ from }) => offset > 0 || from > minute);
      if (span) return { day: candidate, from: clock(span.from), to: clock(span.to) };
    }
    return undefined;
  };
  return {
    at(time) {
      const at = instantOf(time);
      const [day, minute] = [at.slice(0, 10) as Day, minutes(at.slice(11, 13), at.slice(14, 16))];
      const isOpen = spansOf(day).some(({ from, to }) => from <= minute && minute < to);
      return { isOpen, next: isOpen ? undefined : nextAfter(day, minute) };
    },
  };
}

export type ReadHours = { spans: readonly Span[] } | { complaint: string };

/**
 * Reads `mån-tors 07:30-17:00, fre 07:30-12:00 13:00-16:00`: days, short or
 * long, and one or several spans of each. `helgdag` is any holiday.
 */
export function readHours(written: string): ReadHours {
  const parts = written
    .normalize('NFC')
    .toLowerCase()
    .replace(/\s*[-–]\s*/g, '-')
    .split(',');
  const spans: Span[] = [];
  for (const part of parts) {
    const [days = '', ...times] = part.trim().split(/\s+/);
    const kinds = kindsOf(days);
    if (!kinds || times.length === 0) return { complaint: UNREADABLE };
    for (const each of times) {
      const time = timesOf(each);
      if (!time) return { complaint: UNREADABLE };
      if (time.to <= time.from) return { complaint: 'has a span that ends before it begins' };
      spans.push(...kinds.map((on) => ({ on, ...time })));
    }
  }
  const isCrowded = spans.some((one, index) =>
    spans.slice(index + 1).some(({ on, from, to }) => on === one.on && from < one.to && one.from < to),
  );
  return isCrowded ? { complaint: 'has spans of one day that overlap' } : { spans };
}

const UNREADABLE = 'cannot be read; write it as mån-tors 07:30-17:00, fre 07:30-16:00';
/** In days. */
const YEAR = 366;
const HOLIDAY = 0;
/** At the end of a day, in minutes. */
const MIDNIGHT = 24 * 60;

const swedish = new Intl.DateTimeFormat('sv-SE', { weekday: 'long', timeZone: 'UTC' });
/** From Monday, as 2024 began. */
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7].map((day) => swedish.format(Date.UTC(2024, 0, day)));

/** One day, some that follow one another, also over a Sunday, or any holiday. */
function kindsOf(written: string): number[] | undefined {
  if (written === 'helgdag') return [HOLIDAY];
  const [first, last, ...more] = written.split('-').map(weekdayNamed);
  if (first === undefined || more.length > 0) return undefined;
  if (!written.includes('-')) return [first];
  if (last === undefined) return undefined;
  return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, offset) => ((first - 1 + offset) % 7) + 1);
}

/** By its name, or as much as three letters of it. */
function weekdayNamed(name: string): number | undefined {
  const index = name.length < 3 ? -1 : WEEKDAYS.findIndex((weekday) => weekday.startsWith(name));
  return index < 0 ? undefined : index + 1;
}

function timesOf(written: string): { from: number; to: number } | undefined {
  const [, ...digits] = /^(\d{1,2})[:.](\d{2})-(\d{1,2})[:.](\d{2})$/.exec(written) ?? [];
  const [fromHour, fromMinute, toHour, toMinute] = digits;
  if (!fromHour || !fromMinute || !toHour || !toMinute) return undefined;
  const [from, to] = [minutes(fromHour, fromMinute), minutes(toHour, toMinute)];
  const isClock = Number(fromMinute) < 60 && Number(toMinute) < 60 && from < MIDNIGHT && to <= MIDNIGHT;
  return isClock ? { from, to } : undefined;
}

const minutes = (hours: string, rest: string): number => Number(hours) * 60 + Number(rest);

/** As the opening hours of the offices are written: 7:30. */
const clock = (minute: number): string => `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`;
