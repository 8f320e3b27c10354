/** What is counted: exactly what has happened, on the right day, and nothing of anybody. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { World } from '../../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import type { ConversationStore } from '../../../src/conversations/store.ts';
import { readSchema } from '../../../src/privacy/records.ts';
import { createDesk } from '../../../src/servicedesk/desk.ts';
import { addUpTallies, readFigures } from '../../../src/servicedesk/figures.ts';
import { content } from '../../product.ts';
import { conversationsOf, now, placeOf, say } from '../conversations/world.ts';
import { type PlainPages, servePlainPages } from './plain-pages.ts';

const TODAY = '2026-11-23';
const DAY = { from: TODAY, to: TODAY } as const;
const open = { at: () => ({ isOpen: true, next: undefined }) };
const closed = { at: () => ({ isOpen: false, next: undefined }) };
const UNKNOWN = 'vad blir det för väder imorgon';
const HUMAN = 'jag vill prata med en människa';
const VALID_ID = 'vilken id-handling gäller';

let pages: PlainPages;

beforeAll(async () => {
  pages = await servePlainPages(now);
});
afterAll(() => pages.stop());
beforeEach(() => pages.database.run({ text: 'delete from tallies' }, []));

async function chat(texts: readonly string[], changes: Partial<World> = {}, id = `test/${randomUUID()}`) {
  const conversations = conversationsOf(createPostgresStore(pages.database), { servicedesk: open, ...changes });
  await conversations.open(placeOf(id));
  for (const text of texts) await say(conversations, id, text);
  return { id, conversations };
}

const tally = (day: string, what: string, name = '', amount = 1) =>
  pages.database.run({ text: 'insert into tallies (day, what, name, amount) values ($1, $2, $3, $4)' }, [
    day,
    what,
    name,
    amount,
  ]);
const tallies = () =>
  pages.database.run<{ tally: string }>(
    { text: `select concat_ws(' ', day, what, nullif(name, ''), amount) as tally from tallies order by 1` },
    [],
  );
/** What was counted, but for the rules that were cited. */
const countedOf = async () =>
  (await tallies()).map(({ tally: each }) => each.slice(11)).filter((each) => !each.startsWith('rule'));

describe('a conversation', () => {
  it.each<[string, string[], Partial<World>, string[]]>([
    [
      'that is answered and helps',
      [VALID_ID, 'tack', 'ja'],
      {},
      ['answered 1', 'conversation 1', 'rated helped 1', 'wish valid-id 1'],
    ],
    [
      'that is answered twice, and does not help',
      [VALID_ID, VALID_ID, 'tack', 'nej'],
      {},
      ['answered 1', 'conversation 1', 'rated notHelped 1', 'wish valid-id 1', 'wish valid-id 1'],
    ],
    [
      'that is not known of',
      [UNKNOWN, '???'],
      {},
      ['conversation 1', 'unanswered notKnown 1', 'unanswered notUnderstood 1'],
    ],
    [
      'that goes on along a path',
      ['jag har slagit fel kod tre gånger', 'nej'],
      {},
      ['answered 1', 'conversation 1', 'path pin-trouble 1', 'wish pin-locked 1'],
    ],
    ['that is handed over', [HUMAN], {}, ['conversation 1', 'conversationHandedOver 1', 'handedOver asked 1']],
    [
      'that is handed over after an answer',
      [VALID_ID, HUMAN],
      {},
      [
        'answered 1',
        'answeredAndHandedOver 1',
        'conversation 1',
        'conversationHandedOver 1',
        'handedOver asked 1',
        'wish valid-id 1',
      ],
    ],
    [
      'that asks twice for a human while the desk is closed, and is answered by the bot meanwhile',
      [HUMAN, HUMAN, VALID_ID],
      { servicedesk: closed },
      ['conversation 1', 'conversationHandedOver 1', 'handedOver asked 1', 'wish valid-id 1'],
    ],
    ['in which nobody has written anything', [], {}, []],
  ])('%s, is counted as just that', async (_, texts, changes, expected) => {
    await chat(texts, changes);
    expect(await countedOf()).toEqual(expected);
  });

  it('is learned from and counted also in what was written to a human, when it comes back', async () => {
    const { id, conversations } = await chat([HUMAN]);
    const desk = createDesk({ database: pages.database, conversations, content, now });
    const [waiting] = (await desk.queue()).filter(({ conversation }) => conversation === id);
    const agent = { id: 'anna', name: 'Anna' };
    await desk.claim(waiting?.id ?? '', agent);
    await say(conversations, id, UNKNOWN);
    expect(await desk.handBack(waiting?.id ?? '', agent, {})).toBe('handedBack');
    expect(await countedOf()).toContain('unanswered notKnown 1');
    const lessons = { text: 'select kind, text from lessons where conversation = $1' };
    expect(await pages.database.run(lessons, [id])).toEqual([{ kind: 'notKnown', text: UNKNOWN }]);
  });

  it.each(['before', 'after'])('whose process dies %s the commit, is counted and learned from once', async (moment) => {
    const store = createPostgresStore(pages.database);
    const id = `test/${randomUUID()}`;
    const dead = new Promise<void>((resolve) => {
      const dying: ConversationStore = {
        ...store,
        async commit(step) {
          if (step.answers === undefined) return store.commit(step);
          if (moment === 'after') await store.commit(step);
          resolve();
          return new Promise(() => undefined);
        },
      };
      const first = conversationsOf(dying);
      void first.open(placeOf(id)).then(() => first.accept({ ...placeOf(id), id: 'm-1', text: UNKNOWN }));
    });
    await dead;
    const later = `update conversations set changed_at = changed_at - interval '1 hour' where id = $1`;
    await pages.database.run({ text: later }, [id]);
    const second = conversationsOf(store);
    await second.resume();
    await say(second, id, 'tack');
    expect((await countedOf()).filter((each) => !each.startsWith('rated'))).toEqual([
      'conversation 1',
      'unanswered notKnown 1',
    ]);
    const lessons = { text: 'select kind from lessons where conversation = $1' };
    expect(await pages.database.run(lessons, [id])).toEqual([{ kind: 'notKnown' }]);
  });

  it('counts a rule once for each turn that cites it', async () => {
    const { id, conversations } = await chat([VALID_ID]);
    const cited = (await conversations.log(id, 0)).flatMap((each) => (each.author === 'bot' ? each.said.cites : []));
    const { rules } = await readFigures(pages.database, DAY);
    expect(cited).not.toEqual([]);
    expect(rules.map(({ name }) => name).sort()).toEqual([...new Set(cited)].sort());
    expect(rules.map(({ count }) => count)).toEqual(rules.map(() => 1));
  });

  it.each([
    ['2026-11-23T22:59:59Z', '2026-11-23'],
    ['2026-11-23T23:00:00Z', '2026-11-24'],
    ['2026-03-28T23:00:00Z', '2026-03-29'],
    ['2026-03-29T21:59:59Z', '2026-03-29'],
    ['2026-03-29T22:00:00Z', '2026-03-30'],
    ['2026-10-24T22:00:00Z', '2026-10-25'],
    ['2026-10-25T22:59:59Z', '2026-10-25'],
    ['2026-10-25T23:00:00Z', '2026-10-26'],
    ['2026-12-31T23:00:00Z', '2027-01-01'],
  ])('at %s is of %s in Stockholm', async (at, day) => {
    await chat([UNKNOWN], { now: () => new Date(at) });
    expect(new Set((await tallies()).map(({ tally: each }) => each.slice(0, 10)))).toEqual(new Set([day]));
  });
});

describe('what is counted', () => {
  it('has no column that can hold an id', async () => {
    const { id } = await chat([UNKNOWN]);
    expect((await readSchema(pages.database)).get('tallies')).toEqual([
      { name: 'day', type: 'date' },
      { name: 'what', type: 'text' },
      { name: 'name', type: 'text' },
      { name: 'amount', type: 'integer' },
    ]);
    for (const each of [id, randomUUID(), 'h_ada1', '640823-3234', 'ada@example.se']) {
      await expect(tally(TODAY, each)).rejects.toThrow('a_tally_tells_of_nobody');
      await expect(tally(TODAY, 'path', each)).rejects.toThrow('a_tally_tells_of_nobody');
    }
  });

  it('takes every name that we count by', async () => {
    const names = [...content.taught.map(({ intent }) => intent), ...content.rules.keys()];
    for (const name of names) await tally(TODAY, 'rule', name);
    expect((await readFigures(pages.database, DAY)).rules).toHaveLength(names.length);
  });

  it('holds nothing of what was written, nor by whom', async () => {
    const canary = 'kanariefågel';
    const place = `test/${canary}-${randomUUID()}`;
    await chat([`${canary} ${UNKNOWN}`, VALID_ID, `jag heter ${canary}`, HUMAN], {}, place);
    const rows = JSON.stringify(await pages.database.run({ text: 'select * from tallies' }, []));
    expect(rows).toContain('valid-id');
    expect(rows).not.toContain(canary);
    expect(JSON.stringify(await readFigures(pages.database, DAY))).not.toContain(canary);
  });
});

describe('tallies of days that are over', () => {
  it('are added up, also by two at once, and again to the same', async () => {
    for (const day of ['2026-11-21', '2026-11-22', TODAY])
      for (const name of ['order', 'order', 'renewal']) await tally(day, 'path', name);
    await tally('2026-11-21', 'path', 'order', 5);
    const wanted = [
      '2026-11-21 path order 7',
      '2026-11-21 path renewal 1',
      '2026-11-22 path order 2',
      '2026-11-22 path renewal 1',
      '2026-11-23 path order 1',
      '2026-11-23 path order 1',
      '2026-11-23 path renewal 1',
    ];
    const period = { from: '2026-11-21', to: TODAY } as const;
    const before = await readFigures(pages.database, period);
    await Promise.all([1, 2, 3].map(() => addUpTallies(pages.database, TODAY)));
    expect((await tallies()).map(({ tally: each }) => each)).toEqual(wanted);
    await addUpTallies(pages.database, TODAY);
    expect((await tallies()).map(({ tally: each }) => each)).toEqual(wanted);
    expect(await readFigures(pages.database, period)).toEqual(before);
  });
});

describe('the figures', () => {
  it('are of the days of the period, each of them, and of no other', async () => {
    await tally('2026-11-20', 'conversation', '', 100);
    await tally('2026-11-21', 'conversation', '', 3);
    await tally('2026-11-23', 'conversation', '', 4);
    await tally('2026-11-23', 'answered', '', 3);
    await tally('2026-11-23', 'answeredAndHandedOver');
    await tally('2026-11-23', 'handedOver', 'asked');
    await tally('2026-11-23', 'conversationHandedOver');
    await tally('2026-11-24', 'conversation', '', 100);
    const figures = await readFigures(pages.database, { from: '2026-11-21', to: TODAY });
    expect(figures).toMatchObject({ conversations: 7, resolved: 2, handedOver: 1, unanswered: 0 });
    expect(figures.days).toEqual([
      { day: '2026-11-21', conversations: 3, answered: 0, handedOver: 0, unanswered: 0 },
      { day: '2026-11-22', conversations: 0, answered: 0, handedOver: 0, unanswered: 0 },
      { day: '2026-11-23', conversations: 4, answered: 3, handedOver: 1, unanswered: 0 },
    ]);
    expect(figures.reasons).toEqual([{ name: 'asked', count: 1 }]);
  });
});

describe('the page', () => {
  const PATH = '/servicedesk/figures';

  it('says in words and tables everything that is drawn, to agents and editors', async () => {
    await tally(TODAY, 'conversation', '', 1234);
    await tally(TODAY, 'path', 'lost-card', 12);
    await tally(TODAY, 'path', 'a-path-that-is-gone', 3);
    await tally(TODAY, 'rule', 'R42', 7);
    for (const role of ['agent', 'editor'] as const) {
      const response = await pages.open(PATH, await pages.cookieOf('Somebody', role));
      const html = await response.text();
      expect(response.status).toBe(200);
      expect(html).toContain('aria-label="Chattar: flest den 2026-11-23, 1\u00a0234"');
      expect(html).toMatch(/<th scope="row">2026-11-23<\/th><td class="number">1\u00a0234<\/td>/);
      expect(html).toMatch(/<th scope="row">Spärra kort<svg[^>]+aria-hidden="true"/);
      expect(html).toContain('a-path-that-is-gone');
      expect(html).toContain(`R42: ${content.rules.get('R42')?.text.slice(0, 10) ?? '-'}`);
      expect(html).not.toContain('<script');
    }
  });

  it.each([
    ['', '2026-10-25', TODAY],
    ['?days=7', '2026-11-17', TODAY],
    ['?days=90', '2026-08-26', TODAY],
    ['?from=2026-01-01&to=2026-01-01', '2026-01-01', '2026-01-01'],
    ['?from=2025-11-23&to=2026-11-23', '2025-11-23', TODAY],
  ])('takes the period %s', async (query, from, to) => {
    const html = await (await pages.open(`${PATH}${query}`, await pages.cookieOf('Anna', 'agent'))).text();
    expect(html).toContain(`<h2>${from} till ${to}</h2>`);
    expect(html).not.toContain('role="status"');
  });

  it.each([
    '?days=8',
    '?from=2026-11-23',
    '?from=2026-11-24&to=2026-11-23',
    '?from=1900-01-01&to=2026-11-23',
    '?from=x&to=y',
  ])('says that the period %s is not understood', async (query) => {
    const html = await (await pages.open(`${PATH}${query}`, await pages.cookieOf('Anna', 'agent'))).text();
    expect(html).toContain('<h2>2026-10-25 till 2026-11-23</h2>');
    expect(html).toContain('role="status"');
  });

  it('is fetched as a table', async () => {
    await tally(TODAY, 'conversation', '', 2);
    await tally(TODAY, 'handedOver', 'asked', 2);
    const response = await pages.open(
      `${PATH}/export?from=${TODAY}&to=${TODAY}`,
      await pages.cookieOf('Edit', 'editor'),
    );
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 3)).toEqual(Buffer.from('\uFEFF'));
    expect(bytes.toString().slice(1).split('\r\n').slice(0, 3)).toEqual([
      'Dag;Vad;Namn;Antal',
      '2026-11-23;Chattar;;2',
      '2026-11-23;Chattar med svar;;0',
    ]);
    expect(bytes.toString()).toContain(
      `;Varför en människa behövdes;${content.label('servicedesk/reason.asked')};2\r\n`,
    );
  });

  it.each([PATH, `${PATH}/export`])('is for those who work there: %s', async (path) => {
    const response = await pages.open(path);
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toMatch(/^\/servicedesk\/sign-in\?to=/);
    expect((await pages.open(path, await pages.cookieOf('Nobody'))).status).toBe(403);
  });
});
