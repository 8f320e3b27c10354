/** The servicedesk's channel in Teams: one card for each case that waits, which tells how it stands and nothing of whom. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createBotFramework } from '../../../src/channels/bot-framework/adapter.ts';
import { createConversations } from '../../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import { createChannelCards } from '../../../src/servicedesk/channel-cards.ts';
import { createDesk, type Desk } from '../../../src/servicedesk/desk.ts';
import { readSettings } from '../../../src/settings.ts';
import type { Database } from '../../../src/storage/database.ts';
import { type Connector, openConnector } from '../channels/bot-framework/connector.ts';
import { type Microsoft, openMicrosoft } from '../channels/bot-framework/microsoft.ts';
import { now, placeOf, say, worldOf } from '../conversations/world.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';

const CHANNEL = '19:desk@thread.tacv2';
const anna = { id: 'a-1', name: 'Anna' };
const bo = { id: 'b-2', name: 'Bo' };
const label = (name: string, facts?: Record<string, string>) => content.label(`desk-channel/${name}`, facts);

let database: Database;
let microsoft: Microsoft;
let connector: Connector;
let mistakes: unknown[];
let conversations: ReturnType<typeof createConversations>;
let desk: Desk;

beforeEach(async () => {
  database = await openTestDatabase(await createDatabase());
  microsoft = await openMicrosoft();
  connector = await openConnector(microsoft);
  mistakes = [];
  const open = { at: () => ({ isOpen: true, next: undefined }) };
  conversations = createConversations(worldOf(createPostgresStore(database), { servicedesk: open }));
  let minutes = 0;
  desk = createDesk({ database, conversations, content, now: () => new Date(now().getTime() + 60_000 * ++minutes) });
});
afterEach(async () => {
  await database.close();
  connector.close();
  microsoft.close();
});

/** What one process does of it. */
function process() {
  const onMistake = (mistake: unknown) => void mistakes.push(mistake);
  const bot = createBotFramework({
    conversations,
    content,
    bot: readSettings(microsoft.environment).bot,
    isOpenHere: false,
    onDelivery: () => undefined,
    onMistake,
  });
  const channel = bot.channel(CHANNEL, connector.url);
  return createChannelCards({ database, content, channel, linkTo: (id) => `https://desk/${id}`, onMistake });
}

async function waiting(...texts: string[]): Promise<{ id: string; conversation: string }> {
  const conversation = `test/${randomUUID()}`;
  await conversations.open(placeOf(conversation));
  for (const text of texts) await say(conversations, conversation, text);
  await say(conversations, conversation, 'jag vill prata med en människa');
  const found = (await desk.queue()).find((each) => each.conversation === conversation);
  return { id: found?.id ?? '', conversation };
}

type Sent = { activity?: Sent; attachments?: { content: CardShown }[]; channelData?: unknown; isGroup?: boolean };
type CardShown = {
  version: string;
  body: { text?: string; facts?: { value: string }[] }[];
  actions?: { url: string }[];
};
/** What has been shown, in order: where, the title, the facts, and where the button leads. */
const shown = () =>
  connector.taken.map((sent, nth) => {
    const { activity = sent } = sent as Sent;
    const [card] = (activity as Sent).attachments ?? [];
    const [title, ...rest] = card?.content.body ?? [];
    return [
      connector.requests[nth]?.replace('19%3Achannel%40thread.tacv2%3Bmessageid%3D', 'thread ') ?? '',
      title?.text,
      rest.flatMap(({ facts = [] }) => facts.map(({ value }) => value)).slice(-2),
      ...(card?.content.actions ?? []).map(({ url }) => url),
    ];
  });
/** The database's own clock tells when it is tried again. */
const later = () => database.run({ text: "update case_cards set due_at = now() - interval '1 s'" }, []);

describe('a case that waits', () => {
  it('has one card in the channel, posted by the bot, which leads whoever takes it to the case', async () => {
    const { id } = await waiting('jag har tappat kortet');
    const cards = process();
    await cards.run();
    await cards.run();
    const reason = content.label('servicedesk/reason.asked');
    const about = content.label('servicedesk/path.lost-card');
    expect(shown()).toEqual([['POST /v3/conversations', label('waits'), [reason, about], `https://desk/${id}`]]);
    expect(connector.taken[0]).toMatchObject({ isGroup: true, channelData: { channel: { id: CHANNEL } } });
    expect(mistakes).toEqual([]);
  });

  it('has one card though two processes look at once', async () => {
    await Promise.all([waiting(), waiting(), waiting()]);
    const [one, other] = [process(), process()];
    await Promise.all([one.run(), other.run(), one.run(), other.run()]);
    expect(shown()).toHaveLength(3);
  });

  it('shows who has taken it, when the first has, and to whoever comes too late', async () => {
    const { id } = await waiting();
    const cards = process();
    await cards.run();
    expect(await Promise.all([desk.claim(id, anna), desk.claim(id, bo)])).toEqual(
      expect.arrayContaining(['claimed', 'taken']),
    );
    const [taken] = await desk.queue();
    await cards.run();
    await cards.run();
    const [, last, ...more] = shown();
    expect(last?.slice(0, 2)).toEqual([
      'PUT /v3/conversations/thread 1/activities/1',
      label('taken', { agent: taken?.agent?.name ?? '' }),
    ]);
    expect(last?.[3]).toBeUndefined();
    expect(more).toEqual([]);
  });

  it('waits again on the same card when it is left, or nobody is seen at it', async () => {
    const { id } = await waiting();
    const cards = process();
    await cards.run();
    await desk.claim(id, anna);
    await cards.run();
    await desk.release(id, anna);
    await cards.run();
    await desk.claim(id, bo);
    await cards.run();
    await database.run({ text: "update conversations set lease_until = now() - interval '1 s' where open_case = $1" }, [
      id,
    ]);
    await desk.lapse();
    await cards.run();
    expect(shown().map(([, title]) => title)).toEqual([
      label('waits'),
      label('taken', { agent: 'Anna' }),
      label('waitsAgain'),
      label('taken', { agent: 'Bo' }),
      label('waitsAgain'),
    ]);
    expect(shown().at(-1)?.[3]).toBe(`https://desk/${id}`);
  });

  it.each<[string, (id: string, conversation: string) => Promise<unknown>]>([
    ['the student takes it back', (_, conversation) => say(conversations, conversation, 'avbryt')],
    [
      'the student is forgotten',
      async (_, conversation) => {
        await say(conversations, conversation, 'glöm mig');
        return say(conversations, conversation, 'ja');
      },
    ],
    ['the student has removed the bot', (_, conversation) => conversations.leave(conversation)],
    [
      'an agent has handed it back',
      async (id) => {
        await desk.claim(id, anna);
        return desk.handBack(id, anna, {});
      },
    ],
    [
      'an agent has closed it',
      async (id) => {
        await desk.claim(id, anna);
        return desk.close(id, anna, 'resolved');
      },
    ],
  ])('says only that it waits no more, once %s, and is remembered no more', async (_how, end) => {
    const { id, conversation } = await waiting();
    const cards = process();
    await cards.run();
    await end(id, conversation);
    await cards.run();
    await cards.run();
    expect(shown().slice(1)).toEqual([['PUT /v3/conversations/thread 1/activities/1', label('over'), []]]);
    expect(await database.run({ text: 'select from case_cards' }, [])).toEqual([]);
  });

  it('has no card, if it is over or taken before there was one', async () => {
    const [over, taken] = [await waiting(), await waiting()];
    connector.faults.push(503, 503);
    const cards = process();
    await cards.run();
    await say(conversations, over.conversation, 'avbryt');
    await desk.claim(taken.id, anna);
    await later();
    await cards.run();
    expect(shown()).toEqual([]);
    await desk.release(taken.id, anna);
    await cards.run();
    expect(shown().map(([, title]) => title)).toEqual([label('waitsAgain')]);
  });

  it('has no card if it was opened for somebody who has phoned', async () => {
    await desk.openFor(anna, placeOf(`test/${randomUUID()}`));
    await process().run();
    expect(shown()).toEqual([]);
  });

  it('tells nothing of whom it is, of what was written, or that data are protected', async () => {
    await waiting('jag heter Frida Fiktiv', '19990101-2384', 'kortet 4711 är borta');
    await waiting('jag har skyddade personuppgifter');
    await process().run();
    const sent = JSON.stringify(connector.taken);
    expect(shown()).toHaveLength(2);
    for (const secret of ['Frida', '1999', '4711', 'skydd', 'protected', 'borta', 'test/'])
      expect(sent).not.toContain(secret);
  });
});

describe('a channel that does not take a card', () => {
  it.each([
    ['for too many', { status: 429, retryAfter: '7' }],
    ['for too many, without saying how long', 429],
    ['just now', 503],
    ['and does not answer', 'cutBefore'],
  ] as const)('%s gets it later, once', async (_why, fault) => {
    await waiting();
    const cards = process();
    connector.faults.push(fault);
    await cards.run();
    await cards.run();
    expect(shown()).toEqual([]);
    const [row] = await database.run<{ attempts: number; wait: number }>(
      { text: 'select attempts, extract(epoch from due_at - now())::float as wait from case_cards' },
      [],
    );
    expect(row?.attempts).toBe(1);
    if (typeof fault === 'object') expect(row?.wait).toBeGreaterThan(6);
    await later();
    await cards.run();
    expect(shown().map(([, title]) => title)).toEqual([label('waits')]);
    expect(mistakes).toEqual([]);
  });

  it('since the bot is not in it is told of in plain words, and keeps nobody from the case', async () => {
    const { id } = await waiting();
    const cards = process();
    connector.faults.push({ status: 403, code: 'BotNotInConversationRoster' });
    await cards.run();
    await cards.run();
    expect(mistakes.map(String)).toEqual([expect.stringContaining('SERVICEDESK_TEAMS_CHANNEL')]);
    expect(await desk.claim(id, anna)).toBe('claimed');
  });

  it('is tried by the next process, when the first has died at it', async () => {
    await waiting();
    await process().run();
    await database.run(
      {
        text: "update case_cards set shown = null, conversation = null, activity = null, busy_until = now() + interval '9 s'",
      },
      [],
    );
    await process().run();
    expect(shown()).toHaveLength(1);
    await database.run({ text: "update case_cards set busy_until = now() - interval '1 s'" }, []);
    await process().run();
    expect(shown()).toHaveLength(2);
  });
});
