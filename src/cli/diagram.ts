/**
 * `kortlotsen diagram`: the statechart as a picture, drawn from the machine.
 *
 * Every path is a picture of its own, and the pictures stand in rows. An arrow
 * that would leave its picture ends in the name of the path it leads to.
 */
import type { Attributes, Edge, Graph, Node } from '@viz-js/viz';
import { factsInWords, type Place, places, surroundings, type Way } from '../../dialogs/chart.ts';
import { type Beginning, beginnings } from '../../dialogs/intents.ts';

const WIDTH = 1240;
const GAP = 14;
const PADDING = 14;
const HEADING = 34;

const INK = '#22303a';
const FADED = '#4c5c67';
const LINE = '#7b8a95';

/** What the layout measures letters by, and what they are shown in: the two are equally wide. */
const MEASURED = 'Arial';
const SHOWN = 'Helvetica, Arial, sans-serif';

const looks = {
  heard: { shape: 'box', style: 'filled,dashed', fillcolor: 'white', color: '#93a1ab', fontcolor: FADED, fontsize: 10 },
  question: { shape: 'box', style: 'filled,rounded', fillcolor: '#dcebf8', color: '#5a8cb8' },
  decision: { shape: 'diamond', style: 'filled', fillcolor: 'white', color: LINE, fontsize: 9.5, margin: '0.02,0.03' },
  wait: { shape: 'hexagon', style: 'filled', fillcolor: '#fdedcd', color: '#c2963a', margin: '0.02,0.05' },
  rest: { shape: 'box', style: 'filled', fillcolor: '#e1f1de', color: '#69a263' },
  elsewhere: { shape: 'box', style: 'filled', fillcolor: '#ece6f5', color: '#8d7ab3' },
} satisfies Record<string, Attributes>;

type Kind = keyof typeof looks;

const legend: Record<Kind, string> = {
  heard: 'what is heard there: intents,\nand what is known by them',
  question: 'asks for a fact; the answer\ndecides the way on',
  decision: 'decides, and\nis passed through',
  wait: 'waits for a report\nfrom the world',
  rest: 'asks nothing\nmore',
  elsewhere: '→ goes on in\nthat path',
};

const reading = [
  '“otherwise” is every other answer, “I do not know” among them.',
  'An outcome that is reached in passing, in the middle of another',
  'path’s question, leads back to the path that was left.',
];

type Drawn = { nodes: Node[]; edges: Edge[] };
type Picture = { name: string; svg: string; width: number; height: number };

export async function drawDiagram(): Promise<string> {
  const { instance } = await import('@viz-js/viz');
  const viz = await instance();
  const pictureOf = (name: string, drawn: Drawn) =>
    pictureIn(name, viz.renderString(graphOf(drawn), { format: 'svg_inline' }));

  const all = [...surroundings(), ...places()];
  const paths = [...new Set(all.map(({ path }) => path))];
  const pictures = paths.map((path) => pictureOf(path, drawnPath(all.filter((place) => place.path === path))));
  const tallestFirst = pictures.toSorted((one, other) => other.height - one.height);
  return framed([pictureOf('Legend', drawnLegend()), ...tallestFirst]);
}

function drawnPath(here: Place[]): Drawn {
  return together([...here.flatMap(drawnBeginnings), ...here.map((place) => drawnPlace(place, here))]);
}

function drawnBeginnings({ name, path, isFirst }: Place): Drawn[] {
  const intents = Object.entries<Beginning>(beginnings)
    .filter(([, { path: begun, at }]) => begun === path && (at ? `${path}/${at}` === name : isFirst))
    .map(([intent, { told }]) => (told ? `${intent} · ${factsInWords(told)}` : intent));
  if (intents.length === 0) return [];
  const heard = { name: `heard ${name}`, attributes: { ...looks.heard, label: leftAligned(intents) } };
  return [{ nodes: [heard], edges: [{ tail: heard.name, head: name }] }];
}

function drawnPlace(place: Place, here: Place[]): Drawn {
  const { name, path, ways } = place;
  const headOf = ({ to = '' }: Way) =>
    here.find((each) => each.name === `${path}/${to.replace(/^(#|.*\.)/, '')}`)?.name;
  const leavesPath = (way: Way) => way.to?.startsWith('#') && way.to !== '#returning' && !headOf(way);

  const within = groupedBy(ways, headOf).map(([head, group]) => arrow(name, head, labelOf(group)));
  const targets = groupedBy(ways.filter(leavesPath), ({ to }) => to);
  const beyond = groupedBy(targets, ([, group]) => labelOf(group)).map(([label, group]) => {
    const paths = group.map(([to]) => to);
    const there = { name: `${name} ${paths.join(' ')}`, attributes: { ...looks.elsewhere, ...linkTo(paths) } };
    return { nodes: [there], edges: [arrow(name, there.name, label)] };
  });
  return together([{ nodes: [nodeOf(place)], edges: within }, ...beyond]);
}

function nodeOf(place: Place): Node {
  const { name, path, asks, ways } = place;
  const state = name.slice(path.length + 1);
  const question = asks && state.toLowerCase() !== `asking${asks}`.toLowerCase() ? [`${asks}?`] : [];
  const leading = ways.filter(({ to }) => to).map(({ on }) => on);
  const staying = new Set(ways.map(({ on }) => on).filter((on) => !leading.includes(on)));
  const answered = staying.size > 0 ? wrapped(`answered in place: ${withoutKind([...staying].join(', '))}`) : [];
  const label = [state, ...question, ...answered].join('\n');
  return { name, attributes: { ...looks[kindOf(place)], id: name, label } };
}

function kindOf({ name, asks, isTransient, ways }: Place): Kind {
  if (name.endsWith('/anywhere')) return 'heard';
  if (asks) return 'question';
  if (isTransient) return 'decision';
  return ways.some(({ on }) => /^(ledger|identity)\./.test(on)) ? 'wait' : 'rest';
}

const arrow = (tail: string, head: string, label: string): Edge => ({ tail, head, attributes: { label } });

function linkTo(targets: string[]): Attributes {
  const [only, ...others] = targets;
  return {
    label: targets.map((to) => to.replace('#', '→ ').replace('.', ' · ')).join('\n'),
    ...(only && others.length === 0 && { URL: only.replace(/\..*/, '') }),
  };
}

/** What an arrow is taken on: an event, and in brackets what must be true then; or that alone, where no event is. */
function labelOf(ways: Way[]): string {
  const labels = new Set(ways.map(({ on, when = '' }) => (on && when ? `${on} [${when}]` : on || when)));
  const lines = withoutKind([...labels].join('\nor '))
    .replaceAll(', ', ',\n')
    .split('\n');
  return lines.map((line) => ` ${line} `).join('\n');
}

function drawnLegend(): Drawn {
  const kinds = Object.entries(legend).map(([kind, label]) => ({
    name: kind,
    attributes: { ...looks[kind as Kind], label },
  }));
  const note = { name: 'note', attributes: { shape: 'plaintext', fontcolor: FADED, label: leftAligned(reading) } };
  return { nodes: [...kinds, note], edges: [] };
}

function graphOf({ nodes, edges }: Drawn): Graph {
  return {
    graphAttributes: { bgcolor: 'transparent', pad: 0.03, nodesep: 0.15, ranksep: 0.28, outputorder: 'edgesfirst' },
    nodeAttributes: { fontname: MEASURED, fontsize: 11, fontcolor: INK, height: 0.3, margin: '0.1,0.05' },
    edgeAttributes: { fontname: MEASURED, fontsize: 9.5, fontcolor: FADED, color: LINE, arrowsize: 0.6 },
    nodes,
    edges,
  };
}

/** The engine's own numbering begins anew in every picture, so it is left out. */
function pictureIn(name: string, drawn: string): Picture {
  const [, width, height] = /width="(\d+)pt" height="(\d+)pt"/.exec(drawn) ?? [];
  const svg = drawn
    .replace(/(width|height)="(\d+)pt"/g, '$1="$2"')
    .replace(/ id="(a_)?(graph|node|edge)\d+"| font-family="[^"]*"|<!--.*?-->\n/gs, '')
    .replaceAll('&#45;', '-');
  return { name, svg, width: Number(width), height: Number(height) };
}

/** In rows as full as they get, and each row as wide as the next. */
function framed(pictures: Picture[]): string {
  const rows: Picture[][] = [];
  for (const picture of pictures) {
    const row = rows.find((each) => spaceFor([...each, picture]) <= WIDTH);
    if (row) row.push(picture);
    else rows.push([picture]);
  }
  let bottom = GAP;
  const frames = rows.flatMap((row) => {
    const top = bottom;
    const height = Math.max(...row.map((picture) => picture.height)) + HEADING + PADDING;
    const spare = (WIDTH - spaceFor(row)) / row.length;
    bottom += height + GAP;
    let right = 0;
    return row.map((picture) => {
      const left = Math.round(right + GAP);
      right += GAP + picture.width + 2 * PADDING + spare;
      return frame(picture, { left, top, width: Math.round(right) - left, height });
    });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${WIDTH}" height="${bottom}" viewBox="0 0 ${WIDTH} ${bottom}" font-family="${SHOWN}">`,
    `<title>Kortlotsen’s statechart</title>`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...frames,
    `</svg>\n`,
  ].join('\n');
}

const spaceFor = (row: Picture[]): number => row.reduce((space, { width }) => space + width + 2 * PADDING + GAP, GAP);

type Frame = { left: number; top: number; width: number; height: number };

function frame(picture: Picture, { left, top, width, height }: Frame): string {
  const x = Math.round((width - picture.width) / 2);
  return [
    `<g id="${picture.name}" transform="translate(${left} ${top})">`,
    `<rect width="${width}" height="${height}" rx="9" fill="#fafbfc" stroke="#cfd7dc"/>`,
    `<text x="${PADDING}" y="23" font-size="15" font-weight="bold" fill="${INK}">${picture.name}</text>`,
    `${picture.svg.trim().replace('<svg', `<svg x="${x}" y="${HEADING}"`)}</g>`,
  ].join('\n');
}

function groupedBy<Item>(items: Item[], keyOf: (item: Item) => string | undefined): [string, Item[]][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups];
}

const together = (drawn: Drawn[]): Drawn => ({
  nodes: drawn.flatMap(({ nodes }) => nodes),
  edges: drawn.flatMap(({ edges }) => edges),
});

const withoutKind = (events: string): string => events.replaceAll('intent.', '');
const leftAligned = (lines: string[]): string => lines.map((line) => `${line}\\l`).join('');
const wrapped = (text: string): string[] => text.match(/.{1,56}(, |$)/g) ?? [];
