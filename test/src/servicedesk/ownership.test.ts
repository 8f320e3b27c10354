/**
 * That there is never more than one speaker, whatever comes between.
 *
 * A student, two agents, two processes, leases that end, and processes that
 * die are walked through at random. What each of them asks of the database is
 * let through one statement at a time, in an order that is chosen, or all at
 * once. After every step the rows are read by a checker that knows nothing of
 * the product, and what came of it must be what a small model allows in some
 * order of what was done.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { type Conversations, createConversations, type World } from '../../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import { createDesk, type Desk } from '../../../src/servicedesk/desk.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { isLong } from '../../faults/built-product.ts';
import { findTwoSpeakers, type SaidByAgent, type Witness } from '../../faults/servicedesk-checker.ts';
import { noticesIn, questionsIn } from '../../faults/servicedesk-script.ts';
import { content, readUnderstanding } from '../../product.ts';
import { now, placeOf, worldOf } from '../conversations/world.ts';

/** Of our own: cases lapse, and what was left is gone on with, over a whole database. */
const database = await openTestDatabase(await createDatabase());
afterAll(() => database.close());

const scale = isLong ? { numRuns: 5_000, seed: randomInt(2 ** 31) } : { numRuns: 300, seed: 7 };
/** In milliseconds. */
const PATIENCE = isLong ? 3_600_000 : 120_000;

const understanding = readUnderstanding();
const everything = worldOf(createPostgresStore(database), { understanding });
const agents = { anna: { id: 'a-1', name: 'Anna' }, bo: { id: 'b-2', name: 'Bo' } } as const;
type Name = keyof typeof agents;
const names: readonly Name[] = ['anna', 'bo'];

const notices = noticesIn(content);
const questions = questionsIn(content, understanding);

/** Mostly it is whoever has it who does something with it. */
type By = Name | 'holder';

/** What can be done, and at which of two processes. `back` is how far behind the log is what an agent has seen. */
type Step = { at: 0 | 1 } & (
  | {
      does:
        | 'ask'
        | 'wantHuman'
        | 'stop'
        | 'forget'
        | 'forgetForGood'
        | 'yes'
        | 'lose'
        | 'resend'
        | 'rename'
        | 'resume'
        | 'lapse'
        | 'expire';
    }
  | { does: 'open' | 'shut' }
  | { does: 'claim' | 'sayAgain' | 'release' | 'handBack' | 'handOnto' | 'close' | 'renew'; by: By }
  | { does: 'say'; by: By; back: number }
);
/** The same, when it is known who has it. */
type Certain = Step & { by?: Name };

/** What is done side by side; after how many statements the first process dies, if it does; and in which order they run. */
type Round = { steps: Step[]; dies: number | undefined; order: number[] | 'at once' };

const texts = { wantHuman: 'människa', stop: 'avbryt', forget: 'glöm mig', yes: 'ja', lose: 'jag har tappat kortet' };

/** What has been done before the first of them: most that can go wrong goes wrong with a case. */
type Beginning = 'nothing' | 'kept' | 'waiting' | 'claimed';
const beginning: fc.Arbitrary<Beginning> = fc.constantFrom('nothing', 'kept', 'waiting', 'claimed', 'claimed');

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constantFrom('ask' as const, 'ask' as const, 'wantHuman' as const, 'wantHuman' as const),
      at: fc.constantFrom(0 as const, 1 as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constantFrom(
        ...([
          'stop',
          'forget',
          'yes',
          'lose',
          'resend',
          'rename',
          'resume',
          'lapse',
          'expire',
          'open',
          'shut',
        ] as const),
      ),
      at: fc.constantFrom(0 as const, 1 as const),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      does: fc.constantFrom(
        ...([
          'claim',
          'claim',
          'claim',
          'sayAgain',
          'release',
          'handBack',
          'handBack',
          'handOnto',
          'close',
          'renew',
        ] as const),
      ),
      by: fc.constantFrom('holder' as const, 'holder' as const, 'holder' as const, ...names),
      at: fc.constantFrom(0 as const, 1 as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('say' as const),
      by: fc.constantFrom('holder' as const, 'holder' as const, 'holder' as const, ...names),
      back: fc.integer({ min: -1, max: 3 }),
      at: fc.constantFrom(0 as const, 1 as const),
    }),
  },
);
const round: fc.Arbitrary<Round> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 3 }),
  dies: fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(6) }),
  order: fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.nat(2), { minLength: 4, maxLength: 16 }) },
    { weight: 1, arbitrary: fc.constant('at once' as const) },
  ),
});

/** Who speaks: all that the model knows. */
type Model = { speaker: 'bot' | 'queue' | Name; hasLapsed: boolean; hasCase: boolean };
type Outcome = string | undefined;
type Possible = [outcome: string, after: Model];

const isFree = { speaker: 'bot', hasLapsed: false, hasCase: false } as const satisfies Model;
const inQueue = { speaker: 'queue', hasLapsed: false, hasCase: true } as const satisfies Model;

/** All that may come of a step. */
function whatMayCome(model: Model, step: Certain, isOpen: boolean): Possible[] {
  const { speaker, hasLapsed, hasCase } = model;
  const isTheirs = 'by' in step && speaker === step.by && !hasLapsed;
  const handedOver: Model = isOpen ? inQueue : { ...model, hasCase: true };
  const as = (outcome: string, after: Model): Possible[] => (isTheirs ? [[outcome, after]] : [['notYours', model]]);
  switch (step.does) {
    case 'claim': {
      if (!hasCase) return [['gone', model]];
      const claimed: Possible = ['claimed', { speaker: step.by, hasLapsed: false, hasCase: true }];
      // The bot may be waiting for the world: that is told when it has come back.
      if (speaker === 'bot') return [claimed, ['busy', model]];
      if (speaker === 'queue' || hasLapsed) return [claimed];
      return [[speaker === step.by ? 'claimed' : 'taken', model]];
    }
    case 'say':
      return as('said', model);
    case 'sayAgain':
      // What was said while the case was theirs stays said. That it was, and once, is seen in the rows.
      return isTheirs
        ? [['said', model]]
        : [
            ['notYours', model],
            ['said', model],
          ];
    case 'renew':
      return [['', model]];
    case 'release':
      return as('released', inQueue);
    case 'handBack':
    case 'handOnto':
      return as('handedBack', isFree);
    case 'close':
      return as('closed', isFree);
    case 'expire':
      return [['', { ...model, hasLapsed: names.some((name) => name === speaker) }]];
    case 'lapse':
      return [['', hasLapsed ? inQueue : model]];
    case 'wantHuman':
      return [['', speaker === 'bot' ? handedOver : model]];
    case 'lose':
      // Nobody can prove here who they are, so that only a human can settle it.
      return [['', model], ...(speaker === 'bot' ? [['', handedOver] satisfies Possible] : [])];
    case 'forgetForGood':
      return [...(speaker === 'bot' ? [['', model] satisfies Possible] : []), ['', isFree], ['', handedOver]];
    case 'stop':
      return [['', speaker === 'queue' ? isFree : model]];
    case 'forget':
      return [['', speaker === 'bot' ? model : isFree]];
    case 'yes':
      // If they were asked whether to forget, or whether the card is lost.
      return speaker === 'bot'
        ? [
            ['', model],
            ['', isFree],
            ['', handedOver],
          ]
        : [['', model]];
    case 'ask':
    case 'resend':
    case 'rename':
    case 'resume':
    case 'open':
    case 'shut':
      return [['', model]];
  }
}

type Done = { step: Certain; outcome: Outcome; isSure: boolean };

/** Whether there is an order of what was done that leads from one to the other. What is not sure may not have happened. */
function isExplained(before: Model, done: readonly Done[], after: Model, isOpen: boolean): boolean {
  if (done.every(({ isSure }) => !isSure) && isSame(before, after)) return true;
  return done.some(({ step, outcome, isSure }, index) =>
    whatMayCome(before, step, isOpen).some(
      ([each, next]) => (!isSure || each === outcome) && isExplained(next, done.toSpliced(index, 1), after, isOpen),
    ),
  );
}
const isSame = (one: Model, other: Model) =>
  one.speaker === other.speaker && one.hasLapsed === other.hasLapsed && one.hasCase === other.hasCase;

/** Lets statements through one at a time, in a chosen order, or as they come; and lets the first process die. */
function createGate() {
  let waiting: { at: number; go: () => Promise<void> }[] = [];
  const running = new Set<Promise<void>>();
  let left = Infinity;
  let die: () => void = () => undefined;
  const isDead = () => left < 0;
  return {
    databaseAt: (at: 0 | 1, isCurrent: () => boolean): Database => ({
      ...database,
      run: <Row extends object>(...asked: Parameters<Database['run']>): Promise<Row[]> =>
        new Promise((resolve, reject) => {
          const go = () => database.run<Row>(...asked).then(resolve, reject);
          if (isCurrent()) waiting.push({ at, go });
        }),
    }),
    /** Resolves when the first process has died. */
    begin(dies: number | undefined): Promise<void> {
      left = dies ?? Infinity;
      return new Promise((resolve) => {
        die = resolve;
      });
    },
    isDead,
    async drive(order: Round['order'], isDone: () => boolean): Promise<void> {
      let idle = 0;
      for (let nth = 0; ;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (isDone()) break;
        idle = waiting.length + running.size > 0 ? 0 : idle + 1;
        if (idle > 1_000) throw new Error('Somebody waits for what nobody does');
        if (order === 'at once' && waiting.length === 0 && running.size > 0) await Promise.race(running);
        const chosen =
          order === 'at once'
            ? waiting
            : waiting.slice((order[nth++ % order.length] ?? 0) % waiting.length).slice(0, 1);
        waiting = waiting.filter((each) => !chosen.includes(each));
        for (const { at, go } of chosen) {
          if (at === 0) left -= 1;
          if (at === 0 && left < 0) {
            die();
            waiting = waiting.filter((each) => each.at !== 0);
            continue;
          }
          const run: Promise<void> = go().finally(() => running.delete(run));
          running.add(run);
          if (order !== 'at once') await run;
        }
      }
      await Promise.all(running);
    },
  };
}

const Observed = z.object({
  speaker: z.enum(['bot', 'queue', 'agent']),
  agent: z.string().nullable(),
  has_lapsed: z.boolean().nullable(),
  open_case: z.string().nullable(),
  last_seq: z.number(),
  left: z.array(z.string()).nullable(),
});

/** One conversation, and all that is done in it. */
async function walk(beginning: Beginning, rounds: readonly Round[]): Promise<string[]> {
  const conversation = `walk/${randomUUID()}`;
  const gate = createGate();
  const mistakes: unknown[] = [];
  let isOpen = true;
  const world: World = {
    ...everything,
    servicedesk: { at: () => ({ isOpen, next: undefined }) },
    onMistake: (mistake) => mistakes.push(mistake),
  };

  const start = (at: 0 | 1): { conversations: Conversations; desk: Desk; database: Database; stop: () => void } => {
    let isRunning = true;
    const own = gate.databaseAt(at, () => isRunning);
    const conversations = createConversations({ ...world, store: createPostgresStore(own) });
    const stop = () => {
      isRunning = false;
    };
    return { conversations, desk: createDesk({ database: own, conversations, content, now }), database: own, stop };
  };
  const processes: [ReturnType<typeof start>, ReturnType<typeof start>] = [start(0), start(1)];

  const rows = (text: string, values: readonly unknown[]) => database.run({ text }, values);
  const said: SaidByAgent[] = [];
  const lapses: number[] = [];
  const asked = new Map<string, string>();
  const sent: { id: string; sentAt: string; text: string }[] = [];
  let knownCase = 'none';
  let lastSeq = 0;
  let holder: Name = 'anna';
  const unasked = [...questions];

  const observe = async (): Promise<Model & { left: string[] }> => {
    const [row] = await database.run(
      {
        name: 'walk-observe',
        text: `select speaker, agent ->> 'id' as agent, lease_until <= now() as has_lapsed, open_case, last_seq,
            (select array_agg(said ->> 'text' order by seq) from messages m where m.conversation = c.id
              and author = 'student' and kind = 'message' and seq > answered_seq) as left
          from conversations c where id = $1`,
      },
      [conversation],
    );
    const { speaker, agent, has_lapsed, open_case, last_seq, left } = Observed.parse(row);
    knownCase = open_case ?? knownCase;
    lastSeq = last_seq;
    const name = names.find((each) => agents[each].id === agent) ?? 'anna';
    holder = name;
    return {
      speaker: speaker === 'agent' ? name : speaker,
      hasLapsed: has_lapsed ?? false,
      hasCase: open_case !== null,
      left: left ?? [],
    };
  };

  const write = async (at: 0 | 1, text: string, again?: { id: string; sentAt: string }): Promise<string> => {
    const message = { id: again?.id ?? `m-${sent.length}`, sentAt: again?.sentAt ?? `t-${sent.length}`, text };
    sent.push(message);
    const { answered } = await processes[at].conversations.accept({
      ...placeOf(conversation),
      ...message,
      sentBy: 'student',
    });
    await answered;
    return '';
  };

  const perform = async (step: Certain): Promise<string> => {
    const { desk, conversations, database: own } = processes[step.at];
    const id = knownCase;
    switch (step.does) {
      case 'claim':
        return desk.claim(id, agents[step.by]);
      case 'release':
        return desk.release(id, agents[step.by]);
      case 'handBack':
        return desk.handBack(id, agents[step.by], {});
      case 'handOnto':
        return desk.handBack(id, agents[step.by], { path: 'pickup-ready', known: { cardReady: true } });
      case 'close':
        return desk.close(id, agents[step.by], 'resolved');
      case 'renew':
        await desk.renew(agents[step.by]);
        return '';
      case 'say':
      case 'sayAgain': {
        const agent = agents[step.by];
        const before = said.filter((each) => each.agent === agent.id).at(-1);
        const again = step.does === 'sayAgain' ? before : undefined;
        const seen = again?.seen ?? Math.max(0, lastSeq - ('back' in step ? step.back : 0));
        const mine: SaidByAgent = again ?? { agent: agent.id, key: `k-${said.length}`, seen, told: undefined };
        if (!again) said.push(mine);
        const told = await desk.say(id, agent, { key: mine.key, text: `Svar ${mine.key}`, seen });
        // Once it is said it stays so, whoever has it when it is sent again.
        if (mine.told !== 'said') mine.told = told;
        return told;
      }
      case 'ask': {
        const [text, line] = unasked.shift() ?? ['hej', ''];
        if (line !== '') asked.set(text, line);
        return write(step.at, text);
      }
      case 'forgetForGood':
        await write(step.at, texts.forget);
        return write(step.at, texts.yes);
      case 'wantHuman':
      case 'stop':
      case 'forget':
      case 'yes':
      case 'lose':
        return write(step.at, texts[step.does]);
      case 'resend':
      case 'rename': {
        const before = sent.at(-1);
        if (!before) return '';
        return write(step.at, before.text, step.does === 'resend' ? before : { ...before, id: `${before.id}-again` });
      }
      case 'resume':
        await age(own, conversation);
        await conversations.resume();
        return '';
      case 'lapse':
        await desk.lapse();
        return '';
      case 'expire': {
        const [row] = await own.run<{ last_seq: number }>(
          {
            name: 'walk-expire',
            text: `update conversations set lease_until = now() - interval '1 second'
              where id = $1 and speaker = 'agent' returning last_seq`,
          },
          [conversation],
        );
        if (row) lapses.push(row.last_seq);
        return '';
      }
      case 'open':
      case 'shut':
        isOpen = step.does === 'open';
        return '';
    }
  };

  const check = async (isOver: boolean): Promise<string[]> => {
    const witness: Witness = {
      conversation,
      agents: new Map(names.map((name) => [agents[name].name, agents[name].id])),
      said,
      questions: asked,
      lapses,
    };
    return [...(await findTwoSpeakers(rows, notices, witness, isOver)), ...mistakes.map(String)];
  };

  const by = (step: Step): Certain =>
    'by' in step ? { ...step, by: step.by === 'holder' ? holder : step.by } : { ...step };

  /** Does all side by side. Of who dies meanwhile, nobody knows what came of it. */
  const performAll = async ({ steps, dies, order }: Round): Promise<Done[]> => {
    const death = gate.begin(dies);
    const done: Done[] = steps.map((step) => ({ step: by(step), outcome: undefined, isSure: false }));
    let isSettled = false;
    const all = Promise.all(
      done.map(async (each) => {
        const performed = perform(each.step).then((outcome) => {
          Object.assign(each, { outcome, isSure: true });
        });
        await (each.step.at === 0 ? Promise.race([performed, death]) : performed);
      }),
    ).finally(() => {
      isSettled = true;
    });
    await Promise.all([all, gate.drive(order, () => isSettled)]);
    if (gate.isDead()) {
      processes[0].stop();
      processes[0] = start(0);
    }
    return done;
  };

  try {
    const aside = createConversations(world);
    await aside.open(placeOf(conversation));
    isOpen = beginning !== 'kept';
    if (beginning !== 'nothing') await performAll(alone({ does: 'wantHuman', at: 1 }));
    isOpen = true;
    let before = await observe();
    if (beginning === 'claimed') await performAll(alone({ does: 'claim', by: 'anna', at: 1 }));
    before = await observe();
    for (const [nth, round] of rounds.entries()) {
      const wasOpen = isOpen;
      const performed = await performAll(round);
      const after = await observe();
      const done = performed.map((each) => {
        // Where others are at it, it may have been theirs in one moment and nobody's in the next.
        const isBusy = each.outcome === 'busy' && performed.length > 1;
        return { ...each, isSure: each.isSure && !isBusy && !isLeft(each.step, after.left) };
      });
      const left = before.left.flatMap((text): Done[] => {
        const step = stepOf(text);
        return step ? [{ step, outcome: undefined, isSure: false }] : [];
      });
      const isEither = [...new Set([wasOpen, isOpen])];
      const violations = await check(false);
      const names = done.map(({ step, outcome }) => `${step.does} → ${outcome ?? 'nobody knows'}`).join(', ');
      if (!isEither.some((open) => isExplained(before, [...done, ...left], after, open)))
        violations.push(`cannot be: ${toldOf(before)}, then ${names}, then ${toldOf(after)}`);
      if (violations.length > 0) return [`round ${nth} (${names}):`, ...violations];
      before = after;
    }
    await performAll(alone({ does: 'resume', at: 1 }));
    return await check(true);
  } finally {
    for (const { stop } of processes) stop();
    await database.run({ name: 'walk-remove', text: 'delete from conversations where id = $1' }, [conversation]);
  }
}

/** What is written while the bot waits for the world waits, too. */
const isLeft = ({ does }: Certain, left: readonly string[]) =>
  does in texts && left.includes(new Map<string, string>(Object.entries(texts)).get(does) ?? '');

const alone = (step: Step): Round => ({ steps: [step], dies: undefined, order: [0] });

const toldOf = ({ speaker, hasLapsed, hasCase }: Model) =>
  `${speaker}${hasLapsed ? ' (lapsed)' : ''} with ${hasCase ? 'a' : 'no'} case`;

function stepOf(text: string): Certain | undefined {
  const does = (Object.keys(texts) as (keyof typeof texts)[]).find((each) => texts[each] === text);
  return does && { does, at: 1 };
}

/** As if everything had been left for an hour. */
async function age(own: Database, conversation: string): Promise<void> {
  const later = {
    'walk-age': "update conversations set changed_at = changed_at - interval '1 hour' where id = $1",
    'walk-age-requests': "update requests set due_at = due_at - interval '1 hour' where conversation = $1",
  };
  for (const [name, text] of Object.entries(later)) await own.run({ name, text }, [conversation]);
}

/** Ways on which something has once gone wrong. They are walked first. */
const examples: [Beginning, Round[]][] = [
  // What was kept for a human was forgotten, but not that it was.
  ['kept', [alone({ does: 'forgetForGood', at: 0 }), alone({ does: 'claim', by: 'anna', at: 0 })]],
  // A message that an agent had answered, before the bot had come to it, was answered by the bot as well.
  [
    'claimed',
    [
      { steps: [{ does: 'ask', at: 0 }], dies: 1, order: [0] },
      alone({ does: 'say', by: 'anna', back: 0, at: 1 }),
      alone({ does: 'handBack', by: 'anna', at: 1 }),
    ],
  ],
  // One that came while it was looked for what to answer was answered twice.
  [
    'claimed',
    [
      {
        steps: [
          { does: 'handBack', by: 'anna', at: 0 },
          { does: 'ask', at: 0 },
        ],
        dies: undefined,
        order: [0, 1, 0, 0, 0],
      },
    ],
  ],
];

describe('a conversation', () => {
  it(
    'has never more than one speaker, and no message is lost or answered twice',
    async () => {
      expect(questions.size).toBeGreaterThan(7);
      await fc.assert(
        fc.asyncProperty(beginning, fc.array(round, { minLength: 1, maxLength: 8, size: 'max' }), async (...walked) => {
          expect(await walk(...walked)).toEqual([]);
        }),
        { ...scale, examples, endOnFailure: false },
      );
    },
    PATIENCE,
  );
});
