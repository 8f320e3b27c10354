/** The short address into a conversation that an agent has opened. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Service } from '../../../src/cli/serve.ts';
import { placeOf } from '../../../src/channels/direct-line/direct-line.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import { createDesk } from '../../../src/servicedesk/desk.ts';
import { createInvitations } from '../../../src/servicedesk/invitations.ts';
import { type Database } from '../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';
import { startService } from '../../service.ts';
import { conversationsOf, now } from '../conversations/world.ts';

let service: Service;
let database: Database;
const anna = { id: 'anna', name: 'Anna <b>Andersson</b>' };

beforeAll(async () => {
  const url = await createDatabase();
  service = await startService({ DATABASE_URL: url });
  database = await openTestDatabase(url);
});
afterAll(async () => {
  await service.stop();
  await database.close();
});

/** A conversation that Anna has opened, and the way in to it. */
async function invitation() {
  const id = randomUUID().replaceAll('-', '').slice(0, 24);
  const place = placeOf(id);
  const desk = createDesk({ database, conversations: conversationsOf(createPostgresStore(database)), content, now });
  await desk.openFor(anna, place);
  const link = await createInvitations(database, () => service.origin).linkTo(place.conversation);
  return { id, link };
}

const open = (link: string, id: string, headers: Record<string, string> = {}) =>
  fetch(link, {
    method: 'POST',
    headers: { Origin: service.origin, ...headers },
    body: new URLSearchParams({ id }),
  });
const tokenIn = (page: string): string => /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';

describe('a short address', () => {
  it('opens the conversation that the agent opened, and says whose it is', async () => {
    const { link } = await invitation();
    expect(link).toMatch(/\/c\/[A-Z2-9]{8}$/);
    const page = await (await open(link, randomUUID())).text();
    expect(page).toContain('Anna &lt;b>Andersson&lt;/b>');
    expect(page).not.toContain('<b>Andersson');
    expect(tokenIn(page)).not.toBe('');
  });

  it('is not used up by what only looks where it leads', async () => {
    const { link } = await invitation();
    for (let look = 0; look < 3; look++) expect((await fetch(link)).status).toBe(200);
    expect((await fetch(link, { method: 'HEAD' })).status).toBeLessThan(500);
    expect((await open(link, randomUUID())).status).toBe(200);
  });

  it('lets one page in, which may load itself again, and no other', async () => {
    const { link } = await invitation();
    const page = randomUUID();
    expect((await open(link, page)).status).toBe(200);
    expect((await open(link, page)).status).toBe(200);
    const other = await open(link, randomUUID());
    expect(other.status).toBe(410);
    expect(tokenIn(await other.text())).toBe('');
  });

  it('lets one in of two who come at once', async () => {
    const { link } = await invitation();
    const both = await Promise.all([open(link, randomUUID()), open(link, randomUUID())]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 410]);
  });

  it('is read however it is typed', async () => {
    const { link } = await invitation();
    const code = link.slice(-8);
    expect((await open(link.replace(code, code.toLowerCase()), randomUUID())).status).toBe(200);
  });

  it('leads nowhere after half an hour', async () => {
    const { link } = await invitation();
    await database.run({ text: "update invitations set expires_at = expires_at - interval '31 minutes'" }, []);
    expect((await open(link, randomUUID())).status).toBe(410);
    await createInvitations(database, () => '').purge();
    expect(await database.run({ text: 'select from invitations' }, [])).toEqual([]);
  });

  it.each(['BCDFGHJK', '%00', 'BCDFGHJKBCDFGHJKBCDFGHJK', '..%2f..%2fetc'])('leads nowhere as %s', async (code) => {
    expect([400, 404, 410, 414]).toContain((await open(`${service.origin}/c/${code}`, randomUUID())).status);
  });

  it('is not opened from a page of somebody else’s', async () => {
    const { link } = await invitation();
    expect((await open(link, randomUUID(), { Origin: 'https://evil.example' })).status).toBe(403);
    expect((await open(link, randomUUID())).status).toBe(200);
  });

  it('is not kept as it is', async () => {
    const { link } = await invitation();
    const rows = await database.run<{ row: string }>({ text: 'select i::text as row from invitations i' }, []);
    expect(rows.map(({ row }) => row).join()).not.toContain(link.slice(-8));
  });
});
