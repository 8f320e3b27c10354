/**
 * Nobody can tell a protected holder from one who has no card: not by what is
 * said, nor by anything that is kept or logged outside the ledger. The whole
 * product, with a real sign-in.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readSchema } from '../../../src/privacy/records.ts';
import { canaries } from '../../canaries.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { type Serving, startServing } from '../../serving.ts';
import { clientOf } from '../../src/channels/direct-line/client.ts';
import { openBrowser } from '../../src/identity/browsing.ts';

const DAY = '2026-11-23';
/** What the ledger has of the protected holder, and what the provider of identity calls them. */
const CANARIES = [canaries.protectedCard, `protected ${DAY}`];

let url: string;
let serving: Serving;
const said: string[] = [];

beforeAll(async () => {
  url = await createDatabase();
  serving = await startServing({ DATABASE_URL: url, LOG_LEVEL: 'debug' }, '--at', `${DAY}T08:00`);
});
afterAll(() => serving.stop());

/** All that was said, from the wish to the end of it. Codes and links differ, and are left out. */
async function chatAs(holder: string, wish: string, ending: RegExp): Promise<string[]> {
  const client = clientOf(serving.origin);
  const chat = await client.begin();
  const write = (text: string, index: number) =>
    client.send(chat, { type: 'message', text, channelData: { clientActivityID: `m-${index}` } });
  await write(wish, 1);
  const asked = await client.until(chat, 'Logga in med knappen');
  const link = asked.flatMap(({ attachments = [] }) => attachments)[0]?.content.buttons[0]?.value ?? '';
  const browser = openBrowser();
  let page = await browser.open(link);
  while (page.location) page = await browser.open(page.location);
  page = await browser.submit(page.url, { name: holder });
  while (page.location) page = await browser.open(page.location);
  said.push(page.text);
  await write(/[B-Z]{4}-[B-Z]{4}/.exec(page.text)?.[0] ?? '', 2);
  for (;;) {
    const { activities } = await client.after(chat);
    const replies = activities.filter(({ from }) => from.role === 'bot');
    said.push(JSON.stringify(activities));
    if (replies.some(({ text = '' }) => ending.test(text))) {
      return replies.map(({ text = '', attachments = [] }) => `${text} ${attachments.length}`);
    }
  }
}

describe('a protected holder', () => {
  it.each([
    ['card-status', 'är mitt kort aktivt?', /Jag hittar inget kort/],
    ['lost-card', 'någon har snott kortet', /Jag hittar inget kort/],
  ])('is answered on %s to the letter as one who has no card', async (_path, wish, ending) => {
    expect(await chatAs('protected', wish, ending)).toEqual(await chatAs('no-card', wish, ending));
  });

  it('is nowhere outside the ledger: in no row, no log, no reply and no page', async () => {
    const database = await openTestDatabase(url);
    const schema = await readSchema(database);
    const rows = async (table: string) =>
      (await database.run<{ row: string }>({ text: `select t::text as row from "${table}" t` }, [])).map(
        ({ row }) => row,
      );
    const outside = [...schema.keys()].filter((table) => !table.startsWith('ledger_'));
    const places = new Map<string, string>([
      ['replies and pages', said.join('\n')],
      ['log', serving.log()],
      ['health', await (await fetch(`${serving.origin}/health`)).text()],
    ]);
    for (const table of outside) places.set(table, (await rows(table)).join('\n'));
    const isFound = (text: string) => CANARIES.some((canary) => text.includes(canary));
    expect([...places].filter(([, text]) => isFound(text)).map(([place]) => place)).toEqual([]);
    // The ledger does know of them: the canaries are right.
    expect((await rows('ledger_events')).some((row) => row.includes(canaries.protectedCard))).toBe(true);
    await database.close();
  });
});
