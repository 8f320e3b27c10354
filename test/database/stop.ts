import { rm } from 'node:fs/promises';
import { running } from './database.ts';

export async function stopDatabase(): Promise<void> {
  await running.stop?.();
  if (running.folder) await rm(running.folder, { recursive: true, force: true });
}

// Jest looks for it there.
export { stopDatabase as default };
