import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createLog, described, namingTurns } from '../../src/log.ts';
import { findCanaries } from '../canaries.ts';

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

describe('what the product has written in all tests is scanned for canaries when they are over, and', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kortlotsen-canaries-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const PEOPLE = [
    'jag har tappat kortet\nmed "nyckeln"',
    'conv-7Qm2LxWc',
    'ja',
    'servicedesk',
    'a secret that signs what it signs',
  ];
  let scans = 0;
  /** What is found in a file, without what it was found in. */
  function found(name: string, written: string, people = PEOPLE): string[] {
    const place = join(folder, String(++scans));
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), written);
    return findCanaries(place, new Set(people)).map((each) => each.split(': ')[0] ?? '');
  }
  const logged = (fields: object) => {
    let line = '';
    createLog('info', { write: (each) => (line += each) }).info(fields, 'turn');
    return line;
  };

  it.each<[string, string, string]>([
    ['a word that a test has planted', 'jag heter Kanariefågel', 'a canary'],
    ['a code of a test', 'with 739184', 'a canary'],
    ['a secret of a test', 'with the-secret-of-the-region', 'a canary'],
    ['a personnummer', 'for 640823-3234', 'a personnummer'],
    ['a personnummer of twelve digits', 'for 196408233234.', 'a personnummer'],
    ['a personnummer in a list', '"6408233234"', 'a personnummer'],
    ['a samordningsnummer', 'for 850769-9801', 'a personnummer'],
    ['a pin', 'heard pin: 4711', 'a code of a card'],
    ['a puk', 'pukkoden är 12345678', 'a code of a card'],
    ['a code to be typed back', 'typed BCDF-GHJK', 'a code to be typed back'],
    ['a token', 'token eyJhbGciOiJIUzI1NiJ9.eyJjb252Ijoi', 'a signed token'],
    ['a header', 'authorization: Bearer x9f3Kd', 'what proves who asks'],
    ['a header with a name and a password', 'Basic YW5uYTpoZW1saWd0', 'what proves who asks'],
    ['a cookie', 'set-cookie: a=b', 'a cookie'],
    ['the address of a database', 'postgresql://bot:x@127.0.0.1/k', 'a password in an address'],
    ['the address that somebody signs in at', '/sign-in?challenge=x', 'a secret in an address'],
    ['a word in Swedish', 'tappat på tåget', 'Swedish'],
    ['a secret that a database has', 'a secret that signs what it', 'what a database holds of somebody'],
    ['the name of a conversation', 'conv-7Qm2LxWc', 'what a database holds of somebody'],
  ])('finds %s', (_what, written, what) => {
    const line = logged({ state: written });
    expect(found('src/a.test.ts/1.log', `${logged({ state: 'ordering/asking' })}${line}`)).toEqual([
      `src/a.test.ts/1.log:2 has ${what}`,
    ]);
  });

  it.each([
    ['as it is logged', logged({ text: PEOPLE[0] }), 1],
    ['to its beginning', 'SyntaxError: jag har tappat kortet\\nm\n', 1],
    ['to a beginning that others may have', 'Mistake: jag har tappat ingenting', 0],
    ['in a few letters, which may be any', logged({ answer: 'ja' }), 0],
    ['in a word, which may be ours', logged({ requests: ['servicedesk.handoff'] }), 0],
  ])('finds what somebody wrote %s', (_how, line, times) => {
    expect(found('1.errors', line)).toEqual(Array(times).fill('1.errors:1 has what a database holds of somebody'));
  });

  it('finds it in a metric, where a number may be any', () => {
    const metrics = '# HELP memory in bytes\nmemory 6408233234\nturns{state="a",of="640823-3234"} 3 1795945698123\n';
    expect(found('1.metrics', metrics)).toEqual(['1.metrics:3 has a personnummer']);
  });

  it('finds what a test kept of people on a server of its own', () => {
    const place = join(folder, 'own');
    mkdirSync(place);
    writeFileSync(join(place, '1.people'), JSON.stringify(['somebody else altogether']));
    writeFileSync(join(place, '2.log'), '{"msg":"somebody else altogether"}\n');
    expect(findCanaries(place, new Set())).toEqual([
      '2.log:1 has what a database holds of somebody: {"msg":"somebody else altogether"}',
    ]);
  });

  it('finds nothing in what it is to write', () => {
    const turn = logged({
      state: 'pin-trouble/askingHasPuk',
      heard: ['intent.pin-locked'],
      requests: ['ledger.revoke'],
    });
    const mistake = logged(described(caught(() => JSON.parse('min pin är 4711'))));
    const address =
      '  DATABASE_URL is no address of PostgreSQL; write it as postgresql://user:password@host:5432/database';
    expect(found('1.log', `${turn}${mistake}`)).toEqual([]);
    expect(found('1.errors', `Kortlotsen is at http://127.0.0.1:40823. Stop it with Ctrl+C.\n${address}\n`)).toEqual(
      [],
    );
    expect(
      found('1.log', '{"msg":"content is refused","reasons":["content/lost-card/lines.yaml: rad 3 får"]}'),
    ).toEqual([]);
    expect(
      found('1.log', '{"took":12.739184,"id":"0e5b6408-2332-4a4b-9c1d-196408233234","at":"2026-11-23T07:00:00.123Z"}'),
    ).toEqual([]);
  });
});
