import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createClassifier } from '../../../src/understanding/classifier.ts';
import { modelFor } from '../../../src/understanding/model-file.ts';

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
const evidence = { 'lost-card': 'spärras om du har tappat ditt kort', 'pin-forgotten': 'pukkoden finns i kuvertet' };

let folder: string;
let file: string;
let trainings: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-'));
  file = join(folder, 'dist/model.bin');
  trainings = 0;
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const model = (lessons = examples, guidance = evidence) => modelFor(file, lessons, guidance, () => trainings++);

describe('the kept model', () => {
  it('is trained once, and says afterwards what it said before', () => {
    const first = createClassifier(model()).classify('har tappat mitt kort');
    const second = createClassifier(model()).classify('har tappat mitt kort');
    expect(trainings).toBe(1);
    expect(second).toEqual(first);
    expect(first[0]?.label).toBe('lost-card');
  });

  it('is trained afresh when an example or the guidance has changed', () => {
    model();
    model([...examples, { text: 'blev av med kortet', label: 'lost-card' }]);
    model(examples, { ...evidence, 'lost-card': 'något helt annat' });
    expect(trainings).toBe(3);
  });

  it('is trained afresh when its file was cut short', () => {
    model();
    writeFileSync(file, readFileSync(file).subarray(0, statSync(file).size / 2));
    model();
    expect(trainings).toBe(2);
  });

  it('is the same whenever it is trained on the same', () => {
    const one = model();
    writeFileSync(file, '');
    expect(model()).toEqual(one);
  });

  it('hears the guidance as a witness: other words there speak less for the same message', () => {
    const told = ['lappen låg i kuvertet', 'kuvertet med lappen'].map((text) => ({ text, label: 'pin-forgotten' }));
    const witness = (guidance: string) =>
      createClassifier(model([...examples, ...told], { ...evidence, 'pin-forgotten': guidance })).explain(
        'kuvertet',
        'pin-forgotten',
      ).evidence;
    expect(witness('koden finns i kuvertet')).toBeGreaterThan(witness('koden är glömd') + 0.2);
  });
});
