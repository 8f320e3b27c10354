/**
 * Which answers rest on the oldest words of the guidance, and how often they
 * are given: what an editor has most reason to ask about first.
 */
import type { Day } from '../dialogs/card-validity.ts';
import type { Content, Line } from './content.ts';
import type { Rule } from './guidance.ts';

export type Aged = {
  rule: Rule;
  /** Since its page was last fact-checked. */
  days: number;
  /** How many answers have cited it; nothing, where it is not known. */
  given: number | undefined;
  /** The texts that cite it. */
  lines: Line[];
};

/** Every rule that a text cites: by its age times how often it was given or, where that is not known, by its age. */
export function agesOf(
  { rules, lines }: Pick<Content, 'rules' | 'lines'>,
  today: Day,
  given?: readonly { name: string; count: number }[],
): Aged[] {
  const counts = new Map(given?.map(({ name, count }) => [name, count]));
  const aged = [...rules.values()].map((rule) => ({
    rule,
    days: daysSince(rule.guidance.fact_checked, today),
    given: given === undefined ? undefined : (counts.get(rule.id) ?? 0),
    lines: [...lines.values()].filter(({ cites }) => cites.includes(rule.id)),
  }));
  return aged
    .filter((each) => each.lines.length > 0)
    .sort(
      (one, other) =>
        weightOf(other) - weightOf(one) ||
        other.days - one.days ||
        one.rule.id.localeCompare(other.rule.id, 'sv', { numeric: true }),
    );
}

/** How much it matters; where it is not known how often it was given, its age alone. */
export const weightOf = ({ days, given = 1 }: Pick<Aged, 'days' | 'given'>): number => days * given;

const daysSince = (day: string, today: Day): number => (Date.parse(today) - Date.parse(day)) / 86_400_000;
