/**
 * The log: one JSON object a line on standard output, and never a word of what
 * anybody has written.
 *
 * Messages of errors may quote what they failed on, so only those of errors
 * that cannot are kept: of the system, of PostgreSQL and of our own.
 *
 * Every line of a turn bears the turn's name, in whichever process it is
 * written. What a channel calls a conversation may tell whose it is, and ours is
 * a secret, so neither is ever written: a keyed hash stands for it.
 */
import { hash } from 'node:crypto';
import { type Logger, pino } from 'pino';
import type { TurnName } from './conversations/conversations.ts';

export type Log = Logger;

/** Where lines go, other than to standard output. */
export type Destination = { write: (line: string) => void };

export function createLog(level: string, destination?: Destination): Log {
  const options = { level, base: { process: process.pid }, timestamp: pino.stdTimeFunctions.isoTime };
  return destination ? pino(options, destination) : pino(options);
}

/**
 * What a turn is called in the log: its conversation, in 16 characters, and the place of the message it came of. `key`
 * is this installation's: the names are the same in all its processes, and tell nobody else anything.
 */
export function namingTurns(key: string): (of: TurnName) => string {
  // Cut off, with a key of one length before it, it is as good as an HMAC, in an eighth of the time.
  return ({ conversation, message }) =>
    `${hash('sha256', `${key} ${conversation}`, 'base64url').slice(0, 16)}.${message}`;
}

/** What may be told of a mistake: what kind it is and where it happened. */
export function described(mistake: unknown): object {
  if (!(mistake instanceof Error)) return { kind: typeof mistake };
  const { name, message, stack = '' } = mistake;
  const code = 'code' in mistake && typeof mistake.code === 'string' ? { code: mistake.code } : {};
  const status =
    'statusCode' in mistake && typeof mistake.statusCode === 'number' ? { status: mistake.statusCode } : {};
  const quotesNothing = name === 'Error' || name === 'DatabaseError' || name === 'error';
  return {
    kind: name,
    ...code,
    ...status,
    ...(quotesNothing && { message }),
    at: stack
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8)
      .map((line) => line.trim()),
  };
}
