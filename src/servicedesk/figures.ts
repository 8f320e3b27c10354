/**
 * What has happened, by day, in Stockholm: read from tallies, in which nothing
 * tells whose conversation it was.
 *
 * Each is a row at first. When its day is over, rows of the same are added up
 * to one.
 */
import { z } from 'zod';
import { addDays, type Day } from '../../dialogs/card-validity.ts';
import type { Database, Statement } from '../storage/database.ts';

/** Both days are in it. */
export type Period = { from: Day; to: Day };

/** The longest period, in days. */
export const LONGEST_PERIOD = 366;

export type Count = { name: string; count: number };

export type OfDay = { day: Day; conversations: number; answered: number; handedOver: number; unanswered: number };

export type Figures = {
  conversations: number;
  /** Answered by the bot, with a rule, and never handed over. */
  resolved: number;
  handedOver: number;
  unanswered: number;
  /** Every day of the period. */
  days: OfDay[];
  reasons: Count[];
  kinds: Count[];
  ratings: Count[];
  paths: Count[];
  wishes: Count[];
  rules: Count[];
};

const read: Statement = {
  name: 'tallies',
  text: `select day::text, what, name, sum(amount)::integer as count from tallies
    where day between $1::date and $2::date group by tallies.day, what, name order by tallies.day, what, name`,
};

/** Of two that do it at once, one finds the rows gone; and what is one row already is left alone. */
const addUp: Statement = {
  name: 'add-up-tallies',
  text: `with gone as (
      delete from tallies where (day, what, name) in (
        select day, what, name from tallies where day < $1::date group by day, what, name having count(*) > 1
      )
      returning day, what, name, amount
    )
    insert into tallies (day, what, name, amount)
    select day, what, name, sum(amount)::integer from gone group by day, what, name`,
};

const Tallied = z.object({ day: z.iso.date(), what: z.string(), name: z.string(), count: z.int() });

export async function readFigures(database: Database, period: Period): Promise<Figures> {
  const tallies = z.array(Tallied).parse(await database.run(read, [period.from, period.to]));
  const byDay = new Map<string, number>();
  for (const { day, what, count } of tallies) {
    for (const key of [what, `${what} ${day}`]) byDay.set(key, (byDay.get(key) ?? 0) + count);
  }
  const sum = (what: string, day?: Day) => byDay.get(day === undefined ? what : `${what} ${day}`) ?? 0;
  const byName = (what: string): Count[] => {
    const counts = new Map<string, number>();
    for (const { name, count } of tallies.filter((tally) => tally.what === what)) {
      counts.set(name, (counts.get(name) ?? 0) + count);
    }
    return [...counts]
      .map(([name, count]) => ({ name, count }))
      .sort((one, other) => other.count - one.count || one.name.localeCompare(other.name, 'sv', { numeric: true }));
  };
  return {
    conversations: sum('conversation'),
    // One may be answered on the last day of one period, and handed over on the first of the next.
    resolved: Math.max(0, sum('answered') - sum('answeredAndHandedOver')),
    handedOver: sum('conversationHandedOver'),
    unanswered: sum('unanswered'),
    days: daysOf(period).map((day) => ({
      day,
      conversations: sum('conversation', day),
      answered: sum('answered', day),
      handedOver: sum('conversationHandedOver', day),
      unanswered: sum('unanswered', day),
    })),
    reasons: byName('handedOver'),
    kinds: byName('unanswered'),
    ratings: byName('rated'),
    paths: byName('path'),
    wishes: byName('wish'),
    rules: byName('rule'),
  };
}

/** Adds up what happened before a day. Doing it again changes nothing. */
export async function addUpTallies(database: Database, before: Day): Promise<void> {
  await database.run(addUp, [before]);
}

export function daysOf({ from, to }: Period): Day[] {
  const days: Day[] = [];
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day);
  return days;
}
