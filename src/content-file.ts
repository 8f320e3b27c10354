/**
 * The content as it was read, kept beside the built program so that it starts
 * at once.
 *
 * It carries the fingerprint of the files. If an editor has changed a sign
 * since, they are read afresh; a build removes it, so no older program's
 * reading is believed.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { readFiles, type Reading } from './content.ts';
import { type Problem, readFolder } from './source-file.ts';

type Kept = { fingerprint: string; reading: Reading };

/** What the folder says. What has something wrong in it is not kept. */
export function readingOf(file: string, folder: string): { reading: Reading; problems: Problem[] } {
  const fingerprint = createHash('sha256')
    .update(JSON.stringify(readFolder(folder)))
    .digest('hex');
  const kept = readKept(file);
  if (kept?.fingerprint === fingerprint) return { reading: kept.reading, problems: [] };
  const read = readFiles(folder);
  if (read.problems.length === 0) keep(file, { fingerprint, reading: read.reading });
  return read;
}

/** A file that is not there, was cut short, or is of another Node, is as good as none. */
function readKept(file: string): Kept | undefined {
  try {
    return deserialize(readFileSync(file)) as Kept;
  } catch {
    return undefined;
  }
}

/** Whoever may not write there reads the content each time. */
function keep(file: string, kept: Kept): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, serialize(kept));
  } catch {
    // As above.
  }
}
