/** What whoever runs it can see: the metrics, the log, how it says that it is well, and what is shown and woken for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Service } from '../../../src/cli/serve.ts';
import { createHealth } from '../../../src/health.ts';
import { createLog } from '../../../src/log.ts';
import { closeServer, createServer, listen } from '../../../src/server.ts';
import { type Database, openDatabase } from '../../../src/storage/database.ts';
import { admin, createDatabase, migrations, openTestDatabase } from '../../database/database.ts';
import { content, production, root } from '../../product.ts';
import { startService } from '../../service.ts';
import { type Connector, openConnector } from '../channels/bot-framework/connector.ts';
import { type Client, clientOf } from '../channels/direct-line/client.ts';

const TOKEN = 'kanarie'.repeat(4);
const EXPIRE = 'KORTLOTSEN_METRICS_TOKEN=2026-12-03';
const ASKING = content.label('pin-trouble/askingHasPuk');
const NOW = new Date('2026-11-23T08:00:00+01:00');
const operations = join(root, 'src/operations');

let url: string;
let database: Database;
let service: Service;
let client: Client;
let connector: Connector;
const logged: string[] = [];

beforeAll(async () => {
  connector = await openConnector();
  url = await createDatabase();
  // It is to lose its connections, too.
  database = await openDatabase(url, migrations, () => undefined);
  service = await startService(
    { DATABASE_URL: url, KORTLOTSEN_METRICS_TOKEN: TOKEN, KORTLOTSEN_SECRETS_EXPIRE: EXPIRE },
    { log: createLog('debug', { write: (line) => void logged.push(line) }) },
  );
  client = clientOf(service.origin);
});
afterAll(async () => {
  await service.stop();
  await database.close();
  connector.close();
});

const scrape = async (authorization = `Bearer ${TOKEN}`): Promise<Response> =>
  fetch(`${service.origin}/metrics`, { headers: { authorization } });

/** Every sample, by its name and labels as they are written. */
async function samples(): Promise<Map<string, number>> {
  const lines = (await (await scrape()).text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

const Line = z.looseObject({ msg: z.string(), turn: z.string().optional() });
const lines = () => logged.map((line) => Line.parse(JSON.parse(line)));

describe('the metrics', () => {
  it('are for whoever has the token alone', async () => {
    expect((await fetch(`${service.origin}/metrics`)).status).toBe(401);
    expect((await scrape(`Bearer ${TOKEN}x`)).status).toBe(401);
    const shown = await scrape();
    expect(shown.status).toBe(200);
    expect(shown.headers.get('Content-Type')).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it('are for nobody in production without one', async () => {
    const closed = await startService(production);
    expect((await fetch(`${closed.origin}/metrics`)).status).toBe(403);
    await closed.stop();
  });

  it('count what was meant, decided and come to, and how long each stage took', async () => {
    const before = await samples();
    const chat = await client.begin();
    await client.send(chat, { type: 'message', text: 'jag har slagit fel kod tre gånger' });
    await client.until(chat, ASKING);
    await client.send(chat, { type: 'message', text: 'är mitt kort aktivt?' });
    await until(() => lines().some(({ msg }) => msg === 'request'));
    const after = await samples();
    const more = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(more('kortlotsen_decisions_total{decision="answer"}')).toBe(2);
    expect(more('kortlotsen_intents_total{intent="pin-locked"}')).toBe(1);
    expect(more('kortlotsen_states_total{state="pin-trouble/askingHasPuk"}')).toBe(1);
    expect(more('kortlotsen_states_total{state="other"}')).toBe(0);
    for (const stage of ['accept', 'understand', 'transition', 'request'])
      expect(more(`kortlotsen_turn_stage_seconds_count{stage="${stage}"}`)).toBeGreaterThan(0);
  });

  it('tell what waits, and since when, as the database has it', async () => {
    const fresh = await startService({ DATABASE_URL: await withWaiting() });
    const text = await (await fetch(`${fresh.origin}/metrics`)).text();
    await fresh.stop();
    const told = (name: string, kind: string) =>
      new RegExp(`^${name}\\{kind="${kind}"\\} (\\S+)$`, 'm').exec(text)?.[1];
    expect(told('kortlotsen_unfinished', 'deliveries')).toBe('2');
    expect(told('kortlotsen_unfinished_oldest_seconds', 'deliveries')).toBe('600');
    expect(told('kortlotsen_unfinished', 'cases')).toBe('1');
    expect(told('kortlotsen_unfinished_oldest_seconds', 'cases')).toBe('1200');
    expect(told('kortlotsen_unfinished', 'keptCases')).toBe('1');
    expect(told('kortlotsen_unfinished', 'answers')).toBe('0');
  });

  it('tell how old the guidance is, and how long a secret lasts', async () => {
    const told = await samples();
    const day = 86_400;
    const days = (name: string) => Math.floor((told.get(name) ?? 0) / day);
    expect(days('kortlotsen_guidance_age_seconds{since="updated"}')).toBe(1_707);
    expect(days('kortlotsen_guidance_age_seconds{since="factChecked"}')).toBe(2_234);
    expect(days('kortlotsen_secret_expires_seconds{secret="KORTLOTSEN_METRICS_TOKEN"}')).toBe(9);
  });

  it('have no label that somebody has sent', async () => {
    await fetch(`${service.origin}/kanarie/640823-3234?code=kanarie`, { method: 'PATCH' });
    await fetch(`${service.origin}/servicedesk/take/kanarie`, { redirect: 'manual' });
    const told = await (await scrape()).text();
    expect(told).not.toMatch(/kanarie|640823/);
    expect(told).toMatch(/route="\/servicedesk\/take\/:id"/);
  });
});

/** A database where two replies are not delivered, and two cases wait: one of them until the desk opens. */
async function withWaiting(): Promise<string> {
  const waiting = await createDatabase();
  const own = await openTestDatabase(waiting);
  const at = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
  const run = (text: string, values: unknown[] = []) => own.run({ text }, values);
  await run(
    `insert into conversations (id, channel, is_pushed, turns, last_seq, replied_seq, delivered_seq, delivering_until)
      values ('a', 'msteams', true, 1, 3, 3, 1, now() + interval '1 hour')`,
  );
  for (const [seq, minutes] of [
    [1, 30],
    [2, 10],
    [3, 5],
  ] as const) {
    await run(
      `insert into messages (conversation, seq, author, kind, said, at) values ('a', $1, 'bot', 'message', '{}', $2)`,
      [seq, at(minutes)],
    );
  }
  for (const [id, speaker, minutes] of [
    ['b', 'queue', 20],
    ['c', 'bot', 90],
  ] as const) {
    await run(
      `insert into conversations (id, channel, is_pushed, turns, speaker, open_case) values ($1, 'web', false, 1, $2, $1)`,
      [id, speaker],
    );
    await run(
      `insert into cases (id, conversation, reason, opened_at, waiting_since, began_seq) values ($1, $1, 'asked', $2, $2, 1)`,
      [id, at(minutes)],
    );
  }
  await own.close();
  return waiting;
}

describe('the log', () => {
  it('names the turn in every line of it, also of a mistake in it, and in whichever process', async () => {
    const chat = await client.begin();
    const from = logged.length;
    await database.run({ text: REFUSE }, []);
    await database.run({ text: REFUSING }, []);
    await client.send(chat, { type: 'message', text: 'jag har slagit fel kod tre gånger' });
    await until(
      () =>
        lines()
          .slice(from)
          .filter(({ msg }) => msg === 'mistake').length > 1,
    );
    const other = await startService(
      { DATABASE_URL: url },
      { log: createLog('debug', { write: (line) => void logged.push(line) }) },
    );
    await database.run({ text: 'drop trigger refuse on messages' }, []);
    await client.until(chat, ASKING);
    await other.stop();
    const later = lines().slice(from);
    const mistakes = new Set(later.filter(({ msg }) => msg === 'mistake').map(({ turn }) => turn));
    const [turn] = mistakes;
    expect(mistakes.size).toBe(1);
    expect(turn).toMatch(/^[\w-]{16}\.\d+$/);
    expect(later).toContainEqual(expect.objectContaining({ msg: 'turn', turn, state: 'pin-trouble/askingHasPuk' }));
    expect(later).toContainEqual(expect.objectContaining({ msg: 'stage', turn, stage: 'accept' }));
  });

  it('names the turn that a reply was delivered of, or a request asked in, and nowhere whose it is', async () => {
    const from = logged.length;
    const activity = {
      ...{ type: 'message', id: '1', channelId: 'msteams', serviceUrl: connector.url, text: 'är mitt kort aktivt?' },
      ...{ from: { id: '29:kanarie', aadObjectId: 'kanarie' }, recipient: { id: '28:bot' } },
      conversation: { id: 'a:kanarie', conversationType: 'personal', tenantId: 'kanarie' },
    };
    const sent = await client.request('/api/messages', { method: 'POST', body: activity });
    expect(sent.status).toBe(200);
    await until(() =>
      lines()
        .slice(from)
        .some(({ msg, turn }) => msg === 'delivery' && turn?.endsWith('.1')),
    );
    const turns = lines()
      .slice(from)
      .filter(({ msg, turn }) => msg !== 'answer' && turn?.endsWith('.1'));
    expect(new Set(turns.map(({ msg }) => msg))).toEqual(new Set(['turn', 'request', 'delivery', 'stage']));
    expect(new Set(turns.map(({ turn }) => turn)).size).toBe(1);
    expect(logged.join('')).not.toMatch(/kanarie|msteams|bot\//);
  });

  it('has the route of what was asked, and never its address', async () => {
    await fetch(`${service.origin}/sign-in?challenge=kanarie`);
    await until(() => logged.some((line) => line.includes('"route":"/sign-in"')));
    expect(logged.join('')).not.toMatch(/kanarie|challenge=/);
  });

  it('says at the start which secret is about to end', () => {
    expect(lines()).toContainEqual(
      expect.objectContaining({ level: 40, secret: 'KORTLOTSEN_METRICS_TOKEN', day: '2026-12-03' }),
    );
  });
});

const REFUSE = "create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$";
const REFUSING = `create trigger refuse before insert on messages for each row when (new.author = 'bot')
  execute function refuse()`;

/** Asks until it is so; the test's own time limit is the end of it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

const Ready = z.object({
  status: z.string(),
  parts: z.array(
    z.object({ part: z.string(), state: z.string(), since: z.iso.datetime(), remedy: z.string().optional() }),
  ),
});

describe('its health', () => {
  const ready = async (origin = service.origin) => {
    const response = await fetch(`${origin}/health/ready`);
    const { status, parts } = Ready.parse(await response.json());
    const wrong = parts.filter(({ state }) => state !== 'ok');
    return { code: response.status, status, wrong: wrong.map(({ part, state }) => `${part} ${state}`), parts };
  };

  it('is told of each part, with what to do, and names no secret to anybody', async () => {
    const told = await ready();
    expect(told).toMatchObject({ code: 200, status: 'degraded', wrong: ['secrets degraded'] });
    expect(told.parts.map(({ part }) => part)).toEqual([
      'serving',
      'database',
      'migrations',
      'content',
      'retention',
      'ledger',
      'identity',
      'secrets',
    ]);
    expect(JSON.stringify(told)).not.toMatch(/METRICS_TOKEN|127\.0\.0\.1|postgres/);
  });

  it('is not ready while its database is away, and alive all the while', async () => {
    const name = new URL(url).pathname.slice(1);
    await admin(`alter database ${name} allow_connections false`);
    await admin(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`);
    const away = await ready();
    const alive = await fetch(`${service.origin}/health/live`);
    await admin(`alter database ${name} allow_connections true`);
    expect(away).toMatchObject({ code: 503, status: 'failing' });
    expect(away.parts.find(({ part }) => part === 'database')).toMatchObject({
      state: 'failing',
      remedy: expect.stringMatching(/Start it/) as unknown,
    });
    expect(away.wrong).toContain('retention unknown');
    expect({ status: alive.status, body: await alive.text() }).toEqual({ status: 200, body: '{"status":"alive"}' });
    expect((await ready()).code).toBe(200);
  });

  it('is not ready on a database of before an upgrade', async () => {
    const [{ name } = { name: '' }] = await database.run<{ name: string }>(
      { text: 'delete from migrations where id = (select max(id) from migrations) returning name' },
      [],
    );
    const old = await ready();
    await database.run({ text: 'insert into migrations (name, run_on) values ($1, now())' }, [name]);
    expect(old).toMatchObject({ code: 503, wrong: ['migrations failing', 'secrets degraded'] });
    expect(await ready()).toMatchObject({ code: 200 });
  });

  it('is ready while what is old is not removed, which is no reason to lead students away, and says so', async () => {
    await database.run({ text: `update jobs set succeeded_at = '2026-11-20', made_at = '2026-11-20'` }, []);
    const overdue = await ready();
    await database.run({ text: 'update jobs set succeeded_at = $1' }, [NOW]);
    expect(overdue).toMatchObject({ code: 200, wrong: ['retention degraded', 'secrets degraded'] });
  });

  it('is ready without the ledger and the provider of identity, and says so, and since when', async () => {
    let now = NOW;
    const health = createHealth({
      database,
      migrations,
      retention: { isOverdue: () => Promise.resolve(false) },
      secretsExpire: [],
      now: () => now,
    });
    const server = await createServer({
      content,
      mounts: [health.mount],
      isHealthy: health.isHealthy,
      onMistake: throwing,
    });
    const origin = await listen(server, { host: '127.0.0.1', port: 0 });
    expect(await ready(origin)).toMatchObject({ code: 200, status: 'ready', wrong: [] });
    now = new Date(NOW.getTime() + 60_000);
    health.onBreaker(true);
    health.onProvider(false);
    const degraded = await ready(origin);
    expect(degraded).toMatchObject({ code: 200, status: 'degraded', wrong: ['ledger degraded', 'identity degraded'] });
    expect(degraded.parts.find(({ part }) => part === 'ledger')?.since).toBe(now.toISOString());
    expect(degraded.parts.find(({ part }) => part === 'database')?.since).toBe(NOW.toISOString());
    health.onBreaker(false);
    health.onProvider(true);
    expect(await ready(origin)).toMatchObject({ status: 'ready' });
    await closeServer(server);
  });
});

const throwing = (mistake: unknown): never => {
  throw mistake;
};

const Alerts = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^[A-Z]\w+$/),
          expr: z.string(),
          for: z.string().regex(/^\d+[smh]$/),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
          annotations: z.strictObject({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});
const Panel = z.object({
  id: z.number(),
  title: z.string(),
  type: z.enum(['row', 'timeseries', 'stat']),
  datasource: z.object({ uid: z.literal('${datasource}') }).optional(),
  targets: z
    .array(z.object({ expr: z.string(), datasource: z.object({ uid: z.literal('${datasource}') }) }))
    .default([]),
});
const Dashboard = z.object({
  title: z.string(),
  templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string(), query: z.string() })) }),
  panels: z.array(Panel),
});

const rules = () =>
  Alerts.parse(parse(readFileSync(join(operations, 'monitoring/alerts.yaml'), 'utf8'))).groups.flatMap(
    (group) => group.rules,
  );
const dashboard = () =>
  Dashboard.parse(JSON.parse(readFileSync(join(operations, 'monitoring/dashboard.json'), 'utf8')));
const expressions = () => [
  ...rules().map(({ expr }) => expr),
  ...dashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
];

/** What Prometheus adds to whatever it reads, and what it tells itself. */
const ADDED = ['job', 'instance'];
const OWN = ['up'];

type Selector = { metric: string; labels: { name: string; operator: string; value: string }[] };

/** What is read in an expression, what it is grouped by, and what cannot be parsed. */
function read(expression: string): { selectors: Selector[]; groups: string[]; errors: string[] } {
  const selectors: Selector[] = [];
  const groups: string[] = [];
  const errors: string[] = [];
  parser.parse(expression).iterate({
    enter({ name, from, to, node, type }) {
      const text = expression.slice(from, to);
      if (type.isError) errors.push(text || `at ${from}`);
      if (name === 'VectorSelector')
        selectors.push({ metric: expression.slice(from, node.firstChild?.to), labels: [] });
      if (name === 'GroupingLabels') groups.push(...text.replace(/[()\s]/g, '').split(','));
      if (name === 'UnquotedLabelMatcher') {
        const [, label = '', operator = '', value = ''] = /^(\w+)\s*(=~|!=|!~|=)\s*["'](.*)["']$/.exec(text) ?? [];
        selectors.at(-1)?.labels.push({ name: label, operator, value });
      }
    },
  });
  return { selectors, groups, errors };
}

describe('what is shown and woken for', () => {
  it('is written so that Prometheus and Grafana can load it', () => {
    expect(rules().length).toBeGreaterThan(9);
    expect(new Set(rules().map(({ alert }) => alert)).size).toBe(rules().length);
    const { templating, panels } = dashboard();
    expect(templating.list).toEqual([
      expect.objectContaining({ name: 'datasource', type: 'datasource', query: 'prometheus' }),
    ]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.filter(({ type, targets }) => (type === 'row') !== (targets.length === 0))).toEqual([]);
    expect(expressions().flatMap((each) => read(each).errors)).toEqual([]);
    expect(read('sum by (x (y').errors).not.toEqual([]);
  });

  it('reads nothing that is not measured', async () => {
    const known = [...(await samples()).keys()].map((sample) => {
      const [, metric = '', labels = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(sample) ?? [];
      return {
        metric,
        labels: new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value])),
      };
    });
    const fits = ({ metric, labels }: Selector) =>
      known.some(
        (sample) =>
          sample.metric === metric &&
          labels.every(({ name, operator, value }) => {
            const measured = sample.labels.get(name);
            if (ADDED.includes(name)) return true;
            return operator === '=' ? measured === value : new RegExp(`^(${value})$`).test(measured ?? '');
          }),
      );
    const all = expressions().map(read);
    const unknown = all.flatMap(({ selectors }) =>
      selectors.filter((each) => !OWN.includes(each.metric) && !fits(each)),
    );
    expect(unknown).toEqual([]);
    const ungrouped = all.flatMap(({ selectors, groups }) =>
      groups.filter(
        (label) =>
          !ADDED.includes(label) &&
          !known.some(({ metric, labels }) => labels.has(label) && selectors.some((each) => each.metric === metric)),
      ),
    );
    expect(ungrouped).toEqual([]);
    expect(
      fits({ metric: 'kortlotsen_decisions_total', labels: [{ name: 'decision', operator: '=', value: 'no' }] }),
    ).toBe(false);
  });

  it('shows every metric of ours, or wakes for it', async () => {
    const known = new Set(
      [...(await samples()).keys()].map((sample) => sample.replace(/(_bucket|_sum|_count)?(\{.*)?$/, '')),
    );
    const shown = new Set(
      expressions().flatMap((each) =>
        read(each).selectors.map(({ metric }) => metric.replace(/(_bucket|_sum|_count)$/, '')),
      ),
    );
    expect([...known].filter((metric) => metric.startsWith('kortlotsen_') && !shown.has(metric))).toEqual([]);
  });

  it('has a heading in the runbook for every alert', () => {
    const headings = [...readFileSync(join(operations, 'runbook.md'), 'utf8').matchAll(/^#+ (.+)$/gm)].map(
      ([, heading]) => heading,
    );
    const missing = rules().filter(({ annotations }) => !headings.includes(annotations.runbook));
    expect(missing.map(({ annotations }) => annotations.runbook)).toEqual([]);
  });
});
