/** `kortlotsen understand`: one utterance a line in, one JSON object a line out. */
import { createInterface } from 'node:readline/promises';
import type { Understanding } from '../understanding/understanding.ts';

export async function understandLines(
  { understand, explain }: Understanding,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  isExplained: boolean,
): Promise<void> {
  for await (const line of createInterface({ input })) {
    const understood = understand(line);
    const because = isExplained ? { because: explain(understood) } : {};
    output.write(`${JSON.stringify({ ...understood, ...because })}\n`);
  }
}
