/** `kortlotsen switch`: what is switched off, by whom and why; to turn a switch, and every time one was turned. */
import { instantOf } from '../calendar.ts';
import { type Because, switchAudit, switchedOff, switchNames, switchOff, switchOn } from '../operations/switches.ts';
import type { Database } from '../storage/database.ts';

type Write = (text: string) => void | Promise<void>;

/** In characters: room for a sentence or two. */
const LONGEST = 200;

export async function listSwitches(database: Database, write: Write): Promise<void> {
  const off = await switchedOff(database);
  const told = off.map(
    ({ name, off_at, switched_by, reason }) =>
      `${name} is off since ${instantOf(off_at)}, by ${switched_by}: ${reason}\n`,
  );
  await write(told.length > 0 ? told.join('') : 'Everything is on.\n');
  await write(`There is a switch for: ${switchNames.join(', ')}.\n`);
}

/** Nothing is turned for nobody, or without a reason: the audit is to tell both. */
export async function turnSwitch(
  database: Database,
  to: 'off' | 'on',
  name: string,
  because: Because,
  write: Write,
): Promise<void> {
  if (to === 'off') {
    await switchOff(database, name, because);
    await write(`${name} is off.\n`);
    return;
  }
  const isTurned = await switchOn(database, name, because);
  await write(isTurned ? `${name} is on.\n` : `${name} was on, so nothing is changed.\n`);
}

/** What is wrong with how it was asked for, before a database is opened for it. */
export function problemOf(name: string, { by, reason }: Because): string | undefined {
  if (!switchNames.includes(name))
    return `There is no switch called ${name}. There is one for: ${switchNames.join(', ')}.`;
  const isWritten = (text: string) => text.trim() !== '' && text.length <= LONGEST;
  return isWritten(by) && isWritten(reason)
    ? undefined
    : `Say who you are with --by and why with --reason, in ${LONGEST} characters at most.`;
}

export async function writeSwitchAudit(database: Database, write: Write): Promise<void> {
  for (const row of await switchAudit(database)) await write(`${JSON.stringify(row)}\n`);
}
