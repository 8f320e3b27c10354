/** The engines one could pick, each taught and asked in the same way. */
import { createClassifier } from '../../../src/understanding/classifier.ts';
import { train } from '../../../src/understanding/training.ts';
import type { Dataset, Text } from './datasets.ts';

/** `classify` ranks labels, the surest first; how sure it is is its own affair, as long as surer is more. */
export type Classify = (text: string) => Promise<Ranked[]> | Ranked[];
export type Ranked = { label: string; sureness: number };
type Teach = (train: readonly Text[], dataset: Dataset) => Promise<Classify> | Classify;

export const engines = {
  Kortlotsen: (texts, { evidence, synonyms }) => {
    const { classify } = createClassifier(train({ examples: texts, evidence, synonyms }));
    return (text) => classify(text).map(({ label, probability }) => ({ label, sureness: probability }));
  },
  'natural BayesClassifier': (texts) => teachNatural('bayes_classifier', texts),
  'natural LogisticRegression': (texts) => teachNatural('logistic_regression_classifier', texts),
  'nlp.js, Swedish': async (texts) => {
    const [{ containerBootstrap }, { NluNeural }, { LangSv }] = await Promise.all([
      import('@nlpjs/core'),
      import('@nlpjs/nlu'),
      import('@nlpjs/lang-sv'),
    ]);
    const container = await containerBootstrap();
    container.use(LangSv);
    const neural = new NluNeural({ locale: 'sv', container, log: false });
    await neural.train(texts.map(({ text, label }) => ({ utterance: text, intent: label })));
    return async (text) => {
      const { classifications } = await neural.process(text);
      return classifications.map(({ intent, score }) => ({ label: intent, sureness: score }));
    };
  },
  'BM25, nearest example': async (texts) => {
    const [{ default: MiniSearch }, { default: stemmer }] = await Promise.all([
      import('minisearch'),
      import('natural/lib/natural/stemmers/porter_stemmer_sv.js'),
    ]);
    const index = new MiniSearch({
      fields: ['text'],
      processTerm: (term) => stemmer.stem(term.toLocaleLowerCase('sv')),
    });
    index.addAll(texts.map((each, id) => ({ id, ...each })));
    return (text) => {
      const best = new Map<string, number>();
      for (const { id, score } of index.search(text)) {
        const label = texts[Number(id)]?.label ?? '';
        if (!best.has(label)) best.set(label, score);
      }
      return [...best].map(([label, sureness]) => ({ label, sureness }));
    };
  },
} satisfies Record<string, Teach> as Record<string, Teach>;

/** With natural's own Swedish stemmer, and without its stop words: its list holds inte, nej and hur. */
async function teachNatural(name: 'bayes_classifier' | 'logistic_regression_classifier', texts: readonly Text[]) {
  const [{ default: Classifier }, { default: stemmer }] = await Promise.all([
    name === 'bayes_classifier'
      ? import('natural/lib/natural/classifiers/bayes_classifier.js')
      : import('natural/lib/natural/classifiers/logistic_regression_classifier.js'),
    import('natural/lib/natural/stemmers/porter_stemmer_sv.js'),
  ]);
  const stems = (text: string) =>
    (text.toLocaleLowerCase('sv').match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => stemmer.stem(word));
  const classifier = new Classifier();
  for (const { text, label } of texts) classifier.addDocument(stems(text), label);
  classifier.train();
  return (text: string): Ranked[] => {
    const values = classifier.getClassifications(stems(text));
    const sum = values.reduce((total, { value }) => total + value, 0) || 1;
    return values.map(({ label, value }) => ({ label, sureness: value / sum }));
  };
}
