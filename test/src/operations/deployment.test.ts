/**
 * The product as a region has it: installed, upgraded while students write,
 * backed up, restored somewhere else, and described for whoever runs it.
 *
 * No package is fetched and no container is made here: `install.mjs` is given a
 * clone that has been built, and of the container what its file says is done.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DockerfileParser } from 'dockerfile-ast';
import { Client } from 'pg';
import { parse as parseYaml } from 'yaml';
import { createEventStore } from '../../../src/ledger/event-store.ts';
import { backUp, leftOut, restore } from '../../../src/operations/backup.ts';
import { readSettings } from '../../../src/settings.ts';
import { openDatabase } from '../../../src/storage/database.ts';
import { createDatabase, migrations, openTestDatabase } from '../../database/database.ts';
import { content, root } from '../../product.ts';
import { freePort } from '../../serving.ts';
import { type Chat, clientOf } from '../channels/direct-line/client.ts';
import { life, newOwned, orderFor, recordAll, registryOf } from '../ledger/lives.ts';
import {
  type Instance,
  type Machine,
  makeMachine,
  operations,
  readOperations,
  readUnit,
  readyAt,
  settingsIn,
} from './installation.ts';

const ASKING = content.label('pin-trouble/askingHasPuk');
const WRONG_PIN = 'jag har slagit fel kod tre gånger';
/** What an editor of the newer version has changed. */
const WORDS = { old: content.label('web-chat/notFound'), new: 'Sidan finns inte i den nya versionen.' };

const nowhere = () =>
  new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });

/** Asks until it is so; the test's own time limit is the end of it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo().catch(() => false))) await new Promise((resolve) => setImmediate(resolve));
}

/** Every file below a folder, with what shows that it was written to. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map(({ parentPath, name }) => {
      const { size, mtimeMs } = statSync(join(parentPath, name));
      return `${parentPath}/${name} ${size} ${mtimeMs}`;
    });

/** A ledger with some events in a database, and its head as it is printed. */
async function fillLedger(url: string): Promise<string> {
  const database = await openTestDatabase(url);
  const registry = registryOf(createEventStore(database));
  const owned = newOwned();
  await recordAll(registry, [...life(owned), ...life(newOwned()).slice(0, 3)]);
  await registry.revoke(orderFor(owned));
  const { position, hash } = await registry.head();
  await database.close();
  return `${position}:${hash}`;
}

describe('an installation', () => {
  let machine: Machine;
  let url: string;
  let head: string;
  let chat: Chat;
  const sent: string[] = [];

  beforeAll(async () => {
    machine = makeMachine();
    url = await createDatabase();
    head = await fillLedger(url);
    const filledIn = readOperations('kortlotsen.env.example')
      .replace('KORTLOTSEN_RETENTION_DAYS=', 'KORTLOTSEN_RETENTION_DAYS=365')
      .replace('KORTLOTSEN_RETENTION_DECISION=', 'KORTLOTSEN_RETENTION_DECISION=beslut 2026-01');
    // No proxy has to be waited for here.
    writeFileSync(join(machine.etc, 'kortlotsen.env'), `${filledIn}KORTLOTSEN_DRAIN_SECONDS=1\n`);
    writeFileSync(join(machine.etc, 'secrets/DATABASE_URL'), `${url}\n`);
  });
  afterAll(() => {
    machine.clean();
  });

  const linked = (link: string) => readlinkSync(join(machine.prefix, link));
  const say = async ({ origin }: Instance, text: string) => {
    const { status } = await clientOf(origin).send(chat, { type: 'message', text });
    expect(status).toBe(200);
    sent.push(text);
  };
  /** What a page says that is not there tells which version has answered. */
  const wordsOf = async ({ origin }: Instance) => {
    const page = await (await fetch(`${origin}/nowhere`)).text();
    return { old: page.includes(WORDS.old), new: page.includes(WORDS.new) };
  };

  let one: Instance;
  let two: Instance;
  let ports: number[];
  let asInstalled: string[];

  it('is made in an empty prefix of a clone that has been built, and started as its unit says', async () => {
    const clone = machine.clone();
    expect(await machine.install(clone, '--as-built', '--name', '1.0.0')).toMatchObject({ code: 0, err: '' });
    expect(linked('current')).toBe('releases/1.0.0');
    expect(existsSync(join(machine.prefix, 'previous'))).toBe(false);
    expect(readdirSync(join(machine.prefix, 'releases'))).toEqual(['1.0.0']);
    asInstalled = filesIn(join(machine.prefix, 'releases/1.0.0'));
    ports = [await freePort(), await freePort()];
    [one, two] = await Promise.all([machine.start(ports[0] ?? 0), machine.start(ports[1] ?? 0)]);
    expect(one.origin).toBe(`http://127.0.0.1:${ports[0]}`);
    const student = clientOf(one.origin);
    chat = await student.begin();
    await say(one, WRONG_PIN);
    await student.until(chat, ASKING);
    expect(await wordsOf(two)).toEqual({ old: true, new: false });
  });

  it('refuses what is there already, and what cannot read its own content, and leads nobody there', async () => {
    const clone = machine.clone();
    const again = await machine.install(clone, '--as-built', '--name', '1.0.0');
    expect(again.code).toBe(1);
    expect(again.err).toContain('is in');
    writeFileSync(join(clone, 'content/web-chat/lines.yaml'), 'notFound: [');
    expect((await machine.install(clone, '--as-built', '--name', '1.0.1')).code).toBe(1);
    expect(readdirSync(join(machine.prefix, 'releases'))).toEqual(['1.0.0']);
    expect(linked('current')).toBe('releases/1.0.0');
  });

  it('is upgraded while it runs, one instance after the other, and every message of a student is answered once', async () => {
    const clone = machine.clone();
    const file = join(clone, 'content/web-chat/lines.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(WORDS.old, WORDS.new));
    expect((await machine.install(clone, '--as-built', '--name', '1.1.0')).code).toBe(0);
    expect([linked('current'), linked('previous')]).toEqual(['releases/1.1.0', 'releases/1.0.0']);
    // What runs goes on in the folder it was started from.
    expect(await wordsOf(one)).toEqual({ old: true, new: false });

    const roll = async (leaving: Instance, staying: Instance, port: number) => {
      const stopped = leaving.stop();
      await until(async () => (await fetch(`${leaving.origin}/health`)).status === 503);
      await say(leaving, 'nej');
      await say(staying, 'hur lång tid tar det att få ett kort?');
      expect(await stopped).toBe(0);
      await say(staying, WRONG_PIN);
      const started = await machine.start(port);
      await say(started, 'när är sös öppet på onsdag?');
      expect(await wordsOf(started)).toEqual({ old: false, new: true });
      return started;
    };
    one = await roll(one, two, ports[0] ?? 0);
    two = await roll(two, one, ports[1] ?? 0);

    const database = await openTestDatabase(url);
    const unanswered = `select from conversations where waiting > 0`;
    await until(async () => (await database.run({ text: unanswered }, [])).length === 0);
    const answers = await database.run<{ text: string; turns: number }>(
      {
        text: `select m.said ->> 'text' as text, count(distinct r.turn)::integer as turns
          from messages m left join messages r on r.conversation = m.conversation and r.answers = m.seq
          where m.author = 'student' and m.kind = 'message' group by m.seq, m.said order by m.seq`,
      },
      [],
    );
    expect(answers).toEqual(sent.map((text) => ({ text, turns: 1 })));
    await database.close();
  });

  it('is backed up while it serves, and restored into a new database with the same ledger and the same chat', async () => {
    const folder = join(machine.etc, 'backup');
    const backedUp = await machine.run('backup', '--out', folder);
    expect(backedUp).toMatchObject({ code: 0, err: '' });
    expect(backedUp.out).toContain(`The ledger’s head is ${head}\n`);
    const verified = await machine.run('ledger', 'verify');
    const before = await clientOf(one.origin).after(chat);
    await Promise.all([one.stop(), two.stop()]);

    const elsewhere = await createDatabase('empty');
    writeFileSync(join(machine.etc, 'secrets/DATABASE_URL'), elsewhere);
    const restored = await machine.run('restore', folder);
    expect(restored).toMatchObject({ code: 0, err: '' });
    expect(restored.out).toContain(`Its head is ${head}\n`);
    expect(await machine.run('ledger', 'verify', '--expect', head)).toEqual(verified);

    one = await machine.start(ports[0] ?? 0);
    expect((await clientOf(one.origin).after(chat)).activities).toEqual(before.activities);
    await say(one, WRONG_PIN);
    await clientOf(one.origin).until(chat, ASKING);
    expect(await one.stop()).toBe(0);
  });

  it('has written nothing to its own folder', () => {
    expect(filesIn(join(machine.prefix, 'releases/1.0.0'))).toEqual(asInstalled);
    expect(readdirSync(machine.prefix).sort()).toEqual(['current', 'previous', 'releases']);
  });

  it('goes back to the version before, and forth again', async () => {
    const back = () => machine.install(root, '--back');
    expect((await back()).code).toBe(0);
    expect([linked('current'), linked('previous')]).toEqual(['releases/1.0.0', 'releases/1.1.0']);
    await back();
    expect([linked('current'), linked('previous')]).toEqual(['releases/1.1.0', 'releases/1.0.0']);
  });
});
