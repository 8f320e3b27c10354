/** Times as they are read, on the clock in Stockholm. */
import { fill, type Texts } from '../texts.ts';

const ZONE = { timeZone: 'Europe/Stockholm' } as const;
const clock = new Intl.DateTimeFormat('sv-SE', { ...ZONE, hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('sv-SE', { ...ZONE, day: 'numeric', month: 'long', year: 'numeric' });
const dayAndClock = new Intl.DateTimeFormat('sv-SE', { ...ZONE, dateStyle: 'long', timeStyle: 'short' });

export const dayInWords = (at: string): string => day.format(new Date(at));
export const momentInWords = (at: string): string => dayAndClock.format(new Date(at));

/** The time of a day that is today, and otherwise the day as well. */
export const timeInWords = (at: string, now: number): string =>
  day.format(new Date(at)) === day.format(now) ? clock.format(new Date(at)) : momentInWords(at);

export function waitInWords(since: string, now: number, texts: Texts): string {
  const minutes = Math.floor((now - Date.parse(since)) / 60_000);
  if (minutes < 1) return texts.lessThanAMinute;
  return minutes < 120
    ? fill(texts.minutes, { count: minutes })
    : fill(texts.hours, { count: Math.floor(minutes / 60) });
}
