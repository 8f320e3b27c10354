/** What one process tells the others, and what becomes of it when they do not hear it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Service } from '../../../src/cli/serve.ts';
import { admin, createDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';
import { startService } from '../../service.ts';
import { clientOf, openStream } from '../channels/direct-line/client.ts';
import { sessionOf, studentWhoWaits } from '../servicedesk/agents.ts';

const ASKING = content.label('pin-trouble/askingHasPuk');
const WRONG_PIN = { type: 'message', text: 'jag har slagit fel kod tre gånger' };

let url: string;
let services: Service[] = [];
const origin = (nth: number) => services[nth]?.origin ?? '';

beforeAll(async () => {
  url = await createDatabase();
  services = await Promise.all([1, 2].map(() => startService({ DATABASE_URL: url })));
});
afterAll(() => Promise.all(services.map((service) => service.stop())));

/** Nobody hears anything for a second, as when PostgreSQL has been started anew. */
const deafen = () =>
  admin(`select pg_terminate_backend(pid) from pg_stat_activity
    where query = 'listen "kortlotsen"' and datname = '${new URL(url).pathname.slice(1)}'`);

describe('news of another process that is lost', () => {
  it('is made good within seconds to a student whose chat is open', async () => {
    const chat = await clientOf(origin(0)).begin();
    const stream = await openStream(chat.streamUrl);
    await stream.next();
    await deafen();
    await clientOf(origin(1)).send(chat, WRONG_PIN);
    const seen: (string | undefined)[] = [];
    while (!seen.includes(ASKING)) seen.push(...(await stream.next()).activities.map(({ text }) => text));
    stream.close();
  });

  it('is made good within seconds to an agent whose page is open, both of the queue and of a case', async () => {
    const anna = await sessionOf(origin(0), 'agent-anna');
    const pages = new AbortController();
    const events = await fetch(`${origin(0)}/servicedesk/events`, { headers: { cookie: anna }, signal: pages.signal });
    const told = textOf(events);
    await told.until(/event: queue/);
    await deafen();
    const student = await studentWhoWaits(origin(1));
    await told.until(/event: queue[^]*"reason":"asked"/);
    const id = /"id":"([^"]+)"/.exec(told.text())?.[1] ?? 'none';
    await told.until(new RegExp(`event: changed\\ndata: \\["${id}"\\]`));

    told.forget();
    await deafen();
    await student.say('är det någon där');
    await told.until(new RegExp(`event: changed\\ndata: \\["${id}"\\]`));
    pages.abort();
    expect(told.text()).toContain('"unanswered":');
  });
});

/** What a page is told, as it comes. */
function textOf(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    text: () => text,
    forget: () => (text = ''),
    async until(what: RegExp) {
      while (!what.test(text)) {
        const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
        if (done) throw new Error(`The page was told no more than ${text}`);
        text += value;
      }
    },
  };
}
