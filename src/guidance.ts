/**
 * The guidance that claims are founded on: other people's words, one rule a
 * paragraph, each under the name it is cited by.
 *
 * A rule that has lapsed is kept with its last day, so that the assistant knows
 * not to repeat it. A rule whose routine later pages describe otherwise is
 * still answered from, with a caution.
 *
 * Beside the rules lies the page they were read from, paragraph by paragraph,
 * so that a new copy of it can be compared. Nothing of that is spoken.
 */
import { z } from 'zod';
import type { Day } from '../dialogs/card-validity.ts';
import { frontMatter, type Problem, readYaml, type SourceFile } from './source-file.ts';

export type Guidance = z.infer<typeof Guidance>;
export type Rule = {
  id: string;
  file: string;
  at: number;
  text: string;
  until: string | undefined;
  mayHaveChanged: boolean;
  guidance: Guidance;
};

/** A page as it was when its rules were read; `rulesFile` is where they are written. */
export type Page = { file: string; rulesFile: string; paragraphs: Paragraph[] };

/** What rests on a paragraph, which may be nothing, and the date it tells of the page. */
export type Paragraph = {
  text: string;
  rules: string[];
  date: 'updated' | 'fact_checked' | undefined;
  file: string;
  at: number;
  rulesAt: number;
};

const Guidance = z.strictObject({
  title: z.string().min(1),
  source: z.string().min(1),
  updated: z.iso.date(),
  fact_checked: z.iso.date(),
});

const HEADING = /^## (?<id>R\d+)(?: – (?:till och med (?<until>\d{4}-\d{2}-\d{2})|(?<changed>kan ha ändrats)))?$/;

export const hasLapsed = ({ until }: Rule, on: Day): boolean => until !== undefined && on > until;

export function readRules(file: SourceFile, problems: Problem[]): Rule[] {
  const { head, body } = frontMatter(file);
  const { data: guidance } = readYaml(Guidance, head, problems);
  if (!guidance) return [];

  const rules: Rule[] = [];
  body.text.split('\n').forEach((line, index) => {
    const { id, until, changed } = HEADING.exec(line)?.groups ?? {};
    const rule = rules.at(-1);
    const place = { file: body.name, at: body.firstLine + index };
    if (id) rules.push({ id, ...place, until, mayHaveChanged: changed !== undefined, text: '', guidance });
    else if (line.startsWith('#')) {
      problems.push({ file: place.file, line: place.at, kind: 'headingWithoutRule', about: line });
    } else if (rule) rule.text = `${rule.text} ${line}`.trim();
  });
  return rules;
}

const Paragraphs = z
  .array(
    z.strictObject({
      text: z.string().min(1),
      rules: z.array(z.string()).min(1).optional(),
      date: z.enum(['updated', 'fact_checked']).optional(),
    }),
  )
  .min(1);

export function readPage(file: SourceFile, problems: Problem[]): Page {
  const { data = [], lineOf } = readYaml(Paragraphs, file, problems);
  return {
    file: file.name,
    rulesFile: rulesFileOf(file.name),
    paragraphs: data.map(({ text, rules = [], date }, index) => ({
      text: text.trim().replace(/\s+/g, ' '),
      rules,
      date,
      file: file.name,
      at: lineOf([index]),
      rulesAt: lineOf([index, 'rules']),
    })),
  };
}

export const rulesFileOf = (page: string): string => page.replace(/\.yaml$/, '.md');
export const pageFileOf = (rules: string): string => rules.replace(/\.md$/, '.yaml');
