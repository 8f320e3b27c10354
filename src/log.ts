/**
 * The log: one JSON object a line on standard output, and never a word of what
 * anybody has written.
 *
 * Messages of errors may quote what they failed on, so only those of errors
 * that cannot are kept: of the system, of PostgreSQL and of our own.
 */
import { type Logger, pino } from 'pino';

export type Log = Logger;

/** Where lines go, other than to standard output. */
export type Destination = { write: (line: string) => void };

export function createLog(level: string, destination?: Destination): Log {
  const options = { level, base: { process: process.pid }, timestamp: pino.stdTimeFunctions.isoTime };
  return destination ? pino(options, destination) : pino(options);
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
