/**
 * The trained model, kept in a file so that the program starts at once.
 *
 * It carries the fingerprint of what it was trained on. If an editor has
 * changed a word since, it is trained afresh.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Lessons, Model } from './classifier.ts';
import { train } from './training.ts';

/** Raised when features or training change, so that a model of older code is not believed. */
const VERSION = 3;

type Kept = { fingerprint: string; model: Model };

/** Where models are kept: the first folder that can be written is written, and all are read. */
export type ModelPlaces = {
  folders: readonly string[];
  /** Of the product's own content there is one, and of others the last few, which may be used by turns. */
  isOwn: boolean;
};

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

const OWN = 'model.bin';
const OTHERS = 3;

/** The model of these lessons: the kept one, or a new one that is kept. */
export function modelFor(
  { folders, isOwn }: ModelPlaces,
  lessons: Lessons,
  { onTraining, onUnkept }: ModelTold = {},
): Model {
  const fingerprint = fingerprintOf(lessons);
  const other = `model-${fingerprint.slice(0, 12)}.bin`;
  for (const file of folders.flatMap((folder) => [OWN, other].map((name) => join(folder, name)))) {
    const kept = existsSync(file) ? readKept(file) : undefined;
    if (kept?.fingerprint === fingerprint) return kept.model;
  }
  onTraining?.();
  const model = train(lessons);
  if (!folders.some((folder) => isKept(folder, isOwn ? OWN : other, { fingerprint, model }))) onUnkept?.();
  return model;
}

/** Whole or not at all: another process may be reading it. */
function isKept(folder: string, name: string, kept: Kept): boolean {
  const draft = join(folder, `${name}.${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(draft, serialize(kept));
    renameSync(draft, join(folder, name));
    forgetOldest(folder);
    return true;
  } catch {
    if (existsSync(draft)) rmSync(draft);
    return false;
  }
}

function forgetOldest(folder: string): void {
  const others = readdirSync(folder).filter((name) => /^model-\w+\.bin$/.test(name));
  const aged = others.map((name) => ({ file: join(folder, name), at: statSync(join(folder, name)).mtimeMs }));
  for (const { file } of aged.sort((one, two) => two.at - one.at).slice(OTHERS)) rmSync(file, { force: true });
}

/** A file that was cut short, or of another Node, is as good as none. */
function readKept(file: string): Kept | undefined {
  try {
    return deserialize(readFileSync(file)) as Kept;
  } catch {
    return undefined;
  }
}
