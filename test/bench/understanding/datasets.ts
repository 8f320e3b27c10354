/**
 * What the engines are measured on: our own content, and the Swedish of
 * MASSIVE (FitzGerald et al. 2022), which is no part of the project.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Content } from '../../../src/content.ts';
import type { Lessons } from '../../../src/understanding/classifier.ts';
import { shuffled } from '../../../src/understanding/random.ts';
import { foldsOf } from '../../../src/understanding/training.ts';
import { lessonsOf } from '../../../src/understanding/understanding.ts';

export type Text = { text: string; label: string };

/** One division into what is taught and what is asked. `outside` is asked, and has no right label among the taught. */
export type Dataset = Omit<Lessons, 'examples'> & {
  name: string;
  train: Text[];
  test: Text[];
  outside: { name: string; texts: string[] }[];
};

const OUTSIDE = 'out-of-scope';

/** Each fold of the content in turn. What is out of scope is not taught here, so that it is as foreign to every engine. */
export function contentDatasets(content: Content, folds: number): Dataset[] {
  const lessons = lessonsOf(content);
  const examples = shuffled(lessons.examples, 1);
  const foldOf = foldsOf(examples, folds);
  return Array.from({ length: folds }, (_, fold) => ({
    name: 'content',
    evidence: Object.fromEntries(Object.entries(lessons.evidence).filter(([label]) => label !== OUTSIDE)),
    synonyms: lessons.synonyms,
    train: examples.filter(({ label }, index) => foldOf[index] !== fold && label !== OUTSIDE),
    test: examples.filter(({ label }, index) => foldOf[index] === fold && label !== OUTSIDE),
    outside: [
      {
        name: 'outside',
        texts: examples
          .filter(({ label }, index) => foldOf[index] === fold && label === OUTSIDE)
          .map(({ text }) => text),
      },
    ],
  }));
}

const Row = z.object({
  partition: z.enum(['train', 'dev', 'test']),
  scenario: z.string(),
  intent: z.string(),
  utt: z.string(),
});

const INTENTS = 30;
const UTTERANCES = 20;

/**
 * For each seed, 30 intents and 20 utterances of each, drawn from the part for
 * training. Asked is all of the chosen intents in `part`; near outside are the
 * other intents of their scenarios, far outside is the rest.
 */
export function massiveDatasets(file: string, seeds: number, part: 'dev' | 'test'): Dataset[] {
  const rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => Row.parse(JSON.parse(line)));
  const textOf = ({ utt, intent }: z.infer<typeof Row>): Text => ({ text: utt, label: intent });
  const taught = rows.filter(({ partition }) => partition === 'train');
  const counts = new Map<string, number>();
  for (const { intent } of taught) counts.set(intent, (counts.get(intent) ?? 0) + 1);
  const eligible = [...counts].flatMap(([intent, count]) => (count >= UTTERANCES ? [intent] : [])).sort();

  return Array.from({ length: seeds }, (_, index) => {
    const chosen = new Set(shuffled(eligible, index + 1).slice(0, INTENTS));
    const scenarios = new Set(rows.filter(({ intent }) => chosen.has(intent)).map(({ scenario }) => scenario));
    const asked = rows.filter(({ partition }) => partition === part);
    const strange = asked.filter(({ intent }) => !chosen.has(intent));
    const isNear = ({ scenario }: { scenario: string }) => scenarios.has(scenario);
    return {
      name: 'MASSIVE',
      evidence: {},
      synonyms: {},
      train: [...chosen].flatMap((intent) =>
        shuffled(
          taught.filter((row) => row.intent === intent),
          index + 1,
        )
          .slice(0, UTTERANCES)
          .map(textOf),
      ),
      test: asked.filter(({ intent }) => chosen.has(intent)).map(textOf),
      outside: [
        { name: 'near', texts: strange.filter(isNear).map(({ utt }) => utt) },
        { name: 'far', texts: strange.filter((row) => !isNear(row)).map(({ utt }) => utt) },
      ],
    };
  });
}
