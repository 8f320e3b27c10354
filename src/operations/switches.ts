/**
 * Kill switches: what whoever runs it has switched off, in rows that every
 * process reads before it listens, when it is told that they have changed, and
 * once a second.
 *
 * A process that cannot read them keeps what it read last. Every change has a
 * row of its own in the audit, made in the same statement, which is never
 * changed.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { switchable } from '../../dialogs/switching.ts';
import type { Database, Statement } from '../storage/database.ts';

/** Besides paths and wishes: the ledger, as if it could not be reached; and the bot, as a whole. */
const WHOLES = ['bot', 'ledger'] as const;

export const switchNames: readonly string[] = [...WHOLES, ...switchable];

export type SwitchedOff = { name: string; off_at: Date; switched_by: string; reason: string };
export type SwitchAudit = {
  id: number;
  at: Date;
  name: string;
  is_off: boolean;
  switched_by: string;
  reason: string;
};
/** Who makes a change, and why. */
export type Because = { by: string; reason: string };

export type Switches = {
  /** The names of what is off, as they were read last. */
  off: () => ReadonlySet<string>;
  /** Whether the database has answered when it was asked last. */
  isReached: () => boolean;
  /** Reads them anew, and tells when that is done. It never fails. */
  read: () => Promise<void>;
  close: () => Promise<void>;
};

/** What is told on the channel that processes listen on, when a switch is turned. */
export const SWITCHED = 'switches';
export const NEWS = 'kortlotsen';

/** In milliseconds. */
const BETWEEN_READS = 1_000;
/** In milliseconds: a database that has said nothing for so long is not reached, though nothing has failed yet. */
const SILENCE = 8_000;

const names: Statement = { name: 'switched-off', text: 'select name from switches' };
const list: Statement = { text: 'select name, off_at, switched_by, reason from switches order by off_at, name' };
const log: Statement = { text: 'select id, at, name, is_off, switched_by, reason from switch_audit order by id' };

const turnOff: Statement = {
  text: `with turned as (
      insert into switches (name, switched_by, reason) values ($1, $2, $3)
      on conflict (name) do update set off_at = now(), switched_by = excluded.switched_by, reason = excluded.reason
      returning name
    ), noted as (
      insert into switch_audit (name, is_off, switched_by, reason) select name, true, $2, $3 from turned returning id
    )
    select pg_notify('${NEWS}', '${SWITCHED}') from noted`,
};
const turnOn: Statement = {
  text: `with turned as (
      delete from switches where name = $1 returning name
    ), noted as (
      insert into switch_audit (name, is_off, switched_by, reason) select name, false, $2, $3 from turned returning id
    )
    select pg_notify('${NEWS}', '${SWITCHED}') from noted`,
};

/** Fails if they cannot be read at the start: then nothing is to be served. `onChange` is told what is off from then on. */
export async function watchSwitches(
  database: Database,
  onChange: (off: ReadonlySet<string>) => void = () => undefined,
): Promise<Switches> {
  let off = new Set<string>();
  let answeredAt = 0;
  let hasFailed = false;
  const stopping = new AbortController();

  const readOnce = async (): Promise<void> => {
    const rows = await database.run<{ name: string }>(names, []);
    const read = new Set(rows.map(({ name }) => name));
    const isChanged = read.size !== off.size || [...read].some((name) => !off.has(name));
    [off, answeredAt, hasFailed] = [read, performance.now(), false];
    if (isChanged) onChange(read);
  };
  /** One that is told of while another is on its way may not be in it, so it is read after that. */
  let [reading, next]: (Promise<void> | undefined)[] = [];
  const read = (): Promise<void> => {
    if (reading) return (next ??= reading.then(() => ((next = undefined), read())));
    // What went wrong with the database, is told by whoever needs it for more.
    reading = readOnce()
      .catch(() => {
        hasFailed = true;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };

  await readOnce();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await read();
      await wait(BETWEEN_READS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    off: () => off,
    isReached: () => !hasFailed && performance.now() - answeredAt < SILENCE,
    read,
    async close() {
      stopping.abort();
      await Promise.all([watching, reading, next]);
    },
  };
}

/** What is off already is so with the new reason. */
export async function switchOff(database: Database, name: string, { by, reason }: Because): Promise<void> {
  await database.run(turnOff, [name, by, reason]);
}

/** False for what was on, of which nothing is kept. */
export async function switchOn(database: Database, name: string, { by, reason }: Because): Promise<boolean> {
  return (await database.run(turnOn, [name, by, reason])).length > 0;
}

export const switchedOff = (database: Database): Promise<SwitchedOff[]> => database.run<SwitchedOff>(list, []);

/** Every change there has been, in order. */
export const switchAudit = (database: Database): Promise<SwitchAudit[]> => database.run<SwitchAudit>(log, []);
