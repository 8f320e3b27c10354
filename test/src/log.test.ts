import { describe, expect, it } from '@jest/globals';
import { createLog, described, namingTurns } from '../../src/log.ts';

describe('what is told of a mistake', () => {
  it('quotes nothing of what it failed on', () => {
    const quoting = () => JSON.parse('min pin är 4711') as unknown;
    expect(JSON.stringify(described(caught(quoting)))).not.toMatch(/4711|pin/);
    expect(described(caught(quoting))).toMatchObject({ kind: 'SyntaxError' });
  });

  it('is what we said ourselves, its code, and where it happened', () => {
    const failing = () => {
      throw Object.assign(new Error('out of order'), { code: 'ECONNREFUSED', statusCode: 503 });
    };
    expect(described(caught(failing))).toMatchObject({
      kind: 'Error',
      code: 'ECONNREFUSED',
      status: 503,
      message: 'out of order',
      at: expect.arrayContaining([expect.stringMatching(/^at failing/)]) as unknown,
    });
  });

  it('is of anything else no more than that it was thrown', () => {
    expect(described('min pin är 4711')).toEqual({ kind: 'string' });
  });
});

describe('the name of a turn', () => {
  const of = { conversation: 'bot/msteams/a:kanarie', message: 12 };

  it('is the same wherever the key is, and tells neither whose it is nor what its channel calls it', () => {
    const name = namingTurns('key')(of);
    expect(namingTurns('key')(of)).toBe(name);
    expect(name).toMatch(/^[\w-]{16}\.12$/);
    expect(name).not.toMatch(/kanarie|msteams/);
  });

  it('is another with another key, in another conversation, and of another message', () => {
    const others = [
      namingTurns('other')(of),
      namingTurns('key')({ ...of, conversation: 'bot/msteams/a:other' }),
      namingTurns('key')({ ...of, message: 13 }),
    ];
    expect(new Set([namingTurns('key')(of), ...others]).size).toBe(4);
  });
});

describe('the log', () => {
  it('is an object a line, wherever it goes', () => {
    const lines: string[] = [];
    createLog('info', { write: (line) => void lines.push(line) }).info({ state: 'lost-card/confirming' }, 'turn');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: 30, state: 'lost-card/confirming', msg: 'turn' }),
    ]);
  });
});

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (mistake) {
    return mistake;
  }
}
