/**
 * A new edition of the content, prepared in a process of its own: it is read,
 * checked as `content check` does and trained on there, which may take a minute
 * of a core, while the service goes on answering. What comes back is taken
 * whole, or not at all.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { deserialize, serialize } from 'node:v8';
import type { Expected } from '../content-check.ts';
import type { ContentFolder } from '../content-folder.ts';
import { createContent, readContent, type Reading } from '../content.ts';
import type { Edition } from '../editions.ts';
import { readFolder } from '../source-file.ts';
import type { Model } from '../understanding/classifier.ts';
import { createUnderstanding, lessonsOf } from '../understanding/understanding.ts';
import type { ContactDetails } from '../wording.ts';
import { runContentCheck } from './content-check.ts';

/** `reasons` are the checker's, in Swedish. */
export type Prepared = { outcome: 'good'; edition: Edition } | { outcome: 'refused'; reasons: string };

/** What one process tells the other, which is of the same program. */
type Told = { outcome: 'good'; reading: Reading; model: Model } | { outcome: 'refused'; reasons: string };

/** What is said on standard error while it goes on. */
const TRAINING = 'training';
const UNKEPT = 'unkept';

/** In the process that prepares. `write` takes it to the other. */
export function prepareContent(
  { folder, modelFor }: ContentFolder,
  expected: Expected,
  { write, say }: { write: (told: Buffer) => void; say: (line: string) => void },
): void {
  const tell = (told: Told) => {
    write(serialize(told));
  };
  let reasons = '';
  // Read once, so that what is taken is what was checked, whatever an editor saves meanwhile.
  const files = readFolder(folder);
  const code = runContentCheck(folder, expected, (text) => (reasons += text), files);
  if (code !== 0) {
    tell({ outcome: 'refused', reasons });
    return;
  }
  const { reading } = readContent(files);
  const model = modelFor(lessonsOf(reading), {
    onTraining: () => {
      say(`${TRAINING}\n`);
    },
    onUnkept: () => {
      say(`${UNKEPT}\n`);
    },
  });
  tell({ outcome: 'good', reading, model });
}

export type PreparingWorld = {
  /** The program, and how it is asked to prepare. */
  program: string;
  command: readonly string[];
  contacts: ContactDetails;
  onTraining: () => void;
  onUnkept: () => void;
};

/** In the process that serves. Rejects, if there is nothing to be had from the other. */
export function createPreparing(world: PreparingWorld): (signal: AbortSignal) => Promise<Prepared> {
  const { program, command, contacts } = world;
  const begun = markOf(program);
  return async (signal) => {
    // What a later version reads may have another shape.
    if (markOf(program) !== begun)
      throw new Error('The program has been replaced since it was started; start it anew instead.');
    const child = spawn(process.execPath, [...process.execArgv, program, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    });
    let said = '';
    createInterface(child.stderr).on('line', (line) => {
      if (line === TRAINING) world.onTraining();
      else if (line === UNKEPT) world.onUnkept();
      else said = line;
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const [code, written] = await Promise.all([ended, buffer(child.stdout)]);
    if (code !== 0) throw new Error(`The content could not be prepared (${String(code)}): ${said}`);
    const told = deserialize(written) as Told;
    if (told.outcome === 'refused') return told;
    const content = createContent(told.reading, contacts);
    return { outcome: 'good', edition: { content, understanding: createUnderstanding(content, told.model) } };
  };
}

/** By what is in it, since the same may be built anew; and its parts are named in it by what is in them. */
const markOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
