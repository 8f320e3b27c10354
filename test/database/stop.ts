import { rm } from 'node:fs/promises';
import { findCanaries, toldOf } from '../canaries.ts';
import { running } from './database.ts';

/** The run fails if a service has written what nobody may read there; that is kept, to be looked at. */
export async function stopDatabase(): Promise<void> {
  await running.stop?.();
  const { KORTLOTSEN_TEST_OUTPUT: output } = process.env;
  const found = output === undefined ? [] : findCanaries(output);
  if (found.length > 0) throw new Error(toldOf(found));
  if (running.folder) await rm(running.folder, { recursive: true, force: true });
}

// Jest looks for it there.
export { stopDatabase as default };
