/**
 * What the services of the tests write, kept until the last test is over, and
 * then looked through for what is nobody's business (test/canaries.ts).
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

export type Output = {
  write: (text: string) => void;
  /** What has been written is kept from here on, whatever becomes of this process. */
  flush: () => void;
};

/** In characters. Written a line at a time, it would take longer than what is tested. */
const ROOM = 65_536;

/** Of one service, or process. Where no tests are run, nothing is kept. */
export function keepOutput(): Output {
  const folder = process.env.KORTLOTSEN_TEST_OUTPUT;
  const file = folder === undefined ? undefined : join(folder, `${randomUUID()}.log`);
  let unwritten = '';
  const flush = () => {
    if (file !== undefined && unwritten !== '') appendFileSync(file, unwritten);
    unwritten = '';
  };
  return {
    write(text) {
      if (file === undefined) return;
      unwritten += text;
      if (unwritten.length > ROOM) flush();
    },
    flush,
  };
}

/** Keeps what a service shows of itself, before it is stopped. In production it shows nothing. */
export async function keepMetrics(origin: string, { write }: Output): Promise<void> {
  const response = await fetch(`${origin}/metrics`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  write((await response?.text().catch(() => undefined)) ?? '');
}
