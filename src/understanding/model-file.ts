/**
 * The trained model, kept in a file so that the program starts at once.
 *
 * It carries the fingerprint of what it was trained on. If an editor has
 * changed a word since, it is trained afresh.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Lessons, Model } from './classifier.ts';
import { train } from './training.ts';

/** Raised when features or training change, so that a model of older code is not believed. */
const VERSION = 3;

type Kept = { fingerprint: string; model: Model };

export type ModelTold = {
  /** It takes a while. */
  onTraining?: () => void;
  /** It could be kept nowhere, so the next start trains again. */
  onUnkept?: () => void;
};

/** What tells the lessons that a model was trained on from others. */
export const fingerprintOf = (lessons: Lessons): string =>
  createHash('sha256')
    .update(JSON.stringify([VERSION, lessons]))
    .digest('hex');

/** The model of these lessons: the one kept in any of the files, or a new one that is kept in the first it can be. */
export function modelFor(files: readonly string[], lessons: Lessons, { onTraining, onUnkept }: ModelTold = {}): Model {
  const fingerprint = fingerprintOf(lessons);
  for (const file of files) {
    const kept = existsSync(file) ? readKept(file) : undefined;
    if (kept?.fingerprint === fingerprint) return kept.model;
  }
  onTraining?.();
  const model = train(lessons);
  if (!files.some((file) => isKept(file, { fingerprint, model }))) onUnkept?.();
  return model;
}

/** Whole or not at all: another process may be reading it. */
function isKept(file: string, kept: Kept): boolean {
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(draft, serialize(kept));
    renameSync(draft, file);
    return true;
  } catch {
    rmSync(draft, { force: true });
    return false;
  }
}

/** A file that was cut short, or of another Node, is as good as none. */
function readKept(file: string): Kept | undefined {
  try {
    return deserialize(readFileSync(file)) as Kept;
  } catch {
    return undefined;
  }
}
