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
import { Client } from 'pg';
import { parse as parseYaml } from 'yaml';
import { createEventStore } from '../../../src/ledger/event-store.ts';
import { backUp, leftOut, restore } from '../../../src/operations/backup.ts';
import { describeSettings, readSettings } from '../../../src/settings.ts';
import { openDatabase } from '../../../src/storage/database.ts';
import { createDatabase, migrations, openTestDatabase } from '../../database/database.ts';
import { isLong } from '../../faults/built-product.ts';
import { content, root } from '../../product.ts';
import { type Chat, clientOf } from '../channels/direct-line/client.ts';
import { life, newOwned, orderFor, recordAll, registryOf } from '../ledger/lives.ts';
import {
  type Instance,
  type Machine,
  makeMachine,
  operations,
  commandIn,
  readDockerfile,
  readOperations,
  quietPort,
  readUnit,
  settingsIn,
  startOfContainer,
} from './installation.ts';

const ASKING = content.label('pin-trouble/askingHasPuk');
const WRONG_PIN = 'jag har slagit fel kod tre gånger';
/** What an editor of the newer version has changed, and where. */
const EDITED = 'content/web-chat/lines.yaml';
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
  let clone: string;
  let url: string;
  let head: string;
  let chat: Chat;
  const sent: string[] = [];

  beforeAll(async () => {
    machine = makeMachine();
    clone = machine.clone();
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
    expect(await machine.install(clone, '--as-built', '--name', '1.0.0')).toMatchObject({ code: 0 });
    expect(linked('current')).toBe('releases/1.0.0');
    expect(existsSync(join(machine.prefix, 'previous'))).toBe(false);
    expect(readdirSync(join(machine.prefix, 'releases'))).toEqual(['1.0.0']);
    asInstalled = filesIn(join(machine.prefix, 'releases/1.0.0'));
    ports = [await quietPort(), await quietPort()];
    [one, two] = await Promise.all([machine.start(ports[0] ?? 0), machine.start(ports[1] ?? 0)]);
    expect(one.origin).toBe(`http://127.0.0.1:${ports[0]}`);
    expect((await fetch(`${one.origin}${READY}`)).status).toBe(200);
    const student = clientOf(one.origin);
    chat = await student.begin();
    await say(one, WRONG_PIN);
    await student.until(chat, ASKING);
    expect(await wordsOf(two)).toEqual({ old: true, new: false });
  });

  it('refuses what is there already, and what cannot read its own content, and leads nobody there', async () => {
    const again = await machine.install(clone, '--as-built', '--name', '1.0.0');
    expect(again.code).toBe(1);
    expect(again.err).toContain('is there already');
    writeFileSync(join(clone, EDITED), 'notFound: [');
    expect((await machine.install(clone, '--as-built', '--name', '1.0.1')).code).toBe(1);
    expect(readdirSync(join(machine.prefix, 'releases'))).toEqual(['1.0.0']);
    expect(linked('current')).toBe('releases/1.0.0');
  });

  it('is upgraded while it runs, an instance at a time, and every message of a student is answered once', async () => {
    const text = readFileSync(join(root, EDITED), 'utf8');
    writeFileSync(join(clone, EDITED), text.replace(WORDS.old, WORDS.new));
    expect((await machine.install(clone, '--as-built', '--name', '1.1.0')).code).toBe(0);
    expect([linked('current'), linked('previous')]).toEqual(['releases/1.1.0', 'releases/1.0.0']);
    // What runs goes on in the folder it was started from.
    expect(await wordsOf(one)).toEqual({ old: true, new: false });

    const roll = async (leaving: Instance, staying: Instance, port: number) => {
      const stopped = leaving.stop();
      await until(async () => (await fetch(`${leaving.origin}${READY}`)).status === 503);
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
    // The other is as the first was, and takes as long again.
    if (isLong) two = await roll(two, one, ports[1] ?? 0);

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

  it('is backed up while it serves, and goes on in a container on a new database, with the same ledger and chat', async () => {
    const folder = join(machine.etc, 'backup');
    const backedUp = await machine.run('backup', '--out', folder);
    expect(backedUp).toMatchObject({ code: 0 });
    expect(backedUp.out).toContain(`The ledger’s head is ${head}\n`);
    const before = await clientOf(one.origin).after(chat);
    await Promise.all([one.stop(), two.stop()]);

    const elsewhere = await createDatabase('empty');
    writeFileSync(join(machine.etc, 'secrets/DATABASE_URL'), elsewhere);
    const restored = await machine.run('restore', folder);
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.out).toContain(`Its head is ${head}\n`);
    expect((await machine.run('ledger', 'verify', '--expect', head)).out).toContain(`Its head is ${head}\n`);

    const container = await machine.startContainer();
    expect((await clientOf(container.origin).after(chat)).activities).toEqual(before.activities);
    await say(container, WRONG_PIN);
    await clientOf(container.origin).until(chat, ASKING);
    expect(await container.stop()).toBe(0);
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

describe('a backup', () => {
  let url: string;
  let folder: string;
  const at = new Date('2026-11-23T08:00:00.000Z');
  const world = () => ({ url, migrations, version: '1.0.0', now: () => at, progress: nowhere() });
  const restoreTo = (to: string, from = folder) => restore(from, { url: to, migrations, progress: nowhere() });

  beforeAll(async () => {
    url = await createDatabase();
    folder = join(mkdtempSync(join(tmpdir(), 'kortlotsen-backup-')), 'of-monday');
    await fillLedger(url);
    const database = await openTestDatabase(url);
    const conversation = `insert into conversations (id, channel, is_pushed, agent, begun_at)
      values ('c1', 'web', false, null, '2026-03-29 02:30:00.123456+02')`;
    // What COPY writes in a way of its own: line feeds, tabs, backslashes, and the word for nothing.
    const said = JSON.stringify({ text: 'rad\n\ttabb \\N \\. å 😀' });
    const message = `insert into messages (conversation, seq, author, kind, said, at) values ('c1', 1, 'student', 'message', $1, now())`;
    const request = `insert into requests (conversation, reference, request, state, due_at) values ('c1', 'r', '{}', 'closed', now())`;
    const session = `insert into sessions (hash, errand, member, name, roles, ends_at) values ('h', 'e', 'm', 'Anna', '{agent}', now())`;
    for (const text of [conversation, request, request, 'delete from requests where id = 2', session])
      await database.run({ text }, []);
    await database.run({ text: message }, [said]);
    await database.close();
    await backUp(folder, world());
  });
  afterAll(() => {
    rmSync(join(folder, '..'), { recursive: true, force: true });
  });

  const query = async (database: string, text: string): Promise<object[]> => {
    const client = new Client(database);
    await client.connect();
    const { rows } = await client.query<object>(text);
    await client.end();
    return rows;
  };
  const manifest = () =>
    JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
      tables: { name: string; rows: number }[];
      migrations: Record<string, string[]>;
    };
  const tablesOf = async (database: string) =>
    (
      (await query(database, "select tablename as name from pg_tables where schemaname = 'public'")) as {
        name: string;
      }[]
    ).map(({ name }) => name);

  it('has every table there is but those that are left out for a reason', async () => {
    const kept = manifest().tables.map(({ name }) => name);
    const all = await tablesOf(url);
    expect(kept.sort()).toEqual(all.filter((name) => !(name in leftOut)).sort());
    // The cache makes its table when it is first used.
    expect(Object.keys(leftOut).filter((name) => !all.includes(name))).toEqual(['cache']);
  });

  it('is for the eyes of its owner, and is whole or not there', async () => {
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(modeOf(folder)).toBe('700');
    expect(readdirSync(folder).map((name) => modeOf(join(folder, name)))).toEqual(readdirSync(folder).map(() => '600'));
    await expect(backUp(folder, world())).rejects.toThrow('overwrites nothing');
    const empty = { ...world(), url: await createDatabase('empty') };
    await expect(backUp(join(folder, '../of-nothing'), empty)).rejects.toThrow('nothing to back up');
    expect(readdirSync(join(folder, '..'))).toEqual(['of-monday']);
  });

  it('gives back every value as it was, and numbers that nobody has had', async () => {
    const elsewhere = await createDatabase('empty');
    await restoreTo(elsewhere);
    for (const { name, rows } of manifest().tables) {
      const text = `select t::text as row from ${name} t order by 1`;
      const was = await query(url, text);
      expect({ name, rows: await query(elsewhere, text) }).toEqual({ name, rows: was });
      expect(was).toHaveLength(rows);
    }
    expect(await query(elsewhere, 'select * from sessions')).toEqual([]);
    const next = `insert into requests (conversation, reference, request, state, due_at)
      values ('c1', 'next', '{}', 'closed', now()) returning id`;
    expect(await query(elsewhere, next)).toEqual([{ id: '3' }]);
  });

  it('of an older version is as old where it is restored, and brought up to date by the next start', async () => {
    const [ours, ledgers] = migrations;
    if (!ours || !ledgers) throw new Error('There are no migrations');
    const only = readdirSync(ours.folder).flatMap((name) => (name < '0014' ? [name.replace('.sql', '')] : []));
    const before = { ...world(), url: await createDatabase('empty') };
    await (await openDatabase(before.url, [{ ...ours, only }, ledgers], () => undefined)).close();
    const old = join(folder, '../of-long-ago');
    await backUp(old, before);
    const elsewhere = await createDatabase('empty');
    await restoreTo(elsewhere, old);
    expect((await tablesOf(elsewhere)).sort()).toEqual((await tablesOf(before.url)).sort());
    expect(await tablesOf(elsewhere)).not.toContain('case_cards');
    await (await openDatabase(elsewhere, migrations, () => undefined)).close();
    expect(await tablesOf(elsewhere)).toContain('case_cards');
  });

  it('of a newer version is refused, by name', async () => {
    const future = join(folder, '../of-tomorrow');
    cpSync(folder, future, { recursive: true });
    const { migrations: made, ...rest } = manifest();
    const newer = { ...made, migrations: [...(made.migrations ?? []), '9001_mood'] };
    writeFileSync(join(future, 'manifest.json'), JSON.stringify({ ...rest, migrations: newer }));
    const elsewhere = await createDatabase('empty');
    await expect(restoreTo(elsewhere, future)).rejects.toThrow(
      /is of version 1\.0\.0, and this one is too old .* migration 9001_mood/,
    );
    expect(await tablesOf(elsewhere)).toEqual([]);
  });

  it.each([
    [
      'a file that was changed',
      (to: string) => {
        writeFileSync(join(to, 'messages.copy.gz'), 'x');
      },
      /messages\.copy\.gz is not as it was/,
    ],
    [
      'a file that is gone',
      (to: string) => {
        rmSync(join(to, 'ledger_events.copy.gz'));
      },
      /ledger_events\.copy\.gz cannot be read/,
    ],
    [
      'a manifest that was changed',
      (to: string) => {
        writeFileSync(join(to, 'manifest.json'), '{"format": 2}');
      },
      /manifest\.json .* is not as it was written/,
    ],
    [
      'no manifest',
      (to: string) => {
        rmSync(join(to, 'manifest.json'));
      },
      /There is no backup in/,
    ],
  ])('with %s restores nothing', async (_what, change, complaint) => {
    const copy = mkdtempSync(join(folder, '../copy-'));
    cpSync(folder, copy, { recursive: true });
    change(copy);
    const elsewhere = await createDatabase('empty');
    await expect(restoreTo(elsewhere, copy)).rejects.toThrow(complaint);
    expect(await tablesOf(elsewhere)).toEqual([]);
  });

  it('is not restored over anything', async () => {
    const there = await createDatabase();
    await expect(restoreTo(there)).rejects.toThrow('is not empty');
    expect(await query(there, 'select * from conversations')).toEqual([]);
  });
});

type Service = {
  image: string;
  env_file?: string;
  environment: Record<string, string>;
  secrets?: string[];
  networks: unknown;
  ports?: string[];
  volumes?: string[];
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  security_opt: string[];
  depends_on?: Record<string, { condition: string }>;
  stop_grace_period?: string;
  healthcheck?: { test: string[] };
  build?: { context: string; dockerfile: string };
};
type Compose = {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  networks: Record<string, { internal?: boolean; ipam?: { config: { subnet: string }[] } } | null>;
};

const seconds = (written: string | undefined): number => Number(/^(\d+)s?$/.exec(written ?? '')?.[1]);
/** In seconds: what a process is given to finish, when it has drained, and some. */
const FINISHING = 30;
/** What the proxy is told of going to an instance that goes away. */
const proxied = (name: string) => new RegExp(`^\\s*${name} (.+)$`, 'm').exec(readOperations('Caddyfile'))?.[1];
const READY = proxied('health_uri') ?? '';
const isHeeded = (drained: number) =>
  drained > seconds(proxied('health_interval')) + seconds(proxied('health_timeout'));

describe('the service unit', () => {
  const { Service = {}, Unit = {}, Install = {} } = readUnit();
  const environment = settingsIn([Service.Environment ?? []].flat().join('\n').replaceAll('%i', '3978'));

  it('starts the product in production, for a proxy on the same machine, with secrets that are files', () => {
    const filled = { KORTLOTSEN_RETENTION_DAYS: '365', KORTLOTSEN_RETENTION_DECISION: 'beslut' };
    const example = { ...settingsIn(readOperations('kortlotsen.env.example')), ...filled };
    const { DATABASE_URL_FILE: file, ...rest } = environment;
    expect(readSettings({ ...rest, ...example })).toMatchObject({ isProduction: true, host: '127.0.0.1', port: 3978 });
    expect(`LoadCredential=${[Service.LoadCredential].flat().join()}`).toBe(
      `LoadCredential=${(file ?? '').replace('%d/', '')}:/etc/kortlotsen/secrets/DATABASE_URL`,
    );
    expect(JSON.stringify(environment)).not.toMatch(/postgresql:/);
    expect(Install.WantedBy).toBe('multi-user.target');
  });

  it('lets it finish, reloads by its signal, and starts it again until it is mended', () => {
    const drained = Number(environment.KORTLOTSEN_DRAIN_SECONDS);
    expect(isHeeded(drained)).toBe(true);
    expect(seconds(String(Service.TimeoutStopSec))).toBeGreaterThanOrEqual(drained + FINISHING);
    expect(Service).toMatchObject({ KillSignal: 'SIGTERM', ExecReload: '/bin/kill -HUP $MAINPID', Restart: 'always' });
    expect(Unit.StartLimitIntervalSec).toBe('0');
    // Those that say that somebody has to do something.
    expect(Service.RestartPreventExitStatus).toBe('10 12');
  });

  it('is walled in, but for what V8 needs', () => {
    expect(Service).toMatchObject({
      DynamicUser: 'yes',
      ProtectSystem: 'strict',
      ProtectHome: 'yes',
      NoNewPrivileges: 'yes',
      PrivateTmp: 'yes',
      CapabilityBoundingSet: '',
      MemoryDenyWriteExecute: 'no',
    });
  });
});

describe('the compose file', () => {
  const { services, secrets, networks } = parseYaml(readOperations('compose.yaml'), { merge: true }) as Compose;
  const assistants = Object.entries(services).filter(([name]) => name.startsWith('assistant-'));

  it('has two instances that can write nowhere, may nothing, and are given their secrets as files', () => {
    expect(assistants).toHaveLength(2);
    for (const [, assistant] of assistants) {
      expect(assistant).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        depends_on: { database: { condition: 'service_healthy' } },
        env_file: 'kortlotsen.env',
      });
      expect(assistant.tmpfs?.every((each) => each.includes('noexec'))).toBe(true);
      expect(assistant.ports).toBeUndefined();
      const files = Object.entries(assistant.environment).filter(([name]) => name.endsWith('_FILE'));
      expect(files.map(([, file]) => file)).toEqual(assistant.secrets?.map((name) => `/run/secrets/${name}`));
      const drained = Number(assistant.environment.KORTLOTSEN_DRAIN_SECONDS);
      expect(isHeeded(drained)).toBe(true);
      expect(seconds(assistant.stop_grace_period)).toBeGreaterThanOrEqual(drained + FINISHING);
    }
    expect(Object.values(services).flatMap((each) => each.secrets ?? [])).toEqual(
      expect.arrayContaining(Object.keys(secrets)),
    );
  });

  it('sets what the program takes', () => {
    const filled = { KORTLOTSEN_RETENTION_DAYS: '365', KORTLOTSEN_RETENTION_DECISION: 'beslut' };
    const example = { ...settingsIn(readOperations('kortlotsen.env.example')), ...filled };
    const { DATABASE_URL_FILE: _file, ...rest } = services['assistant-1']?.environment ?? {};
    expect(
      readSettings({ ...example, ...rest, DATABASE_URL: 'postgresql://kortlotsen@database/kortlotsen' }),
    ).toMatchObject({
      isProduction: true,
      trustedProxies: ['172.30.78.2'],
    });
  });

  it('has a database that nobody else reaches, that lasts, and that logs nothing of what was written', () => {
    const { database } = services;
    expect(database?.ports).toBeUndefined();
    expect(database?.networks).toEqual(['data']);
    expect(networks.data?.internal).toBe(true);
    expect(database?.volumes).toEqual(['database:/var/lib/postgresql']);
    expect(database?.healthcheck?.test).toContain('pg_isready');
  });

  it('has a proxy that leads to both, and a page for when neither answers', () => {
    const { proxy } = services;
    const instances = assistants.map(([name, { environment }]) => `${name}:${environment.PORT}`);
    expect(proxy?.environment.KORTLOTSEN_INSTANCES).toBe(instances.join(' '));
    expect(proxy?.networks).toEqual({ web: { ipv4_address: '172.30.78.2' } });
    expect(proxy?.volumes).toEqual(
      expect.arrayContaining(['./Caddyfile:/etc/caddy/Caddyfile:ro', './contact:/srv/kortlotsen:ro']),
    );
    for (const said of ['reverse_proxy {$KORTLOTSEN_INSTANCES}', 'handle_errors', 'rewrite * /contact.html'])
      expect(readOperations('Caddyfile')).toContain(said);
    expect(readOperations('Caddyfile')).not.toMatch(/lb_policy (cookie|ip_hash|client_ip_hash)/);
  });

  it('keeps nobody’s secrets among what is committed or copied into an image', () => {
    const { build } = services['assistant-1'] ?? {};
    expect(existsSync(join(operations, build?.context ?? '', build?.dockerfile ?? ''))).toBe(true);
    expect(Object.values(secrets).every(({ file }) => file.startsWith('./secrets/'))).toBe(true);
    expect(readOperations('.gitignore').split('\n')).toEqual(expect.arrayContaining(['/secrets/', '/kortlotsen.env']));
    expect(readOperations('Dockerfile.dockerignore')).toMatch(/^\*\n(.+\n)*src\/operations\/secrets\n/);
  });
});

describe('the container', () => {
  const instructions = readDockerfile();
  const lastFrom = instructions.findLastIndex(({ keyword }) => keyword === 'FROM');
  const [building, running] = [instructions.slice(0, lastFrom), instructions.slice(lastFrom)];
  const valueOf = (keyword: string) => running.find((each) => each.keyword === keyword)?.text ?? '';

  it('is built of what there is, by the lock file, with scripts that there are', () => {
    const sources = building.flatMap(({ keyword, args }) => (keyword === 'COPY' ? args.slice(0, -1) : []));
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
    const ignored = readOperations('Dockerfile.dockerignore').split('\n');
    expect(sources.filter((source) => !ignored.includes(`!${source}`))).toEqual([]);
    const runs = building.flatMap(({ keyword, text }) => (keyword === 'RUN' ? [text] : []));
    expect(runs).toEqual([
      'npm ci --ignore-scripts',
      'npm run build',
      'npm prune --omit=dev --omit=optional --ignore-scripts',
    ]);
    const { scripts, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
      engines: { node: string };
    };
    expect(scripts.build).toContain('train');
    const [, major] = /node:(\d+)-/.exec(readOperations('Dockerfile')) ?? [];
    expect(Number(major)).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)?.[0]));
    expect(running.some(({ keyword }) => keyword === 'RUN')).toBe(false);
  });

  it('has in its last stage what the program reads, as nobody who could change it', () => {
    const copied = running.flatMap(({ keyword, args }) => (keyword === 'COPY' ? args.slice(0, -1) : []));
    for (const name of ['package.json', 'node_modules', 'content', 'src', 'dist'])
      expect(copied).toContain(`/kortlotsen/${name}`);
    expect(running.filter(({ text }) => text.includes('--chown'))).toEqual([]);
    const order = running.map(({ keyword }) => keyword);
    expect(Number(valueOf('USER').split(':')[0])).toBeGreaterThan(0);
    expect(order.indexOf('USER')).toBeGreaterThan(order.lastIndexOf('COPY'));
    expect(order.indexOf('USER')).toBeLessThan(order.indexOf('CMD'));
  });

  it('is process 1 itself, and runs other commands too', () => {
    expect(startOfContainer()).toEqual({
      file: 'node',
      args: ['--enable-source-maps', '/kortlotsen/dist/kortlotsen.js', 'serve'],
      environment: { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '3978' },
    });
  });

  it('is well when it answers so where the proxy asks too, and not otherwise', async () => {
    const [node, ...args] = commandIn(valueOf('HEALTHCHECK'));
    expect(node).toBe('node');
    const answers: Record<string, number> = { [READY]: 200 };
    const asked: (string | undefined)[] = [];
    const server = createServer((req, res) => {
      asked.push(req.url);
      res.writeHead(answers[req.url ?? ''] ?? 404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const check = async () => {
      const [code] = (await once(spawn(process.execPath, args, { env: { PORT: String(port) } }), 'close')) as number[];
      return code;
    };
    expect(await check()).toBe(0);
    answers[READY] = 503;
    expect(await check()).toBe(1);
    server.close();
    await once(server, 'close');
    expect(await check()).toBe(1);
    expect(asked).toEqual([READY, READY]);
  });
});

describe('the runbook', () => {
  const text = readOperations('runbook.md');
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  const slugOf = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(' ', '-')
      .replace(/[^\w-]/g, '');
  /** Everything that is to be typed. */
  const typed = [...text.matchAll(/```\n([^]*?)```|`([^`]+)`/g)]
    .map(([, block, span]) => block ?? span ?? '')
    .join('\n');

  it('has a heading for every alert', () => {
    expect(headings).toEqual(
      expect.arrayContaining([
        'Students are not answered',
        'The ledger does not answer',
        'Replies do not reach Teams',
        'Nobody takes the waiting cases',
        'A secret is about to expire',
        'The guidance is old',
        'Retention is overdue',
        'An instance is down',
        'Too much is not understood',
      ]),
    );
  });

  it('leads to files and headings that are there', () => {
    const links = [...text.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)].map(([, file = '', slug]) => ({ file, slug }));
    expect(links.length).toBeGreaterThan(10);
    const broken = links.filter(({ file, slug }) => {
      const path = join(operations, file === '' ? 'runbook.md' : file);
      if (!existsSync(path)) return true;
      const slugs = [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slugOf(heading));
      return slug !== undefined && !slugs.includes(slug);
    });
    expect(broken).toEqual([]);
  });

  it('tells how to rotate every secret and every key, and of no setting that there is not', () => {
    const secrets = describeSettings().flatMap(({ name, isSecret }) => (isSecret ? [name] : []));
    expect(secrets.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
      .join('\n');
    const keys = [...sources.matchAll(/keyFor\(database, '([\w-]+)'\)/g)].map(([, name = '']) => name);
    expect(keys.length).toBeGreaterThan(5);
    expect(keys.filter((name) => !text.includes(`| \`${name}\``))).toEqual([]);
    const known = new Set([
      ...describeSettings().map(({ name }) => name),
      'KORTLOTSEN_INSTANCES',
      'KORTLOTSEN_VERSION',
    ]);
    const named = [...typed.matchAll(/\b(?:KORTLOTSEN|OIDC|LEDGER|SERVICEDESK|DIRECT_LINE|AZURE|MicrosoftApp)\w+/g)];
    const unknown = named
      .map(([name]) => name)
      .filter((name) => !known.has(name) && !known.has(name.replace(/_FILE$/, '')));
    expect([...new Set(unknown)]).toEqual([]);
  });
});
