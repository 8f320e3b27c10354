/**
 * A content folder: what it says, and what was worked out of it and kept, so
 * that a start takes no longer than it has to.
 *
 * What is kept carries the fingerprint of what it was worked out of, and is
 * beside the built program; or, a model, in the data folder, where the
 * program's own may not be written. The reading is kept of the product's own
 * content alone: another takes half a second, and may lie anywhere.
 */
import { join, resolve } from 'node:path';
import { readingOf } from './content-file.ts';
import { readFiles, type Reading } from './content.ts';
import type { Problem } from './source-file.ts';
import type { Lessons, Model } from './understanding/classifier.ts';
import { modelFor, type ModelTold } from './understanding/model-file.ts';

export type ContentFolder = {
  /** Where it is. */
  folder: string;
  read: () => { reading: Reading; problems: Problem[] };
  modelFor: (lessons: Lessons, told: ModelTold) => Model;
};

export type Around = {
  /** The product's own content. */
  own: string;
  /** Where the program was built. */
  built: string;
  dataFolder: string;
};

export function contentFolderAt(folder: string, { own, built, dataFolder }: Around): ContentFolder {
  const isOwn = resolve(folder) === resolve(own);
  return {
    folder,
    read: () => (isOwn ? readingOf(join(built, 'content.bin'), folder) : readFiles(folder)),
    modelFor: (lessons, told) => modelFor({ folders: [built, dataFolder], isOwn }, lessons, told),
  };
}
