/** What an operator does with the ledger, and what an auditor can do without us. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportLedger, headOf, recordHappenings, verifyLedger } from '../../../src/cli/ledger.ts';
import { createEventStore } from '../../../src/ledger/event-store.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { fromSkane, life, newOwned, orderFor, recordAll, registryOf } from '../ledger/lives.ts';

const opened: Database[] = [];
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kortlotsen-ledger-'));
});
afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()));
  await rm(folder, { recursive: true, force: true });
});

/** A ledger of its own, with ten events. */
async function newLedger() {
  const database = await openTestDatabase(await createDatabase());
  opened.push(database);
  const registry = registryOf(createEventStore(database));
  const owned = newOwned();
  await recordAll(registry, [...life(owned), ...life(newOwned()).slice(0, 3), fromSkane(newOwned())]);
  await registry.revoke(orderFor(owned));
  const { position, hash } = await registry.head();
  return { database, registry, head: `${position}:${hash}` };
}

/** What somebody does who may do anything with the database. */
async function tamper(database: Database, ...statements: string[]): Promise<void> {
  for (const text of ['alter table ledger_events disable trigger all', ...statements]) await database.run({ text }, []);
}

const nowhere = new Writable({
  write(_chunk, _encoding, done) {
    done();
  },
});

async function verified(source: Parameters<typeof verifyLedger>[0], expect?: string) {
  let out = '';
  const write = (text: string) => void (out += text);
  const status = await verifyLedger(source, expect === undefined ? undefined : headOf(expect), {
    write,
    progress: nowhere,
  });
  return { status, out };
}

async function exported(database: Database): Promise<string> {
  let out = '';
  await exportLedger(database, (text) => void (out += text));
  return out;
}

async function fileOf(text: string): Promise<string> {
  const file = join(folder, `${Math.random()}.jsonl`);
  await writeFile(file, text);
  return file;
}

describe('kortlotsen ledger verify', () => {
  it('prints the head of a whole chain, and knows it again', async () => {
    const { database, registry, head } = await newLedger();
    const whole = { status: 0, out: `The chain is whole, and has 10 events. Its head is ${head}\n` };
    expect(await verified({ database })).toEqual(whole);
    await recordAll(registry, life(newOwned()));
    expect(await verified({ database }, head)).toMatchObject({ status: 0 });
  });

  const brokenAt = (position: number) => ({
    status: 1,
    out: expect.stringContaining(`broken at position ${position}.`) as unknown,
  });
  it.each<[string, number, string[]]>([
    ['a text', 4, ["update ledger_events set event = replace(event, '2031', '2041') where position = 4"]],
    ['the space in a text', 4, ["update ledger_events set event = event || ' ' where position = 4"]],
    [
      'a position',
      4,
      [`update ledger_events set event = replace(event, '"position":4', '"position":40') where position = 4`],
    ],
    ['a hash', 4, ["update ledger_events set hash = repeat('a', 64) where position = 4"]],
    ['a row away', 4, ['delete from ledger_events where position = 4']],
    ['the last row away', 10, ['delete from ledger_events where position = 10']],
    ['all rows away', 1, ['delete from ledger_events']],
    [
      'two texts into each other',
      4,
      [
        `update ledger_events a set event = replace(b.event, '"position":5', '"position":4') from ledger_events b
          where a.position = 4 and b.position = 5`,
      ],
    ],
    [
      'a row more in',
      11,
      [
        `insert into ledger_events (event, hash)
          select regexp_replace(replace(replace(event, '"position":10', '"position":11'), '"key":', '"key":"x","old":'), '"S-....', '"S-0000'), hash
          from ledger_events where position = 10`,
      ],
    ],
    ['the head', 10, ["update ledger_head set hash = repeat('a', 64)"]],
    [
      'the head back',
      10,
      ['update ledger_head set position = 9, hash = (select hash from ledger_events where position = 9)'],
    ],
    ['the head on', 11, ['update ledger_head set position = 12']],
  ])('finds who puts %s', async (_what, position, statements) => {
    const { database } = await newLedger();
    await tamper(database, ...statements);
    expect(await verified({ database })).toEqual(brokenAt(position));
  });

  it('finds that the end was cut off, head and all, by the head that was noted', async () => {
    const { database, head } = await newLedger();
    await tamper(
      database,
      'delete from ledger_events where position > 8',
      'update ledger_head set position = 8, hash = (select hash from ledger_events where position = 8)',
    );
    expect(await verified({ database })).toMatchObject({ status: 0 });
    expect(await verified({ database }, head)).toEqual(brokenAt(9));
  });

  it('reads an export as it reads the database', async () => {
    const { database, head } = await newLedger();
    const text = await exported(database);
    expect(await verified({ file: await fileOf(text) }, head)).toEqual(await verified({ database }));
    const lines = text.trimEnd().split('\n');
    const swapped = [...lines.slice(0, 2), lines[3], lines[2], ...lines.slice(4)].join('\n');
    const files: [string, number][] = [
      [text.replace('LINDHAGEN', 'SODERSJUKHUSET'), 2],
      [swapped, 3],
      [text.replace('\n', '\r\n'), 1],
      [text.replace('\n', '\n\n'), 2],
      [`${text}nonsense\n`, 11],
      [text.slice(0, -10), 10],
    ];
    for (const [tampered, position] of files)
      expect(await verified({ file: await fileOf(tampered) })).toEqual(brokenAt(position));
  });

  it('reads a head only as it is printed', () => {
    expect(headOf(`12:${'a'.repeat(64)}`)).toEqual({ position: 12, hash: 'a'.repeat(64) });
    for (const written of ['', '12', `12:${'a'.repeat(63)}`, `x:${'a'.repeat(64)}`])
      expect(headOf(written)).toBeUndefined();
  });
});

describe('an auditor with nothing but Node', () => {
  const run = promisify(execFile);

  it('verifies an export by the script in the README, and finds a byte that was changed', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../../src/ledger/README.md'), 'utf8');
    const [, script = ''] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
    const verify = join(folder, 'verify.mjs');
    await writeFile(verify, script);
    const { database, head } = await newLedger();
    const text = await exported(database);
    const { stdout } = await run(process.execPath, [verify, await fileOf(text)]);
    expect(stdout).toBe(`The chain is whole. Its head is ${head}\n`);

    const lines = text.split('\n');
    lines[6] = lines[6]?.replace('LINDHAGEN', 'LINDHAGEM') ?? '';
    const failed = run(process.execPath, [verify, await fileOf(lines.join('\n'))]);
    await expect(failed).rejects.toThrow('The chain is broken at 7');
  });
});

describe('kortlotsen ledger record', () => {
  async function recorded(lines: readonly string[]) {
    const { registry } = await newLedger();
    let out = '';
    async function* given() {
      for (const line of lines) yield await Promise.resolve(line);
    }
    const status = await recordHappenings(registry, given(), 'operator', (text) => void (out += text));
    return { status, out, position: (await registry.head()).position };
  }

  it('keeps what a file says has happened', async () => {
    const lines = life(newOwned()).map((happening) => JSON.stringify(happening));
    expect(await recorded(lines)).toEqual({ status: 0, out: '5 happenings were recorded.\n', position: 15 });
  });

  it('keeps nothing if any of it is impossible, and says which lines', async () => {
    const [ordered, , produced] = life(newOwned()).map((happening) => JSON.stringify(happening));
    expect(await recorded([ordered ?? '', produced ?? ''])).toEqual({
      status: 1,
      out: 'Line 2: card.produced is impossible, for an ordinary card cannot be produced before its holder is photographed.\nNothing was recorded.\n',
      position: 10,
    });
  });

  it('says which lines cannot be read, and never what is in them', async () => {
    const [ordered] = life(newOwned());
    const canary = '9752260000009090';
    const lines = [JSON.stringify(ordered), `{${canary}`, '', JSON.stringify({ ...ordered, number: 7, card: canary })];
    const { status, out, position } = await recorded(lines);
    expect([status, position]).toEqual([1, 10]);
    expect(out).toContain('Line 2: it is no happening written as JSON.\nLine 3: it is no happening written as JSON.\n');
    expect(out).toMatch(/^Line 4: .*number is wrong/m);
    expect(out).not.toContain(canary);
  });
});
