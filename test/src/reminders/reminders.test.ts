/**
 * Reminders on a real database: two instances at once, what a crash leaves, a clock that is moved; to Teams through the
 * connector, and in the web chat once somebody has proved who they are. The ledger is the embedded one, in memory.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { timeOf } from '../../../src/calendar.ts';
import type { Conversations } from '../../../src/conversations/conversations.ts';
import { createSignIns, type SignIns } from '../../../src/identity/sign-ins.ts';
import { createEmbeddedLedger } from '../../../src/ledger/embedded-ledger.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createRetention } from '../../../src/privacy/retention.ts';
import { createReminders } from '../../../src/reminders/reminders.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';
import { type Bot, nameOf, openBot, passTime } from '../channels/bot-framework/bot.ts';
import { type Connector, openConnector } from '../channels/bot-framework/connector.ts';
import { type Microsoft, openMicrosoft } from '../channels/bot-framework/microsoft.ts';
import { type Chat, personal, removingBot, saying } from '../channels/bot-framework/shapes.ts';
import { type Life, life, newCard, newHolder, orderFor, recordAll, registryOf } from '../ledger/lives.ts';

const BLOCKED = { status: 403, code: 'ConversationBlockedByUser' };
/** Of a card that expires then, eight weeks before is 2026-11-23. */
const EXPIRES = '2027-01-18';

let database: Database;
let microsoft: Microsoft;
let connector: Connector;
let signIns: SignIns;
let bot: Bot;
let other: Bot;
let time: Date;
let isLedgerUp = true;
/** Happens between that it is known what somebody has been told, and that they are told more. */
let meanwhile = () => Promise.resolve();
let asked: string[] = [];

const now = () => time;
const itIs = (written: string) => {
  time = timeOf(written) ?? new Date(Number.NaN);
};
const after = (minutes: number) => {
  time = new Date(time.getTime() + minutes * 60_000);
};

const registry = registryOf(undefined, () => '2026-11-01T08:00:00.000Z');
const embedded = createEmbeddedLedger(registry);
const ledger: Ledger = {
  ...embedded,
  findCards(person) {
    asked.push(person);
    return isLedgerUp ? embedded.findCards(person) : Promise.resolve({ outcome: 'unreachable' });
  },
};

beforeAll(async () => {
  database = await openTestDatabase(await createDatabase());
  microsoft = await openMicrosoft();
  connector = await openConnector(microsoft);
  signIns = createSignIns(database, 'a key of the tests');
  const proving = {
    way: 'signIn',
    linkFor: (challenge: string) => challenge,
    redeem: signIns.redeem,
    linkedTo: signIns.linkedTo,
    link: (account: string, { person, provedAt }: { person: string; provedAt: Date }) =>
      signIns.link(account, person, provedAt),
  } as const;
  const servicedesk = { at: () => ({ isOpen: true, next: undefined }) };
  const { of } = createReminders(database, now);
  const remindersOf: typeof of = async (person) => {
    const found = await of(person);
    await meanwhile();
    return found;
  };
  const world = { now, ledger, proving, servicedesk, remindersOf };
  [bot, other] = [await openBot(microsoft, database, world), await openBot(microsoft, database, world)];
});
afterAll(async () => {
  await Promise.all([bot.stop(), other.stop()]);
  await database.close();
  connector.close();
  microsoft.close();
});
beforeEach(() => {
  itIs('2026-11-20T10:00');
  isLedgerUp = true;
  asked = [];
});
afterEach(async () => {
  expect([...bot.mistakes.splice(0), ...other.mistakes.splice(0)]).toEqual([]);
  // What a test has left is not reminded of in the next.
  for (const table of ['reminders', 'reminded']) await database.run({ text: `delete from ${table}` }, []);
  connector.faultsIn.clear();
});

type Student = { chat: Chat; person: string; card: string };

/** How far a card has come. */
const steps = { ordered: 1, photographed: 2, waiting: 4, inUse: 5 };

async function give(person: string, upTo: keyof typeof steps, given: Life = {}, card = newCard()): Promise<string> {
  await recordAll(
    registry,
    life({ holder: person, card }, { orderedOn: '2026-10-01', ...given }).slice(0, steps[upTo]),
  );
  return card;
}

/** Somebody in Teams who has signed in there once. */
async function student(upTo: keyof typeof steps = 'inUse', given: Life = { expiresOn: EXPIRES }): Promise<Student> {
  const chat = personal({ ...microsoft, connector });
  const person = newHolder();
  const card = await give(person, upTo, given);
  await signIns.link(`${microsoft.tenantId}/${chat.student.aadObjectId}`, person, time);
  return { chat, person, card };
}

/** One who has asked to be reminded. */
async function reminded(...as: Parameters<typeof student>): Promise<Student> {
  const made = await student(...as);
  expect((await say(made, 'påminn mig')).at(-1)).toBe(content.label('reminders/wanted'));
  return made;
}

const cameTo = ({ chat }: Student): string[] =>
  connector.taken.flatMap(({ conversation, text }) => (conversation?.id === chat.conversation.id ? (text ?? []) : []));

/** Says it, and gives what came of it, but for the welcome. */
async function say(to: Student, text: string, by = bot): Promise<string[]> {
  const before = cameTo(to).length;
  expect(await microsoft.send(by.origin, saying(to.chat, text))).toBe(200);
  const all = cameTo(to).slice(before);
  return all
    .filter((each) => each !== content.label('conversation/welcome'))
    .map((each) => each.split('\n\n')[0] ?? '');
}

/** The job of one of the instances, and what it has to deliver. */
async function run(by = bot, changes: { database?: Database; conversations?: Pick<Conversations, 'remind'> } = {}) {
  const { database: on = database, conversations = by.conversations } = changes;
  const onMistake = (mistake: unknown) => void by.mistakes.push(mistake);
  await createReminders(on, now).run({ conversations, ledger, onMistake });
  await by.idle();
}

async function runAt(written: string, by = bot): Promise<void> {
  itIs(written);
  await run(by);
}

const REMINDER = 'Du bad mig påminna dig';
const isReminder = (text: string): boolean => text.startsWith(REMINDER);
const remindersTo = (to: Student): string[] => cameTo(to).filter(isReminder);

const wants = async ({ person }: { person: string }) =>
  (await database.run({ text: 'select from reminders where person = $1' }, [person])).length > 0;

const runOnAll = async (written: readonly string[]) => {
  for (const each of written) await runAt(each);
};

describe('whoever asks for it in Teams', () => {
  it('is written to once, on the day that is eight weeks before, and with what to do', async () => {
    const anna = await reminded();
    await runAt('2026-11-22T10:00');
    expect(remindersTo(anna)).toEqual([]);
    await runOnAll(['2026-11-23T10:00', '2026-11-23T11:00', '2026-11-24T10:00', '2026-12-24T10:00']);
    expect(remindersTo(anna)).toHaveLength(1);
    expect(remindersTo(anna)[0]).toMatch(/går ut 18 januari 2027.*VFU- eller VIL-samordnaren/s);
  });

  it.each<[string, string, string, string[]]>([
    [
      'late in the evening before, though it is the next day by then',
      EXPIRES,
      '2026-11-23T08:00',
      ['2026-11-23T00:30'],
    ],
    [
      'before it is morning in winter',
      EXPIRES,
      '2026-11-23T07:00:00Z',
      ['2026-11-22T23:30:00Z', '2026-11-23T06:59:00Z'],
    ],
    [
      'before it is morning in summer',
      '2027-09-25',
      '2027-07-31T06:00:00Z',
      ['2027-07-30T22:30:00Z', '2027-07-31T05:59:00Z'],
    ],
    ['before the year has ended', '2027-02-26', '2027-01-01T08:00', ['2026-12-31T17:59', '2026-12-31T23:30:00Z']],
    ['before the leap day', '2028-04-25', '2028-02-29T08:00', ['2028-02-28T17:59']],
  ])('is not written to %s', async (_when, expiresOn, due, early) => {
    const anna = await reminded('inUse', { expiresOn });
    await runOnAll(early);
    expect(remindersTo(anna)).toEqual([]);
    await runAt(due);
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('is not told the same day what they could just have asked', async () => {
    const anna = await reminded('waiting');
    await runAt('2026-11-20T11:00');
    expect(remindersTo(anna)).toEqual([]);
    await runAt('2026-11-21T10:00');
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('is told of an order two weeks before it lapses, of a card that waits, and of each that they have', async () => {
    const anna = await reminded('ordered', { orderedOn: '2026-09-01' });
    const bo = await reminded('waiting', { kind: 'RESERVE' });
    await give(bo.person, 'inUse', { expiresOn: EXPIRES });
    await runOnAll(['2026-11-23T10:00', '2026-11-23T16:00']);
    expect(remindersTo(anna).join()).toMatch(/gäller bara till 1 december 2026/);
    expect(remindersTo(bo)).toHaveLength(1);
    await runOnAll(['2026-11-24T10:00', '2026-11-25T10:00']);
    expect(remindersTo(anna)).toHaveLength(1);
    expect(remindersTo(bo).sort().join()).toMatch(/ordinarie kort går ut.*reservkort är klart/s);
  });

  it('stays where they were, and is asked again what they were asked', async () => {
    const anna = await reminded();
    const [question = ''] = (await say(anna, 'när måste jag förnya kortet?')).slice(-1);
    await runAt('2026-11-23T10:00');
    expect(cameTo(anna).at(-2)).toMatch(REMINDER);
    expect(cameTo(anna).at(-1)).toContain(question);
    expect((await say(anna, 'juni 2028')).join()).toMatch(/5 maj 2028|april 2028/);
  });

  it('is not talked to while a human is, and is afterwards', async () => {
    const anna = await reminded();
    await say(anna, 'jag vill prata med en människa');
    await runAt('2026-11-23T10:00');
    expect(remindersTo(anna)).toEqual([]);
    await say(anna, 'avbryt');
    after(20);
    await run(other);
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('is written to though their chat has had its time, which is begun anew', async () => {
    const anna = await reminded();
    await database.run({ text: 'delete from conversations where id = $1' }, [nameOf(anna.chat)]);
    const before = cameTo(anna).length;
    await runAt('2026-11-23T10:00');
    expect(cameTo(anna)[before]).toContain(content.label('conversation/welcome'));
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('is so as long as there is a card, however long ago that was, and otherwise as long as chats are kept', async () => {
    const [anna, bo] = [await reminded('inUse', {}), await reminded()];
    await registry.revoke(orderFor({ holder: bo.person, card: bo.card }));
    const retain = (written: string) => {
      itIs(written);
      return createRetention({ database, days: 90, now }).run();
    };
    await runOnAll(['2026-11-21T10:00', '2027-02-18T10:00']);
    await database.run({ text: 'delete from conversations where id = $1' }, [nameOf(anna.chat)]);
    await database.run({ text: 'update links set linked_at = proved_at' }, []);
    await retain('2027-02-18T10:00');
    expect([await wants(anna), await wants(bo)]).toEqual([true, true]);
    await retain('2027-02-18T10:01');
    expect([await wants(anna), await wants(bo)]).toEqual([true, false]);
    const links = await database.run<{ person: string }>({ text: 'select person from links' }, []);
    expect(links.map(({ person }) => person)).toContain(anna.person);
  });
});

describe('reminding stops', () => {
  it('when Teams answers 403, until they ask for it again', async () => {
    const anna = await reminded();
    connector.faultsIn.set(anna.chat.conversation.id, BLOCKED);
    await runAt('2026-11-23T10:00');
    expect(remindersTo(anna)).toEqual([]);
    expect(await wants(anna)).toBe(false);
    connector.faultsIn.clear();
    await give(anna.person, 'waiting', { kind: 'RESERVE' });
    await runAt('2026-11-24T10:00');
    expect(remindersTo(anna)).toEqual([]);
    await say(anna, 'påminn mig');
    await runAt('2026-11-25T10:00');
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('when the bot is removed', async () => {
    const anna = await reminded();
    expect(await microsoft.send(bot.origin, removingBot(anna.chat))).toBe(200);
    expect(await wants(anna)).toBe(false);
    await runAt('2026-11-23T10:00');
    expect(remindersTo(anna)).toEqual([]);
  });

  it('when they say so, without another proof, and is confirmed; and they are not told again of what they were', async () => {
    const anna = await reminded();
    itIs('2026-11-22T10:00');
    expect(await say(anna, 'Sluta påminna mig!')).toEqual([
      content.label('conversation/proofHasEnded'),
      content.label('reminders/unwanted'),
    ]);
    expect(await wants(anna)).toBe(false);
    await runAt('2026-11-23T10:00');
    expect(remindersTo(anna)).toEqual([]);
    await say(anna, 'påminn mig');
    await runAt('2026-11-24T10:00');
    expect(remindersTo(anna)).toHaveLength(1);
    await say(anna, 'sluta påminna');
    await say(anna, 'påminn mig');
    await runAt('2026-11-26T10:00');
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it.each<[string, (student: Student) => Promise<unknown>]>([
    ['the card is revoked', ({ person, card }) => registry.revoke(orderFor({ holder: person, card }))],
    ['a new one is ordered', ({ person }) => give(person, 'ordered', { orderedOn: '2026-11-10' })],
  ])('when %s', async (_what, happen) => {
    const anna = await reminded();
    await happen(anna);
    await runOnAll(['2026-11-23T10:00', '2026-11-24T10:00']);
    expect(remindersTo(anna)).toEqual([]);
  });

  it('when the card that waited is handed over', async () => {
    const anna = await reminded('waiting', {});
    await recordAll(registry, [{ type: 'card.handedOver', holder: anna.person, card: anna.card }]);
    await runAt('2026-11-23T10:00');
    expect(remindersTo(anna)).toEqual([]);
  });

  it('with “glöm mig”, and nothing of it is left', async () => {
    const anna = await reminded('waiting');
    await runAt('2026-11-21T10:00');
    await say(anna, 'glöm mig');
    await say(anna, 'ja');
    const left = await Promise.all(
      ['reminders', 'reminded', 'links'].map((table) =>
        database.run({ text: `select from ${table} where person = $1` }, [anna.person]),
      ),
    );
    expect(left).toEqual([[], [], []]);
  });
});

describe('two instances, and what is left by one that dies', () => {
  it('write to nobody twice, and to everybody', async () => {
    const all: Student[] = [];
    for (let nth = 0; nth < 6; nth++) all.push(await reminded());
    itIs('2026-11-23T10:00');
    await Promise.all([run(bot), run(other), run(bot), run(other)]);
    await Promise.all([bot.idle(), other.idle()]);
    expect(all.map((each) => remindersTo(each).length)).toEqual(all.map(() => 1));
    expect(asked.length).toBe(all.length);
  });

  it('say it once, though both have begun to', async () => {
    const anna = await reminded();
    itIs('2026-11-23T10:00');
    const begun: (() => void)[] = [];
    /** Until all are there, nobody goes on; and each has taken her on, as if the other were long dead. */
    const together = (by: Bot): Pick<Conversations, 'remind'> => ({
      async remind(due) {
        await database.run({ text: 'update reminders set busy_until = null' }, []);
        await new Promise<void>((resolve) => {
          begun.push(resolve);
          if (begun.length === 2) for (const go of begun) go();
        });
        return by.conversations.remind(due);
      },
    });
    const first = run(bot, { conversations: together(bot) });
    while (begun.length < 1) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, run(other, { conversations: together(other) })]);
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('lose nothing when one dies before it has said it, and wait for it some minutes', async () => {
    const anna = await reminded();
    itIs('2026-11-23T10:00');
    const dying = { remind: () => Promise.reject(new Error('It died')) };
    await run(bot, { conversations: dying });
    expect(bot.mistakes.splice(0)).toHaveLength(1);
    await run(other);
    expect(remindersTo(anna)).toEqual([]);
    after(11);
    await run(other);
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('say nothing twice when one dies after it has said it', async () => {
    const anna = await reminded();
    itIs('2026-11-23T10:00');
    const dying: Database = {
      ...database,
      run: (statement, values) =>
        statement.name === 'reminders-done' ? Promise.reject(new Error('It died')) : database.run(statement, values),
    };
    await run(bot, { database: dying });
    expect(bot.mistakes.splice(0)).toHaveLength(1);
    await runOnAll(['2026-11-23T10:20', '2026-11-23T17:20', '2026-11-24T10:20']);
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('deliver it later, and once, where Teams did not take it', async () => {
    const anna = await reminded();
    connector.faultsIn.set(anna.chat.conversation.id, 503);
    await runAt('2026-11-23T10:00');
    connector.faultsIn.clear();
    await runAt('2026-11-24T10:00', other);
    expect(remindersTo(anna)).toEqual([]);
    await passTime(database, anna.chat);
    await other.look();
    await other.idle();
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('ask a ledger that is down a few times, and again the next hour', async () => {
    const all: Student[] = [];
    for (let nth = 0; nth < 5; nth++) all.push(await reminded());
    isLedgerUp = false;
    asked = [];
    await runAt('2026-11-23T10:00');
    expect(asked).toHaveLength(3);
    isLedgerUp = true;
    await runAt('2026-11-23T11:00');
    expect(all.map((each) => remindersTo(each).length)).toEqual(all.map(() => 1));
  });
});

describe('in the web chat', () => {
  const LINK = /^[\w-]{32}$/;
  const place = (conversation: string) => ({ conversation, channel: 'directline', isPushed: false });
  const write = async (conversation: string, text: string) => {
    const { answered } = await bot.conversations.accept({ ...place(conversation), id: randomUUID(), text });
    return answered;
  };
  const textsOf = ({ replies }: { replies: { text: string }[] }) => replies.map(({ text }) => text.split('\n\n')[0]);

  /** Signs in where the last link leads, and types back the code. */
  async function signIn(conversation: string, person: string) {
    const log = await bot.conversations.log(conversation, 0);
    const links = log.flatMap((each) => (each.author === 'bot' && each.said.link ? [each.said.link.url] : []));
    const begun = await signIns.begin(links.findLast((each) => LINK.test(each)) ?? '');
    const taken = begun && (await signIns.take(begun.state, begun.browser));
    const code = taken && (await signIns.prove(taken, { person, provedAt: time, acr: undefined }));
    return write(conversation, code ?? 'no code');
  }

  const saidIn = async (conversation: string) =>
    (await bot.conversations.log(conversation, 0)).flatMap((each) => (each.author === 'bot' ? [each.said.text] : []));
  const remindersIn = async (conversation: string) => (await saidIn(conversation)).filter(isReminder);
  const WAITS = content.label('reminders/waits');
  const hintsIn = async (conversation: string) => (await saidIn(conversation)).filter((each) => each === WAITS);

  /** Somebody who has asked for it in a tab, and in nothing else. */
  async function inTab(upTo: keyof typeof steps = 'inUse', given: Life = { expiresOn: EXPIRES }) {
    const [tab, person] = [`dl/${randomUUID()}`, newHolder()];
    const card = await give(person, upTo, given);
    await write(tab, 'påminn mig');
    expect(textsOf(await signIn(tab, person)).at(-1)).toBe(content.label('reminders/wanted'));
    return { tab, person, card };
  }

  const STATUS = 'är mitt kort aktivt?';

  it('waits until they have proved who they are, and is said before what they asked for', async () => {
    const { tab, person } = await inTab();
    await runOnAll(['2026-11-23T10:00', '2026-11-24T10:00']);
    expect(await remindersIn(tab)).toEqual([]);
    const elsewhere = `dl/${randomUUID()}`;
    await write(elsewhere, STATUS);
    const [, , reminder, status] = textsOf(await signIn(elsewhere, person));
    expect(reminder).toMatch(REMINDER);
    expect(status).toMatch(/gäller bara till och med 18 januari 2027/);
    itIs('2026-11-25T10:00');
    await write(tab, STATUS);
    await signIn(tab, person);
    await run();
    expect([...(await remindersIn(tab)), ...(await remindersIn(elsewhere))]).toHaveLength(1);
  });

  it('says where they asked for it, once, that there is something, and not what', async () => {
    const { tab } = await inTab();
    await runOnAll(['2026-11-22T10:00', '2026-11-23T10:00', '2026-11-24T10:00', '2026-11-25T10:00']);
    expect(await hintsIn(tab)).toHaveLength(1);
    expect((await saidIn(tab)).at(-1)).toBe(WAITS);
    expect(WAITS).not.toMatch(/går ut|beställning|hämta|\d/);
  });

  it('says nothing at all there once they have signed out, or to another who has signed in since', async () => {
    const [{ tab: left }, { tab: shared }] = [await inTab(), await inTab()];
    await write(left, 'logga ut');
    await write(shared, 'logga ut');
    const another = newHolder();
    await give(another, 'inUse', {});
    await write(shared, STATUS);
    await signIn(shared, another);
    const before = [await saidIn(left), await saidIn(shared)];
    await runOnAll(['2026-11-23T10:00', '2026-11-24T10:00']);
    expect([await saidIn(left), await saidIn(shared)]).toEqual(before);
  });

  it('is said at once to somebody who is proved there just then', async () => {
    const { tab, person } = await inTab();
    itIs('2026-11-23T10:00');
    await write(tab, 'duger körkort?');
    await write(tab, 'påminn mig');
    await signIn(tab, person);
    after(5);
    await run();
    expect(await remindersIn(tab)).toHaveLength(1);
    expect(await hintsIn(tab)).toEqual([]);
  });

  it('does not talk over a card that is lost', async () => {
    const { tab, person } = await inTab();
    itIs('2026-11-23T07:00');
    await write(tab, 'någon har snott kortet');
    const { state } = await signIn(tab, person);
    expect(state).toBe('lost-card/confirming');
    expect(await remindersIn(tab)).toEqual([]);
  });

  it('is not said to whoever was told in Teams, nor in Teams what was said here', async () => {
    const [anna, bo] = [await reminded(), await reminded()];
    const tab = `dl/${randomUUID()}`;
    await runAt('2026-11-23T07:00');
    await write(tab, STATUS);
    await signIn(tab, bo.person);
    await runAt('2026-11-23T10:00');
    itIs('2026-11-24T10:00');
    const other = `dl/${randomUUID()}`;
    await write(other, STATUS);
    await signIn(other, anna.person);
    await runAt('2026-11-25T10:00');
    expect([remindersTo(anna).length, (await remindersIn(other)).length]).toEqual([1, 0]);
    expect([remindersTo(bo).length, (await remindersIn(tab)).length]).toEqual([0, 1]);
  });

  it('is said once to whoever is written to in Teams in the very moment that they are shown their cards here', async () => {
    const anna = await reminded();
    const tab = `dl/${randomUUID()}`;
    itIs('2026-11-23T10:00');
    await write(tab, STATUS);
    meanwhile = () => {
      meanwhile = () => Promise.resolve();
      return run(other);
    };
    expect((await signIn(tab, anna.person)).state).toBe('card-status/shown');
    expect([remindersTo(anna).length, (await remindersIn(tab)).length]).toEqual([1, 0]);
  });

  it('goes on in Teams for whoever asks for it here as well', async () => {
    const anna = await reminded();
    const tab = `dl/${randomUUID()}`;
    await write(tab, 'påminn mig');
    await signIn(tab, anna.person);
    await runAt('2026-11-23T10:00');
    expect(remindersTo(anna)).toHaveLength(1);
  });

  it('is offered once to whoever asks how it is with their card, unless they want it already or have none', async () => {
    const tab = `dl/${randomUUID()}`;
    const OFFER = content.label('reminders/offer');
    const person = newHolder();
    await give(person, 'inUse', {});
    await write(tab, STATUS);
    const { replies } = await signIn(tab, person);
    expect(replies.map(({ text }) => text)).toContain(OFFER);
    expect(
      (await bot.conversations.log(tab, 0)).flatMap((each) => (each.author === 'bot' ? each.said.suggests : [])),
    ).toContain('Påminn mig');
    expect(textsOf(await write(tab, STATUS))).not.toContain(OFFER);
    const [wanting, none] = [await inTab(), `dl/${randomUUID()}`];
    expect(textsOf(await write(wanting.tab, STATUS))).not.toContain(OFFER);
    await write(none, STATUS);
    expect(textsOf(await signIn(none, newHolder()))).not.toContain(OFFER);
  });

  it('ends where they asked for it without a proof, and elsewhere with one', async () => {
    const [anna, bo] = [await inTab(), await inTab()];
    itIs('2026-11-22T10:00');
    expect(textsOf(await write(anna.tab, 'inga fler påminnelser')).at(-1)).toBe(content.label('reminders/unwanted'));
    const elsewhere = `dl/${randomUUID()}`;
    expect((await write(elsewhere, 'inga fler påminnelser')).state).toBe('reminders/awaitingSignIn');
    expect([await wants(anna), await wants(bo)]).toEqual([false, true]);
    await signIn(elsewhere, bo.person);
    expect(await wants(bo)).toBe(false);
  });
});
