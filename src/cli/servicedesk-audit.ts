/** `kortlotsen servicedesk audit`: what agents have seen and done of holders' cards, for an auditor. */
import { auditSince } from '../servicedesk/audit.ts';
import type { Database } from '../storage/database.ts';

/** A step a line, as JSON with the names of the columns; those that are empty are left out, and times are in UTC. */
export async function writeAudit(
  database: Database,
  since: Date | undefined,
  write: (text: string) => void | Promise<void>,
): Promise<void> {
  for await (const row of auditSince(database, since)) {
    const told = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
    await write(`${JSON.stringify(told)}\n`);
  }
}
