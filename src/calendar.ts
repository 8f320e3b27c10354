/**
 * When the offices are open, in Europe/Stockholm.
 *
 * The guidance says “helgfria vardagar” of one time of day only. So on a red
 * day of the statute (1989:253) that time does not occur, and every other time
 * is not confirmed; on the eves that are red by custom, nothing is (A16). An
 * unconfirmed time is never given as the next one.
 */
import Holidays from 'date-holidays';
import { DateTime } from 'luxon';
import { addDays, type Day } from '../dialogs/card-validity.ts';
import type { Instant, Moment, Office, Opening, Slot } from '../dialogs/vocabulary.ts';

const ZONE = 'Europe/Stockholm';

/** One time of day that recurs, on weekdays counted from Monday as 1. */
export type DropIn = { weekdays: readonly number[]; from: string; to: string; notOnHolidays: boolean };
export type Offices = Record<Office, readonly DropIn[]>;

export type Calendar = {
  /** Everything a turn may need to know of its moment. */
  momentAt(time: Date, askedDay?: Day): Moment;
};

export type Redness = 'red' | 'eve' | 'none';

/** Reads the times of the offices anew each time, since they may be replaced. */
export function createCalendar(content: { readonly offices: Offices }): Calendar {
  const slotsOn = (office: Office, day: Day) => slotsOf(content.offices[office], day);

  const nextOpening = (office: Office, { day, time }: { day: Day; time: string }): Opening => {
    for (let offset = 0; offset < 366; offset++) {
      const candidate = addDays(day, offset);
      const slot = slotsOn(office, candidate).find(
        (each) => each.confirmed && (offset > 0 || minutes(time) < minutes(each.to)),
      );
      if (slot) return { day: candidate, from: slot.from, to: slot.to };
    }
    throw new Error(`${office} is never open`);
  };

  const nextFor = (minute: string) => {
    const now = { day: minute.slice(0, 10) as Day, time: minute.slice(11) };
    return { booth: nextOpening('booth', now), sodersjukhuset: nextOpening('sodersjukhuset', now) };
  };
  let last: { offices: Offices; at: (minute: string) => ReturnType<typeof nextFor> } | undefined;
  const nextAt = (minute: string) => {
    if (last?.offices !== content.offices) last = { offices: content.offices, at: rememberingLast(nextFor) };
    return last.at(minute);
  };

  return {
    momentAt(time, askedDay) {
      const at = instantOf(time);
      return {
        at,
        next: nextAt(at.slice(0, 16)),
        asked: askedDay && {
          day: askedDay,
          slots: { booth: slotsOn('booth', askedDay), sodersjukhuset: slotsOn('sodersjukhuset', askedDay) },
        },
      };
    },
  };
}

/** A moment in Stockholm's own time: `2026-11-23T08:00:00+01:00`. */
export function instantOf(time: Date): Instant {
  const { minutes, written } = offsetAt(Math.floor(time.getTime() / MINUTE));
  const clock = new Date(time.getTime() + minutes * MINUTE).toISOString();
  return `${clock.slice(0, -1).replace('.000', '')}${written}`;
}

/** In milliseconds. */
const MINUTE = 60_000;

/** From UTC. No summer begins or ends within a minute. */
const offsetAt = rememberingLast((minute: number) => {
  const there = DateTime.fromMillis(minute * MINUTE, { zone: ZONE });
  if (!there.isValid) throw new Error(`${minute} is no time`);
  return { minutes: there.offset, written: there.toFormat('ZZ') };
});

/** What is asked for several times in a turn is worked out once. */
function rememberingLast<Key, Value>(work: (key: Key) => Value): (key: Key) => Value {
  let last: { key: Key; value: Value } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, value: work(key) };
    return last.value;
  };
}

/** Reads a time as ISO 8601 writes it, with its date; one without an offset is Swedish. */
export function timeOf(written: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2}/.test(written)) return undefined;
  const time = DateTime.fromISO(written, { zone: ZONE });
  return time.isValid ? time.toJSDate() : undefined;
}

/** Monday is 1, as in ISO 8601. */
export const weekdayOf = (day: Day): number => new Date(day).getUTCDay() || 7;

export function rednessOf(day: Day): Redness {
  const year = Number(day.slice(0, 4));
  const days = rednessByYear.get(year) ?? readYear(year);
  return days.get(day) ?? 'none';
}

function slotsOf(dropIns: readonly DropIn[], day: Day): Slot[] {
  const redness = rednessOf(day);
  return dropIns
    .filter(({ weekdays, notOnHolidays }) => weekdays.includes(weekdayOf(day)) && !(notOnHolidays && redness === 'red'))
    .map(({ from, to }) => ({ from, to, confirmed: redness === 'none' }))
    .sort((one, other) => minutes(one.from) - minutes(other.from));
}

const minutes = (time: string): number => {
  const [hours = 0, rest = 0] = time.split(':').map(Number);
  return hours * 60 + rest;
};

const sweden = new Holidays('SE', { types: ['public', 'bank'] });
const rednessByYear = new Map<number, Map<string, Redness>>();

function readYear(year: number): Map<string, Redness> {
  const days = new Map(
    sweden.getHolidays(year).map(({ date, type }) => [date.slice(0, 10), type === 'public' ? 'red' : 'eve'] as const),
  );
  rednessByYear.set(year, days);
  return days;
}
