/** Whose a conversation is, and that it is one's at a time. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import { createConversations, type World } from '../../../src/conversations/conversations.ts';
import { createDesk } from '../../../src/servicedesk/desk.ts';
import { content } from '../../product.ts';
import { database, deliveringWith, now, placeOf, say, worldOf } from '../conversations/world.ts';

const store = createPostgresStore(database);
const anna = { id: 'anna', name: 'Anna' };
const bo = { id: 'bo', name: 'Bo' };
const open = { at: () => ({ isOpen: true, next: undefined }) };
const closed = { at: () => ({ isOpen: false, next: { day: '2026-11-24', from: '7:30', to: '17:00' } as const }) };

function deskWith(changes: Partial<World> = {}) {
  const world = worldOf(store, { servicedesk: open, ...changes });
  const conversations = createConversations(world);
  const desk = createDesk({ database, conversations, content, now });
  return { desk, conversations, mistakes: world.mistakes };
}

/** A conversation in which a human was asked for. */
async function waiting(changes: Partial<World> = {}, ...texts: string[]) {
  const parts = deskWith(changes);
  const conversation = `test/${randomUUID()}`;
  await parts.conversations.open(placeOf(conversation));
  for (const text of texts) await say(parts.conversations, conversation, text);
  const handing = await say(parts.conversations, conversation, 'jag vill prata med en människa');
  const found = (await parts.desk.queue()).find((each) => each.conversation === conversation);
  return { ...parts, conversation, handing, id: found?.id ?? '', found };
}

const spokenIn = async ({ conversations, conversation }: Awaited<ReturnType<typeof waiting>>, after = 0) =>
  (await conversations.log(conversation, after)).map((each) =>
    each.author === 'student' ? 'student' : `${each.author} ${each.said.line ?? each.said.text}`,
  );

describe('a student who wants a human', () => {
  it('is handed over, and not answered by the bot from then on', async () => {
    const chat = await waiting({}, 'jag har tappat kortet');
    expect(chat.handing.requests).toEqual([
      { request: 'servicedesk.handoff', reference: `${chat.conversation}/handoff` },
    ]);
    expect(chat.handing.state).toBe('lost-card/askingWhereabouts');
    expect(chat.found).toMatchObject({ reason: 'asked', state: 'waiting', path: 'lost-card', unanswered: 0 });
    const { replies } = await say(chat.conversations, chat.conversation, 'hur beställer jag kort?');
    expect(replies).toEqual([]);
    expect((await chat.desk.file(chat.id, anna))?.unanswered).toBe(1);
    expect(chat.mistakes).toEqual([]);
  });

  it('can take the conversation back while nobody has it', async () => {
    const chat = await waiting();
    const { state, replies } = await say(chat.conversations, chat.conversation, 'avbryt');
    expect(state).toBe('conversation/listening');
    expect(replies).not.toEqual([]);
    expect(await chat.desk.file(chat.id, anna)).toBeUndefined();
    expect(await chat.desk.claim(chat.id, anna)).toBe('gone');
    expect((await say(chat.conversations, chat.conversation, 'hur beställer jag kort?')).replies).not.toEqual([]);
  });

  it('is then answered by the bot what they asked while they waited', async () => {
    const chat = await waiting();
    for (const text of ['hallå?', 'hur bokar jag tid för att hämta kortet?'])
      await say(chat.conversations, chat.conversation, text);
    await say(chat.conversations, chat.conversation, 'avbryt');
    expect(await spokenIn(chat)).toContain('bot pickup-booking/answer');
    expect(chat.mistakes).toEqual([]);
  });

  it('is told when the desk opens, is answered by the bot until then, and is taken by whoever comes', async () => {
    const chat = await waiting({ servicedesk: closed });
    expect(chat.handing.replies.map(({ text }) => text).join()).toContain('imorgon 7:30–17:00');
    expect(chat.found?.state).toBe('kept');
    expect((await say(chat.conversations, chat.conversation, 'hur beställer jag kort?')).replies).not.toEqual([]);
    expect(await chat.desk.claim(chat.id, anna)).toBe('claimed');
    expect((await say(chat.conversations, chat.conversation, 'hur beställer jag kort?')).replies).toEqual([]);
  });
});

describe('a case', () => {
  it('is had by the first who takes it', async () => {
    const { desk, id } = await waiting();
    expect((await Promise.all([desk.claim(id, anna), desk.claim(id, bo)])).sort()).toEqual(['claimed', 'taken']);
    expect(await desk.claim(id, anna)).toBe((await desk.file(id, anna))?.isYours ? 'claimed' : 'taken');
  });

  it('is written in by whoever has it, once, and by nobody else', async () => {
    const chat = await waiting();
    const { desk, id } = chat;
    const message = { key: 'k-1', text: 'Hej, jag tittar på det. 19900101-1234', seen: 99 };
    expect(await desk.say(id, anna, message)).toBe('notYours');
    await desk.claim(id, anna);
    expect(await desk.say(id, bo, message)).toBe('notYours');
    expect(await desk.say(id, anna, message)).toBe('said');
    expect(await desk.say(id, anna, message)).toBe('said');
    const said = (await spokenIn(chat)).filter((each) => each.startsWith('agent'));
    expect(said).toEqual(['agent Hej, jag tittar på det. [borttaget]']);
  });

  it.each([
    ['is pushed', true, 1],
    ['is fetched', false, 0],
  ])('is delivered where the channel %s as it has to be', async (_, isPushed, times) => {
    const { desk, conversations } = deskWith();
    const conversation = `test/${randomUUID()}`;
    const posted: string[] = [];
    const delivering = deliveringWith(conversations, (_address, { text }) => {
      posted.push(text);
      return Promise.resolve(undefined);
    });
    const { id } = await desk.openFor(anna, { ...placeOf(conversation), isPushed });
    await delivering(conversation);
    await desk.say(id, anna, { key: 'k', text: 'Hej från Anna', seen: 0 });
    await delivering(conversation);
    expect(posted.filter((text) => text === 'Hej från Anna')).toHaveLength(times);
  });

  it('has what was said in it once, also if that is asked again when the case is somebody else’s', async () => {
    const chat = await waiting();
    const { desk, id } = chat;
    await desk.claim(id, anna);
    const message = { key: 'k-1', text: 'Hej', seen: 99 };
    await desk.say(id, anna, message);
    await desk.release(id, anna);
    expect(await desk.say(id, anna, message)).toBe('said');
    expect(await desk.say(id, anna, { ...message, key: 'k-2' })).toBe('notYours');
    expect((await spokenIn(chat)).filter((each) => each.startsWith('agent'))).toEqual(['agent Hej']);
  });

  it('is unanswered in what was written after the last that the agent had seen', async () => {
    const { desk, id, conversations, conversation } = await waiting();
    await desk.claim(id, anna);
    await say(conversations, conversation, 'ett');
    const seen = (await desk.file(id, anna))?.log.at(-1)?.seq ?? 0;
    await say(conversations, conversation, 'två');
    await desk.say(id, anna, { key: 'k', text: 'Svar på ett', seen });
    expect((await desk.file(id, anna))?.unanswered).toBe(1);
  });

  it('goes back to the queue when its agent is not seen, and says so', async () => {
    const chat = await waiting();
    const { desk, id } = chat;
    await desk.claim(id, anna);
    await age(chat.conversation);
    expect(await desk.say(id, anna, { key: 'k', text: 'För sent', seen: 99 })).toBe('notYours');
    expect(await desk.handBack(id, anna, {})).toBe('notYours');
    await desk.lapse();
    expect((await desk.file(id, anna))?.state).toBe('waiting');
    expect((await spokenIn(chat)).at(-1)).toContain('desk Handläggaren är inte kvar');
    expect(await desk.claim(id, bo)).toBe('claimed');
  });

  it('stays with an agent who is seen', async () => {
    const { desk, id, conversation } = await waiting();
    await desk.claim(id, anna);
    await database.run({ text: "update conversations set lease_until = now() + interval '1 second' where id = $1" }, [
      conversation,
    ]);
    await desk.renew(anna);
    const [row] = await database.run<{ lasts: boolean }>(
      { text: "select lease_until > now() + interval '30 seconds' as lasts from conversations where id = $1" },
      [conversation],
    );
    expect(row?.lasts).toBe(true);
  });
});

describe('a conversation that is handed back', () => {
  it('goes on where the agent says, asks nothing of what they have told, and greets nobody', async () => {
    const chat = await waiting({}, 'hur hämtar jag kortet');
    const { desk, id } = chat;
    await desk.claim(id, anna);
    const before = (await desk.file(id, anna))?.log.at(-1)?.seq ?? 0;
    const known = { cardReady: true, photographed: true, photoSite: 'sodersjukhuset' } as const;
    expect(await desk.handBack(id, anna, { path: 'pickup-ready', known })).toBe('handedBack');
    expect(await spokenIn(chat, before)).toEqual([
      'bot conversation/handedBack',
      'bot photo-and-pickup/askingCodesArrived',
    ]);
    const { state } = await say(chat.conversations, chat.conversation, 'ja');
    expect(state).toBe('photo-and-pickup/collectAtSodersjukhuset');
    expect(chat.mistakes).toEqual([]);
  });

  it('answers what was written meanwhile, and takes none of it for an answer', async () => {
    const chat = await waiting({ proving: { way: 'known', person: 'nobody' } }, 'jag har tappat kortet');
    const { desk, id, conversations, conversation } = chat;
    for (const text of ['hallå', 'ja', 'hur bokar jag tid för att hämta kortet?'])
      await say(conversations, conversation, text);
    await desk.claim(id, anna);
    const before = (await desk.file(id, anna))?.log.at(-1)?.seq ?? 0;
    expect(await desk.handBack(id, anna, {})).toBe('handedBack');
    expect(await spokenIn(chat, before)).toEqual([
      'bot conversation/handedBack',
      'bot pickup-booking/answer',
      'bot conversation/listening',
      'bot conversation/wayBack',
    ]);
  });

  it('does not answer again what the agent has answered', async () => {
    const chat = await waiting();
    const { desk, id, conversations, conversation } = chat;
    await desk.claim(id, anna);
    await say(conversations, conversation, 'hur bokar jag tid för att hämta kortet?');
    const seen = (await desk.file(id, anna))?.log.at(-1)?.seq ?? 0;
    await desk.say(id, anna, { key: 'k', text: 'I bokningskalendern.', seen });
    await desk.handBack(id, anna, {});
    expect(await spokenIn(chat, seen + 1)).toEqual(['bot conversation/handedBack', 'bot conversation/listening']);
  });

  it('asks whether it helped, once, when the case is closed', async () => {
    const chat = await waiting({}, 'hur bokar jag tid för att hämta kortet?');
    await chat.desk.claim(chat.id, anna);
    expect(await chat.desk.close(chat.id, anna, 'resolved')).toBe('closed');
    expect((await spokenIn(chat)).slice(-2)).toEqual(['bot conversation/caseIsClosed', 'bot conversation/didItHelp']);
    await say(chat.conversations, chat.conversation, 'nej');
    expect((await spokenIn(chat)).at(-1)).toBe('bot conversation/notHelped');
    const [lesson] = await database.run<{ kind: string; wish: string }>(
      { text: 'select kind, wish from lessons where conversation = $1' },
      [chat.conversation],
    );
    expect(lesson).toEqual({ kind: 'notHelped', wish: 'pickup-booking' });
    await say(chat.conversations, chat.conversation, 'tack');
    expect((await spokenIn(chat)).at(-1)).toBe('bot conversation/thanks');
  });
});

describe('the brief', () => {
  it('tells what was wanted, what is known and from whom, and what the bot has said by which rules', async () => {
    const { desk, id } = await waiting({}, 'mitt kort är klart att hämta, jag fotade mig på sös');
    const file = await desk.file(id, anna);
    expect(file?.brief).toMatchObject({ wish: 'pickup-where', isProved: false, cards: [] });
    expect(file?.brief.known).toContainEqual({ fact: 'photoSite', value: 'sodersjukhuset', from: 'student' });
  });

  it('says nowhere that somebody’s data are protected, but in their own words', async () => {
    const { desk, id } = await waiting({}, 'jag har skyddad identitet, hur gör jag?');
    const file = await desk.file(id, anna);
    expect(file?.reason).toBe('asked');
    expect(JSON.stringify({ ...file, log: [] })).not.toMatch(/protected|skydd|R22/i);
  });
});

describe('a conversation that an agent opens', () => {
  it('is theirs from the start', async () => {
    const { desk, conversations } = deskWith();
    const conversation = `test/${randomUUID()}`;
    const { id } = await desk.openFor(anna, placeOf(conversation));
    expect((await desk.file(id, anna))?.isYours).toBe(true);
    expect((await say(conversations, conversation, 'hej')).replies).toEqual([]);
  });
});

async function age(conversation: string): Promise<void> {
  await database.run({ text: "update conversations set lease_until = now() - interval '1 second' where id = $1" }, [
    conversation,
  ]);
}
