/**
 * A content folder: what it says, and what was worked out of it and kept, so
 * that a start takes no longer than it has to.
 *
 * What is kept is beside the built program, or in the data folder where the
 * program's own may not be written. It carries the fingerprint of what it was
 * worked out of, so it may lie anywhere; each folder has files of its own, so
 * that two that are used by turns do not push each other's out.
 */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { readingOf } from './content-file.ts';
import type { Reading } from './content.ts';
import type { Problem } from './source-file.ts';
import type { Lessons, Model } from './understanding/classifier.ts';
import { modelFor, type ModelTold } from './understanding/model-file.ts';

export type ContentFolder = {
  /** Where it is. */
  folder: string;
  read: () => { reading: Reading; problems: Problem[] };
  modelFor: (lessons: Lessons, told: ModelTold) => Model;
};

export type KeepingPlaces = {
  /** The product's own content, whose files have no name but their own. */
  own: string;
  /** The first that can be written is written, and all are read. */
  places: readonly string[];
};

export function contentFolderAt(folder: string, { own, places }: KeepingPlaces): ContentFolder {
  const whole = resolve(folder);
  const mark = whole === resolve(own) ? '' : `-${createHash('sha256').update(whole).digest('hex').slice(0, 12)}`;
  const [first = ''] = places;
  return {
    folder,
    read: () => readingOf(join(first, `content${mark}.bin`), folder),
    modelFor: (lessons, told) =>
      modelFor(
        places.map((place) => join(place, `model${mark}.bin`)),
        lessons,
        told,
      ),
  };
}
