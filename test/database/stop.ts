/** After the last test: nothing that the product has written in any of them holds what nobody may see there. */
import { rm } from 'node:fs/promises';
import { findCanaries } from '../canaries.ts';
import { databaseUrl, running } from './database.ts';
import { readPeople } from './people.ts';

/** How many of the finds are told. */
const TOLD = 20;

export async function stopDatabase(): Promise<void> {
  let found: string[] = [];
  try {
    if (running.written !== undefined) found = findCanaries(running.written, await readPeople(databaseUrl()));
  } finally {
    await running.stop?.();
    if (running.folder) await rm(running.folder, { recursive: true, force: true });
  }
  if (found.length > 0)
    throw new Error(
      `${found.length} lines that the product has written hold a canary:\n${found.slice(0, TOLD).join('\n')}`,
    );
}

// Jest looks for it there.
export { stopDatabase as default };
