/** `/api/messages`, from HTTP to HTTP: botbuilder's own adapter, and a connector that takes the replies. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Service } from '../../../../src/cli/serve.ts';
import { createDatabase } from '../../../database/database.ts';
import { content, production } from '../../../product.ts';
import { startService } from '../../../service.ts';
import { type Connector, openConnector } from './connector.ts';

const WRONG_PIN = 'jag har slagit fel kod tre gånger';
const ASKING = content.label('pin-trouble/askingHasPuk');

let service: Service;
let connector: Connector;
let url: string;

beforeAll(async () => {
  url = await createDatabase();
  service = await startService({ DATABASE_URL: url });
});
afterAll(() => service.stop());
beforeEach(async () => {
  connector = await openConnector();
});
afterEach(() => {
  connector.close();
});

async function post(activity: unknown): Promise<number> {
  const response = await fetch(`${service.origin}/api/messages`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(activity),
  });
  await response.text();
  return response.status;
}

const messageIn = (conversation: string, text: string, more: object = {}) => ({
  type: 'message',
  id: randomUUID(),
  timestamp: new Date().toISOString(),
  channelId: 'test',
  serviceUrl: connector.url,
  from: { id: 'anna' },
  recipient: { id: 'kortlotsen' },
  conversation: { id: conversation },
  text,
  ...more,
});

const texts = () => connector.taken.map(({ text }) => text);

describe('a message to the bot', () => {
  it('is answered through the connector, after a welcome, in order', async () => {
    const conversation = randomUUID();
    expect(await post(messageIn(conversation, WRONG_PIN))).toBe(200);
    expect(texts()).toEqual([content.label('conversation/welcome'), content.label('conversation/listening'), ASKING]);
    expect(connector.taken.at(-1)?.suggestedActions?.actions.map(({ title }) => title)).toContain('Ja');
    expect(await post(messageIn(conversation, 'nej'))).toBe(200);
    expect(texts().at(-1)).toMatch(/PUK-kodbrev/);
  });

  it('is answered once, though it is sent again under a new id with the same text and time', async () => {
    const message = messageIn(randomUUID(), WRONG_PIN);
    await Promise.all([post(message), post({ ...message, id: randomUUID() }), post(message)]);
    await post({ ...message, id: randomUUID() });
    expect(texts().filter((text) => text === ASKING)).toHaveLength(1);
  });

  it('is answered twice when it is said twice', async () => {
    const message = messageIn(randomUUID(), 'duger körkort?', { timestamp: '2026-11-23T08:00:00.000Z' });
    await post(message);
    await post({ ...message, id: randomUUID(), timestamp: '2026-11-23T08:00:00.001Z' });
    expect(connector.taken.filter(({ entities }) => entities?.length === 1)).toHaveLength(2);
  });

  it.each([
    ['nothing', {}],
    [
      'no sender',
      { ...{ type: 'message', channelId: 'test', conversation: { id: 'c' } }, serviceUrl: 'http://localhost' },
    ],
    ['a text that is none', { text: 7 }],
    ['an id with a null in it', { id: 'a\0b' }],
    ['a list', []],
  ])('with %s is refused', async (_what, broken) => {
    const isWhole = Array.isArray(broken) || Object.keys(broken).length !== 1;
    expect(await post(isWhole ? broken : { ...messageIn(randomUUID(), 'hej'), ...broken })).toBe(400);
    expect(connector.taken).toEqual([]);
  });

  it('that wants its answer sent elsewhere than to this machine is refused, since nobody has proved who they are', async () => {
    expect(await post(messageIn(randomUUID(), 'hej', { serviceUrl: 'https://elsewhere.example/' }))).toBe(403);
    expect(connector.taken).toEqual([]);
  });
});

describe('a reply that the connector does not take', () => {
  it('is delivered later, and what comes after it only then', async () => {
    const conversation = randomUUID();
    await post(messageIn(conversation, WRONG_PIN));
    connector.faults.push(...Array.from({ length: 8 }, () => 503));
    await post(messageIn(conversation, 'duger körkort?'));
    await post(messageIn(conversation, 'nej'));
    expect(texts()).toHaveLength(3);
    connector.faults.length = 0;
    await connector.until(6);
    const [answer, asked, last] = texts().slice(3);
    expect(answer).toContain('körkort');
    expect(asked).toContain(ASKING);
    expect(last).toMatch(/PUK-kodbrev/);
  });

  it('is delivered by the next process, when this one has stopped', async () => {
    const conversation = randomUUID();
    await post(messageIn(conversation, 'hej'));
    connector.faults.push(...Array.from({ length: 8 }, () => 503));
    await post(messageIn(conversation, 'duger körkort?'));
    await service.stop();
    connector.faults.length = 0;
    service = await startService({ DATABASE_URL: url });
    await connector.until(4);
    expect(texts().at(-1)).toContain('körkort');
  });
});

describe('in production', () => {
  const app = '7c1f9a52-6f0e-4c3e-9f0a-5a1b2c3d4e5f';

  it('without an app id the door is closed', async () => {
    await service.stop();
    service = await startService(production);
    expect(await post(messageIn(randomUUID(), 'hej'))).toBe(403);
  });

  it('with one it opens to nobody who proves nothing', async () => {
    await service.stop();
    const credentials = { MicrosoftAppId: app, MicrosoftAppTenantId: app, MicrosoftAppPassword: 'secret' };
    service = await startService({ ...production, ...credentials });
    expect(await post(messageIn(randomUUID(), 'hej'))).toBe(401);
    expect(connector.taken).toEqual([]);
  });
});
