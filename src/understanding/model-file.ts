/**
 * The trained model, kept beside the built program so that it starts at once.
 *
 * It carries the fingerprint of what it was trained on. If an editor has
 * changed a word since, it is trained afresh.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Lessons, Model } from './classifier.ts';
import { train } from './training.ts';

/** Raised when features or training change, so that a model of older code is not believed. */
const VERSION = 3;

type Kept = { fingerprint: string; model: Model };

/** What tells the lessons that a model was trained on from others. */
export const fingerprintOf = (lessons: Lessons): string =>
  createHash('sha256')
    .update(JSON.stringify([VERSION, lessons]))
    .digest('hex');

/** The model of these lessons: the kept one, or a new one that is kept. `onTraining` is told if it takes a while. */
export function modelFor(file: string, lessons: Lessons, onTraining: () => void = () => undefined): Model {
  const fingerprint = fingerprintOf(lessons);
  const kept = existsSync(file) ? readKept(file) : undefined;
  if (kept?.fingerprint === fingerprint) return kept.model;

  onTraining();
  const model = train(lessons);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, serialize({ fingerprint, model } satisfies Kept));
  return model;
}

/** A file that was cut short, or of another Node, is as good as none. */
function readKept(file: string): Kept | undefined {
  try {
    return deserialize(readFileSync(file)) as Kept;
  } catch {
    return undefined;
  }
}
