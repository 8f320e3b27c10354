/**
 * Whatever happens on the way to Teams, in whatever order: two processes on one
 * database, two students who write to either, Teams that sends again, and a
 * connector that fails. What the connector took is compared with the rows.
 *
 * Not walked: what ends a delivery otherwise than by its being taken, which is
 * a student who is gone and a reply that is refused; and a process that dies.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPostgresStore } from '../../../../src/conversations/postgres-store.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../../database/database.ts';
import { answeredIn, type Bot, decidedIn, openBot, passTime, takenIn } from './bot.ts';
import { type Connector, type Fault, openConnector } from './connector.ts';
import { type Microsoft, openMicrosoft } from './microsoft.ts';
import { addingBot, type Chat, personal, saying } from './shapes.ts';

type Side = 0 | 1;
type Step =
  | { does: 'say'; in: Side; to: Side; text: string }
  | { does: 'sendAgain'; in: Side; to: Side }
  | { does: 'look'; to: Side };
/** What is done at once, and how the connector fails meanwhile. */
type Round = { steps: Step[]; faults: Fault[] };

const side = fc.constantFrom<Side>(0, 1);
const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({
    does: fc.constant('say'),
    in: side,
    to: side,
    text: fc.constantFrom('duger körkort?', 'hjälp', 'byta efternamn', 'hej'),
  }),
  fc.record({ does: fc.constant('sendAgain'), in: side, to: side }),
  fc.record({ does: fc.constant('look'), to: side }),
);
const fault = fc.constantFrom<Fault[]>(
  { until: Promise.resolve() },
  { until: Promise.resolve() },
  429,
  { status: 429, retryAfter: '20' },
  412,
  { status: 401, code: 'Unauthorized' },
  403,
  { status: 404, code: 'ActivityNotFoundInConversation' },
  500,
  502,
  503,
  'cutBefore',
  'cutAfter',
  'cutInTheMiddle',
);
const round: fc.Arbitrary<Round> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
  faults: fc.array(fault, { maxLength: 4 }),
});

const RUNS = 15;
/** In milliseconds. */
const PATIENCE = 60_000;

let database: Database;
let microsoft: Microsoft;
let connector: Connector;
let bots: [Bot, Bot];

beforeAll(async () => {
  database = await openTestDatabase(await createDatabase());
  microsoft = await openMicrosoft();
  connector = await openConnector(microsoft);
  bots = [await openBot(microsoft, database), await openBot(microsoft, database)];
});
afterAll(async () => {
  for (const bot of bots) await bot.stop();
  await database.close();
  connector.close();
  microsoft.close();
});

/** Walks, and tells everything that is not as it should be. */
async function walk(rounds: readonly Round[]): Promise<string[]> {
  const store = createPostgresStore(database);
  const chats: [Chat, Chat] = [personal({ ...microsoft, connector }), personal({ ...microsoft, connector })];
  const said: [Sent[], Sent[]] = [[], []];
  const statuses = await Promise.all(chats.map((chat) => microsoft.send(bots[0].origin, addingBot(chat))));
  for (const { told } of bots) told.length = 0;
  const welcomed = (await Promise.all(chats.map((chat) => decidedIn(store, chat)))).flat().length;

  const take = async (does: Step): Promise<void> => {
    const { origin, look } = bots[does.to];
    if (does.does === 'look') {
      await look();
      return;
    }
    const last = said[does.in].at(-1);
    const isNew = does.does === 'say';
    const message = isNew ? saying(chats[does.in], does.text) : last && { ...last, id: randomUUID() };
    if (isNew && message) said[does.in].push(message);
    if (message) statuses.push(await microsoft.send(origin, message));
  };
  let [lost, unsure] = [0, 0];
  for (const { steps, faults } of rounds) {
    connector.faults.push(...faults);
    for (const chat of chats) await passTime(database, chat);
    await Promise.all(steps.map(take));
    for (const { idle } of bots) await idle();
    const met = faults.slice(0, faults.length - connector.faults.length);
    lost += met.filter((each) => each === 'cutAfter' || each === 'cutInTheMiddle').length;
    unsure += met.filter((each) => typeof each === 'string' || (typeof each === 'number' && each >= 500)).length;
    connector.faults.length = 0;
  }
  for (let minute = 0; minute < 5; minute++) {
    for (const chat of chats) await passTime(database, chat);
    await bots[minute % 2 === 0 ? 0 : 1].look();
    for (const { idle } of bots) await idle();
  }

  const wrong = statuses.filter((status) => status !== 200).map((status) => `answered with ${status}`);
  let [repeated, replies] = [0, 0];
  for (const [index, chat] of chats.entries()) {
    const all = await decidedIn(store, chat);
    const [expected, taken] = [all.flat(), takenIn(connector, chat)];
    repeated += taken.length - expected.length;
    replies += all.length;
    if (!isOnlyRepeated(taken, expected)) wrong.push('taken otherwise than it was decided');
    const count = said[index]?.length;
    const { messages, turns } = await answeredIn(store, chat);
    if (messages !== count || turns !== count) wrong.push(`${messages} kept and ${turns} answered of ${count}`);
  }
  if (repeated !== lost) wrong.push(`${repeated} came again, where ${lost} receipts were lost`);
  const delivered = bots.flatMap(({ told }) => told.filter(({ outcome }) => outcome === 'delivered'));
  const counted = delivered.filter(({ isRepeated }) => isRepeated).length;
  if (delivered.length !== replies - welcomed) wrong.push(`${delivered.length} counted as delivered of ${replies}`);
  if (counted > unsure || (lost > 0 && counted === 0)) wrong.push(`${counted} counted as repeated, of ${unsure}`);
  return wrong;
}
type Sent = ReturnType<typeof saying>;

/** Whether each came in its place, and after it nothing but itself again, before the next. */
function isOnlyRepeated(taken: readonly string[], expected: readonly string[]): boolean {
  const [had, wanted] = [runsOf(taken), runsOf(expected)];
  return (
    had.length === wanted.length &&
    wanted.every(({ part, times }, nth) => had[nth]?.part === part && had[nth].times >= times)
  );
}

function runsOf(parts: readonly string[]): { part: string; times: number }[] {
  const runs: { part: string; times: number }[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (last?.part === part) last.times++;
    else runs.push({ part, times: 1 });
  }
  return runs;
}

describe('whatever happens on the way to Teams', () => {
  it(
    'every message is answered once, and every reply comes, in order, again only where its receipt was lost',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 5, size: 'max' }), async (rounds) => {
          expect(await walk(rounds)).toEqual([]);
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
    },
    PATIENCE,
  );

  it('is told by the checker, when it is wrong', () => {
    const decided = ['a', 'b', 'b', 'c'];
    expect(isOnlyRepeated(decided, decided)).toBe(true);
    expect(isOnlyRepeated(['a', 'a', 'b', 'b', 'b', 'c'], decided)).toBe(true);
    for (const taken of [['a', 'b', 'c'], ['b', 'a', 'b', 'c'], ['a', 'b', 'b', 'a', 'c'], ['a', 'b', 'b'], []])
      expect(isOnlyRepeated(taken, decided)).toBe(false);
  });
});
