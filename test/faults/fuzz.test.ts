/**
 * Activities and Direct Line calls as nobody of sound mind would send them, made
 * from real ones by chance that can be had again. Each is answered, none with a
 * mistake of ours, and none tells of our insides or of somebody else's chat.
 */
import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Service } from '../../src/cli/serve.ts';
import { production } from '../product.ts';
import { startService } from '../service.ts';
import { type Connector, openConnector } from '../src/channels/bot-framework/connector.ts';
import { type Microsoft, openMicrosoft } from '../src/channels/bot-framework/microsoft.ts';
import { type Chat, type Client, clientOf } from '../src/channels/direct-line/client.ts';
import { isLong } from './built-product.ts';
import { createChance } from './chance.ts';

const COUNT = isLong ? 50_000 : 1_500;
const AT_ONCE = 16;
const SECRET = 'a word that only the other has written';

let [microsoft, connector]: [Microsoft, Connector] | [] = [];
let service: Service;
let client: Client;
let chats: Chat[];

beforeAll(async () => {
  microsoft = await openMicrosoft();
  connector = await openConnector(microsoft);
  const rates = { beginnings: 1_000_000, messages: 1_000_000, requests: 1_000_000 };
  service = await startService({ ...production, ...microsoft.environment }, { rates });
  client = clientOf(service.origin);
  const other = await client.begin();
  await client.send(other, { type: 'message', text: SECRET });
  chats = await Promise.all(Array.from({ length: 8 }, () => client.begin()));
}, 60_000);
afterAll(async () => {
  await service.stop();
  connector?.close();
  microsoft?.close();
});

const chance = createChance(9);
const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\udc00x',
  '\u202e',
  'x'.repeat(40_000),
  [],
  [[]],
  {},
  '{}',
  { toString: 1 },
  '../..',
  "'; select 1; --",
  '%00',
  '<at>',
  '{{x}}',
  '640823-3234',
  'pin 1234',
  '2026-13-99',
  'https://evil.example',
];
/** One of its parts is another, is gone, or is there many times; sometimes several. */
function spoiled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || chance.happens(0.1)) return chance.oneOf(ODD);
  if (Array.isArray(value))
    return [...(value as unknown[]), ...Array.from({ length: chance.below(50) }, () => chance.oneOf(ODD))];
  const entries = Object.entries(value);
  const place = chance.below(entries.length + 1);
  const changed = entries.flatMap(([name, part], at): [string, unknown][] =>
    at !== place ? [[name, part]] : chance.happens(0.2) ? [] : [[name, spoiled(part)]],
  );
  return Object.fromEntries([
    ...changed,
    ...(place === entries.length ? [[chance.oneOf(['__proto__', 'type', 'value', 'x']), chance.oneOf(ODD)]] : []),
  ]) as unknown;
}
const asJson = (value: unknown): string => {
  const text = JSON.stringify(value);
  const at = chance.below(text.length + 1);
  return chance.happens(0.1)
    ? `${text.slice(0, at)}${chance.oneOf(['', '"', '\\', '{', '\\u0000', '\\ud800'])}${text.slice(at + chance.below(3))}`
    : text;
};

const activity = () => ({
  type: chance.oneOf([
    'message',
    'message',
    'conversationUpdate',
    'messageUpdate',
    'messageDelete',
    'installationUpdate',
    'event',
  ]),
  id: randomUUID(),
  timestamp: '2026-11-23T07:00:00.000Z',
  channelId: 'msteams',
  serviceUrl: connector?.url ?? '',
  from: { id: '29:anna', aadObjectId: randomUUID() },
  recipient: { id: '28:bot' },
  conversation: { id: `a:${chance.below(20)}`, conversationType: 'personal', tenantId: microsoft?.tenantId },
  channelData: { tenant: { id: microsoft?.tenantId }, eventType: 'undeleteMessage' },
  entities: [{ type: 'mention', mentioned: { id: '28:bot' }, text: '<at>Kortlotsen</at>' }],
  membersAdded: [{ id: '28:bot' }],
  text: chance.oneOf(['hej', 'jag har tappat kortet', 'ja', 'avbryt', '18 feb 2020']),
  value: { kortlotsen: { says: 'Ja', under: 1 } },
});
const posted = () => ({
  type: chance.oneOf(['message', 'message', 'event', 'typing', 'endOfConversation']),
  text: chance.oneOf(['hej', 'jag har tappat kortet', 'nej', 'glöm mig', 'pin']),
  name: chance.oneOf(['handoff.initiate', 'handoff.status', 'x']),
  value: { state: 'completed', handBack: { path: 'lost-card', known: { hasCard: true }, agent: 'a' } },
  from: { id: 'x', role: chance.oneOf(['user', 'bot']) },
  localTimestamp: '2026-11-23T07:00:00.000Z',
  channelData: { clientActivityID: randomUUID() },
});

async function send(token: string): Promise<{ status: number; told: string }> {
  const isTeams = chance.happens(0.5);
  const chat = chance.oneOf(chats);
  const path = `/v3/directline/conversations/${chance.happens(0.9) ? chat.conversation : encodeURIComponent(chance.oneOf(['x', '\0', '__proto__', '..']))}/activities`;
  const isRead = !isTeams && chance.happens(0.2);
  const response = await fetch(
    `${service.origin}${isTeams ? '/api/messages' : path}${isRead ? `?watermark=${encodeURIComponent(chance.oneOf(['-', '1', '1e9', 'x', '\0']))}` : ''}`,
    {
      method: isRead ? 'GET' : 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${isTeams ? token : chat.token}` },
      ...(!isRead && { body: asJson(spoiled(isTeams ? activity() : posted())) }),
    },
  );
  return { status: response.status, told: await response.text() };
}

/** In megabytes, once all that nobody holds is gone. */
function usedMemory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const INSIDES = /\bat .*:\d+:\d+|node_modules|insert into|syntax error at|ECONNREFUSED/;

it(
  'whatever is sent is answered, without a mistake of ours, a word of our insides or of somebody else’s',
  async () => {
    const statuses = new Map<number, number>();
    const many = async (count: number) => {
      const token = (await microsoft?.sign({ serviceurl: connector?.url ?? '' })) ?? '';
      let left = count;
      const one = async (): Promise<void> => {
        while (left-- > 0) {
          const { status, told } = await send(token);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          expect(told).not.toMatch(INSIDES);
          expect(told).not.toContain(SECRET);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, one));
      connector?.taken.splice(0);
      connector?.requests.splice(0);
    };
    await many(COUNT / 3);
    const before = usedMemory();
    await many((2 * COUNT) / 3);
    if (isLong)
      process.stderr.write(
        `fuzzed ${COUNT}: ${JSON.stringify([...statuses])}, ${(usedMemory() - before).toFixed(1)} MB\n`,
      );
    expect([...statuses.keys()].filter((status) => status >= 500 && status !== 501)).toEqual([]);
    expect(usedMemory() - before).toBeLessThan(40);
  },
  isLong ? 3_600_000 : 120_000,
);
