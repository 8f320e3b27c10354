import { describe, expect, it } from '@jest/globals';
import { createFeatureReader } from '../../../src/understanding/features.ts';

const featuresOf = createFeatureReader({
  kort: ['kort*', 'legget', 'sithskort*'],
  borta: ['hittar inte', 'tappa*'],
});
const concepts = (text: string) => [...featuresOf(text).keys()].filter((name) => name.startsWith('c:'));

describe('synonyms', () => {
  it('are seen by what they mean, with and without dots, and with any end where a star allows it', () => {
    expect(concepts('tappade sithskortet')).toEqual(['c:borta', 'c:kort']);
    expect(concepts('LEGGET')).toEqual(['c:kort']);
    expect(concepts('leggets')).toEqual([]);
  });

  it('may be several words, which only count together', () => {
    expect(concepts('hittar inte kortet')).toEqual(['c:borta', 'c:kort']);
    expect(concepts('hittar kortet')).toEqual(['c:kort']);
  });

  it('leave the words of the student as they were', () => {
    const plain = createFeatureReader()('hittar inte legget');
    const rich = featuresOf('hittar inte legget');
    for (const [name, weight] of plain) expect(rich.get(name)).toBe(weight);
    expect(rich.size).toBeGreaterThan(plain.size);
  });

  it('make different words of the same meaning alike where they stand next to each other', () => {
    const pairs = (text: string) => [...featuresOf(text).keys()].filter((name) => name.startsWith('q:'));
    expect(pairs('tappat kortet')).toEqual(pairs('hittar inte legget'));
  });
});
