import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Service } from '../../../../src/cli/serve.ts';
import { createDatabase } from '../../../database/database.ts';
import { content } from '../../../product.ts';
import { startService } from '../../../service.ts';
import { type Serving, startServing } from '../../../serving.ts';
import { type Client, clientOf, openStream } from './client.ts';

const SECRET = 'a-secret-of-more-than-thirty-two-characters';
const WRONG_PIN = { type: 'message', text: 'jag har slagit fel kod tre gånger' };

let service: Service | undefined;
let other: Serving | undefined;
let [client, elsewhere]: Client[] = [];
const here = (): Client => client ?? clientOf('');

beforeAll(async () => {
  const shared = { DATABASE_URL: await createDatabase(), DIRECT_LINE_SECRET: SECRET };
  service = await startService(shared);
  other = await startServing(shared, '--at', '2026-11-23T08:00');
  client = clientOf(service.origin);
  elsewhere = clientOf(other.origin);
});
afterAll(async () => {
  await Promise.all([service?.stop(), other?.stop()]);
});

describe('a conversation over Direct Line', () => {
  it('begins with a welcome, once, however often it is begun', async () => {
    const chat = await here().begin();
    const again = await here().request('/v3/directline/conversations', { method: 'POST', token: chat.token });
    expect(again.status).toBe(200);
    const { activities } = await here().after(chat);
    expect(activities.map(({ text }) => text)).toEqual([
      content.label('conversation/welcome'),
      content.label('conversation/listening'),
    ]);
  });

  it('gives back what was posted, under its client’s own id, before the answer', async () => {
    const chat = await here().begin();
    const { status, body } = await here().send(chat, { ...WRONG_PIN, channelData: { clientActivityID: 'mine' } });
    expect(status).toBe(200);
    const activities = await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    const [, , echo] = activities;
    expect(echo).toMatchObject({
      ...WRONG_PIN,
      id: body.id,
      from: { role: 'user' },
      channelData: { clientActivityID: 'mine' },
    });
  });

  it('takes a message that is posted again for the same one', async () => {
    const chat = await here().begin();
    const message = { ...WRONG_PIN, channelData: { clientActivityID: 'mine' } };
    const [first, second] = await Promise.all([here().send(chat, message), elsewhere?.send(chat, message)]);
    expect(second).toEqual(first);
    const activities = await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    expect(activities).toHaveLength(4);
  });

  it('gives back a client’s events, and answers none', async () => {
    const chat = await here().begin();
    const event = { type: 'event', name: 'webchat/join', channelData: { clientActivityID: 'e' } };
    expect((await here().send(chat, event)).status).toBe(200);
    expect((await here().after(chat, '2')).activities).toMatchObject([event]);
    expect((await here().send(chat, { type: 'typing' })).status).toBe(200);
    expect((await here().after(chat, '3')).activities).toEqual([]);
  });

  it('goes on after the last that was seen', async () => {
    const chat = await here().begin();
    const { watermark } = await here().after(chat);
    expect((await here().after(chat, watermark)).activities).toEqual([]);
    await here().send(chat, WRONG_PIN);
    await here().until(chat, content.label('pin-trouble/askingHasPuk'));
    const more = await elsewhere?.after(chat, watermark);
    expect(more?.activities.map(({ from }) => from.role)).toEqual(['user', 'bot']);
  });

  it('can be come back to by whoever has its return token, and by nobody else', async () => {
    const chat = await here().begin();
    expect(await here().token(chat.returnToken)).toMatchObject({ conversation: chat.conversation, isKnown: true });
    for (const token of [chat.token, `${chat.returnToken}x`, '', 'nonsense']) {
      const { conversation, isKnown } = await here().token(token);
      expect({ isKnown, isSame: conversation === chat.conversation }).toEqual({ isKnown: false, isSame: false });
    }
  });

  it('keeps no secret that was posted', async () => {
    const chat = await here().begin();
    await here().send(chat, { type: 'message', text: 'min pin är 4711 och jag heter 640823-3234' });
    const activities = await here().until(chat, 'Skriv inte personnummer, pinkod eller pukkod här. Jag behöver');
    expect(JSON.stringify(activities)).not.toMatch(/4711|640823/);
  });
});

describe('a stream', () => {
  it('sends what there is, and then what comes', async () => {
    const chat = await here().begin();
    const stream = await openStream(chat.streamUrl);
    expect((await stream.next()).activities).toHaveLength(2);
    await here().send(chat, WRONG_PIN);
    const seen = [];
    while (seen.length < 2) seen.push(...(await stream.next()).activities);
    expect(seen.map(({ from }) => from.role)).toEqual(['user', 'bot']);
    stream.close();
  });

  it('is told of what is written and answered in another process', async () => {
    const chat = await here().begin();
    const stream = await openStream(chat.streamUrl);
    await stream.next();
    await elsewhere?.send(chat, WRONG_PIN);
    const seen = [];
    while (seen.length < 2) seen.push(...(await stream.next()).activities);
    expect(seen.map(({ text }) => text)).toEqual([WRONG_PIN.text, content.label('pin-trouble/askingHasPuk')]);
    stream.close();
  });

  it('sends nothing again to a client that comes back', async () => {
    const chat = await here().begin();
    const stream = await openStream(chat.streamUrl);
    const { watermark } = await stream.next();
    stream.close();
    await here().send(chat, WRONG_PIN);
    const path = `/v3/directline/conversations/${chat.conversation}?watermark=${watermark}`;
    const { body } = await here().request(path, { token: chat.token });
    const again = await openStream(String(body.streamUrl));
    const seen = [];
    while (seen.length < 2) seen.push(...(await again.next()).activities);
    expect(seen.map(({ from }) => from.role)).toEqual(['user', 'bot']);
    again.close();
  });

  it.each([
    ['without a token', (url: string) => url.replace(/t=[^&]*/, 't=')],
    [
      'with a token for another conversation',
      (url: string, others: string) => url.replace(/t=[^&]*/, new URL(others).search.slice(1)),
    ],
    [
      'of a conversation that is not the token’s',
      (url: string, others: string) =>
        url.replace(/conversations\/[^/]+/, /conversations\/[^/]+/.exec(others)?.[0] ?? ''),
    ],
  ])('is not opened %s', async (_what, change) => {
    const [chat, others] = [await here().begin(), await here().begin()];
    await expect(openStream(change(chat.streamUrl, others.streamUrl))).rejects.toThrow('403');
  });

  it('is not opened for a page of somebody else’s', async () => {
    const { streamUrl } = await here().begin();
    await expect(openStream(streamUrl, { Origin: 'https://elsewhere.example' })).rejects.toThrow('403');
    const stream = await openStream(streamUrl, { Origin: service?.origin ?? '' });
    stream.close();
  });
});

describe('a request', () => {
  it.each([
    ['without a token', 401, () => undefined],
    ['with nonsense for a token', 403, () => 'nonsense'],
    ['with a token for something else', 403, (chat: { returnToken: string }) => chat.returnToken],
    ['with a token that nobody signed', 403, () => 'eyJhbGciOiJub25lIn0.eyJjb252IjoiYyIsInVzZXIiOiJ1In0.'],
  ])('%s is refused with %d', async (_what, status, tokenOf) => {
    const chat = await here().begin();
    const path = `/v3/directline/conversations/${chat.conversation}/activities`;
    expect((await here().request(path, { token: tokenOf(chat) })).status).toBe(status);
    expect((await here().request(path, { method: 'POST', token: tokenOf(chat), body: WRONG_PIN })).status).toBe(status);
    expect((await here().after(chat)).activities).toHaveLength(2);
  });

  it('for somebody else’s conversation is refused', async () => {
    const [chat, others] = [await here().begin(), await here().begin()];
    const path = `/v3/directline/conversations/${others.conversation}/activities`;
    expect((await here().request(path, { token: chat.token })).status).toBe(403);
  });

  it.each([
    ['nothing', undefined],
    ['something else than an activity', { text: 'hej' }],
    ['an unknown type', { type: 'invoke' }],
    ['a whole book', { type: 'message', text: 'x'.repeat(10_001) }],
    ['a number for a text', { type: 'message', text: 7 }],
    ['a list', [WRONG_PIN]],
  ])('with %s is refused, and the conversation goes on', async (_what, body) => {
    const chat = await here().begin();
    const path = `/v3/directline/conversations/${chat.conversation}/activities`;
    expect((await here().request(path, { method: 'POST', token: chat.token, body })).status).toBe(400);
    await here().send(chat, WRONG_PIN);
    await here().until(chat, content.label('pin-trouble/askingHasPuk'));
  });

  it('with something that is not JSON is refused, without a word of ours', async () => {
    const chat = await here().begin();
    const response = await fetch(
      `${service?.origin ?? ''}/v3/directline/conversations/${chat.conversation}/activities`,
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${chat.token}` },
        body: '{"type":"message","text":"min pin är 4711',
      },
    );
    expect(response.status).toBe(400);
    expect(await response.text()).not.toMatch(/4711|node_modules/);
  });

  it('to send a file is refused', async () => {
    const chat = await here().begin();
    const path = `/v3/directline/conversations/${chat.conversation}/upload`;
    expect(await here().request(path, { method: 'POST', token: chat.token })).toMatchObject({ status: 415 });
  });

  it('with the secret may begin conversations, and without it may not', async () => {
    const path = '/v3/directline/tokens/generate';
    const { status, body } = await here().request(path, { method: 'POST', token: SECRET });
    expect(status).toBe(200);
    const token = String(body.token);
    expect((await here().request('/v3/directline/conversations', { method: 'POST', token })).status).toBe(201);
    expect((await here().request(path, { method: 'POST', token: `${SECRET}x` })).status).toBe(403);
    expect((await here().request(path, { method: 'POST' })).status).toBe(403);
  });

  it('for a new token gets one for the same conversation', async () => {
    const chat = await here().begin();
    const { body } = await here().request('/v3/directline/tokens/refresh', { method: 'POST', token: chat.token });
    expect(body.conversationId).toBe(chat.conversation);
    expect((await here().after({ ...chat, token: String(body.token) })).activities).toHaveLength(2);
  });
});
