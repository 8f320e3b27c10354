/** While the ledger is waited for, Teams shows that somebody is at it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Database } from '../../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../../database/database.ts';
import { createPostgresStore } from '../../../../src/conversations/postgres-store.ts';
import { demonstrationLedger, personOf } from '../../conversations/world.ts';
import { type Bot, openBot } from './bot.ts';
import { type Connector, openConnector } from './connector.ts';
import { type Microsoft, openMicrosoft } from './microsoft.ts';
import * as shapes from './shapes.ts';

let database: Database;
let microsoft: Microsoft;
let connector: Connector;
let bot: Bot;
let answer: () => void;
let held: Promise<void>;
const hold = () => {
  held = new Promise((resolve) => {
    answer = resolve;
  });
};

beforeAll(async () => {
  hold();
  database = await openTestDatabase(await createDatabase());
  microsoft = await openMicrosoft();
  connector = await openConnector(microsoft);
  const ledger = demonstrationLedger();
  bot = await openBot(microsoft, database, {
    proving: { way: 'known', person: personOf('active') },
    ledger: { ...ledger, findCards: async (person) => held.then(() => ledger.findCards(person)) },
  });
});
afterAll(async () => {
  await bot.stop();
  connector.close();
  microsoft.close();
  await database.close();
});

const send = (activity: object) => microsoft.send(bot.origin, activity);
const typed = async (times: number): Promise<void> => {
  while (connector.typed < times) await new Promise((resolve) => setImmediate(resolve));
};

it('it is shown until the answer has come, and then no more', async () => {
  const chat = shapes.personal({ ...microsoft, connector });
  const sent = send(shapes.saying(chat, 'är mitt kort aktivt?'));
  await typed(1);
  answer();
  expect(await sent).toBe(200);
  const shown = connector.typed;
  const answers = connector.taken.length;
  expect(answers).toBeGreaterThan(2);
  expect(await send(shapes.saying(chat, 'vem behöver ett eTjänstekort?'))).toBe(200);
  expect(connector.taken.length).toBeGreaterThan(answers);
  expect(connector.typed).toBe(shown);
});

it('it is shown again while the ledger takes long', async () => {
  hold();
  const before = connector.typed;
  const sent = send(shapes.saying(shapes.mobile({ ...microsoft, connector }), 'är mitt kort aktivt?'));
  await typed(before + 2);
  answer();
  expect(await sent).toBe(200);
  expect(bot.mistakes).toEqual([]);
});

it('it harms nothing that it cannot be shown', async () => {
  hold();
  connector.isTypingLost = true;
  const [before, answers] = [connector.typed, connector.taken.length];
  const sent = send(shapes.saying(shapes.personal({ ...microsoft, connector }), 'är mitt kort aktivt?'));
  await typed(before + 1);
  answer();
  expect(await sent).toBe(200);
  connector.isTypingLost = false;
  expect(connector.taken.length).toBeGreaterThan(answers + 2);
  expect(bot.told.filter(({ outcome }) => outcome !== 'delivered')).toEqual([]);
  expect(bot.mistakes).toEqual([]);
});

it('it is not shown in a channel, where Teams does not show it, however long it takes', async () => {
  hold();
  const store = createPostgresStore(database);
  const slow = await openBot(microsoft, database, {
    store: { ...store, commit: async (step) => held.then(() => store.commit(step)) },
  });
  const ofChannel = await openConnector(microsoft);
  try {
    const before = connector.typed;
    const channel = shapes.channel({ ...microsoft, connector: ofChannel });
    const inChannel = microsoft.send(slow.origin, shapes.naming(channel, 'hej'));
    const alone = microsoft.send(slow.origin, shapes.saying(shapes.personal({ ...microsoft, connector }), 'hej'));
    // The second sign of the one comes two seconds after the first of the other would have.
    await typed(before + 2);
    answer();
    expect(await Promise.all([inChannel, alone])).toEqual([200, 200]);
    expect(ofChannel.taken.length).toBeGreaterThan(0);
    expect(ofChannel.typed).toBe(0);
  } finally {
    await slow.stop();
    ofChannel.close();
  }
});
