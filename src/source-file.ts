/**
 * Files that editors write, read so that a mistake can be pointed at.
 *
 * Every problem knows its file and line, and all problems are gathered, so
 * that a whole folder can be put right in one go. How a problem is put in words
 * is written in `content/checker.yaml`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** `name` is the path within the content folder; `firstLine` the line its text begins on in the file. */
export type SourceFile = { name: string; text: string; firstLine: number };

/** `about` is the word, rule or line that is wrong; `detail` whatever else the editor needs to see. */
export type Problem = { file: string; line: number; kind: string; about: string; detail?: string };

export function readFolder(folder: string, topic = ''): SourceFile[] {
  return readdirSync(join(folder, topic), { withFileTypes: true })
    .sort((one, other) => one.name.localeCompare(other.name))
    .flatMap((entry) => {
      const name = topic ? `${topic}/${entry.name}` : entry.name;
      if (entry.isDirectory()) return readFolder(folder, name);
      return [{ name, text: readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n'), firstLine: 1 }];
    });
}

/** Splits a Markdown file into its YAML front matter and its body. */
export function frontMatter({ name, text }: SourceFile): { head: SourceFile; body: SourceFile } {
  const [fenced = '', head = ''] = /^---\n(.*?\n)---\n/s.exec(text) ?? [];
  return {
    head: { name, text: head, firstLine: 2 },
    body: { name, text: text.slice(fenced.length), firstLine: fenced.split('\n').length },
  };
}

/** Reads YAML as the schema wants it. `lineOf` tells the line that an entry is written on. */
export function readYaml<T>(schema: z.ZodType<T>, { name, text, firstLine }: SourceFile, problems: Problem[]) {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const lineAt = (offset: number) => lines.linePos(offset).line + firstLine - 1;

  const lineOf = (path: readonly PropertyKey[]): number => {
    const node = path.length > 0 ? document.getIn(path, true) : undefined;
    if (node instanceof Object && 'range' in node) return lineAt((node.range as [number])[0]);
    return path.length > 0 ? lineOf(path.slice(0, -1)) : firstLine;
  };

  for (const { pos, message } of document.errors) {
    problems.push({ file: name, line: lineAt(pos[0]), kind: 'notYaml', about: message.split('\n')[0] ?? '' });
  }
  if (document.errors.length > 0) return { data: undefined, lineOf };

  const { data, error } = schema.safeParse(document.toJS());
  for (const { path, message } of error?.issues ?? []) {
    problems.push({ file: name, line: lineOf(path), kind: 'wrongShape', about: path.join('.'), detail: message });
  }
  return { data, lineOf };
}
