import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'restify';
import { z } from 'zod';
import type { Day } from '../../../dialogs/card-validity.ts';
import { createContent, readFiles } from '../../../src/content.ts';
import { closeServer, createServer, listen } from '../../../src/server.ts';
import { mountVisits, visitLink } from '../../../src/web/visits.ts';
import { calendar, content, contentFolder } from '../../product.ts';
import { startService } from '../../service.ts';
import { clientOf } from '../channels/direct-line/client.ts';

const Cards = z.array(
  z.object({
    content: z.object({
      body: z.array(z.object({ text: z.string().optional() })),
      actions: z.array(z.object({ url: z.string() })),
    }),
  }),
);

const servers: Server[] = [];
let origin = '';

beforeAll(async () => {
  origin = await serving(content);
});
afterAll(async () => {
  for (const server of servers) await closeServer(server);
});

async function serving(spoken: typeof content, at = '2026-11-23T08:00:00+01:00'): Promise<string> {
  const mount = (server: Server) => {
    mountVisits(server, { content: spoken, calendar, now: () => new Date(at) });
  };
  const isHealthy = () => Promise.resolve({});
  const server = await createServer({ content, mounts: [mount], isHealthy, onMistake: () => undefined });
  servers.push(server);
  return listen(server, { host: '127.0.0.1', port: 0 });
}

const fetchVisit = (name: string, day: Day, from: string, at = origin) =>
  fetch(visitLink(at, name, { day, from, to: 'whenever' }));

/** The fields of the one event, as a calendar reads them: rows unfolded, and what was escaped unescaped. */
async function eventOf(response: Response): Promise<Record<string, string>> {
  const text = await response.text();
  expect(text).toMatch(/^BEGIN:VCALENDAR\r\n(?:.+\r\n)+END:VCALENDAR\r\n$/);
  for (const row of text.split('\r\n')) expect(Buffer.byteLength(row)).toBeLessThanOrEqual(75);
  expect(text.match(/BEGIN:/g)).toHaveLength(2);
  const rows = text.trimEnd().replace(/\r\n /g, '').split('\r\n');
  const fields = rows.map((row) => [row.slice(0, row.indexOf(':')), row.slice(row.indexOf(':') + 1)] as const);
  return Object.fromEntries(
    fields.map(([name, value]) => [name, value.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))]),
  );
}

describe('a visit for a calendar', () => {
  it('says what, where and when, what to bring, by which rules and how old they are', async () => {
    const response = await fetchVisit('photo-at-sodersjukhuset', '2026-11-25', '9:30');
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/calendar; charset=utf-8',
      'content-disposition': 'attachment; filename="besok.ics"',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(await eventOf(response)).toEqual({
      BEGIN: 'VEVENT',
      VERSION: '2.0',
      PRODID: '-//Kortlotsen//visits//SV',
      METHOD: 'PUBLISH',
      UID: 'photo-at-sodersjukhuset-2026-11-25-930@kortlotsen',
      SEQUENCE: '0',
      DTSTAMP: '20220322T000000Z',
      DTSTART: '20261125T083000Z',
      DTEND: '20261125T093000Z',
      TRANSP: 'TRANSPARENT',
      SUMMARY: 'Fotografera dig på Södersjukhuset',
      LOCATION: 'Kortkontoret Södersjukhuset, Receptionen, Hus 48, Sjukhusbacken 14',
      DESCRIPTION: [
        'Drop-in onsdag den 25 november 9:30–10:30',
        'Ta med:\n- giltig id-handling',
        'Enligt Vårdgivarguiden, uppdaterad 22 mars 2022 och faktagranskad 11 oktober 2020. Regler: R25, R26, R27.',
      ].join('\n\n'),
      END: 'VCALENDAR',
    });
  });

  it('carries the caution with it, and names nothing to bring where the guidance does not', async () => {
    const { DESCRIPTION = '' } = await eventOf(await fetchVisit('photo-at-booth', '2026-11-23', '8:00'));
    expect(DESCRIPTION).toContain(content.label('conversation/caution'));
    expect(DESCRIPTION).not.toContain('Ta med');
  });

  it('is the same file whenever it is fetched, so that twice is once', async () => {
    const later = await serving(content, '2026-11-24T17:00:00+01:00');
    const [first, second] = await Promise.all(
      [origin, later].map(async (at) => (await fetchVisit('photo-at-booth', '2026-11-23', '8:00', at)).text()),
    );
    expect(second).toBe(first);
  });

  it.each<[string, Day, string, string]>([
    ['before the clock is put back', '2026-10-23', '20261023T060000Z', '20261023T140000Z'],
    ['when it has been put back', '2026-10-26', '20261026T070000Z', '20261026T150000Z'],
    ['before it is put forward', '2027-03-25', '20270325T070000Z', '20270325T150000Z'],
    ['when it has been put forward', '2027-03-30', '20270330T060000Z', '20270330T140000Z'],
  ])('has the time of the clock on the wall, %s', async (_when, day, start, end) => {
    const event = await eventOf(await fetchVisit('photo-at-booth', day, '8:00'));
    expect(event).toMatchObject({ DTSTART: start, DTEND: end });
  });
});

describe('a chat that sends somebody to a drop-in', () => {
  it('leads to the calendar file of that visit', async () => {
    const service = await startService();
    try {
      const client = clientOf(service.origin);
      const chat = await client.begin();
      await client.send(chat, { type: 'message', text: 'var fotograferar jag mig?' });
      const activities = await client.until(chat, 'Fotoautomaten, Lindhagensterassen 1, plan 2');
      const cards = Cards.parse(activities.at(-1)?.attachments);
      const links = cards.flatMap(({ content: { actions } }) => actions.map(({ url }) => url));
      expect(links).toEqual([
        `${service.origin}/visits/photo-at-booth/2026-11-23/8:00`,
        `${service.origin}/visits/photo-at-sodersjukhuset/2026-11-23/13:30`,
      ]);
      for (const [index, link] of links.entries()) {
        const event = await eventOf(await fetch(link));
        expect(event.SUMMARY).toBe(cards[index]?.content.body[0]?.text);
      }
    } finally {
      await service.stop();
    }
  });
});

describe('there is no calendar file', () => {
  it.each<[string, string, string, string]>([
    ['for a visit that nobody has written of', 'photo-at-home', '2026-11-25', '9:30'],
    ['for what objects are born with', 'constructor', '2026-11-25', '9:30'],
    ['for a visit that is booked', 'pickup-at-lindhagen', '2026-11-25', '9:30'],
    ['for a time of another office', 'photo-at-booth', '2026-11-25', '9:30'],
    ['for a time on another weekday', 'photo-at-sodersjukhuset', '2026-11-26', '9:30'],
    ['for a time that is made up', 'photo-at-sodersjukhuset', '2026-11-25', '9:31'],
    ['for a time as others write it', 'photo-at-sodersjukhuset', '2026-11-25', '09:30'],
    ['for a Saturday', 'photo-at-booth', '2026-11-28', '8:00'],
    ['for a red day', 'photo-at-sodersjukhuset', '2026-12-25', '13:30'],
    ['for a time on a red day that nobody is sure of', 'photo-at-booth', '2026-12-25', '8:00'],
    ['for Christmas Eve', 'photo-at-booth', '2026-12-24', '8:00'],
    ['for a day that there is none of', 'photo-at-booth', '2026-02-30', '8:00'],
    ['for another century', 'photo-at-booth', '2126-11-25', '8:00'],
    ['for what is no day', 'photo-at-booth', 'idag', '8:00'],
    ['for a text of one’s own', 'photo-at-booth', '2026-11-23', '8:00%0d%0aSUMMARY:Gratis'],
    ['for markup', '%3Cscript%3Ealert(1)%3C%2Fscript%3E', '2026-11-23', '8:00'],
  ])('%s, and the page says so', async (_what, name, day, from) => {
    const response = await fetch(`${origin}/visits/${name}/${day}/${from}`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const page = await response.text();
    expect(page).toContain(content.label('visit/askAgain'));
    expect(page).not.toMatch(/Gratis|script/);
  });

  it('on a day when its rules have lapsed', async () => {
    const { reading } = readFiles(contentFolder);
    const rule = reading.rules.get('R24');
    if (!rule) throw new Error('There is no R24');
    const rules = new Map([...reading.rules, ['R24', { ...rule, until: '2026-11-24' }]]);
    const lapsing = await serving(createContent({ ...reading, rules }));
    expect((await fetchVisit('photo-at-booth', '2026-11-24', '8:00', lapsing)).status).toBe(200);
    expect((await fetchVisit('photo-at-booth', '2026-11-25', '8:00', lapsing)).status).toBe(404);
  });
});
