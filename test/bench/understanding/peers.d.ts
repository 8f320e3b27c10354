/** What the bench uses of the engines it measures, which bring no types of their own for it. */
declare module 'natural/lib/natural/classifiers/bayes_classifier.js' {
  const Classifier: NaturalClassifier;
  export default Classifier;
}
declare module 'natural/lib/natural/classifiers/logistic_regression_classifier.js' {
  const Classifier: NaturalClassifier;
  export default Classifier;
}
declare module '@nlpjs/core' {
  export function containerBootstrap(): Promise<{ use(plugin: unknown): void }>;
}
declare module '@nlpjs/lang-sv' {
  export const LangSv: unknown;
}
declare module '@nlpjs/nlu' {
  export class NluNeural {
    constructor(settings: { locale: string; container: unknown; log: boolean });
    train(corpus: { utterance: string; intent: string }[]): Promise<void>;
    process(text: string): Promise<{ classifications: { intent: string; score: number }[] }>;
  }
}

type NaturalClassifier = new () => {
  addDocument(tokens: string[], label: string): void;
  train(): void;
  getClassifications(tokens: string[]): { label: string; value: number }[];
};
