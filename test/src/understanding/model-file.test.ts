import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createClassifier, type Lessons } from '../../../src/understanding/classifier.ts';
import { type ModelPlaces, modelFor } from '../../../src/understanding/model-file.ts';

const examples = [
  'tappat kortet',
  'kortet är borta',
  'borttappat kort',
  'mitt kort är stulet',
  'hittar inte kortet',
  'kortet försvann',
]
  .map((text) => ({ text, label: 'lost-card' }))
  .concat(
    [
      'glömt pinkoden',
      'minns inte koden',
      'koden är glömd',
      'vilken pinkod hade jag',
      'fel pinkod',
      'pinkod glömd',
    ].map((text) => ({
      text,
      label: 'pin-forgotten',
    })),
  );
const evidence = {
  'lost-card': ['spärras om du har tappat ditt kort'],
  'pin-forgotten': ['pukkoden finns i kuvertet'],
};
const synonyms = { kort: ['legget', 'plast*'] };

let folder: string;
let file: string;
let places: ModelPlaces;
let trainings: number;
let unkept: number;
const told = { onTraining: () => trainings++, onUnkept: () => unkept++ };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-'));
  file = join(folder, 'dist/model.bin');
  places = { folders: [dirname(file)], isOwn: true };
  trainings = 0;
  unkept = 0;
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const model = (change: Partial<Lessons> = {}) => modelFor(places, { examples, evidence, synonyms, ...change }, told);

describe('the kept model', () => {
  it('is trained once, and says afterwards what it said before', () => {
    const first = createClassifier(model()).classify('har tappat mitt kort');
    const second = createClassifier(model()).classify('har tappat mitt kort');
    expect(trainings).toBe(1);
    expect(second).toEqual(first);
    expect(first[0]?.label).toBe('lost-card');
  });

  it('is trained afresh when an example, the guidance or a synonym has changed', () => {
    model();
    model({ examples: [...examples, { text: 'blev av med kortet', label: 'lost-card' }] });
    model({ evidence: { ...evidence, 'lost-card': ['något helt annat'] } });
    model({ synonyms: { kort: ['brickan'] } });
    expect(trainings).toBe(4);
  });

  it('is trained afresh when its file was cut short', () => {
    model();
    writeFileSync(file, readFileSync(file).subarray(0, statSync(file).size / 2));
    model();
    expect(trainings).toBe(2);
  });

  it('of content elsewhere does not push out that of the product’s own, and is one of the last three', () => {
    model();
    places = { ...places, isOwn: false };
    model();
    expect(trainings).toBe(1);
    for (const word of ['brickan', 'lappen', 'plasten', 'plattan']) model({ synonyms: { kort: [word] } });
    model({ synonyms: { kort: ['plattan'] } });
    expect(trainings).toBe(5);
    expect(readdirSync(dirname(file)).filter((name) => name !== 'model.bin')).toHaveLength(3);
    places = { ...places, isOwn: true };
    model();
    expect(trainings).toBe(5);
  });

  it('is kept in the next folder where the first cannot be written, and told of where none can', () => {
    writeFileSync(join(folder, 'no-folder'), '');
    const none = join(folder, 'no-folder/dist');
    places = { folders: [none, dirname(file)], isOwn: true };
    model();
    model();
    expect({ trainings, unkept }).toEqual({ trainings: 1, unkept: 0 });
    places = { folders: [none], isOwn: true };
    model();
    expect({ trainings, unkept }).toEqual({ trainings: 2, unkept: 1 });
  });

  it('is the same whenever it is trained on the same', () => {
    const one = model();
    writeFileSync(file, '');
    expect(model()).toEqual(one);
  });

  it('hears the guidance as a witness: other words there speak less for the same message', () => {
    const told = ['lappen låg i kuvertet', 'kuvertet med lappen'].map((text) => ({ text, label: 'pin-forgotten' }));
    const witness = (guidance: string) =>
      createClassifier(
        model({ examples: [...examples, ...told], evidence: { ...evidence, 'pin-forgotten': [guidance] } }),
      ).explain('kuvertet', 'pin-forgotten').paragraphs[0]?.similarity ?? 0;
    expect(witness('koden finns i kuvertet')).toBeGreaterThan(witness('koden är glömd') + 0.1);
  });

  it('takes a word that an editor has called a synonym for what it means, though no example has it', () => {
    const scoreOf = (ways: Lessons['synonyms']) => {
      const learnt = model({ synonyms: ways });
      return createClassifier(learnt).scores('plasten').machine[learnt.labels.indexOf('lost-card')] ?? 0;
    };
    expect(scoreOf({ kort: ['plasten', 'kort*'] })).toBeGreaterThan(scoreOf({}) + 0.05);
  });
});
