/** A button says its words only while what it stands under is the last that was said. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Conversations, createConversations } from '../../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import { createDesk } from '../../../src/servicedesk/desk.ts';
import { content } from '../../product.ts';
import {
  conversationsOf,
  database,
  demonstrationLedger,
  now,
  personOf,
  placeOf,
  say,
  stores,
  worldOf,
} from './world.ts';

describe.each(stores)('a button, of conversations %s', (_, newStore) => {
  const newId = () => `test/${randomUUID()}`;
  const press = async (conversations: Conversations, conversation: string, text: string, button: number) => {
    const message = { ...placeOf(conversation), id: randomUUID(), text, button };
    return (await conversations.accept(message)).answered;
  };
  const lastOf = async (conversations: Conversations, conversation: string) =>
    (await conversations.log(conversation, 0)).findLast(({ author }) => author === 'bot')?.seq ?? 0;

  /** Somebody who is asked whether the card that is theirs is to be revoked, and what they pressed to come there. */
  async function confirming(store = newStore(), ledger = demonstrationLedger()) {
    const [conversations, id] = [conversationsOf(store, { ledger }), newId()];
    await conversations.open(placeOf(id), personOf('active'));
    const first = await lastOf(conversations, id);
    expect((await say(conversations, id, 'någon har snott kortet')).state).toBe('lost-card/confirming');
    return { store, ledger, conversations, id, first, last: await lastOf(conversations, id) };
  }

  it('is heard as its words', async () => {
    const { conversations, id, last } = await confirming();
    const { heard, state } = await press(conversations, id, 'nej', last);
    expect(heard).toEqual(['no']);
    expect(state).not.toBe('lost-card/confirming');
  });

  it('that is old decides nothing, above all no revocation, and what is asked now is asked again', async () => {
    const { conversations, id, first } = await confirming();
    const { heard, state, requests, replies } = await press(conversations, id, 'ja', first);
    expect(heard).toEqual(['outdated']);
    expect([state, requests]).toEqual(['lost-card/confirming', []]);
    expect(replies.map(({ text }) => text)).toHaveLength(2);
  });

  it('that never was, decides nothing either', async () => {
    const { conversations, id, last } = await confirming();
    for (const button of [last + 1, last - 1, 2_147_483_647]) {
      expect((await press(conversations, id, 'ja', button)).heard).toEqual(['outdated']);
    }
  });

  it('that is pressed twice, also at another process, says yes once', async () => {
    const { store, ledger, conversations, id, last } = await confirming();
    const other = conversationsOf(store, { ledger });
    const all = await Promise.all([
      press(conversations, id, 'ja', last),
      press(other, id, 'ja', last),
      press(conversations, id, 'ja', last),
    ]);
    await conversations.idle();
    await other.idle();
    const revoked = (await conversations.log(id, 0)).filter(
      (entry) => entry.author === 'bot' && entry.said.receipt !== undefined,
    );
    expect(revoked).toHaveLength(1);
    expect(all.flatMap(({ heard }) => heard).filter((each) => each === 'yes').length).toBeLessThanOrEqual(1);
  });

  it('is the student’s own words to whoever reads along', async () => {
    const { conversations, id, last } = await confirming();
    await press(conversations, id, 'nej', last);
    expect((await conversations.log(id, 0)).flatMap((entry) => ('text' in entry ? [entry.text] : []))).toContain('nej');
  });
});

describe('an old button, while a human has the conversation or is waited for', () => {
  const anna = { id: 'anna', name: 'Anna' };

  it.each([
    ['queue', 'avbryt'],
    ['queue', 'börja om'],
    ['queue', 'logga ut'],
    ['queue', 'glöm mig'],
    ['agent', 'logga ut'],
    ['agent', 'glöm mig'],
  ])('commands nothing: %s, “%s”', async (speaker, text) => {
    const servicedesk = { at: () => ({ isOpen: true, next: undefined }) };
    const conversations = createConversations(worldOf(createPostgresStore(database), { servicedesk }));
    const desk = createDesk({ database, conversations, content, now });
    const id = `test/${randomUUID()}`;
    await say(conversations, id, 'jag vill prata med en människa');
    const waiting = (await desk.queue()).find(({ conversation }) => conversation === id)?.id ?? '';
    if (speaker === 'agent') expect(await desk.claim(waiting, anna)).toBe('claimed');
    const { answered } = await conversations.accept({ ...placeOf(id), id: randomUUID(), text, button: 1 });
    expect((await answered).heard).toEqual([]);
    expect((await desk.file(waiting, anna))?.log.at(-1)).toMatchObject({ author: 'student', text });
    expect((await say(conversations, id, text)).heard).not.toEqual([]);
    expect(await desk.file(waiting, anna)).toBeUndefined();
  });
});

describe.each(stores)('what is taken back, of conversations %s', (_, newStore) => {
  it('is not answered, where it was not yet, and stands nowhere', async () => {
    const [conversations, id] = [conversationsOf(newStore()), `test/${randomUUID()}`];
    await say(conversations, id, 'jag heter Frida Fiktiv', 'm-1');
    await conversations.unsay(id, 'm-1');
    expect(JSON.stringify(await conversations.log(id, 0))).not.toContain('Frida');
    const { seq } = await conversations.accept({ ...placeOf(id), id: 'm-1', text: 'jag heter Frida Fiktiv' });
    expect(seq).toBe(1);
    expect(JSON.stringify(await conversations.log(id, 0))).not.toContain('Frida');
  });
});
