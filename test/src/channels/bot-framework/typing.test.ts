/** While the ledger is waited for, Teams shows that somebody is at it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Database } from '../../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../../database/database.ts';
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
