import { describe, expect, it } from '@jest/globals';
import { described } from '../../src/log.ts';

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

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (mistake) {
    return mistake;
  }
}
