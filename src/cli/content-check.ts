/** `kortlotsen content check`: what is wrong in the content, put to an editor in Swedish. */
import { join, relative } from 'node:path';
import { checkContent, Checker, type Expected } from '../content-check.ts';
import { readContent } from '../content.ts';
import { type Problem, readFolder, readYaml, type SourceFile } from '../source-file.ts';
import { quoting } from '../wording.ts';

/** Writes the report, and returns the exit code. Without words of its own it still names kind, file and line. */
export function runContentCheck(
  folder: string,
  expected: Expected,
  write: (text: string) => void,
  files: readonly SourceFile[] = readFolder(folder),
): number {
  const problems = checkContent(files, expected).map((problem) => ({
    ...problem,
    file: relative('', join(folder, problem.file)),
  }));
  const { reading } = readContent(files);
  const { data: checker } = readYaml(Checker, reading.checker, []);

  if (!checker) write(problems.map(bare).join(''));
  else if (problems.length > 0) write(report(problems, checker));
  else {
    const sides = reading.borders.flatMap((border) => border.sides);
    const examples = [...reading.taught, ...sides].flatMap((lesson) => lesson.examples).length;
    const counts = { lines: reading.lines.size, rules: reading.rules.size, examples: examples.toLocaleString('sv-SE') };
    write(`${filled(checker.report.fine, counts)}\n`);
  }
  return problems.length > 0 ? 1 : 0;
}

const bare = ({ file, line, kind, about }: Problem) => `${file}:${line} ${kind} ${about}\n`;

function report(problems: readonly Problem[], { report: words, problems: sentences }: Checker): string {
  const files = [...new Set(problems.map(({ file }) => file))];
  const described = ({ kind, line, about, detail = '' }: Problem) => {
    const says = filled(sentences[kind].says, { about, detail });
    const remedy = filled(sentences[kind].remedy, { about, detail });
    return `  ${filled(words.problem, { line, says })}\n  ${filled(words.remedy, { remedy })}\n`;
  };
  const found = files.map(
    (file) =>
      `${file}\n${problems
        .filter((each) => each.file === file)
        .map(described)
        .join('')}`,
  );
  const summary = files.length === 1 ? words.found_in_one_file : words.found;
  return `${found.join('\n')}\n${filled(summary, { problems: problems.length, files: files.length })}\n`;
}

function filled(template: string, facts: Record<string, string | number>): string {
  return quoting(template, (name) => facts[name]?.toString());
}
