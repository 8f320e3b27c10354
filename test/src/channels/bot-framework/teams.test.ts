/**
 * The main conversations in Teams: activities as Teams sends them, truly signed, through the whole product, and what
 * the connector received of it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Activity, Attachment } from 'botbuilder';
import type { Service } from '../../../../src/cli/serve.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../../database/database.ts';
import { content } from '../../../product.ts';
import { startService } from '../../../service.ts';
import { openBrowser } from '../../identity/browsing.ts';
import { ask, queueOf, sessionOf } from '../../servicedesk/agents.ts';
import { type Connector, openConnector } from './connector.ts';
import { type Microsoft, openMicrosoft } from './microsoft.ts';
import * as shapes from './shapes.ts';

const WELCOME = content.label('conversation/welcome');
const WELCOME_AMONG_OTHERS = content.label('conversation/welcomeAmongOthers');
const NOT_AMONG_OTHERS = content.label('conversation/notAmongOthers');
const LOST = 'någon har snott kortet';
const STATUS = 'är mitt kort aktivt?';
const HUMAN = 'jag vill prata med en människa';
const WRONG_PIN = 'jag har slagit fel kod tre gånger';
const CODE = /[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}/;

let microsoft: Microsoft;
let connector: Connector;
let service: Service;
let startOne: () => Promise<Service>;
let database: Database;
let agent: string;
let world: { tenantId: string; appId: string; connector: Connector };
let time = new Date('2026-11-23T08:00:00+01:00');
const after = (minutes: number) => {
  time = new Date(time.getTime() + minutes * 60_000);
};

beforeAll(async () => {
  microsoft = await openMicrosoft();
  connector = await openConnector(microsoft);
  const url = await createDatabase();
  startOne = () => startService({ ...microsoft.environment, DATABASE_URL: url }, { now: () => time });
  service = await startOne();
  database = await openTestDatabase(url);
  agent = await sessionOf(service.origin, 'agent-anna');
  world = { tenantId: microsoft.tenantId, appId: microsoft.appId, connector };
});
afterAll(async () => {
  await service.stop();
  await database.close();
  connector.close();
  microsoft.close();
});

type Sent = { id?: string | undefined; serviceUrl?: string };

const send = (activity: Sent) => microsoft.send(service.origin, activity);
const idOf = ({ conversation }: shapes.Chat) => `bot/msteams/${conversation.id}`;

/** What has come to a chat, in order. */
const cameTo = (chat: shapes.Chat, at = connector) =>
  at.taken.filter(({ conversation }) => conversation?.id === chat.conversation.id);
const textsOf = (activities: Partial<Activity>[]) => activities.flatMap(({ text }) => text ?? []);
const countOf = (chat: shapes.Chat, text: string) => textsOf(cameTo(chat)).filter((each) => each === text).length;

/** Sends it, and gives what came of it by the time it was answered. */
async function answerTo(chat: shapes.Chat, activity: Sent): Promise<Partial<Activity>[]> {
  const before = cameTo(chat).length;
  expect(await send(activity)).toBe(200);
  return cameTo(chat).slice(before);
}
const say = async (chat: shapes.Chat, text: string) => textsOf(await answerTo(chat, shapes.saying(chat, text)));
const nameIt = async (chat: shapes.Chat, text: string) => textsOf(await answerTo(chat, shapes.naming(chat, text)));

type Card = { buttons?: { value: string }[]; body?: { actions?: { title: string; data: unknown }[] }[] };
const cardsOf = (activities: Partial<Activity>[]): Card[] =>
  activities.flatMap(({ attachments = [] }) => attachments.map((each: Attachment) => each.content as Card));
const linksOf = (activities: Partial<Activity>[]) =>
  cardsOf(activities).flatMap(({ buttons = [] }) => buttons.map(({ value }) => value));
const buttonsOf = (activities: Partial<Activity>[]) =>
  cardsOf(activities).flatMap(({ body = [] }) => body.flatMap(({ actions = [] }) => actions));

/** Signs in as somebody where the last link of a chat leads, and gives the code that is shown. */
async function signIn(chat: shapes.Chat, name: string): Promise<string> {
  const [browser, link = ''] = [openBrowser(), linksOf(cameTo(chat)).at(-1)];
  const sent = await browser.open(link);
  const asked = await browser.open((await browser.open(sent.location)).location);
  const chosen = await browser.submit(asked.url, { name });
  const page = await browser.open((await browser.open(chosen.location)).location);
  return CODE.exec(page.text)?.[0] ?? 'no code';
}

/** What has just happened is asked for until it is seen. */
async function eventually<Seen>(look: () => Seen | undefined | Promise<Seen | undefined>): Promise<Seen> {
  const end = Date.now() + 10_000;
  while (Date.now() < end) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('It was not seen');
}

const casesNow = async () => (await queueOf(service.origin, agent)).map(({ id }) => id);

/** A student who waits for a human, and their case. */
async function waiting(...texts: string[]): Promise<{ chat: shapes.Chat; id: string }> {
  const before = await casesNow();
  const chat = shapes.personal(world);
  for (const text of [...texts, HUMAN]) await say(chat, text);
  const id = await eventually(async () => (await casesNow()).find((each) => !before.includes(each)));
  return { chat, id };
}

const act = async (id: string, what: string, body: object = {}) => {
  const { status } = await ask(service.origin, agent, `/cases/${id}/${what}`, { body });
  expect(status).toBe(200);
};
const fileOf = async (id: string) => (await ask(service.origin, agent, `/cases/${id}`)).text;

/** Everything that is kept of a conversation, as text. */
async function rowsOf(conversation: string): Promise<string> {
  const parts = await Promise.all(
    [
      'select c::text as row from conversations c where id = $1',
      'select m::text as row from messages m where conversation = $1',
      'select l::text as row from lessons l where conversation = $1',
      'select s::text as row from cases s where conversation = $1',
      'select r::text as row from requests r where conversation = $1',
      'select p::text as row from proofs p where conversation = $1',
    ].map((text) => database.run<{ row: string }>({ text }, [conversation])),
  );
  return parts
    .flat()
    .map(({ row }) => row)
    .join('\n');
}

const rowOf = async (chat: shapes.Chat) => {
  const [row] = await database.run<{ account: string | null; is_pushed: boolean; is_shared: boolean; left: number }>(
    {
      text: 'select account, is_pushed, is_shared, replied_seq - delivered_seq as left from conversations where id = $1',
    },
    [idOf(chat)],
  );
  return row;
};

const oneStudent = [
  ['on a computer', (student?: shapes.Student) => shapes.personal(world, student)],
  ['on a phone', (student?: shapes.Student) => shapes.mobile(world, student)],
] as const;
const several = [
  ['a group chat', () => shapes.group(world)],
  ['a channel', () => shapes.channel(world)],
] as const;

describe.each(oneStudent)('a student %s', (_where, chatOf) => {
  it('has a lost card revoked, once they have signed in and typed the code back', async () => {
    const chat = chatOf();
    expect((await say(chat, LOST)).at(-1)).toContain('Logga in med knappen');
    const code = await signIn(chat, _where === 'on a phone' ? 'expiring' : 'active');
    expect((await say(chat, 'BBBB-BBBB')).join()).toContain('Koden stämmer inte');
    expect((await say(chat, code)).join()).toMatch(/Jag hittade ditt ordinarie kort/);
    const revoked = await answerTo(chat, shapes.saying(chat, 'ja'));
    expect(textsOf(revoked).join()).toMatch(/är spärrat sedan .* Ditt kvitto har nummer/s);
    expect(JSON.stringify(cardsOf(revoked))).toContain('Action.OpenUrl');
  });

  it('is led through a wrong PIN, by words and by what is suggested', async () => {
    const chat = chatOf();
    const asked = await answerTo(chat, shapes.saying(chat, WRONG_PIN));
    expect(textsOf(asked)).toEqual([
      WELCOME,
      content.label('conversation/listening'),
      content.label('pin-trouble/askingHasPuk'),
    ]);
    expect(asked.at(-1)?.suggestedActions?.actions.map(({ title }) => title)).toEqual(['Ja', 'Nej', 'Vet inte']);
    expect((await say(chat, 'Nej')).join()).toMatch(/PUK-kodbrev/);
  });

  it('is told where to fetch the card', async () => {
    const chat = chatOf();
    expect((await say(chat, 'var hämtar jag kortet?')).at(-1)).toContain('Var fotograferade du dig?');
    expect((await say(chat, 'Södersjukhuset')).join()).not.toBe('');
  });

  it('presses a button of a card, and is told kindly when it is an old one', async () => {
    const chat = chatOf();
    const buttons = buttonsOf(await answerTo(chat, shapes.addingBot(chat)));
    const help = buttons.find(({ title }) => title === 'Vad kan du?');
    expect(buttons).toHaveLength(5);
    expect(textsOf(await answerTo(chat, shapes.pressing(chat, help?.data)))).toEqual([
      content.label('conversation/help'),
    ]);
    await say(chat, WRONG_PIN);
    const old = textsOf(await answerTo(chat, shapes.pressing(chat, help?.data)));
    expect(old[0]).toContain(content.label('conversation/outdated'));
  });

  it('is told that a picture cannot be read', async () => {
    const chat = chatOf();
    const said = textsOf(await answerTo(chat, shapes.sendingPicture(chat)));
    expect(said.join()).toContain(content.label('conversation/wordless'));
  });
});

describe('an account of Teams', () => {
  it('is linked by the first sign-in, until the student wants to be forgotten; a revocation takes a fresh one', async () => {
    const student = shapes.newStudent();
    const [first, second] = [shapes.personal(world, student), shapes.mobile(world, student)];
    expect((await say(first, STATUS)).at(-1)).toContain('Logga in med knappen');
    expect((await say(first, await signIn(first, 'two-cards'))).join()).toContain('är aktivt');

    after(20);
    const shown = await answerTo(second, shapes.saying(second, STATUS));
    expect(textsOf(shown).join()).toContain('är aktivt');
    expect(linksOf(shown)).toEqual([]);
    const asked = await answerTo(second, shapes.saying(second, LOST));
    expect(textsOf(asked).at(-1)).toContain('Logga in med knappen');
    expect(linksOf(asked)).toHaveLength(1);

    await say(second, 'glöm mig');
    expect(await say(second, 'ja')).toContain(content.label('forgetting/forgotten'));
    const third = shapes.personal(world, student);
    expect((await say(third, STATUS)).at(-1)).toContain('Logga in med knappen');
    expect(await rowsOf(idOf(first))).toBe('');
  });

  it('shows nothing to another', async () => {
    const chat = shapes.personal(world);
    await say(chat, STATUS);
    await say(chat, await signIn(chat, 'reserve'));
    const other = shapes.personal(world);
    expect((await say(other, STATUS)).at(-1)).toContain('Logga in med knappen');
  });

  it('takes no code that was shown to somebody else', async () => {
    const [chat, other] = [shapes.personal(world), shapes.personal(world)];
    await say(chat, STATUS);
    await say(other, STATUS);
    expect((await say(other, await signIn(chat, 'active'))).join()).toContain('Koden stämmer inte');
  });
});

describe('a human', () => {
  /** By whom it is said, is said with it: to Teams it is all the bot’s. */
  const HUMANS = '**Anna:** Hej, jag är här nu.';

  it('takes over, writes to the student, and hands back', async () => {
    const { chat, id } = await waiting(WRONG_PIN);
    expect(textsOf(cameTo(chat)).join()).toContain(content.label('conversation/handedOver').split('\n')[0]);
    await act(id, 'claim');
    await eventually(() => textsOf(cameTo(chat)).find((each) => each.startsWith('Anna har tagit över')));
    expect(await say(chat, 'hallå?')).toEqual([]);
    await act(id, 'say', { key: 'k', text: 'Hej, jag är här nu.', seen: 99 });
    await eventually(() => (countOf(chat, HUMANS) > 0 ? true : undefined));
    await act(id, 'hand-back', { path: 'pin-locked', known: { hasPuk: false } });
    await eventually(() => textsOf(cameTo(chat)).find((each) => each.includes('PUK-kodbrev')));
    expect(countOf(chat, HUMANS)).toBe(1);
    expect((await say(chat, 'hur beställer jag kort?')).length).toBeGreaterThan(0);
  });

  it('is waited for no more when the bot is uninstalled, and nothing is sent there', async () => {
    const { chat, id } = await waiting();
    expect(await answerTo(chat, shapes.removingBot(chat))).toEqual([]);
    expect(await answerTo(chat, shapes.installing(chat, 'remove'))).toEqual([]);
    await eventually(async () => ((await casesNow()).includes(id) ? undefined : true));
    const { status } = await ask(service.origin, agent, `/cases/${id}/claim`, { body: {} });
    expect(status).not.toBe(200);
    expect(await rowOf(chat)).toMatchObject({ is_pushed: false, left: 0 });
  });
});

describe('the bot', () => {
  const orders = [
    ['added', 'installed', 'said'],
    ['added', 'said', 'installed'],
    ['installed', 'added', 'said'],
    ['installed', 'said', 'added'],
    ['said', 'added', 'installed'],
    ['said', 'installed', 'added'],
  ] as const;
  const arrivals = (chat: shapes.Chat, say: typeof shapes.saying) => ({
    added: shapes.addingBot(chat),
    installed: shapes.installing(chat),
    said: say(chat, 'duger körkort?'),
  });
  const welcomed = (chat: shapes.Chat, welcome: string) => {
    expect(countOf(chat, welcome)).toBe(1);
    expect(textsOf(cameTo(chat))[0]).toBe(welcome);
    expect(textsOf(cameTo(chat)).filter((each) => each.includes('körkort'))).toHaveLength(1);
  };

  it.each(orders)('welcomes once, and first: %s, %s, %s, and all of it sent again', async (...order) => {
    for (const [chat, welcome, say] of [
      [shapes.personal(world), WELCOME, shapes.saying],
      [shapes.group(world), WELCOME_AMONG_OTHERS, shapes.naming],
    ] as const) {
      const each = arrivals(chat, say);
      for (const name of [...order, ...order]) expect(await send(each[name])).toBe(200);
      // As Teams sends again what took too long: the same, under another id.
      expect(await send({ ...each.said, id: `again-${each.said.id}` })).toBe(200);
      welcomed(chat, welcome);
    }
  });

  it('welcomes once, whatever comes at the same time', async () => {
    const chat = shapes.personal(world);
    const { added, installed, said } = arrivals(chat, shapes.saying);
    const answers = await Promise.all([added, said, installed, added, said, installed].map(send));
    expect(answers).toEqual(Array(6).fill(200));
    welcomed(chat, WELCOME);
  });

  it('says nothing when somebody else comes, types, likes or has read', async () => {
    const chat = shapes.group(world);
    for (const each of [shapes.addingSomebody, shapes.typing, shapes.liking, shapes.readReceipt])
      expect(await answerTo(chat, each(chat))).toEqual([]);
    expect(await rowOf(chat)).toBeUndefined();
  });

  it('says nothing where it was taken away before it was ever there, or of what nobody has said', async () => {
    const chat = shapes.personal(world);
    const said = shapes.saying(chat, 'hej');
    for (const each of [shapes.removingBot(chat), shapes.deleting(chat, said), shapes.editing(chat, said, 'hej hej')])
      expect(await answerTo(chat, each)).toEqual([]);
    expect(await rowOf(chat)).toBeUndefined();
  });

  it('answers where it has been installed again, and welcomes nobody twice', async () => {
    const chat = shapes.personal(world);
    await say(chat, WRONG_PIN);
    await send(shapes.installing(chat, 'remove'));
    expect(await rowOf(chat)).toMatchObject({ is_pushed: false, left: 0 });
    expect(await answerTo(chat, shapes.installing(chat))).toEqual([]);
    expect((await say(chat, 'nej')).join()).toMatch(/PUK-kodbrev/);
    expect(countOf(chat, WELCOME)).toBe(1);
  });

  it('leaves whoever has blocked it alone, until they write again', async () => {
    const chat = shapes.personal(world);
    await say(chat, 'hej');
    connector.faultsIn.set(chat.conversation.id, { status: 403, code: 'MessageWritesBlocked' });
    expect(await say(chat, WRONG_PIN)).toEqual([]);
    await eventually(async () => ((await rowOf(chat))?.is_pushed === false ? true : undefined));
    connector.faultsIn.delete(chat.conversation.id);
    expect((await say(chat, 'nej')).join()).toMatch(/PUK-kodbrev/);
  });
});

describe.each(several)('in %s', (_where, chatOf) => {
  it('what is said to the bot by its name is answered, without the name', async () => {
    const chat = chatOf();
    const [welcome, ...rest] = await answerTo(chat, shapes.naming(chat, 'duger&nbsp;körkort?'));
    expect(welcome?.text).toBe(WELCOME_AMONG_OTHERS);
    expect(textsOf(rest).join()).toContain('körkort');
    const [row] = await database.run<{ said: { text: string } }>(
      { text: "select said from messages where conversation = $1 and author = 'student'" },
      [idOf(chat)],
    );
    expect(row?.said.text).toBe('duger körkort?');
  });

  it.each([STATUS, LOST, HUMAN])('nothing personal is said to “%s”, but where to write instead', async (text) => {
    const chat = chatOf();
    await nameIt(chat, 'hej');
    const answer = await answerTo(chat, shapes.naming(chat, text));
    expect(textsOf(answer)[0]).toContain(NOT_AMONG_OTHERS);
    expect(linksOf(answer)).toEqual([`https://teams.microsoft.com/l/chat/0/0?users=28:${microsoft.appId}`]);
    expect(textsOf(answer).join()).not.toMatch(/Logga in|Innan jag kan/);
    expect(await rowsOf(idOf(chat))).not.toContain('identity.verify');
    expect((await nameIt(chat, 'BCDF-GHJK')).join()).not.toMatch(/Koden/);
  });

  it('nobody becomes a case, or is signed in by their account', async () => {
    const before = await casesNow();
    const chat = chatOf();
    const student = shapes.newStudent();
    const own = shapes.personal(world, student);
    await say(own, STATUS);
    await say(own, await signIn(own, 'active'));
    const here = { ...chat, student };
    expect((await nameIt(here, STATUS)).join()).toContain(NOT_AMONG_OTHERS);
    await nameIt(here, HUMAN);
    expect((await casesNow()).filter((each) => !before.includes(each))).toEqual([]);
  });

  it('no account and no name of anybody is kept', async () => {
    const chat = chatOf();
    await send(shapes.addingBot(chat));
    await nameIt(chat, WRONG_PIN);
    await send(shapes.liking(chat));
    await nameIt({ ...chat, student: shapes.newStudent() }, 'nej');
    expect(await rowOf(chat)).toMatchObject({ account: null, is_shared: true });
    const rows = await rowsOf(idOf(chat));
    expect(rows).toContain('pin-trouble');
    for (const each of [chat.student.id, chat.student.aadObjectId, 'Andersson', '29:1'])
      expect(rows).not.toContain(each);
  });
});

describe('what was written', () => {
  it('is not heard again when it is changed, and the student is told what to do', async () => {
    const chat = shapes.personal(world);
    const said = shapes.saying(chat, WRONG_PIN);
    await send(said);
    const answer = textsOf(await answerTo(chat, shapes.editing(chat, said, LOST)));
    expect(answer[0]).toContain(content.label('conversation/edited'));
    expect(answer.join()).not.toContain('spärra');
    expect(await rowsOf(idOf(chat))).not.toContain(LOST);
    expect((await say(chat, 'nej')).join()).toMatch(/PUK-kodbrev/);
  });

  it('is nowhere any more when it is taken back: not in the rows, nor before an agent, nor to learn from', async () => {
    const chat = shapes.personal(world);
    const before = await casesNow();
    const said = shapes.saying(chat, 'xyzzy blombukett kvack');
    await send(said);
    await say(chat, HUMAN);
    const id = await eventually(async () => (await casesNow()).find((each) => !before.includes(each)));
    expect(await fileOf(id)).toContain('blombukett');
    const learned = await database.run({ text: 'select from lessons where conversation = $1' }, [idOf(chat)]);
    expect(learned).toHaveLength(1);
    expect(await answerTo(chat, shapes.deleting(chat, said))).toEqual([]);
    expect(await rowsOf(idOf(chat))).not.toMatch(/blombukett/i);
    const file = await fileOf(id);
    expect(file).not.toMatch(/blombukett/i);
    expect(file).toContain(content.label('conversation/takenBack'));
    expect(await answerTo(chat, said)).toEqual([]);
    expect(await rowsOf(idOf(chat))).not.toMatch(/blombukett/i);
  });

  it('is not answered again by a like', async () => {
    const chat = shapes.personal(world);
    await say(chat, WRONG_PIN);
    expect(await answerTo(chat, shapes.liking(chat))).toEqual([]);
    expect((await say(chat, 'nej')).join()).toMatch(/PUK-kodbrev/);
  });
});

describe('where a chat is reached', () => {
  it.each([
    ['a message', (chat: shapes.Chat) => shapes.saying(chat, 'hallå?')],
    ['an installation', (chat: shapes.Chat) => shapes.installing(chat)],
    ['a like', shapes.liking],
    ['somebody who types', shapes.typing],
    ['a message taken back', (chat: shapes.Chat) => shapes.deleting(chat, { id: '1' })],
    ['a message changed', (chat: shapes.Chat) => shapes.editing(chat, { id: '1' }, 'hej')],
  ])('is what %s has told last', async (_what, shape) => {
    const { chat, id } = await waiting();
    await act(id, 'claim');
    const elsewhere = await openConnector(microsoft);
    try {
      expect(await send(shape({ ...chat, serviceUrl: `${elsewhere.url}/` }))).toBe(200);
      await act(id, 'say', { key: 'k', text: 'Hej härifrån.', seen: 99 });
      await eventually(() => textsOf(cameTo(chat, elsewhere)).find((each) => each.endsWith('Hej härifrån.')));
      expect(textsOf(cameTo(chat)).join()).not.toContain('Hej härifrån.');
    } finally {
      elsewhere.close();
    }
  });
});

describe('whoever wants to be reminded', () => {
  it('is written to the day after, by another instance that has just been started', async () => {
    const chat = shapes.personal(world);
    await say(chat, 'påminn mig');
    expect((await say(chat, await signIn(chat, 'awaiting-handover'))).at(-1)).toContain(
      content.label('reminders/wanted'),
    );
    time = new Date('2026-11-24T09:00:00+01:00');
    // The one that is there has done it in this hour, and it is not asked for twice in one.
    await eventually(async () => {
      const text = `select from pg_tables where schemaname = 'pgboss' and tablename = 'job'`;
      return (await database.run({ text }, []))[0];
    });
    await database.run({ text: `delete from pgboss.job where name = 'reminders'` }, []);
    const another = await startOne();
    const reminder = await eventually(() =>
      textsOf(cameTo(chat)).find((text) => text.startsWith('Du bad mig påminna')),
    );
    expect(reminder).toContain('Södersjukhuset');
    await another.stop();
  });
});

describe('what is let in', () => {
  it('is of our own tenant, whatever else it is', async () => {
    const other = shapes.personal({ ...world, tenantId: '6b0f7f5e-2f0c-4a53-9d55-0f2a3c1d4e5f' });
    for (const each of [
      shapes.saying(other, 'hej'),
      shapes.addingBot(other),
      shapes.installing(other),
      shapes.liking(other),
    ])
      expect(await send(each)).toBe(403);
    expect(cameTo(other)).toEqual([]);
    expect(await rowOf(other)).toBeUndefined();
  });

  it.each<[string, object]>([
    ['a message without an id', { id: undefined }],
    ['entities that are no list', { entities: { mention: 1 } }],
    ['a conversation of a strange kind', { conversation: { id: 'a:1', conversationType: { toString: 1 } } }],
    ['a receiver that is none', { recipient: 7 }],
    ['a time that is none', { timestamp: {} }],
    ['a text that is none', { text: ['hej'] }],
  ])('can be read: not %s', async (_what, changes) => {
    const chat = shapes.personal(world);
    expect(await send({ ...shapes.saying(chat, 'hej'), ...changes })).toBe(400);
    expect(cameTo(chat)).toEqual([]);
  });

  it.each<[string, object]>([
    ['members that are no list', { type: 'conversationUpdate', membersAdded: { id: 'x' } }],
    ['an id that is missing where nothing is said', { type: 'messageDelete', id: null }],
    ['a locale that is none', { type: 'typing', locale: { a: 1 } }],
    ['names and topics that cannot be kept', { from: { id: '29:1', name: 'a\0' }, conversation: undefined }],
    ['a value that is a list', { text: undefined, value: [[]] }],
  ])('is heeded as far as it can be, with %s', async (_what, changes) => {
    const chat = shapes.personal(world);
    const odd = { ...shapes.saying(chat, 'hej'), ...changes };
    const conversation = { ...chat.conversation, name: 'a\0b\ud83d' };
    expect(await send({ ...odd, conversation } as Sent)).toBe(200);
  });
});
