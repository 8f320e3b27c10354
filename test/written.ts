/** Keeps what the product writes in a test, to be scanned for canaries when all of them are over. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from '@jest/globals';
import { readPeople } from './database/people.ts';

/** In milliseconds: a service that is about to be stopped may be stuck. */
const PATIENCE = 2_000;

const tests = import.meta.dirname;
let kept = 0;

/** Makes a file for one service, or one stream of it. It is in a folder by the name of the test. */
export function keepWritten(what: 'log' | 'errors' | 'metrics' | 'people'): (written: string | Buffer) => void {
  const { KORTLOTSEN_TEST_WRITTEN: folder } = process.env;
  if (folder === undefined) throw new Error('Nothing is kept of what is written; run the tests with npm test');
  const place = join(folder, relative(tests, expect.getState().testPath ?? 'unknown'));
  mkdirSync(place, { recursive: true });
  const file = join(place, `${process.pid}-${++kept}.${what}`);
  return (written) => {
    appendFileSync(file, written);
  };
}

/** Keeps the metrics of a service that still runs, if it gives them to whoever asks. */
export async function keepMetrics(origin: string): Promise<void> {
  const options = { signal: AbortSignal.timeout(PATIENCE), headers: { Connection: 'close' } };
  const told = await fetch(`${origin}/metrics`, options).then(
    async (response) => (response.ok ? response.text() : undefined),
    () => undefined,
  );
  if (told !== undefined) keepWritten('metrics')(told);
}

/** Keeps what a server of a test's own holds of people, while it runs: nothing of that may be in what was written. */
export async function keepPeople(url: string): Promise<void> {
  keepWritten('people')(JSON.stringify([...(await readPeople(url))]));
}
