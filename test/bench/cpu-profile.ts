/** Where the CPU time of a bot went, by the part of the program it went to. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sum } from './statistics.ts';

/** In microseconds: by part, and of the functions that took most. */
export type Spent = { parts: Map<string, number>; functions: Map<string, number> };

type Frame = { functionName: string; url: string; lineNumber: number; columnNumber: number };
type Profile = {
  nodes: { id: number; callFrame: Frame; children?: number[] }[];
  startTime: number;
  samples: number[];
  timeDeltas: number[];
};

/** The first that fits where a function is written. */
const PARTS: readonly [part: string, where: RegExp][] = [
  ['pg', /node_modules\/(pg|postgres)/],
  ['dialogs, xstate', /^dialogs\/|^src\/turn|node_modules\/xstate/],
  ['understanding', /^src\/understanding|node_modules\/natural/],
  ['wording', /^src\/(content|wording|guidance)/],
  ['masking', /^src\/masking/],
  ['calendar', /^src\/calendar|node_modules\/(luxon|date-holidays)/],
  ['conversations', /^src\/conversations/],
  ['authentication', /^src\/channels\/bot-framework\/authentication|node_modules\/(jose|jsonwebtoken|jws|jwa)/],
  ['rest of ours', /^src\//],
  [
    'connector client',
    /node_modules\/(@azure|@typespec|axios|undici|(http|https)-proxy-agent|botframework-connector\/lib\/connectorApi|botbuilder-stdlib\/lib\/azure)/,
  ],
  ['botbuilder', /node_modules\/(botbuilder|botframework)/],
  ['restify', /node_modules\/(restify|find-my-way|bunyan|pino|negotiator|mime|qs|formidable|once|send|semver|lru)/],
  ['zod', /node_modules\/zod/],
];
const REST = 'other packages';
const NODE = 'Node by itself';
const COLLECTOR = 'garbage collector';
const IDLE = 'idle';
export const partNames = [...PARTS.map(([part]) => part), REST, NODE, COLLECTOR];

/** `from` and `to` are of the clock that `process.hrtime` reads, in microseconds. */
export function spentIn(folder: string, from: number, to: number): Spent {
  const [file] = readdirSync(folder);
  if (!file) throw new Error('A bot has written no CPU profile');
  const { nodes, samples, timeDeltas, startTime } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const places = placesOf(nodes);
  const parts = new Map<string, number>();
  const functions = new Map<string, number>();
  let now = startTime;
  for (const [index, id] of samples.entries()) {
    const took = timeDeltas[index + 1] ?? 0;
    now += timeDeltas[index] ?? 0;
    const place = places.get(id);
    if (!place || place.part === IDLE || now < from || now > to) continue;
    parts.set(place.part, (parts.get(place.part) ?? 0) + took);
    functions.set(place.name, (functions.get(place.name) ?? 0) + took);
  }
  return { parts, functions };
}

export const mostOf = ({ functions }: Spent, count: number): [name: string, share: number][] => {
  const total = sum([...functions.values()]);
  return [...functions]
    .sort(([, one], [, other]) => other - one)
    .slice(0, count)
    .map(([name, time]) => [name, time / total]);
};

type PlaceOf = { part: string; name: string };

/** Native code, and what is Node's own, is counted to whichever part has called it. */
function placesOf(nodes: Profile['nodes']): Map<number, PlaceOf> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const places = new Map<number, PlaceOf>();
  const visit = (id: number, caller: string) => {
    const node = byId.get(id);
    if (!node) return;
    const place = placeOf(node.callFrame, caller);
    places.set(id, place);
    for (const child of node.children ?? []) visit(child, place.part);
  };
  const [root] = nodes;
  if (root) visit(root.id, NODE);
  return places;
}

function placeOf({ functionName, url, lineNumber, columnNumber }: Frame, caller: string): PlaceOf {
  if (functionName === '(root)') return { part: NODE, name: functionName };
  if (functionName === '(idle)') return { part: IDLE, name: functionName };
  if (functionName === '(program)') return { part: NODE, name: functionName };
  if (functionName === '(garbage collector)') return { part: COLLECTOR, name: functionName };
  const written = url.startsWith('file:') ? originOf(fileURLToPath(url), lineNumber, columnNumber) : url;
  const name = functionName || '(anonymous)';
  if (written === '' || written.startsWith('node:')) {
    return { part: caller, name: `${name} ${written || 'in native code'}, for ${caller}` };
  }
  return { part: PARTS.find(([, where]) => where.test(written))?.[0] ?? REST, name: `${name} ${written}` };
}

const maps = new Map<string, SourceMap | undefined>();

/** Where a function of the bundled program is written, as a path from the project's folder. */
function originOf(file: string, line: number, column: number): string {
  if (!maps.has(file)) maps.set(file, mapOf(file));
  const entry = maps.get(file)?.findEntry(line, column);
  // What the bundler itself has added is of no source.
  if (!entry || !('originalSource' in entry) || !(entry.originalSource as string | undefined))
    return relative('.', file);
  return `${relative('.', resolve(file, '..', entry.originalSource))}:${entry.originalLine + 1}`;
}

function mapOf(file: string): SourceMap | undefined {
  if (file.includes('node_modules') || !existsSync(`${file}.map`)) return undefined;
  return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMapPayload);
}
