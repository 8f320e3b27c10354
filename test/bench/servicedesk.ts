/**
 * What agents wait for: 200 cases in the queue and 20 agents at one process,
 * each signed in with a session of their own and with the live stream open.
 * They read, claim, answer and hand back as their page does, while students
 * write. Never a test, for a figure depends on the machine; but it fails if
 * somebody was not answered, or waited longer than they should. Run from the
 * project's folder; the second word on the command line is a folder for a CPU
 * profile.
 */
import { cpus } from 'node:os';
import { Agent as Connections, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { startIdentityProvider } from '../faults/identity-provider.ts';
import { createChance } from '../faults/chance.ts';
import { casesIn, type CaseSeen, fileIn, outcomeIn, signInAtDesk } from '../faults/servicedesk-agent.ts';
import { startKortlotsen } from './bots.ts';
import { startDatabase } from './database.ts';
import { usageOf } from './processes.ts';
import { figure, percentile, table } from './statistics.ts';

const CASES = 200;
const AGENTS = 20;
/** Can be said on the command line. */
const SECONDS = Number(process.argv[2] ?? 30);
const profiles = process.argv[3];
/** In milliseconds: of every interaction, 99 of 100 take less. */
const AIM = 100;
/** In milliseconds: how long an agent looks before they click, and how often somebody among the students writes. */
const LOOKING = 1_000;
const BETWEEN_MESSAGES = 100;
const BETWEEN_POLLS = 5_000;

/** In milliseconds, of each kind of interaction. */
const took = new Map<string, number[]>();
const problems = new Set<string>();

const database = await startDatabase();
const provider = await startIdentityProvider(() => 'agent');
try {
  const {
    OIDC_ISSUER = '',
    OIDC_CLIENT_ID = '',
    OIDC_CLIENT_SECRET = '',
    OIDC_HOLDER_CLAIM = '',
  } = provider.environment;
  const product = await startKortlotsen(database.url, profiles, {
    SERVICEDESK_OIDC_ISSUER: OIDC_ISSUER,
    SERVICEDESK_OIDC_CLIENT_ID: OIDC_CLIENT_ID,
    SERVICEDESK_OIDC_CLIENT_SECRET: OIDC_CLIENT_SECRET,
    SERVICEDESK_OIDC_ROLE_CLAIM: OIDC_HOLDER_CLAIM,
    SERVICEDESK_OIDC_AGENT_ROLE: 'agent',
    // Each student writes from an address of their own.
    KORTLOTSEN_TRUSTED_PROXIES: '127.0.0.1',
  });
  try {
    await bench(product.url, product.pid);
  } finally {
    await product.stop();
  }
} finally {
  await provider.stop();
  await database.stop();
}
if (problems.size > 0) process.exitCode = 1;

async function bench(origin: string, pid: number): Promise<void> {
  const students = await inParts(CASES, 10, (nth) => openStudent(origin, nth));
  await Promise.all(students.map((student) => student.write('människa')));
  const agents = await inParts(AGENTS, 4, (nth) => signInAtDesk(origin, `agent ${nth}`));
  const end = performance.now() + SECONDS * 1_000;
  const isOver = () => performance.now() > end;
  const before = usageOf(pid)?.cpu;
  const begun = performance.now();
  const [, written] = await Promise.all([
    Promise.all(agents.map((agent, nth) => work(agent, origin, nth, isOver))),
    writeOn(students, isOver),
  ]);
  const lasted = performance.now() - begun;
  const after = usageOf(pid)?.cpu;
  const share = before === undefined || after === undefined ? undefined : ((after - before) / lasted) * 100;
  for (const agent of agents) agent.close();
  process.stdout.write(`\n${reportOf(lasted, written, share)}\n`);
}

/** Does so many things, a few at a time. */
async function inParts<Result>(count: number, few: number, make: (nth: number) => Promise<Result>): Promise<Result[]> {
  const made: Result[] = [];
  for (let nth = 0; nth < count; nth += few)
    made.push(
      ...(await Promise.all(Array.from({ length: Math.min(few, count - nth) }, (_, index) => make(nth + index)))),
    );
  return made;
}

type Student = { write: (text: string) => Promise<void> };

async function openStudent(origin: string, nth: number): Promise<Student> {
  const from = `10.0.${Math.floor(nth / 200)}.${(nth % 200) + 1}`;
  const post = async (path: string, body: object, token?: string): Promise<unknown> => {
    const { status, text } = await send(`${origin}${path}`, body, {
      'x-forwarded-for': from,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    });
    // Whoever writes too much is told to wait: that is no fault.
    if (status >= 300 && status !== 429) problems.add(`A student was met with ${status} at ${path}`);
    return status < 300 ? JSON.parse(text) : undefined;
  };
  const { conversation, token } = z
    .object({ conversation: z.string(), token: z.string() })
    .parse(await post('/chat/token', {}));
  await post('/v3/directline/conversations', {}, token);
  return {
    write: async (text) => {
      await post(`/v3/directline/conversations/${conversation}/activities`, { type: 'message', text }, token);
    },
  };
}

const connections = new Connections({ keepAlive: true, maxSockets: 40, timeout: 2_000 });

function send(url: string, body: object, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', agent: connections, headers: { ...headers, 'content-type': 'application/json' } };
    const asking = request(url, options, (response) => {
      textOf(response).then((text) => {
        resolve({ status: response.statusCode ?? 500, text });
      }, reject);
    });
    asking.on('error', reject);
    asking.end(JSON.stringify(body));
  });
}

/** One or another writes, and whoever has been handed back wants a human again. */
async function writeOn(students: readonly Student[], isOver: () => boolean): Promise<number> {
  const chance = createChance(1);
  const writing: Promise<void>[] = [];
  let written = 0;
  for (; !isOver(); written++) {
    const text = written % 2 === 0 ? 'människa' : `Hur går det? ${written}`;
    const student = chance.oneOf(students);
    writing.push(
      student.write(text).catch((problem: unknown) => {
        problems.add(`A student could not write: ${String(problem)}`);
      }),
    );
    await wait(BETWEEN_MESSAGES);
  }
  await Promise.all(writing);
  return written;
}

/** As the page does: it hears of the queue, and reads a case that is open as soon as it may be another. */
async function work(
  agent: Awaited<ReturnType<typeof signInAtDesk>>,
  origin: string,
  nth: number,
  isOver: () => boolean,
): Promise<void> {
  const chance = createChance(100 + nth);
  let cases: CaseSeen[] = [];
  let open: string | undefined;
  let seen = 0;
  const reading = new Set<Promise<void>>();

  const ask = async (kind: string, method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> => {
    const start = performance.now();
    const answer = await agent.ask(origin, method, path, body);
    took.set(kind, [...(took.get(kind) ?? []), performance.now() - start]);
    if (!answer) problems.add(`${kind} was not answered`);
    // Somebody else had it, or it is over: as it may be.
    else if (answer.status >= 300 && ![404, 409].includes(answer.status))
      problems.add(`${kind} was met with ${answer.status}`);
    return answer?.status === 200 || answer?.status === 409 ? answer.told : undefined;
  };
  const read = async (id: string): Promise<void> => {
    const told = await ask('read a case', 'GET', `/cases/${id}`);
    if (told !== undefined) seen = fileIn(told).seen;
  };
  const later = (done: Promise<unknown>) => {
    const reads: Promise<void> = done.then(() => undefined).finally(() => reading.delete(reads));
    reading.add(reads);
  };

  const stream = agent.listen(origin, (event, data) => {
    if (event === 'queue') cases = casesIn(JSON.parse(data));
    if (event === 'beat') later(ask('be seen', 'POST', '/seen', {}));
    if (event === 'changed' && open !== undefined && data.includes(open)) later(read(open));
  });
  await wait(chance.below(LOOKING));
  // A page that has no stream asks for the queue.
  const polling = setInterval(() => {
    later(ask('read the queue', 'GET', '/queue'));
  }, BETWEEN_POLLS);
  while (!isOver()) {
    const free = cases.filter((each) => each.state === 'waiting').slice(0, AGENTS);
    await wait(LOOKING / 2 + chance.below(LOOKING));
    if (free.length === 0) continue;
    const { id } = chance.oneOf(free);
    open = id;
    await read(id);
    const told = await ask('claim', 'POST', `/cases/${id}/claim`, {});
    if (told === undefined || outcomeIn(told) !== 'claimed') continue;
    await read(id);
    await wait(LOOKING / 2 + chance.below(LOOKING));
    await ask('say', 'POST', `/cases/${id}/say`, { key: `${nth} ${id}`, text: 'Hej, jag tittar på det.', seen });
    await wait(LOOKING / 2 + chance.below(LOOKING));
    const how = chance.oneOf(['hand back', 'close', 'release'] as const);
    if (how === 'hand back') await ask(how, 'POST', `/cases/${id}/hand-back`, {});
    if (how === 'close') await ask(how, 'POST', `/cases/${id}/close`, { outcome: 'resolved' });
    if (how === 'release') await ask(how, 'POST', `/cases/${id}/release`, {});
    open = undefined;
  }
  clearInterval(polling);
  stream.destroy();
  await Promise.all(reading);
}

function reportOf(lasted: number, written: number, share: number | undefined): string {
  const all = [...took.values()].flat();
  const row = (name: string, values: readonly number[]) => [
    name,
    String(values.length),
    ...[0.5, 0.95, 0.99].map((part) => figure(percentile(values, part), 1)),
    figure(Math.max(...values), 1),
  ];
  const worst = percentile(all, 0.99);
  if (worst >= AIM) problems.add(`The aim is a p99 of less than ${AIM} ms`);
  const [cpu] = cpus();
  return [
    `Node ${process.version}, ${cpus().length} × ${cpu?.model ?? 'CPU'}`,
    `${CASES} cases, ${AGENTS} agents, ${figure(lasted / 1_000)} s; students wrote ${written} messages`,
    table([
      ['ms', 'times', 'p50', 'p95', 'p99', 'most'],
      ...[...took].sort(([one], [other]) => one.localeCompare(other)).map(([name, values]) => row(name, values)),
      row('all', all),
    ]),
    `Its CPU: ${figure(share)} % of one`,
    ...problems,
  ].join('\n\n');
}
