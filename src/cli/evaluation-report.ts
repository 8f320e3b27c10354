/**
 * The report of an evaluation: one page of HTML that needs nothing else, made
 * for whoever writes the examples.
 */
import type { Intent } from '../../dialogs/intents.ts';
import type { Content } from '../content.ts';
import {
  confusionsIn,
  type Figures,
  type Judged,
  type Measure,
  measures,
  riskCurve,
  type RiskPoint,
  type Share,
} from '../understanding/evaluation.ts';

export type Evaluation = {
  folds: number;
  rounds: number;
  judged: readonly Judged[];
  figures: Figures;
  /** Of texts that nobody trained on. They are counted, and never shown. */
  frozen: { count: number; figures: Figures } | undefined;
};

export const reportLabels = [
  'title',
  'intro',
  'frozenIntro',
  'progress',
  'written',
  'figures',
  'measureOf',
  'crossValidated',
  'frozen',
  'interval',
  ...measures.map((measure) => `measure-${measure}`),
  'curve',
  'curveHelp',
  'curveCoverage',
  'curveRisk',
  'borders',
  'bordersHelp',
  'border',
  'confusions',
  'confusionsHelp',
  'confusion',
  'matrix',
  'matrixHelp',
].map((name) => `evaluation/${name}`);

const MOST_CONFUSIONS = 25;

export function evaluationReport(content: Content, evaluation: Evaluation): string {
  const { folds, rounds, judged, figures, frozen } = evaluation;
  const say = (name: string, facts: Record<string, string> = {}) => escaped(content.label(`evaluation/${name}`, facts));
  const titles = new Map(content.taught.map(({ intent, title }) => [intent, title]));
  const titleOf = (intent: Intent) => titles.get(intent) ?? intent;
  const section = (name: string, ...parts: string[]) => `<section><h2>${say(name)}</h2>${parts.join('')}</section>`;
  const help = (name: string) => `<p>${say(name)}</p>`;

  const cell = (share: Share) =>
    `<td>${percent(share.value)}<small>${say('interval', { from: percent(share.from), to: percent(share.to) })}</small></td>`;
  const row = (measure: Measure) =>
    `<tr><th scope="row">${say(`measure-${measure}`)}</th>${cell(figures[measure])}${frozen ? cell(frozen.figures[measure]) : ''}</tr>`;
  const head = [
    say('measureOf'),
    say('crossValidated', { count: judged.length.toLocaleString('sv-SE') }),
    ...(frozen ? [say('frozen', { count: frozen.count.toLocaleString('sv-SE') })] : []),
  ];
  const table = `<table><thead><tr>${head.map((each) => `<th scope="col">${each}</th>`).join('')}</tr></thead>
<tbody>${measures.map(row).join('\n')}</tbody></table>`;

  const confusions = confusionsIn(judged)
    .slice(0, MOST_CONFUSIONS)
    .map(({ truth, said, texts }) => {
      const facts = { truth: titleOf(truth), said: titleOf(said), count: String(texts.length) };
      const items = texts.map((text) => `<li>${escaped(text)}</li>`).join('');
      return `<details><summary>${say('confusion', facts)}</summary><ul>${items}</ul></details>`;
    });

  return `<!doctype html>
<html lang="sv">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${say('title')}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${say('title')}</h1>
<p>${say('intro', { folds: String(folds), rounds: String(rounds) })}</p>
${frozen ? help('frozenIntro') : ''}
${section('figures', table)}
${section('curve', help('curveHelp'), curve(riskCurve(judged), say('curveCoverage'), say('curveRisk')))}
${section('borders', help('bordersHelp'), borderTable(content, judged, titleOf, say('border')))}
${section('confusions', help('confusionsHelp'), ...confusions)}
${section('matrix', help('matrixHelp'), matrix(judged, titleOf, say('matrix')))}
</main>
</body>
</html>
`;
}

function borderTable(
  { borders }: Content,
  judged: readonly Judged[],
  titleOf: (intent: Intent) => string,
  heading: string,
): string {
  const rows = borders.map(({ name, sides }) => {
    const cells = sides.map(({ intent, examples }) => {
      const own = new Set(examples);
      const here = judged.filter(({ text }) => own.has(text));
      const right = here.filter(({ candidates: [first], truth }) => first?.intent === truth);
      return `<td>${escaped(titleOf(intent))}<small>${percent(right.length / (here.length || 1))}</small></td>`;
    });
    return `<tr><th scope="row">${escaped(name)}</th>${cells.join('')}</tr>`;
  });
  return `<table><thead><tr><th scope="col">${heading}</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

const CURVE = { width: 640, height: 320, margin: 48, points: 200 };

function curve(points: readonly RiskPoint[], coverage: string, risk: string): string {
  const { width, height, margin } = CURVE;
  const steepest = Math.max(0.05, ...points.slice(Math.floor(points.length / 20)).map((point) => point.risk));
  const x = (value: number) => margin + value * (width - 2 * margin);
  const y = (value: number) => height - margin - (Math.min(value, steepest) / steepest) * (height - 2 * margin);
  const step = Math.max(1, Math.floor(points.length / CURVE.points));
  const line = points
    .filter((_, index) => index % step === 0 || index === points.length - 1)
    .map((point) => `${x(point.coverage).toFixed(1)},${y(point.risk).toFixed(1)}`);
  const tick = (at: number) =>
    `<text x="${x(at)}" y="${height - margin + 18}" text-anchor="middle">${percent(at, 0)}</text>`;
  const rung = (at: number) =>
    `<path d="M${x(0)} ${y(at)}H${x(1)}" class="rung"/><text x="${x(0) - 6}" y="${y(at) + 4}" text-anchor="end">${percent(at)}</text>`;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${risk}, ${coverage}">
${[0, 1, 2, 3, 4].map((part) => rung((steepest * part) / 4)).join('')}
${[0, 0.25, 0.5, 0.75, 1].map(tick).join('')}
<polyline points="${line.join(' ')}"/>
<text x="${width / 2}" y="${height - 8}" text-anchor="middle">${coverage}</text>
<text x="0" y="16">${risk}</text>
</svg>`;
}

function matrix(judged: readonly Judged[], titleOf: (intent: Intent) => string, name: string): string {
  const intents = [...new Set(judged.map(({ truth }) => truth))].sort((one, other) =>
    titleOf(one).localeCompare(titleOf(other), 'sv'),
  );
  const counts = new Map<string, number>();
  const count = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { truth, candidates } of judged) {
    count(truth);
    count(`${truth} ${candidates[0]?.intent ?? ''}`);
  }
  const cell = (truth: Intent, said: Intent) => {
    const share = (counts.get(`${truth} ${said}`) ?? 0) / (counts.get(truth) ?? 1);
    if (share === 0) return '<td></td>';
    const kind = truth === said ? 'right' : 'wrong';
    const facts = `${titleOf(truth)} → ${titleOf(said)}: ${percent(share)}`;
    return `<td class="${kind}" style="--share:${share.toFixed(3)}" title="${escaped(facts)}">${Math.round(share * 100) || ''}</td>`;
  };
  const head = intents.map((intent) => `<th scope="col"><span>${escaped(titleOf(intent))}</span></th>`);
  const rows = intents.map(
    (truth) =>
      `<tr><th scope="row">${escaped(titleOf(truth))}</th>${intents.map((said) => cell(truth, said)).join('')}</tr>`,
  );
  return `<div class="wide" tabindex="0" role="region" aria-label="${name}"><table class="matrix"><thead><tr><td></td>${head.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

export const percent = (share: number, decimals = 1): string =>
  `${(share * 100).toLocaleString('sv-SE', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })} %`;

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0) ?? 32};`);

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 75rem; margin: 0 auto; padding: 1rem; }
p { max-width: 44rem; }
table { border-collapse: collapse; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #8886; font-weight: normal; }
thead th { font-weight: bold; }
small { display: block; opacity: .75; }
details { margin: .3rem 0; }
svg { max-width: 44rem; width: 100%; fill: currentColor; font-size: .8rem; }
polyline { fill: none; stroke: #0b6bcb; stroke-width: 3; }
.rung { stroke: #8886; fill: none; }
.wide { overflow-x: auto; }
.matrix { font-size: .7rem; line-height: 1.2; }
.matrix th, .matrix td { padding: .15rem .25rem; border: 1px solid #8883; white-space: nowrap; }
.matrix tbody td { text-align: right; min-width: 1.4rem; }
.matrix thead th { vertical-align: bottom; }
.matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); }
.right { background: color-mix(in srgb, #1a7f37 calc(var(--share) * 70%), transparent); }
.wrong { background: color-mix(in srgb, #cf222e calc(var(--share) * 300%), transparent); }
`;
