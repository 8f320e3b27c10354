/** `kortlotsen evaluate`: how well texts are understood that were not trained on, in figures and as a page. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';
import { intents } from '../../dialogs/intents.ts';
import type { Content } from '../content.ts';
import { crossValidate, type Figures, figuresOf, type Judged, measures } from '../understanding/evaluation.ts';
import { lessonsOf, type Understanding } from '../understanding/understanding.ts';
import { evaluationReport, percent } from './evaluation-report.ts';

export type EvaluationOptions = { folds: number; rounds: number; blind: string | undefined; out: string };

type Terminal = { output: NodeJS.WritableStream; progress: NodeJS.WritableStream };

export function evaluate(
  content: Content,
  understanding: Understanding,
  { folds, rounds, blind, out }: EvaluationOptions,
  { output, progress }: Terminal,
): void {
  const say = (name: string, facts?: Record<string, string>) => content.label(`evaluation/${name}`, facts);
  const bar = new SingleBar(
    { stream: progress, format: `${say('progress')} {bar} {percentage} %  {value}/{total}`, noTTYOutput: true },
    Presets.shades_classic,
  );
  bar.start(folds * rounds, 0);
  const judged: Judged[] = [];
  for (const part of crossValidate(lessonsOf(content), { folds, rounds })) {
    judged.push(...part);
    bar.increment();
  }
  bar.stop();

  const figures = figuresOf(judged);
  const unseen = blind === undefined ? [] : readBlind(blind).map((each) => judge(understanding, each));
  const frozen = unseen.length > 0 ? { count: unseen.length, figures: figuresOf(unseen) } : undefined;
  for (const measure of measures) {
    const name = say(`measure-${measure}`);
    const parts = [figures, frozen?.figures].flatMap((each) => (each ? [inFigures(each, measure)] : []));
    output.write(`${name.padEnd(62)}${parts.map((part) => part.padEnd(28)).join('')}\n`);
  }

  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, evaluationReport(content, { folds, rounds, judged, figures, frozen }));
  output.write(`${say('written', { file: out })}\n`);
}

const inFigures = (figures: Figures, measure: (typeof measures)[number]): string => {
  const { value, from, to } = figures[measure];
  return `${percent(value)} (${percent(from)}–${percent(to)})`;
};

const Blind = z.object({ text: z.string(), intent: z.enum(intents as [string, ...string[]]) });
type Blind = z.infer<typeof Blind>;

/** Texts set aside for measuring, one JSON object a line, in every file of the folder. */
function readBlind(folder: string): Blind[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => Blind.parse(JSON.parse(line)));
}

const judge = ({ understand }: Understanding, { text, intent }: Blind): Judged => {
  const { decision, candidates } = understand(text);
  return { text, truth: intent as Judged['truth'], decision, candidates };
};
