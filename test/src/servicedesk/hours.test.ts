/** When somebody is at the servicedesk: to the minute, on every kind of day. */
import { describe, expect, it } from '@jest/globals';
import type { Day } from '../../../dialogs/card-validity.ts';
import { timeOf } from '../../../src/calendar.ts';
import { createDeskHours, readHours } from '../../../src/servicedesk/hours.ts';

const WEEK = 'mån-tors 07:30-17:00, fre 07:30-16:00';

function spansOf(written: string) {
  const read = readHours(written);
  if ('complaint' in read) throw new Error(read.complaint);
  return read.spans;
}
const desk = (written = WEEK, ...closedDays: Day[]) => createDeskHours({ spans: spansOf(written), closedDays });

/** “open”, or when it opens. */
function told(hours: ReturnType<typeof desk>, at: string): string {
  const { isOpen, next } = hours.at(timeOf(at) ?? new Date(Number.NaN));
  if (isOpen) return next ? 'open, and yet to open' : 'open';
  return next ? `${next.day} ${next.from}–${next.to}` : 'never';
}

describe('the servicedesk', () => {
  it.each([
    ['a second before it opens', '2026-11-23T07:29:59', '2026-11-23 7:30–17:00'],
    ['as it opens', '2026-11-23T07:30:00', 'open'],
    ['a second before it closes', '2026-11-23T16:59:59', 'open'],
    ['as it closes', '2026-11-23T17:00:00', '2026-11-24 7:30–17:00'],
    ['on a Friday, as it closes', '2026-11-27T16:00:00', '2026-11-30 7:30–17:00'],
    ['on a Friday, as it does on other days', '2026-11-27T16:59:59', '2026-11-30 7:30–17:00'],
    ['on a Sunday', '2026-11-29T12:00:00', '2026-11-30 7:30–17:00'],
    ['at midnight', '2026-11-24T00:00:00', '2026-11-24 7:30–17:00'],
  ])('%s', (_when, at, expected) => {
    expect(told(desk(), at)).toBe(expected);
  });

  it.each([
    ['trettondedag', '2026-01-06T12:00', '2026-01-07 7:30–17:00'],
    ['trettondagsafton, which is an ordinary day', '2026-01-05T12:00', 'open'],
    ['långfredagen, until after annandagen', '2026-04-03T12:00', '2026-04-07 7:30–17:00'],
    ['the evening before Kristi himmelsfärdsdag', '2026-05-13T17:00', '2026-05-15 7:30–16:00'],
    ['midsommarafton', '2026-06-19T12:00', '2026-06-22 7:30–17:00'],
    ['julafton', '2026-12-24T12:00', '2026-12-28 7:30–17:00'],
    ['nyårsafton, over the new year', '2026-12-31T12:00', '2027-01-04 7:30–17:00'],
    ['nyårsdagen', '2027-01-01T00:00', '2027-01-04 7:30–17:00'],
  ])('is closed on holidays: %s', (_day, at, expected) => {
    expect(told(desk(), at)).toBe(expected);
  });

  it('is open on holidays where its hours say so, and then by those alone', () => {
    const hours = desk(`${WEEK}, helgdag 10:00-14:00`);
    expect(told(hours, '2026-12-24T09:59')).toBe('2026-12-24 10:00–14:00');
    expect(told(hours, '2026-12-24T10:00')).toBe('open');
    expect(told(hours, '2026-12-24T14:00')).toBe('2026-12-25 10:00–14:00');
    expect(told(desk('mån-sön 00:00-24:00, helgdag 00:00-24:00'), '2026-06-19T03:00')).toBe('open');
  });

  it('is closed on a day it is closed for once, holiday or not', () => {
    const hours = desk(`${WEEK}, helgdag 10:00-14:00`, '2026-11-24', '2026-12-24');
    expect(told(hours, '2026-11-23T17:00')).toBe('2026-11-25 7:30–17:00');
    expect(told(hours, '2026-11-24T12:00')).toBe('2026-11-25 7:30–17:00');
    expect(told(hours, '2026-12-24T12:00')).toBe('2026-12-25 10:00–14:00');
  });

  it('closes in between, where a day has several spans in whichever order', () => {
    const hours = desk('ons 13:00-16:00 08:00-12:00');
    expect(told(hours, '2026-11-25T07:59')).toBe('2026-11-25 8:00–12:00');
    expect(told(hours, '2026-11-25T12:00')).toBe('2026-11-25 13:00–16:00');
    expect(told(hours, '2026-11-25T13:00')).toBe('open');
    expect(told(hours, '2026-11-25T16:00')).toBe('2026-12-02 8:00–12:00');
  });

  it('can stay open until midnight, and go on from there', () => {
    const hours = desk('mån 18:00-24:00, tis 00:00-02:00');
    expect(told(hours, '2026-11-23T17:59:59')).toBe('2026-11-23 18:00–24:00');
    for (const at of ['2026-11-23T23:59:59', '2026-11-24T00:00:00', '2026-11-24T01:59:59'])
      expect(told(hours, at)).toBe('open');
    expect(told(hours, '2026-11-24T02:00')).toBe('2026-11-30 18:00–24:00');
  });

  it.each([
    ['before the clocks go forward', '2026-03-27T06:30:00Z', 'open'],
    ['before they go forward, as it closes', '2026-03-27T15:00:00Z', '2026-03-30 7:30–17:00'],
    ['once they have, a second before it opens', '2026-03-30T05:29:59Z', '2026-03-30 7:30–17:00'],
    ['once they have, as it opens', '2026-03-30T05:30:00Z', 'open'],
    ['once they have gone back, a second before it opens', '2026-10-26T06:29:59Z', '2026-10-26 7:30–17:00'],
    ['once they have gone back, as it opens', '2026-10-26T06:30:00Z', 'open'],
  ])('goes by the clock on its wall: %s', (_when, at, expected) => {
    expect(told(desk(), at)).toBe(expected);
  });

  it('opens at three where its hour is the one that is left out, and is open all of the hour there is twice', () => {
    const forward = desk('sön 02:30-04:00');
    expect(told(forward, '2026-03-29T00:59:59Z')).toBe('2026-03-29 2:30–4:00');
    expect(told(forward, '2026-03-29T01:00:00Z')).toBe('open');
    const back = desk('sön 02:00-03:00');
    for (const at of ['2026-10-25T00:00:00Z', '2026-10-25T00:59:59Z', '2026-10-25T01:00:00Z', '2026-10-25T01:59:59Z'])
      expect(told(back, at)).toBe('open');
    expect(told(back, '2026-10-25T02:00:00Z')).toBe('2026-11-01 2:00–3:00');
  });

  it('is never open when all its days are closed for a year', () => {
    const days = Array.from({ length: 400 }, (_, day) =>
      new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
    );
    expect(told(desk(WEEK, ...(days as Day[])), '2026-01-01T12:00')).toBe('never');
  });

  it('is always open without hours', () => {
    const hours = createDeskHours(undefined);
    expect(hours.at(new Date('2026-12-25T03:00:00Z'))).toEqual({ isOpen: true, next: undefined });
  });
});

describe('its hours', () => {
  const weekday = { from: 450, to: 1_020 };

  it.each([
    ['måndag-torsdag 07:30-17:00, fredag 07:30-16:00'],
    ['Mån – Tors 7.30 – 17.00 , Fre 07:30–16:00'],
    ['tis-tors 07:30-17:00,fre 07:30-16:00,mån 07:30-17:00'],
    [WEEK.normalize('NFD')],
  ])('may be written as “%s”', (written) => {
    const byDay = [...spansOf(written)].sort((one, other) => one.on - other.on);
    expect(byDay).toEqual([...[1, 2, 3, 4].map((on) => ({ on, ...weekday })), { on: 5, from: 450, to: 960 }]);
  });

  it('may go over a Sunday', () => {
    expect(spansOf('lör-mån 08:00-09:00').map(({ on }) => on)).toEqual([6, 7, 1]);
  });

  it('may follow on one another', () => {
    expect(told(desk('ons 08:00-12:00 12:00-16:00'), '2026-11-25T12:00')).toBe('open');
  });

  const UNREADABLE = 'cannot be read; write it as mån-tors 07:30-17:00, fre 07:30-16:00';
  it.each([
    ['', UNREADABLE],
    ['dygnet runt', UNREADABLE],
    ['mån', UNREADABLE],
    ['07:30-17:00', UNREADABLE],
    ['m 07:30-17:00', UNREADABLE],
    ['monday 07:30-17:00', UNREADABLE],
    ['mån- 07:30-17:00', UNREADABLE],
    ['mån-tis-ons 07:30-17:00', UNREADABLE],
    ['mån 07:30', UNREADABLE],
    ['mån 7-17', UNREADABLE],
    ['mån 07:60-17:00', UNREADABLE],
    ['mån 07:30-24:01', UNREADABLE],
    ['mån 24:00-24:00', UNREADABLE],
    ['mån 07:30-17:00,', UNREADABLE],
    ['mån 17:00-07:30', 'has a span that ends before it begins'],
    ['mån 07:30-07:30', 'has a span that ends before it begins'],
    ['mån-ons 07:30-12:00, tis 11:59-13:00', 'has spans of one day that overlap'],
    ['mån 07:30-12:00 08:00-09:00', 'has spans of one day that overlap'],
  ])('are refused as “%s”', (written, complaint) => {
    expect(readHours(written)).toEqual({ complaint });
  });
});
