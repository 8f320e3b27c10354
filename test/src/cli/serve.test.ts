/** The service as whoever runs it sees it: how it starts, how it fails to, what it logs, and how it stops. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { admin, createDatabase, databaseUrl, openTestDatabase } from '../../database/database.ts';
import { content, production, root } from '../../product.ts';
import { failToServe, type Serving, startServing } from '../../serving.ts';
import { type Chat, clientOf } from '../channels/direct-line/client.ts';

const AT = ['--at', '2026-11-23T08:00'];
const ASKING = content.label('pin-trouble/askingHasPuk');

let folder: string;

beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** One after the other, on the data of the one before. */
describe('a data folder', () => {
  let environment: Record<string, string>;
  let serving: Serving;
  let chat: Chat;
  beforeAll(async () => {
    environment = { KORTLOTSEN_DATA: join(makeFolder(), 'data') };
    serving = await startServing(environment, ...AT);
  });
  afterAll(() => {
    rmSync(dirname(environment.KORTLOTSEN_DATA ?? ''), { recursive: true, force: true });
  });

  it('is all that a start needs, and keeps what was said after the stop that was asked for', async () => {
    const client = clientOf(serving.origin);
    chat = await client.begin();
    await client.send(chat, { type: 'message', text: 'jag har slagit fel kod tre gånger' });
    const before = await client.until(chat, ASKING);
    expect(await serving.stop()).toBe(0);

    serving = await startServing(environment, ...AT);
    expect((await clientOf(serving.origin).after(chat)).activities).toEqual(before);
  });

  it('is open in one process at a time, and the other says so', async () => {
    await fails(environment, 15, /is open in another process: stop that one, or choose another folder/);
    expect((await fetch(`${serving.origin}/health`)).status).toBe(200);
  });

  it('is where a switch can be turned meanwhile', async () => {
    const by = ['--by', 'whoever is on call', '--reason', 'to see it done'];
    expect(await command(environment, 'switch', 'off', 'bot', ...by)).toBe('bot is off.\n');
    const client = clientOf(serving.origin);
    const other = await client.begin();
    await client.send(other, { type: 'message', text: 'hej' });
    await client.until(other, 'Jag är avstängd en stund');
    expect(await command(environment, 'switch')).toMatch(
      /^bot is off since \S+, by whoever is on call: to see it done\n/,
    );
    expect(await command(environment, 'switch', 'on', 'bot', ...by)).toBe('bot is on.\n');
    const mistaken = [command(environment, 'switch', 'off', 'everything', ...by)];
    mistaken.push(command(environment, 'switch', 'off', 'bot', '--by', ' ', '--reason', 'none'));
    expect(await Promise.all(mistaken)).toEqual([
      expect.stringMatching(/^There is no switch called everything/),
      expect.stringMatching(/^Say who you are/),
    ]);
  });

  it('is found again after a kill', async () => {
    serving.process.kill('SIGKILL');
    await once(serving.process, 'close');
    serving = await startServing(environment, ...AT);
    expect((await clientOf(serving.origin).after(chat)).activities).toHaveLength(4);
    expect(await serving.stop()).toBe(0);
  });

  it('is said to be damaged when it is, with what to do', async () => {
    rmSync(join(environment.KORTLOTSEN_DATA ?? '', 'data/global/pg_control'));
    await fails(environment, 12, /data.*(backup|remove)/);
  });
});

describe('a stop', () => {
  it('answers first what has been accepted', async () => {
    const url = await createDatabase();
    const serving = await startServing({ DATABASE_URL: url }, ...AT);
    const client = clientOf(serving.origin);
    const chat = await client.begin();
    const texts = Array.from({ length: 30 }, (_, index) => `duger körkort nummer ${index}?`);
    const sent = await Promise.all(texts.map((text) => client.send(chat, { type: 'message', text })));
    // At once, while they are being answered.
    const closed = once(serving.process, 'close');
    serving.process.kill('SIGTERM');
    expect((await closed)[0]).toBe(0);
    expect(sent.map(({ status }) => status)).toEqual(texts.map(() => 200));
    const database = await openTestDatabase(url);
    const waiting = { text: 'select waiting, last_seq > 60 as is_answered from conversations' };
    expect(await database.run(waiting, [])).toEqual([{ waiting: 0, is_answered: true }]);
    await database.close();
  });
});

describe('a start that cannot succeed says why in one sentence, with an exit code of its own', () => {
  it('when the address of the database is none', async () => {
    const ended = await failToServe({ DATABASE_URL: 'hemligt', PORT: 'x' });
    expect(ended.code).toBe(10);
    expect(ended.err).toMatch(/DATABASE_URL is no address of PostgreSQL.*\n.*PORT is no port/);
    expect(ended.err).not.toMatch(/hemligt/);
  });

  it('when nobody answers there', async () => {
    const { port, close } = await aPort();
    await close();
    const url = `postgresql://bot:hemligt@127.0.0.1:${port}/kortlotsen`;
    await fails(
      { DATABASE_URL: url },
      11,
      /127\.0\.0\.1:\d+\/kortlotsen does not answer \(ECONNREFUSED\); start it, or/,
    );
  });

  it('when there is no such database', async () => {
    const url = new URL(databaseUrl());
    url.pathname = '/nowhere';
    await fails({ DATABASE_URL: url.href }, 11, /There is no database nowhere at .*create it, or mend DATABASE_URL/);
  });

  it('when something else answers than a database', async () => {
    const { port, close } = await aPort((server) => {
      server.on('connection', (socket) => {
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n', () => socket.destroy());
      });
    });
    await fails({ DATABASE_URL: `postgresql://127.0.0.1:${port}/x` }, 11, /does not answer/);
    await close();
  });

  it('when the port is taken', async () => {
    const { port, close } = await aPort();
    await fails(
      { DATABASE_URL: await createDatabase(), PORT: String(port) },
      14,
      /Port \d+ at 127\.0\.0\.1 is taken; stop/,
    );
    await close();
  });

  it('and ends also when it fails half-way', async () => {
    const url = await createDatabase();
    const database = await openTestDatabase(url);
    // By then its pool is open, and so is the provider of identity that it has in development.
    for (const text of LIMITS_CANNOT_BE_KEPT) await database.run({ text }, []);
    await database.close();
    expect(await failToServe({ DATABASE_URL: url })).toMatchObject({ code: 1 });
  });

  it('when the data folder is a file', async () => {
    writeFileSync(join(folder, 'data'), '');
    await fails({ KORTLOTSEN_DATA: join(folder, 'data') }, 11, /data/);
  });

  (mayMount() ? it : it.skip)('when the disk is full', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=30m,mode=755', 'tmpfs', folder]);
    try {
      await fails({ KORTLOTSEN_DATA: join(folder, 'data') }, 13, /disk.*full|free/i);
    } finally {
      execFileSync('umount', ['-l', folder]);
    }
  });
});

describe('what is logged', () => {
  it('is which states were come to, and never a word of what was written or who was asked for', async () => {
    const serving = await startServing({ DATABASE_URL: await createDatabase(), LOG_LEVEL: 'debug' }, ...AT);
    const client = clientOf(serving.origin);
    const chat = await client.begin();
    const canary = 'kanariefågel 640823-3234 pin 4711';
    await client.send(chat, { type: 'message', text: `jag har slagit fel kod tre gånger ${canary}` });
    await client.until(chat, ASKING);
    await fetch(`${serving.origin}/api/messages`, { method: 'POST', body: `{"text":"${canary}`, headers: JSON_TYPE });
    await fetch(`${serving.origin}/v3/directline/conversations`, { method: 'POST', body: canary, headers: JSON_TYPE });
    await serving.stop();
    const turns = serving
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; state?: string });
    expect(turns.map(({ state }) => state)).toContain('pin-trouble/askingHasPuk');
    expect(serving.log()).not.toMatch(/kanarie|640823|\b4711\b|slagit/);
    expect(serving.log()).not.toContain(chat.token);
  });

  it('is no word of anybody’s either, and no secret, when the database fails in the middle', async () => {
    const url = new URL(await createDatabase());
    const name = url.pathname.slice(1);
    url.password = 'kanarie-lösen';
    const serving = await startServing({ DATABASE_URL: url.href, LOG_LEVEL: 'debug' }, ...AT);
    const chat = await clientOf(serving.origin).begin();
    await admin(`alter database ${name} allow_connections false`);
    await admin(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`);

    const text = 'kanariefågel 640823-3234 pin 4711';
    const secrets = { Cookie: 'kortlotsen-sign-in=kanariekaka', Authorization: `Bearer ${chat.token}` };
    const headers = { ...JSON_TYPE, ...secrets, 'X-Kanarie': '1', Referer: 'https://kanarie.example.se/' };
    const activity = {
      ...{ type: 'message', id: 'kanarie-1', channelId: 'msteams', text, serviceUrl: 'http://127.0.0.1:9/kanarie' },
      ...{ from: { id: '29:kanarie', name: 'Kanarie Kvist', aadObjectId: 'kanarie' }, recipient: { id: '28:b' } },
      conversation: { id: 'a:kanarie', tenantId: 'kanarie', conversationType: 'personal' },
    };
    const doors: [string, string?][] = [
      [`/v3/directline/conversations/${chat.conversation}/activities?kanarie=1`, JSON.stringify({ ...activity })],
      [`/v3/directline/conversations/${chat.conversation}?kanarie=1`],
      ['/api/messages', JSON.stringify(activity)],
      ['/sign-in?challenge=kanarie'],
      ['/sign-in/callback?state=kanarie&code=kanarie'],
      ['/ledger/v1/token', 'grant_type=client_credentials&client_id=kanarie&client_secret=kanarie'],
      ['/servicedesk/sign-in?to=/kanarie'],
      ['/servicedesk/api/queue'],
      ['/records?kanarie=1'],
    ];
    const statuses = await Promise.all(
      doors.map(async ([path, body]) => {
        const method = body === undefined ? 'GET' : 'POST';
        const { status } = await fetch(serving.origin + path, {
          method,
          body: body ?? null,
          headers,
          redirect: 'manual',
        });
        return status;
      }),
    );
    expect(statuses.filter((status) => status >= 500).length).toBeGreaterThan(3);
    await serving.stop();
    expect(serving.log()).toContain('mistake');
    expect(serving.log() + serving.err()).not.toMatch(/kanarie|640823|\b4711\b/i);
    expect(serving.log() + serving.err()).not.toContain(chat.token);
  });
});

describe('a service', () => {
  let url: string;
  let serving: Serving;
  beforeAll(async () => {
    url = await createDatabase();
    serving = await startServing({ DATABASE_URL: url }, ...AT);
  });
  afterAll(() => serving.stop());

  it('tells whether it is well', async () => {
    const response = await fetch(`${serving.origin}/health`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok', database: true, retention: true });
  });

  it('gives every page a policy that lets nothing else run, and a new nonce each time', async () => {
    const [one, other] = await Promise.all([fetch(serving.origin), fetch(serving.origin)]);
    const policy = one.headers.get('Content-Security-Policy') ?? '';
    expect(policy).toMatch(
      /^default-src 'none'; base-uri 'none'; frame-ancestors 'self'; script-src 'nonce-[\w+/=]{24}' 'strict-dynamic'; /,
    );
    expect(policy).not.toMatch(/unsafe/);
    expect(other.headers.get('Content-Security-Policy')).not.toBe(policy);
    expect(one.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(one.headers.get('Server')).toBeNull();
  });

  it('says what to do on a page that is not there', async () => {
    const response = await fetch(`${serving.origin}/nowhere`);
    expect(response.status).toBe(404);
    expect(await response.text()).toMatch(/Den sidan finns inte.*href="\/"/s);
  });

  it('lets nobody sign in by a link that was never given', async () => {
    expect((await fetch(`${serving.origin}/sign-in?challenge=guessed`)).status).toBe(410);
  });

  it('has no invented people to sign in as in production', async () => {
    const inProduction = await startServing({ DATABASE_URL: await createDatabase(), ...production });
    expect((await fetch(`${inProduction.origin}/sign-in?challenge=x`)).status).toBe(404);
    expect(inProduction.log()).toMatch(/OIDC_ISSUER is not set/);
    await inProduction.stop();
  });

  it('is not well while its database is away, and is again by itself', async () => {
    const name = new URL(url).pathname.slice(1);
    const health = async () => (await fetch(`${serving.origin}/health`)).status;
    await admin(`alter database ${name} allow_connections false`);
    await admin(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`);
    expect(await health()).toBe(503);
    const { token } = await clientOf(serving.origin).token();
    const refused = await clientOf(serving.origin).request('/v3/directline/conversations', { method: 'POST', token });
    expect(refused).toMatchObject({
      status: 500,
      body: { error: { code: 'ServiceError', message: 'Something went wrong here.' } },
    });
    await admin(`alter database ${name} allow_connections true`);
    expect(await health()).toBe(200);
    const client = clientOf(serving.origin);
    const began = await client.begin();
    await client.send(began, { type: 'message', text: 'jag har slagit fel kod tre gånger' });
    await client.until(began, ASKING);
  });

  it('stops without waiting for a connection that a browser opened beforehand, and asked nothing on', async () => {
    const { hostname, port } = new URL(serving.origin);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const begun = performance.now();
    expect(await serving.stop()).toBe(0);
    // What is being answered is given ten seconds, and would get them.
    expect(performance.now() - begun).toBeLessThan(8_000);
  });
});

/** In one sentence, and without what is secret in the settings. */
async function fails(environment: Record<string, string>, code: number, sentence: RegExp): Promise<void> {
  const ended = await failToServe(environment);
  expect({ code: ended.code, lines: ended.err.trim().split('\n').length }).toEqual({ code, lines: 1 });
  expect(ended.err).toMatch(sentence);
  expect(ended.err).not.toMatch(/hemligt/);
}

const LIMITS_CANNOT_BE_KEPT = [
  "create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$",
  "create trigger refuse before insert on keys for each row when (new.name = 'limits') execute function refuse()",
];

const JSON_TYPE = { 'Content-Type': 'application/json' };

function makeFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'kortlotsen-serve-'));
  // Run by root, PostgreSQL is another account's, which has to reach it.
  chmodSync(made, 0o755);
  return made;
}

async function aPort(prepare: (server: Server) => void = () => undefined) {
  const server = createServer();
  prepare(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Only root may, and not on every machine; what the sentence is made of is under test where it is made as well. */
function mayMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'kortlotsen-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place], { stdio: 'ignore' });
    execFileSync('umount', [place], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Runs a command of the built product, and gives all it says. */
async function command(environment: Record<string, string>, ...words: string[]): Promise<string> {
  const child = spawn(process.execPath, [join(root, 'dist/kortlotsen.js'), ...words], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (told += String(chunk)));
  await once(child, 'close');
  return told;
}
