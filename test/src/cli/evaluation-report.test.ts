import { describe, expect, it } from '@jest/globals';
import { evaluationReport } from '../../../src/cli/evaluation-report.ts';
import { figuresOf, type Judged } from '../../../src/understanding/evaluation.ts';
import { content } from '../../product.ts';

const judged: Judged[] = [
  {
    text: 'kortet <gick> ut & nu då',
    truth: 'expired',
    decision: 'answer',
    candidates: [
      { intent: 'renew', probability: 0.7 },
      { intent: 'expired', probability: 0.3 },
    ],
  },
  {
    text: 'går ut snart',
    truth: 'renew',
    decision: 'answer',
    candidates: [
      { intent: 'renew', probability: 0.9 },
      { intent: 'expired', probability: 0.1 },
    ],
  },
];
const figures = figuresOf(judged);
const report = (frozen?: { count: number; figures: typeof figures }) =>
  evaluationReport(content, { folds: 5, rounds: 2, judged, figures, frozen });

describe('the report of an evaluation', () => {
  it('shows the sentences behind a confusion, as they were written', () => {
    expect(report()).toContain('<li>kortet &#60;gick&#62; ut &#38; nu då</li>');
    expect(report()).not.toContain('<gick>');
  });

  it('has a row for every intent that was asked about, and a column for each', () => {
    const [matrix = ''] = /<table class="matrix">.*<\/table>/s.exec(report()) ?? [];
    expect(matrix.match(/<th scope="row">/g)).toHaveLength(2);
    expect(matrix.match(/<th scope="col">/g)).toHaveLength(2);
  });

  it('puts the figures of frozen texts beside the others, if there are any', () => {
    const cells = (html: string) => html.match(/<td>[\d,]+ %<small>/g)?.length;
    expect(cells(report({ count: 12, figures }))).toBe((cells(report()) ?? 0) * 2);
  });

  it('needs nothing from anywhere else', () => {
    expect(report()).not.toMatch(/src=|https?:|@import|url\(/);
  });
});
