/**
 * What can be measured of a process, as Prometheus reads it: `/metrics`.
 *
 * Labels are from lists that the program has, such as intents and states, and
 * never anything that somebody sent. What is counted costs no more than the
 * counting; what has to be looked up, such as who waits and since when, is read
 * when it is asked for: by one statement, which looks no further than it has to,
 * has a deadline, and is not asked again for some seconds.
 *
 * Figures tell outsiders how the service is, so in production they are shown
 * only to whoever has the token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import { dayOf } from '../dialogs/vocabulary.ts';
import { places } from '../dialogs/chart.ts';
import { intents } from '../dialogs/intents.ts';
import { instantOf } from './calendar.ts';
import type { DeliveryTold } from './channels/bot-framework/conversation-dialog.ts';
import { type Content, madeOnce } from './content.ts';
import { type Stage, stages, type TurnTold } from './conversations/conversations.ts';
import { hasLapsed } from './guidance.ts';
import { type SignInOutcome, signInOutcomes } from './identity/sign-in.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { SecretExpiry } from './settings.ts';
import type { Database, Statement } from './storage/database.ts';
import { fingerprintOf } from './understanding/model-file.ts';
import { lessonsOf } from './understanding/understanding.ts';

export type Metrics = {
  /** `took` is in milliseconds. */
  onStage: (stage: Stage, took: number) => void;
  onTurn: (turn: TurnTold) => void;
  onDelivery: (told: DeliveryTold) => void;
  onSignIn: (outcome: SignInOutcome) => void;
  onBreaker: (isOpen: boolean) => void;
  /** `took` is in milliseconds. */
  onAnswer: (answer: { route: string; status: number; took: number }) => void;
  /** One more is open, or one less. */
  onStream: (kind: StreamKind, change: 1 | -1) => void;
  onJob: (name: string) => void;
  onMistake: () => void;
  /** The same ledger, with every call counted. */
  watched: (ledger: Ledger) => Ledger;
  mount: (server: Server) => void;
};

export type StreamKind = 'websocket' | 'events';

export type MetricsWorld = {
  database: Database;
  content: Content;
  secretsExpire: readonly SecretExpiry[];
  /** What whoever asks has to show. */
  token: string | undefined;
  /** Whether anybody is answered where there is no token. */
  isOpenHere: boolean;
  now: () => Date;
  onMistake: (mistake: unknown) => void;
};

/** In seconds. */
const STAGE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 8];
const CALL_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8];
const ANSWER_BUCKETS = [0.005, 0.025, 0.1, 0.5, 2, 10];

/** In milliseconds: how long what is read may take, and how long it is told again. */
const DEADLINE = 2_000;
const KEPT = 5_000;

/** Rows that are looked at, of each kind: what is more than that is much too much, and costs no more to tell. */
const MOST = 1_000;

const UNFINISHED = ['answers', 'deliveries', 'cases', 'keptCases', 'revocations'] as const;
const Unfinished = z.object({ kind: z.enum(UNFINISHED), amount: z.int(), oldest: z.date().nullable() });
const Row = z.union([Unfinished, z.object({ kind: z.literal('retention'), oldest: z.date() })]);

const unfinished: Statement = {
  name: 'metrics',
  text: `select 'answers' as kind, coalesce(sum(amount), 0)::integer as amount, min(at) as oldest from (
      select c.waiting as amount, (
        select min(m.at) from messages m
        where m.conversation = c.id and m.author = 'student' and m.kind = 'message' and m.seq > c.answered_seq
      ) as at
      from conversations c where waiting > 0 order by changed_at limit ${MOST}
    ) as each
    union all select 'deliveries', coalesce(sum(amount), 0)::integer, min(at) from (
      select (
        select count(*) from messages m
        where m.conversation = c.id and m.author <> 'student' and m.seq > c.delivered_seq
      ) as amount, (
        select min(m.at) from messages m
        where m.conversation = c.id and m.author <> 'student' and m.seq > c.delivered_seq
      ) as at
      from conversations c where is_pushed and replied_seq > delivered_seq order by changed_at limit ${MOST}
    ) as each
    union all select case when is_kept then 'keptCases' else 'cases' end, count(waiting_since)::integer,
      min(waiting_since)
    from (values (true), (false)) as kinds (is_kept) left join (
      select k.waiting_since, c.speaker = 'bot' as is_kept from cases k join conversations c on c.open_case = k.id
      where k.closed_at is null and k.desk = 'own' and not (c.speaker = 'agent' and c.lease_until > now())
      order by k.waiting_since limit ${MOST}
    ) as each using (is_kept) group by is_kept
    union all select 'revocations', count(*)::integer, min(made_at) from (
      select made_at from requests where state = 'unsettled' limit ${MOST}
    ) as each
    union all select 'retention', 0, coalesce(succeeded_at, made_at) from jobs where name = 'retention'`,
};

/** What is refused, by how it is answered. */
const refusals = new Map([
  [400, 'unreadable'],
  [401, 'token'],
  [403, 'forbidden'],
  [413, 'size'],
  [415, 'encoding'],
  [429, 'limit'],
  [431, 'headers'],
]);

const DECISIONS = ['answer', 'clarify', 'fallback'] as const;
const OUTCOMES: Record<keyof Ledger, readonly string[]> = {
  holderFor: ['found', 'unanswered', 'unreachable', 'failed'],
  findCards: ['found', 'unanswered', 'unreachable', 'failed'],
  revoke: ['revoked', 'refused', 'unanswered', 'unreachable', 'failed'],
};

export function createMetrics(world: MetricsWorld): Metrics {
  const { database, content, secretsExpire, token, isOpenHere, now, onMistake } = world;
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name: `kortlotsen_${name}`, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name: `kortlotsen_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ) => new Histogram({ name: `kortlotsen_${name}`, help, labelNames, buckets, registers });

  const stageSeconds = histogram('turn_stage_seconds', 'How long a stage of a turn took', ['stage'], STAGE_BUCKETS);
  for (const stage of stages) stageSeconds.zero({ stage });
  const stageOf = new Map(stages.map((stage) => [stage, stageSeconds.labels(stage)]));
  const decisions = counted(
    counter('decisions_total', 'What was decided on a message that the bot answers', ['decision']),
    DECISIONS,
  );
  const wishes = counted(counter('intents_total', 'What was meant by messages', ['intent']), intents);
  const restingStates = places()
    .filter(({ isTransient }) => !isTransient)
    .map(({ name }) => name);
  const states = counted(counter('states_total', 'Turns, by the state that they came to', ['state']), restingStates);
  const handovers = counted(counter('handovers_total', 'Turns that asked for a human, by why', ['reason']), [
    'asked',
    'notUnderstood',
    'outcome',
    'opened',
  ]);
  const ledgerSeconds = histogram(
    'ledger_call_seconds',
    'How long a call of the ledger took, by how it ended',
    ['operation', 'outcome'],
    CALL_BUCKETS,
  );
  for (const operation of ['holderFor', 'findCards', 'revoke'] as const) {
    for (const outcome of OUTCOMES[operation]) ledgerSeconds.zero({ operation, outcome });
  }
  const breaker = gauge('ledger_breaker_open', '1 while the ledger is left alone, since it has failed');
  const deliveries = counter('deliveries_total', 'Attempts to deliver a reply, by what came of it', [
    'outcome',
    'answered',
  ]);
  for (const outcome of ['delivered', 'putOff', 'gone', 'passedBy']) deliveries.inc({ outcome, answered: '' }, 0);
  deliveries.inc({ outcome: 'putOff', answered: '429' }, 0);
  const retries = counter('delivery_retries_total', 'Attempts to deliver a reply that were not the first');
  const signIns = counted(
    counter('sign_ins_total', 'Sign-ins of students, by how they ended', ['outcome']),
    signInOutcomes,
  );
  const refused = counted(counter('refused_total', 'Requests that were refused, by why', ['kind']), [
    ...refusals.values(),
  ]);
  const answerSeconds = histogram(
    'http_answer_seconds',
    'How long an answer took, by its route',
    ['route'],
    ANSWER_BUCKETS,
  );
  const answers = counted(counter('http_answers_total', 'Answers, by the first digit of their status', ['status']), [
    '1xx',
    '2xx',
    '3xx',
    '4xx',
    '5xx',
  ]);
  const mistakes = counter('mistakes_total', 'Mistakes that were logged');
  const waiting = gauge('unfinished', `What is not done yet, as far as ${MOST} of each are looked at`, ['kind']);
  const oldest = gauge('unfinished_oldest_seconds', 'How old the oldest of it is', ['kind']);
  const isUp = gauge('database_up', '1 if the database answered just now');
  const pool = gauge('database_connections', 'Connections that statements run on, and who waits for one', ['state']);
  // Not `job`, which is what Prometheus calls whatever it reads from.
  const jobs = gauge('job_succeeded_timestamp_seconds', 'When a job succeeded last', ['task']);
  const guidance = gauge('guidance_age_seconds', 'How long ago the guidance was updated and fact-checked', ['since']);
  const built = gauge('build_info', 'What is spoken, and what understands', ['content', 'model']);
  const streams = gauge('open_streams', 'Connections that stay open to tell of what is new', ['kind']);
  for (const kind of ['websocket', 'events'] as const) streams.set({ kind }, 0);
  const secrets = gauge('secret_expires_seconds', 'How long it is until the last day of a secret begins', ['secret']);
  collectDefaultMetrics({ register: registry });

  /** It takes a while, and is the same until the content is another. */
  const tellBuild = madeOnce(content, () => {
    built.reset();
    built.set({ content: contentFingerprint(content), model: fingerprintOf(lessonsOf(content)).slice(0, 12) }, 1);
  });

  const readAges = (at: Date) => {
    const today = dayOf({ at: instantOf(at) });
    const pages = [...new Set([...content.rules.values()].map((rule) => rule.guidance))];
    const inForce = [...content.rules.values()].filter((rule) => !hasLapsed(rule, today));
    const age = (days: string[]) => (at.getTime() - Date.parse(days[0] ?? today)) / 1_000;
    const sorted = (days: string[]) => days.toSorted();
    guidance.set({ since: 'updated' }, age(sorted(pages.map(({ updated }) => updated)).reverse()));
    guidance.set({ since: 'factChecked' }, age(sorted(pages.map((page) => page.fact_checked)).reverse()));
    guidance.set({ since: 'oldestRule' }, age(sorted(inForce.map((rule) => rule.guidance.updated))));
    for (const { name, day } of secretsExpire) {
      secrets.set({ secret: name }, (Date.parse(day) - at.getTime()) / 1_000);
    }
  };

  let read: { at: number; done: Promise<void> } | undefined;

  /** What cannot be read is not told: none waiting is something else. */
  const readUnfinished = async (): Promise<void> => {
    const rows = await Promise.race([
      database.run<object>(unfinished, []).then((found) => z.array(Row).parse(found)),
      wait(DEADLINE, undefined, { ref: false }),
    ]).catch((mistake: unknown) => {
      onMistake(mistake);
      return undefined;
    });
    // It may be back the next moment.
    if (!rows) read = undefined;
    isUp.set(rows ? 1 : 0);
    waiting.reset();
    oldest.reset();
    const at = now().getTime();
    for (const row of rows ?? []) {
      if (row.kind === 'retention') jobs.set({ task: 'retention' }, row.oldest.getTime() / 1_000);
      else {
        waiting.set({ kind: row.kind }, row.amount);
        oldest.set({ kind: row.kind }, row.oldest ? Math.max(0, at - row.oldest.getTime()) / 1_000 : 0);
      }
    }
  };

  const readSometimes = (): Promise<void> => {
    if (!read || performance.now() - read.at > KEPT) read = { at: performance.now(), done: readUnfinished() };
    return read.done;
  };

  const show = async (): Promise<string> => {
    tellBuild();
    readAges(now());
    const { open, idle, waited } = database.connections();
    pool.set({ state: 'open' }, open);
    pool.set({ state: 'idle' }, idle);
    pool.set({ state: 'waited' }, waited);
    await readSometimes();
    return registry.metrics();
  };

  const timed = async <Answer extends { outcome: string }>(
    operation: keyof Ledger,
    call: () => Promise<Answer>,
  ): Promise<Answer> => {
    const begun = performance.now();
    let outcome = 'failed';
    try {
      const answer = await call();
      ({ outcome } = answer);
      return answer;
    } finally {
      ledgerSeconds.observe({ operation, outcome }, (performance.now() - begun) / 1_000);
    }
  };

  return {
    onStage: (stage, took) => stageOf.get(stage)?.observe(took / 1_000),
    onTurn({ heard, state, isAnswer, handsOver }) {
      states(state);
      for (const name of heard) if (name.startsWith('intent.')) wishes(name.slice('intent.'.length));
      if (isAnswer) decisions(decisionOn(heard));
      if (handsOver) handovers(handsOver);
    },
    onDelivery({ outcome, status, attempt }) {
      deliveries.inc({ outcome, answered: status === undefined ? '' : String(status) });
      if (attempt > 1) retries.inc();
    },
    onSignIn: signIns,
    onBreaker: (isOpen) => {
      breaker.set(isOpen ? 1 : 0);
    },
    onAnswer({ route, status, took }) {
      answers(`${Math.floor(status / 100)}xx`);
      answerSeconds.observe({ route }, took / 1_000);
      const kind = refusals.get(status);
      if (kind) refused(kind);
    },
    onStream: (kind, change) => {
      streams.inc({ kind }, change);
    },
    onJob: (task) => {
      jobs.set({ task }, now().getTime() / 1_000);
    },
    onMistake: () => {
      mistakes.inc();
    },
    watched: (ledger) => ({
      holderFor: (identifier) => timed('holderFor', () => ledger.holderFor(identifier)),
      findCards: (person) => timed('findCards', () => ledger.findCards(person)),
      revoke: (revocation) => timed('revoke', () => ledger.revoke(revocation)),
    }),
    mount(server) {
      server.get('/metrics', async (req: Request, res: Response) => {
        if (token === undefined && !isOpenHere) {
          res.send(403, { error: { code: 'Forbidden', message: 'This door is closed: there is no token for it.' } });
        } else if (token !== undefined && !isShown(req, token)) {
          res.setHeader('WWW-Authenticate', 'Bearer');
          res.send(401, { error: { code: 'Unauthorized', message: 'The token is missing, or another.' } });
        } else {
          res.sendRaw(200, await show(), { 'Content-Type': registry.contentType });
        }
      });
    },
  };
}

/** Counts what is in a list, and whatever is not as `other`. What has not happened yet is told as none. */
function counted<Label extends string>(metric: Counter<Label>, names: readonly string[]): (name: string) => void {
  const children = new Map([...names, 'other'].map((name) => [name, metric.labels(name)]));
  for (const child of children.values()) child.inc(0);
  const other = metric.labels('other');
  return (name) => {
    (children.get(name) ?? other).inc();
  };
}

function decisionOn(heard: readonly string[]): (typeof DECISIONS)[number] {
  if (heard.includes('ambiguous')) return 'clarify';
  return heard.includes('unclear') || heard.includes('intent.out-of-scope') ? 'fallback' : 'answer';
}

/** What is said, and what it rests on. */
function contentFingerprint({ lines, rules }: Content): string {
  const said = [...lines.values()].map(({ name, written, cites }) => [name, written, cites]);
  const founded = [...rules.values()].map(({ id, text, until, guidance }) => [id, text, until, guidance]);
  return createHash('sha256')
    .update(JSON.stringify([said, founded]))
    .digest('hex')
    .slice(0, 12);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function isShown(req: Request, token: string): boolean {
  const [, shown = ''] = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '') ?? [];
  return timingSafeEqual(digest(shown), digest(token));
}
