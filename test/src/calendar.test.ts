import { describe, expect, it } from '@jest/globals';
import { addDays, type Day } from '../../dialogs/card-validity.ts';
import type { Slot } from '../../dialogs/vocabulary.ts';
import {
  createCalendar,
  instantOf,
  type Offices,
  type Redness,
  rednessOf,
  timeOf,
  weekdayOf,
} from '../../src/calendar.ts';

/** As `content/offices.yaml` has it. */
const offices: Offices = {
  booth: [{ weekdays: [1, 2, 3, 4, 5], from: '8:00', to: '16:00', notOnHolidays: false }],
  sodersjukhuset: [
    { weekdays: [2, 3, 5], from: '9:30', to: '10:30', notOnHolidays: false },
    { weekdays: [1, 2, 3, 4, 5], from: '13:30', to: '15:00', notOnHolidays: true },
  ],
};
const calendar = createCalendar({ offices });

describe('the next opening', () => {
  it.each([
    ['on a Monday morning', '2026-11-23T08:00', '2026-11-23 8:00–16:00', '2026-11-23 13:30–15:00'],
    ['in the night', '2026-11-23T00:00', '2026-11-23 8:00–16:00', '2026-11-23 13:30–15:00'],
    ['a minute before they close', '2026-11-23T14:59', '2026-11-23 8:00–16:00', '2026-11-23 13:30–15:00'],
    ['as Södersjukhuset closes', '2026-11-23T15:00', '2026-11-23 8:00–16:00', '2026-11-24 9:30–10:30'],
    ['a minute before the booth closes', '2026-11-23T15:59', '2026-11-23 8:00–16:00', '2026-11-24 9:30–10:30'],
    ['as the booth closes', '2026-11-23T16:00', '2026-11-24 8:00–16:00', '2026-11-24 9:30–10:30'],
    ['early on a Tuesday', '2026-11-24T07:00', '2026-11-24 8:00–16:00', '2026-11-24 9:30–10:30'],
    ['at the end of the morning', '2026-11-24T10:30', '2026-11-24 8:00–16:00', '2026-11-24 13:30–15:00'],
    ['on a Thursday, which has no morning', '2026-11-26T09:00', '2026-11-26 8:00–16:00', '2026-11-26 13:30–15:00'],
    ['late on a Friday', '2026-11-27T17:00', '2026-11-30 8:00–16:00', '2026-11-30 13:30–15:00'],
    ['on a Saturday', '2026-11-28T10:00', '2026-11-30 8:00–16:00', '2026-11-30 13:30–15:00'],
    ['on a Sunday', '2026-11-29T23:59', '2026-11-30 8:00–16:00', '2026-11-30 13:30–15:00'],
  ])('%s is on an ordinary day', (_, at, booth, sodersjukhuset) => {
    expect(nextAt(at)).toEqual({ booth, sodersjukhuset });
  });

  it.each([
    ['julafton to annandagen', '2026-12-23T16:00', '2026-12-28 8:00–16:00', '2026-12-28 13:30–15:00'],
    ['juldagen', '2026-12-25T09:00', '2026-12-28 8:00–16:00', '2026-12-28 13:30–15:00'],
    ['nyårsafton and nyårsdagen', '2026-12-30T16:00', '2027-01-04 8:00–16:00', '2027-01-04 13:30–15:00'],
    ['trettondagen on a Wednesday', '2027-01-05T16:00', '2027-01-07 8:00–16:00', '2027-01-07 13:30–15:00'],
    ['trettondagen on a Tuesday', '2026-01-05T16:00', '2026-01-07 8:00–16:00', '2026-01-07 9:30–10:30'],
    ['långfredagen to annandag påsk', '2026-04-02T16:00', '2026-04-07 8:00–16:00', '2026-04-07 9:30–10:30'],
    ['Kristi himmelsfärdsdag', '2026-05-13T16:00', '2026-05-15 8:00–16:00', '2026-05-15 9:30–10:30'],
    ['midsommarafton', '2026-06-18T16:00', '2026-06-22 8:00–16:00', '2026-06-22 13:30–15:00'],
  ])('is never on %s', (_, at, booth, sodersjukhuset) => {
    expect(nextAt(at)).toEqual({ booth, sodersjukhuset });
  });

  it.each([
    ['before the clocks go forward', '2026-03-27T14:59:59Z', '2026-03-27'],
    ['before the clocks go forward', '2026-03-27T15:00:00Z', '2026-03-30'],
    ['once they have', '2026-03-30T13:59:59Z', '2026-03-30'],
    ['once they have', '2026-03-30T14:00:00Z', '2026-03-31'],
    ['before they go back', '2026-10-23T13:59:59Z', '2026-10-23'],
    ['before they go back', '2026-10-23T14:00:00Z', '2026-10-26'],
    ['once they are back', '2026-10-26T14:59:59Z', '2026-10-26'],
    ['once they are back', '2026-10-26T15:00:00Z', '2026-10-27'],
  ])('is told by the clock in Stockholm %s, at %s', (_, at, day) => {
    expect(calendar.momentAt(new Date(at)).next.booth.day).toBe(day);
  });

  it('is found however far off, but an office without any is a mistake', () => {
    const saturdays = { weekdays: [6], from: '9:00', to: '10:00', notOnHolidays: true };
    const rare = createCalendar({ offices: { ...offices, booth: [saturdays] } });
    expect(rare.momentAt(swedish('2026-12-19T10:00')).next.booth.day).toBe('2027-01-02');
    expect(() => createCalendar({ offices: { ...offices, booth: [] } }).momentAt(swedish('2026-11-23'))).toThrow(
      'never open',
    );
  });
});

describe('the drop-in times of a day that is asked about', () => {
  const morning = { from: '9:30', to: '10:30' };
  const afternoon = { from: '13:30', to: '15:00' };
  const allDay = { from: '8:00', to: '16:00' };
  const sure = (slot: typeof morning): Slot => ({ ...slot, confirmed: true });
  const unsure = (slot: typeof morning): Slot => ({ ...slot, confirmed: false });

  it.each<[string, Day, Slot[], Slot[]]>([
    ['on a Wednesday', '2026-11-25', [sure(allDay)], [sure(morning), sure(afternoon)]],
    ['on a Thursday', '2026-11-26', [sure(allDay)], [sure(afternoon)]],
    ['on a Saturday', '2026-11-28', [], []],
    ['on a Sunday', '2026-11-29', [], []],
    ['on påskafton', '2026-04-04', [], []],
    ['on skärtorsdagen, which is a day like others', '2026-04-02', [sure(allDay)], [sure(afternoon)]],
    ['on trettondagen, a Tuesday', '2026-01-06', [unsure(allDay)], [unsure(morning)]],
    ['on trettondagen, a Wednesday', '2027-01-06', [unsure(allDay)], [unsure(morning)]],
    ['on Kristi himmelsfärdsdag', '2026-05-14', [unsure(allDay)], []],
    ['on julafton, a Thursday', '2026-12-24', [unsure(allDay)], [unsure(afternoon)]],
    ['on julafton, a Wednesday', '2025-12-24', [unsure(allDay)], [unsure(morning), unsure(afternoon)]],
    ['on midsommarafton', '2026-06-19', [unsure(allDay)], [unsure(morning), unsure(afternoon)]],
    ['on nyårsafton', '2026-12-31', [unsure(allDay)], [unsure(afternoon)]],
    ['on juldagen', '2026-12-25', [unsure(allDay)], [unsure(morning)]],
  ])('are those of the guidance, and sure where it is: %s', (_, day, booth, sodersjukhuset) => {
    const { asked } = calendar.momentAt(swedish('2026-11-23T08:00'), day);
    expect(asked).toEqual({ day, slots: { booth, sodersjukhuset } });
  });

  it('are told in the order of the day, whatever order they are written in', () => {
    const backwards = createCalendar({
      offices: { ...offices, sodersjukhuset: offices.sodersjukhuset.toReversed() },
    });
    const { asked, next } = backwards.momentAt(swedish('2026-11-25T08:00'), '2026-11-25');
    expect(asked?.slots.sodersjukhuset).toEqual([sure(morning), sure(afternoon)]);
    expect(next.sodersjukhuset).toMatchObject(morning);
  });

  it('are not told when none is asked about', () => {
    expect(calendar.momentAt(swedish('2026-11-23T08:00')).asked).toBeUndefined();
  });
});

describe('a moment', () => {
  it.each([
    ['2026-11-22T22:59:59Z', '2026-11-22T23:59:59+01:00'],
    ['2026-11-22T23:00:00Z', '2026-11-23T00:00:00+01:00'],
    ['2026-06-30T21:59:59Z', '2026-06-30T23:59:59+02:00'],
    ['2026-06-30T22:00:00Z', '2026-07-01T00:00:00+02:00'],
    ['2026-12-31T23:00:00Z', '2027-01-01T00:00:00+01:00'],
    ['2026-03-29T00:59:59Z', '2026-03-29T01:59:59+01:00'],
    ['2026-03-29T01:00:00Z', '2026-03-29T03:00:00+02:00'],
    ['2026-10-25T00:30:00Z', '2026-10-25T02:30:00+02:00'],
    ['2026-10-25T01:30:00Z', '2026-10-25T02:30:00+01:00'],
  ])('of %s is %s in Stockholm', (utc, here) => {
    expect(instantOf(new Date(utc))).toBe(here);
    expect(calendar.momentAt(new Date(utc)).at).toBe(here);
  });

  it.each([
    ['2026-11-23T08:00', '2026-11-23T07:00:00.000Z'],
    ['2026-06-23T08:00', '2026-06-23T06:00:00.000Z'],
    ['2026-11-23', '2026-11-22T23:00:00.000Z'],
    ['2026-11-23T08:00Z', '2026-11-23T08:00:00.000Z'],
    ['2026-11-23T08:00-05:00', '2026-11-23T13:00:00.000Z'],
  ])('is Swedish when written without an offset: %s', (written, utc) => {
    expect(timeOf(written)?.toISOString()).toBe(utc);
  });

  it.each(['', 'imorgon', '2026-02-30', '2026-11-23T25:00'])('is none when written %j', (written) => {
    expect(timeOf(written)).toBeUndefined();
  });

  it('is not made of a date that is none', () => {
    expect(() => instantOf(new Date(NaN))).toThrow('no time');
  });
});

describe('the calendar of Sweden', () => {
  const years = [2022, 2023, 2024, 2025, 2026, 2027, 2028, 2029, 2030, 2031];

  it.each(years)('has in %i the red days of the statute, and the three eves', (year) => {
    const named = daysOf(year).filter((day) => rednessOf(day) !== 'none');
    expect(named.map((day) => [day, rednessOf(day)])).toEqual(statutory(year));
  });

  it('counts weekdays from Monday', () => {
    expect([0, 1, 2, 3, 4, 5, 6].map((later) => weekdayOf(addDays('2026-11-23', later)))).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
  });
});

function nextAt(written: string) {
  const { booth, sodersjukhuset } = calendar.momentAt(swedish(written)).next;
  return {
    booth: `${booth.day} ${booth.from}–${booth.to}`,
    sodersjukhuset: `${sodersjukhuset.day} ${sodersjukhuset.from}–${sodersjukhuset.to}`,
  };
}

function swedish(written: string): Date {
  const time = timeOf(written);
  if (!time) throw new Error(`${written} is no time`);
  return time;
}

function daysOf(year: number): Day[] {
  return Array.from({ length: 366 }, (_, nth) => addDays(`${year}-01-01`, nth)).filter((day) =>
    day.startsWith(`${year}`),
  );
}

/** Lag (1989:253) om allmänna helgdagar but for the plain Sundays, and the eves that no statute makes red. */
function statutory(year: number): [Day, Redness][] {
  const easter = easterOf(year);
  const midsummer = saturdayFrom(`${year}-06-20`);
  const red: Day[] = [
    `${year}-01-01`,
    `${year}-01-06`,
    addDays(easter, -2),
    easter,
    addDays(easter, 1),
    `${year}-05-01`,
    addDays(easter, 39),
    addDays(easter, 49),
    `${year}-06-06`,
    midsummer,
    saturdayFrom(`${year}-10-31`),
    `${year}-12-25`,
    `${year}-12-26`,
  ];
  const eves: Day[] = [addDays(midsummer, -1), `${year}-12-24`, `${year}-12-31`];
  return [...red.map((day): [Day, Redness] => [day, 'red']), ...eves.map((day): [Day, Redness] => [day, 'eve'])].sort(
    ([one], [other]) => one.localeCompare(other),
  );
}

function saturdayFrom(day: Day): Day {
  return new Date(day).getUTCDay() === 6 ? day : saturdayFrom(addDays(day, 1));
}

/** Gauss, for the years 1900–2099: the Sunday after the paschal full moon. */
function easterOf(year: number): Day {
  const moon = (19 * (year % 19) + 24) % 30;
  const sunday = (2 * (year % 4) + 4 * (year % 7) + 6 * moon + 5) % 7;
  const isLate = (moon === 29 && sunday === 6) || (moon === 28 && sunday === 6 && year % 19 > 10);
  return addDays(`${year}-03-22`, moon + sunday - (isLate ? 7 : 0));
}
