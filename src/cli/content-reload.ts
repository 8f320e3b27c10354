/** `kortlotsen content reload`: asks all processes on the database to read the content anew, and tells what came of it. */
import type { Content } from '../content.ts';
import type { Database } from '../storage/database.ts';
import type { ReloadText } from './content-texts.ts';
import { askForReload } from './reloading.ts';

/**
 * Returns the exit code: 0 if all have taken it. Without words, as where the content cannot be read here either, it
 * tells processes and outcomes bare.
 */
export async function reloadContent(
  database: Database,
  seconds: number,
  content: Pick<Content, 'label'> | undefined,
  write: (text: string) => Promise<void>,
): Promise<number> {
  const say = (name: ReloadText, facts: Record<string, string>): string =>
    content?.label(`reload/${name}`, facts) ?? [name, ...Object.values(facts)].join(' ');
  const { processes, deaf } = await askForReload(
    database,
    seconds,
    (process) => void write(`${say('heard', { process })}\n`),
  );
  for (const { process, reloaded } of processes) {
    await write(`${say(reloaded.outcome, { process, seconds: String(seconds) })}\n`);
    if (reloaded.outcome === 'refused') await write(`${reloaded.reasons.replace(/^(?=.)/gm, '  ')}\n`);
  }
  if (deaf > 0) await write(`${say('deaf', { count: String(deaf), seconds: String(seconds) })}\n`);
  if (processes.length + deaf === 0) await write(`${say('nobody', {})}\n`);
  const isTakenByAll = processes.length > 0 && deaf === 0;
  return isTakenByAll && processes.every(({ reloaded }) => reloaded.outcome === 'taken') ? 0 : 1;
}
