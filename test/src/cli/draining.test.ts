/** A stop, as whoever leads requests to several processes sees it, and whoever has a chat open. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { isLong } from '../../faults/built-product.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';
import { type Serving, startServing } from '../../serving.ts';
import { clientOf, openStream } from '../channels/direct-line/client.ts';

const ASKING = content.label('pin-trouble/askingHasPuk');
const WRONG_PIN = { type: 'message', text: 'jag har slagit fel kod tre gånger' };

let url: string;
const started: Serving[] = [];

beforeEach(async () => {
  url = await createDatabase();
});
afterEach(() => {
  for (const each of started.splice(0)) each.process.kill('SIGKILL');
});

async function start(environment: Record<string, string> = {}): Promise<Serving> {
  const serving = await startServing({ DATABASE_URL: url, ...environment });
  started.push(serving);
  return serving;
}

const health = async ({ origin }: Serving) => {
  const response = await fetch(`${origin}/health`);
  const { status } = (await response.json()) as { status: string };
  return { code: response.status, status };
};

describe('a process that is asked to stop', () => {
  it('says so first and goes on answering, but begins nothing that lasts; then its streams go elsewhere', async () => {
    const [leaving, staying] = await Promise.all([start({ KORTLOTSEN_DRAIN_SECONDS: '3' }), start()]);
    const client = clientOf(leaving.origin);
    const chat = await client.begin();
    const stream = await openStream(chat.streamUrl);
    const stopped = leaving.stop();
    await until(async () => (await health(leaving)).status === 'draining');
    expect(await health(leaving)).toEqual({ code: 503, status: 'draining' });
    expect((await health(staying)).code).toBe(200);

    const page = await fetch(leaving.origin);
    expect({ status: page.status, connection: page.headers.get('connection') }).toEqual({
      status: 200,
      connection: 'close',
    });
    await client.send(chat, WRONG_PIN);
    const seen: (string | undefined)[] = [];
    while (!seen.includes(ASKING)) seen.push(...(await stream.next()).activities.map(({ text }) => text));
    await expect(openStream(chat.streamUrl)).rejects.toThrow('503');
    const events = await fetch(`${leaving.origin}/servicedesk/events`, { headers: { Accept: 'text/event-stream' } });
    expect({ status: events.status, after: events.headers.get('retry-after') }).toEqual({ status: 503, after: '1' });

    expect(await stream.closed).toBe(1_001);
    const again = await openStream(chat.streamUrl.replace(leaving.origin.slice(4), staying.origin.slice(4)));
    expect((await again.next()).activities.map(({ text }) => text)).toContain(ASKING);
    again.close();
    expect(await stopped).toBe(0);
  });

  it('and that finishes nothing, ends at once when it is asked again', async () => {
    const serving = await start({ KORTLOTSEN_DRAIN_SECONDS: '300' });
    const ended = once(serving.process, 'close');
    serving.process.kill('SIGTERM');
    await until(async () => (await health(serving)).status === 'draining');
    serving.process.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
  });

  // It takes the ten seconds that it is given.
  (isLong ? it : it.skip)('leaves to another what it cannot finish in time, and ends well', async () => {
    const [leaving, staying] = await Promise.all([start(), start()]);
    const client = clientOf(leaving.origin);
    const chat = await client.begin();
    const holder = new Client(url);
    await holder.connect();
    await holder.query('begin; lock table requests in access exclusive mode');
    const sent = await client.send(chat, WRONG_PIN);
    expect(await leaving.stop()).toBe(0);
    await holder.query('rollback');
    await holder.end();
    expect(sent.status).toBe(200);
    await clientOf(staying.origin).until(chat, ASKING);
    const database = await openTestDatabase(url);
    const answers = "select answers from messages where author = 'bot' and answers is not null";
    expect(await database.run({ text: answers }, [])).toHaveLength(1);
    await database.close();
  });
});

/** Asks until it is so; the test's own time limit is the end of it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo().catch(() => false))) await new Promise((resolve) => setImmediate(resolve));
}
