import { describe, expect, it } from '@jest/globals';
import type { Intent } from '../../../dialogs/intents.ts';
import type { Decision } from '../../../src/understanding/decision.ts';
import {
  confusionsIn,
  crossValidate,
  figuresOf,
  type Judged,
  riskCurve,
} from '../../../src/understanding/evaluation.ts';

const judged = (text: string, truth: Intent, said: Intent, probability: number, decision: Decision): Judged => ({
  text,
  truth,
  decision,
  candidates: [
    { intent: said, probability },
    { intent: said === truth ? 'help' : truth, probability: 1 - probability },
  ],
});

const four = [
  judged('a', 'renew', 'renew', 0.9, 'answer'),
  judged('b', 'renew', 'expired', 0.6, 'clarify'),
  judged('c', 'out-of-scope', 'out-of-scope', 0.8, 'fallback'),
  judged('d', 'out-of-scope', 'renew', 0.7, 'answer'),
];

describe('the figures', () => {
  it('are the shares they are called', () => {
    const { top1, top2, coverage, precision, inScope, outsideAnswered, outsideRecall } = figuresOf(four);
    expect(top1.value).toBe(0.5);
    expect(top2.value).toBe(1);
    expect(inScope.value).toBe(0.5);
    expect(coverage.value).toBe(0.5);
    expect(precision.value).toBe(0.5);
    expect(outsideAnswered.value).toBe(0.5);
    expect(outsideRecall.value).toBe(0.5);
  });

  it('give every intent the same weight in F1', () => {
    // renew: 1 right, said twice, true twice; expired: never right; out-of-scope: 1 right, said once, true twice.
    expect(figuresOf(four).macroF1.value).toBeCloseTo((0.5 + 0 + 2 / 3) / 3);
  });

  it('tell how far promised probabilities are from what comes true', () => {
    // Four bins of one text each: .9 came true, .8 too, .7 and .6 did not.
    expect(figuresOf(four).calibrationError.value).toBeCloseTo((0.1 + 0.2 + 0.7 + 0.6) / 4);
  });

  it('lie within their intervals, which are narrower the more texts there are', () => {
    const many = Array.from({ length: 50 }, (_, copy) =>
      four.map((each) => ({ ...each, text: `${each.text} ${copy}` })),
    ).flat();
    const width = (all: Judged[]) => {
      const { value, from, to } = figuresOf(all).top1;
      expect(from).toBeLessThanOrEqual(value);
      expect(to).toBeGreaterThanOrEqual(value);
      return to - from;
    };
    expect(width(many)).toBeLessThan(width(four));
  });
});

describe('the confusions', () => {
  it('name what was taken for what, with the sentences behind it, the most frequent first', () => {
    const again = judged('e', 'out-of-scope', 'renew', 0.5, 'clarify');
    expect(confusionsIn([...four, again])).toEqual([
      { truth: 'out-of-scope', said: 'renew', texts: ['d', 'e'], share: 2 / 3 },
      { truth: 'renew', said: 'expired', texts: ['b'], share: 1 / 2 },
    ]);
  });
});

describe('the risk–coverage curve', () => {
  it('tells how often one is wrong when only the surest are answered', () => {
    expect(riskCurve(four)).toEqual([
      { coverage: 0.25, risk: 0 },
      { coverage: 0.5, risk: 0 },
      { coverage: 0.75, risk: 1 / 3 },
      { coverage: 1, risk: 0.5 },
    ]);
  });
});

describe('cross-validation', () => {
  const say = (label: Intent, ...texts: string[]) => texts.map((text) => ({ text, label }));
  const examples = [
    ...say(
      'lost-card',
      'tappat kortet',
      'kortet är tappat',
      'har tappat mitt kort',
      'tappade kort',
      'kort tappat igår',
    ),
    ...say('pin-forgotten', 'glömt koden', 'koden är glömd', 'har glömt min kod', 'glömde kod', 'kod glömd igår'),
  ];

  it('judges each example once a round, by a model that has not seen it', () => {
    const parts = [...crossValidate({ examples, evidence: {}, synonyms: {} }, { folds: 5, rounds: 2 })];
    expect(parts).toHaveLength(10);
    const texts = parts.flat().map(({ text }) => text);
    expect(texts.sort()).toEqual([...examples, ...examples].map(({ text }) => text).sort());
    for (const part of parts) expect(new Set(part.map(({ truth }) => truth)).size).toBe(2);
    expect(figuresOf(parts.flat()).top1.value).toBeGreaterThan(0.9);
  });
});
