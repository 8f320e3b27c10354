/** Replies to Teams when the connector is slow, busy or gone, and messages that Teams sends again. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPostgresStore } from '../../../../src/conversations/postgres-store.ts';
import type { ConversationStore } from '../../../../src/conversations/store.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../../database/database.ts';
import { content } from '../../../product.ts';
import { answeredIn, type Bot, decidedIn, openBot, passTime, patienceIn, takenIn } from './bot.ts';
import { type Connector, type Fault, openConnector } from './connector.ts';
import { type Microsoft, openMicrosoft } from './microsoft.ts';
import { addingBot, type Chat, personal, removingBot, saying } from './shapes.ts';

/** Is answered in one reply of one part, in one of two parts, and in three replies. */
const [SHORT, IN_PARTS, LONG] = ['duger körkort?', 'hjälp', 'byta efternamn'];
const BLOCKED = { status: 403, code: 'ConversationBlockedByUser' };

let database: Database;
let store: ConversationStore;
let microsoft: Microsoft;
let connector: Connector;
let bot: Bot;
let other: Bot;
let chat: Chat;

beforeAll(async () => {
  database = await openTestDatabase(await createDatabase());
  store = createPostgresStore(database);
  microsoft = await openMicrosoft();
  [bot, other] = [await openBot(microsoft, database), await openBot(microsoft, database)];
});
afterAll(async () => {
  await Promise.all([bot.stop(), other.stop()]);
  await database.close();
  microsoft.close();
});
beforeEach(async () => {
  connector = await openConnector(microsoft);
  chat = await newChat();
  for (const each of [bot, other]) each.told.length = each.mistakes.length = 0;
});
afterEach(async () => {
  connector.close();
  // What a test has left is not looked for in the next.
  await database.run({ text: 'update conversations set is_pushed = false' }, []);
});

/** One that has begun, with a welcome. */
async function newChat(): Promise<Chat> {
  const made = personal({ ...microsoft, connector });
  expect(await microsoft.send(bot.origin, addingBot(made))).toBe(200);
  return made;
}

const say = (text: string, where = chat, to = bot) => microsoft.send(to.origin, saying(where, text));
const taken = (where = chat) => takenIn(connector, where);
const decided = async (where = chat) => (await decidedIn(store, where)).flat();

/** Somebody looks for what was left, after a minute. */
async function later(whoever = bot, ...where: Chat[]): Promise<void> {
  for (const each of where.length > 0 ? where : [chat]) await passTime(database, each);
  await whoever.look();
  await whoever.idle();
}

function opening(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('a reply that the connector did not take', () => {
  it.each<[string, Fault, { status?: number; isRepeated: boolean }]>([
    ['since it was busy', 429, { status: 429, isRepeated: false }],
    ['since it was busy for a while', { status: 429, retryAfter: '30' }, { status: 429, isRepeated: false }],
    ['since another was sent at the same time', 412, { status: 412, isRepeated: false }],
    ['since we were not believed', { status: 401, code: 'Unauthorized' }, { status: 401, isRepeated: false }],
    ['since a proxy said no', 403, { status: 403, isRepeated: false }],
    [
      'since what it answers is gone',
      { status: 404, code: 'ActivityNotFoundInConversation' },
      { status: 404, isRepeated: false },
    ],
    ['since it failed', 500, { status: 500, isRepeated: true }],
    ['since what is before it failed', 502, { status: 502, isRepeated: true }],
    ['since it was not there', { status: 503, retryAfter: '30' }, { status: 503, isRepeated: true }],
    ['before the connection ended', 'cutBefore', { isRepeated: true }],
  ])('%s comes later, once, and is counted', async (_why, fault, { status, isRepeated }) => {
    const before = taken();
    connector.faults.push(fault);
    expect(await say(SHORT)).toBe(200);
    expect(taken()).toEqual(before);
    const isAsked = typeof fault === 'object' && 'retryAfter' in fault;
    const patience = await patienceIn(database, chat);
    expect(patience).toBeGreaterThan(isAsked ? 20 : 0);
    expect(patience).toBeLessThan(isAsked ? 31 : 2);
    await later();
    expect(taken()).toEqual(await decided());
    expect(taken()).toHaveLength(before.length + 1);
    expect(bot.told.slice(-2)).toEqual([
      { outcome: 'putOff', ...(status !== undefined && { status }), attempt: 1, isRepeated: false },
      { outcome: 'delivered', attempt: 2, isRepeated },
    ]);
    expect(await answeredIn(store, chat)).toEqual({ messages: 1, turns: 1 });
  });

  it('is not tried before its time', async () => {
    connector.faults.push({ status: 429, retryAfter: '3600' });
    await say(SHORT);
    const before = taken();
    await later();
    await later(other);
    expect(taken()).toEqual(before);
  });

  it('is tried ever less often', async () => {
    connector.faults.push(503, 503, 503, 503, 503);
    await say(SHORT);
    for (let attempt = 1; attempt < 5; attempt++) await later();
    expect(await patienceIn(database, chat)).toBeGreaterThan(7);
    await later();
    expect(bot.told.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(taken()).toEqual(await decided());
    connector.faults.push(503);
    await say(SHORT);
    expect(bot.told.at(-1)?.attempt).toBe(1);
  });

  it('keeps what comes after it waiting, so that the order holds', async () => {
    const before = taken();
    connector.faults.push(429);
    await say(SHORT);
    expect(await say(IN_PARTS)).toBe(200);
    expect(await say(SHORT, chat, other)).toBe(200);
    expect(taken()).toEqual(before);
    expect((await answeredIn(store, chat)).turns).toBe(3);
    await later(other);
    expect(taken()).toEqual(await decided());
    expect(taken()).toHaveLength(before.length + 4);
  });

  it('goes on with what was not taken of several, and counts no more attempts for those after it', async () => {
    connector.faults.push({ until: Promise.resolve() }, 429);
    await say(LONG);
    await later(other);
    expect(taken()).toEqual(await decided());
    expect([...bot.told, ...other.told].map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      ['delivered', 1],
      ['putOff', 1],
      ['delivered', 2],
      ['delivered', 1],
    ]);
  });

  it('goes on with the part that was not taken, in whichever process', async () => {
    connector.faults.push({ until: Promise.resolve() }, 429);
    await say(IN_PARTS);
    expect(taken()).toEqual((await decided()).slice(0, -1));
    await later(other);
    expect(taken()).toEqual(await decided());
  });

  it('is delivered by another when whoever began it is gone, and is counted as one that may have come twice', async () => {
    const { opened, open } = opening();
    connector.faults.push({ until: opened });
    const sent = say(SHORT);
    await connector.until(taken().length + 1);
    await later(other);
    expect(other.told).toEqual([{ outcome: 'delivered', attempt: 1, isRepeated: true }]);
    open();
    expect(await sent).toBe(200);
    const all = await decided();
    expect(taken()).toEqual([...all, ...all.slice(-1)]);
    await say(SHORT);
    await later(other);
    expect(taken()).toEqual([...all, ...(await decided()).slice(all.length - 1)]);
  });
});

describe('a reply of which the receipt was lost', () => {
  it.each<[string, Fault]>([
    ['as the connection ended', 'cutAfter'],
    ['as the connection ended in the middle of it', 'cutInTheMiddle'],
  ])('%s comes once more, and is counted', async (_how, fault) => {
    const before = taken();
    connector.faults.push(fault);
    expect(await say(LONG)).toBe(200);
    expect(taken()).toHaveLength(before.length + 1);
    await later(other);
    const said = (await decided()).slice(before.length);
    expect(taken()).toEqual([...before, ...said.slice(0, 1), ...said]);
    expect([...bot.told, ...other.told]).toEqual([
      { outcome: 'putOff', attempt: 1, isRepeated: false },
      { outcome: 'delivered', attempt: 2, isRepeated: true },
      { outcome: 'delivered', attempt: 1, isRepeated: false },
      { outcome: 'delivered', attempt: 1, isRepeated: false },
    ]);
    expect(await answeredIn(store, chat)).toEqual({ messages: 1, turns: 1 });
  });

  it('comes once more in that part only', async () => {
    const before = taken();
    connector.faults.push({ until: Promise.resolve() }, 'cutAfter');
    await say(IN_PARTS);
    await later(other);
    const [text = '', card = ''] = (await decided()).slice(-2);
    expect(taken()).toEqual([...before, text, card, card]);
  });
});

describe('a reply that is refused as it is', () => {
  const texts = () => connector.taken.map(({ text }) => text);

  it.each([400, 413])('at %d, comes as plainly as can be', async (status) => {
    const before = taken();
    connector.faults.push(status);
    expect(await say('jag har slagit fel kod tre gånger')).toBe(200);
    expect(taken()).toHaveLength(before.length + 1);
    expect(connector.taken.at(-1)?.suggestedActions).toBeUndefined();
    expect(texts().at(-1)).toContain(content.label('pin-trouble/askingHasPuk'));
    expect(texts().at(-1)).toMatch(/\n- Ja\n/);
    expect(bot.told).toEqual([{ outcome: 'delivered', status, attempt: 1, isRepeated: false }]);
    expect(bot.mistakes).toHaveLength(1);
  });

  it('also plainly, is passed by, and what comes after it comes', async () => {
    const before = taken();
    connector.faults.push(413, 400);
    await say(LONG);
    const [, ...rest] = (await decided()).slice(before.length);
    expect(taken()).toEqual([...before, ...rest]);
    expect(bot.told.map(({ outcome }) => outcome)).toEqual(['passedBy', 'delivered', 'delivered']);
  });

  it('and then meets a busy connector, is not lost', async () => {
    const before = taken();
    connector.faults.push(413, 429, 413);
    await say(SHORT);
    expect(taken()).toEqual(before);
    await later();
    expect(taken()).toHaveLength(before.length + 1);
    expect(bot.told.map(({ outcome }) => outcome)).toEqual(['putOff', 'delivered']);
  });

  it('in its last part, does not come again in its first', async () => {
    connector.faults.push({ until: Promise.resolve() }, 413);
    await say(IN_PARTS);
    const [said, plain = ''] = texts().slice(-2);
    expect(said).toBeTruthy();
    expect(plain).not.toContain(said);
    expect(plain.match(/^- /gm)).toHaveLength(6);
  });
});

describe('a student who cannot be reached', () => {
  it.each([
    BLOCKED,
    { status: 403, code: 'BotNotInConversationRoster' },
    { status: 404, code: 'ConversationNotFound' },
  ])('at $status $code, is sent nothing before they write, and then only what is new', async (fault) => {
    const before = taken();
    connector.faultsIn.set(chat.conversation.id, fault);
    expect(await say(LONG)).toBe(200);
    expect(bot.told).toEqual([{ outcome: 'gone', status: fault.status, attempt: 1, isRepeated: false }]);
    connector.faultsIn.clear();
    await later();
    await later(other);
    expect(taken()).toEqual(before);
    await say(SHORT);
    expect(taken()).toEqual([...before, ...(await decided()).slice(-1)]);
    expect(bot.told.at(-1)).toEqual({ outcome: 'delivered', attempt: 1, isRepeated: false });
  });

  it('who has removed the bot is sent nothing of what was put off', async () => {
    const before = taken();
    connector.faults.push(429);
    await say(LONG);
    await microsoft.send(bot.origin, removingBot(chat));
    await later();
    expect(taken()).toEqual(before);
    await say(SHORT);
    expect(taken()).toEqual([...before, ...(await decided()).slice(-1)]);
  });

  it('and writes before that is known, is answered', async () => {
    const { opened, open } = opening();
    const hears = connector.until(taken().length + 1);
    connector.faults.push({ until: Promise.resolve() }, { ...BLOCKED, until: opened });
    const first = say(LONG);
    await hears;
    const second = say(SHORT, chat, other);
    await until(async () => (await answeredIn(store, chat)).messages === 2);
    open();
    expect(await Promise.all([first, second])).toEqual([200, 200]);
    await later();
    expect(taken()).toEqual(await decided());
  });
});

describe('a connector that hangs', () => {
  it('in one conversation holds up no other', async () => {
    const [slow, fast] = [chat, await newChat()];
    const { opened, open } = opening();
    connector.faultsIn.set(slow.conversation.id, { until: opened });
    const sent = say(SHORT, slow);
    await connector.until(connector.taken.length + 1);
    expect(await say(LONG, fast)).toBe(200);
    expect(taken(fast)).toEqual(await decided(fast));
    open();
    expect(await sent).toBe(200);
    expect(taken(slow)).toEqual(await decided(slow));
  });

  it('holds up nothing of what was left elsewhere', async () => {
    const [slow, fast] = [chat, await newChat()];
    connector.faults.push(503, 503);
    await say(SHORT, slow);
    await say(SHORT, fast);
    const { opened, open } = opening();
    connector.faultsIn.set(slow.conversation.id, { until: opened });
    const had = connector.taken.length;
    for (const each of [slow, fast]) await passTime(database, each);
    await bot.look();
    await connector.until(had + 2);
    expect(taken(fast)).toEqual(await decided(fast));
    await bot.look();
    open();
    await bot.idle();
    expect(taken(slow)).toEqual(await decided(slow));
  });

  it('gets what is said next only when it has taken what was said before', async () => {
    const { opened, open } = opening();
    connector.faults.push({ until: opened });
    const had = taken().length;
    const first = say(SHORT);
    await connector.until(had + 1);
    const second = say(IN_PARTS);
    await until(async () => (await answeredIn(store, chat)).turns === 2);
    expect(taken()).toHaveLength(had + 1);
    open();
    expect(await Promise.all([first, second])).toEqual([200, 200]);
    expect(taken()).toEqual(await decided());
  });
});

describe('a message that Teams sends again, under a new id', () => {
  const again = (message: ReturnType<typeof saying>) => ({ ...message, id: randomUUID() });

  it('while its first turn is open, is decided and answered once', async () => {
    const message = saying(chat, LONG);
    const { opened, open } = opening();
    connector.faults.push({ until: opened });
    const had = taken().length;
    const first = microsoft.send(bot.origin, message);
    await connector.until(had + 1);
    const resent = [microsoft.send(bot.origin, again(message)), microsoft.send(other.origin, again(message))];
    expect(await resent[1]).toBe(200);
    open();
    expect(await Promise.all([first, ...resent])).toEqual([200, 200, 200]);
    expect(await answeredIn(store, chat)).toEqual({ messages: 1, turns: 1 });
    expect(taken()).toEqual(await decided());
  });

  it('afterwards, is not answered again', async () => {
    const message = saying(chat, SHORT);
    await microsoft.send(bot.origin, message);
    const had = taken();
    for (const each of [bot, other, bot]) expect(await microsoft.send(each.origin, again(message))).toBe(200);
    expect(taken()).toEqual(had);
    expect(await answeredIn(store, chat)).toEqual({ messages: 1, turns: 1 });
  });

  it('while its answer waits for the connector, is answered once, when that takes it', async () => {
    const message = saying(chat, SHORT);
    connector.faults.push(503);
    await microsoft.send(bot.origin, message);
    expect(await microsoft.send(other.origin, again(message))).toBe(200);
    await later(other);
    expect(taken()).toEqual(await decided());
    expect(await answeredIn(store, chat)).toEqual({ messages: 1, turns: 1 });
  });
});

/** Asks until it is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}
