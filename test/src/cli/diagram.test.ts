/** Pictures and tables of the dialogs grow old in silence, unless something reads them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { factsInWords, places } from '../../../dialogs/chart.ts';
import { guidedPaths } from '../../../dialogs/guided-paths.ts';
import { type Beginning, beginnings } from '../../../dialogs/intents.ts';
import { drawDiagram } from '../../../src/cli/diagram.ts';

const kept = (file: string) => readFileSync(join(import.meta.dirname, '../../../dialogs', file), 'utf8');
const begun = Object.entries<Beginning>(beginnings).map(([intent, beginning]) => ({ intent, ...beginning }));

describe('the picture of the statechart', () => {
  let drawn: string;

  beforeAll(async () => {
    drawn = await drawDiagram();
  });

  it('is kept as it is drawn today; if not: npx kortlotsen diagram --out dialogs/statechart.svg', () => {
    expect(kept('statechart.svg') === drawn).toBe(true);
  });

  it('shows every place there is, by its name', () => {
    const unseen = places().filter(({ name, path }) => !textsOf(name).includes(name.slice(path.length + 1)));
    expect(unseen).toEqual([]);
  });

  it('shows where every intent begins its path, and what is known by it', () => {
    const unseen = begun.filter(({ intent, path, at, told }) => {
      const first = places().find((place) => place.path === path && place.isFirst)?.name ?? '';
      const label = told ? `${intent} · ${factsInWords(told)}` : intent;
      return !textsOf(`heard ${at ? `${path}/${at}` : first}`).includes(label);
    });
    expect(unseen).toEqual([]);
  });

  it('has an arrow for every way that is taken on a path', () => {
    const missing = places().flatMap(({ name, path, ways }) =>
      ways
        .filter(({ to }) => to && !to.startsWith('#'))
        .map(({ to = '' }) => `${name}->${path}/${to}`)
        .filter((arrow) => !drawn.includes(`<title>${arrow.replace('>', '&gt;')}</title>`)),
    );
    expect(missing).toEqual([]);
  });

  /** What is written in a node; it is found by its name. */
  function textsOf(name: string): string[] {
    const [, node = ''] = drawn.split(`<title>${name}</title>`);
    const [inside = ''] = node.split('</g>');
    return [...inside.matchAll(/>([^<>\n]+)<\/text>/g)].map(([, text = '']) => text);
  }
});

describe('the README of the dialogs', () => {
  it.each(Object.keys(guidedPaths))('says what begins the path %s, and all it asks', (path) => {
    const row = kept('README.md')
      .split('\n')
      .find((line) => line.startsWith(`| \`${path}\``));
    const intents = begun.filter((beginning) => beginning.path === path).map(({ intent }) => intent);
    const asks = places().flatMap((place) => (place.path === path && place.asks ? [place.asks] : []));
    const unsaid = [...intents, ...asks].filter((name) => !row?.includes(`\`${name}\``));
    expect(row).toBeDefined();
    expect(unsaid).toEqual([]);
  });
});
