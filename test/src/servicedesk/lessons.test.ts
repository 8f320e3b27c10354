/** What is learned from conversations: once each, masked, decided of by editors and ready for the content. */
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { intents } from '../../../dialogs/intents.ts';
import { checkContent } from '../../../src/content-check.ts';
import { readContent } from '../../../src/content.ts';
import { comparable } from '../../../src/conversations/figures.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import type { ConversationStore, Step } from '../../../src/conversations/store.ts';
import {
  decideLesson,
  type Decision,
  exportLessons,
  type Filter,
  findLessons,
  LESSONS_A_PAGE,
} from '../../../src/servicedesk/lessons.ts';
import { readFolder } from '../../../src/source-file.ts';
import { factNames } from '../../../src/wording.ts';
import { content, contentFolder } from '../../product.ts';
import { conversationsOf, placeOf, say } from '../conversations/world.ts';
import { type PlainPages, servePlainPages } from './plain-pages.ts';

const NOW = new Date('2026-11-23T12:00:00+01:00');
const EDITOR = { id: 'e-1', name: 'Edit' };
const UNKNOWN = 'vad blir det för väder imorgon bitti i kiruna';
const UNDECIDED = content.borders.flatMap(({ undecided }) => undecided)[0] ?? '';

let pages: PlainPages;
let store: ConversationStore;
let editor: string;

beforeAll(async () => {
  pages = await servePlainPages(() => NOW);
  store = createPostgresStore(pages.database);
  editor = await pages.cookieOf('Edit', 'editor');
});
afterAll(() => pages.stop());
beforeEach(() => pages.database.run({ text: 'delete from conversations' }, []));

const newId = () => `test/${randomUUID()}`;

/** A conversation in which these were written, one after the other. */
async function chat(...texts: string[]): Promise<string> {
  const [conversations, id] = [conversationsOf(store), newId()];
  await conversations.open(placeOf(id));
  for (const text of texts) await say(conversations, id, text);
  return id;
}

const find = async (filter: Partial<Filter> = {}) =>
  (await findLessons(pages.database, { state: 'all', order: 'newest', page: 1, ...filter })).lessons;
const decide = async (text: string, as: Decision, about?: number) => {
  const lesson = (await find()).find((each) => each.text === text);
  return decideLesson(pages.database, lesson?.id ?? '0', { as, by: EDITOR, about, at: NOW });
};
const exported = () => exportLessons(pages.database, content);

describe('what was not answered', () => {
  it.each([
    ['notKnown', UNKNOWN],
    ['notUnderstood', '???'],
    ['clarified', UNDECIDED],
  ])('is there as %s, once, as it was written', async (kind, text) => {
    await chat(text);
    expect(await find()).toEqual([expect.objectContaining({ kinds: [kind], text, times: 1, decided: undefined })]);
  });

  it('tells between which intents was asked', async () => {
    await chat(UNDECIDED);
    const [lesson] = await find();
    expect(lesson?.between.length).toBeGreaterThan(1);
    expect(intents).toEqual(expect.arrayContaining(lesson?.between ?? []));
  });

  it('goes on telling so when the same is later not known of', async () => {
    const id = await chat(UNDECIDED);
    await pages.database.run(
      {
        text: `insert into lessons (conversation, seq, kind, text, folded, at)
          select conversation, 999, 'notKnown', text, folded, at from lessons where conversation = $1`,
      },
      [id],
    );
    const [lesson] = await find();
    expect(lesson?.kinds).toEqual(['clarified', 'notKnown']);
    expect(lesson?.between.length).toBeGreaterThan(1);
  });

  it('is there once, however often the message is sent and under whichever id', async () => {
    const [conversations, id] = [conversationsOf(store), newId()];
    await conversations.open(placeOf(id));
    const message = { ...placeOf(id), sentBy: 'anna', sentAt: NOW.toISOString(), text: UNKNOWN };
    const all = await Promise.all(['m-1', 'm-1', 'm-2'].map((each) => conversations.accept({ ...message, id: each })));
    await Promise.all(all.map(({ answered }) => answered));
    expect((await find()).map(({ times }) => times)).toEqual([1]);
  });

  it('is there once, and counted once, when its commit is tried again', async () => {
    const steps: Step[] = [];
    const recording = {
      ...store,
      commit: (step: Step) => {
        steps.push(step);
        return store.commit(step);
      },
    };
    const [conversations, id] = [conversationsOf(recording), newId()];
    await conversations.open(placeOf(id));
    await say(conversations, id, UNKNOWN);
    const tallies = () => pages.database.run({ text: 'select day, what, name from tallies' }, []);
    const before = await tallies();
    for (const step of steps) expect(await store.commit(step)).toBeUndefined();
    expect(await tallies()).toEqual(before);
    expect((await find()).map(({ times }) => times)).toEqual([1]);
  });

  it('holds no secret', async () => {
    await chat(`${UNKNOWN} pnr 640823-3234 pinkod 4711`);
    const [lesson] = await find();
    expect(lesson?.text).toContain(content.masked);
    expect(JSON.stringify(await pages.database.run({ text: 'select * from lessons' }, []))).not.toMatch(/640823|4711/);
  });

  it('is one lesson, whoever wrote it and with whichever capitals, signs and dots', async () => {
    await chat(UNKNOWN, 'Vad blir det för väder imorgon bitti i Kiruna?');
    await chat('vad blir det for vader imorgon bitti i kiruna');
    await chat('???', '!!');
    expect((await find({ order: 'often' })).map(({ times }) => times)).toEqual([3, 1, 1]);
  });

  it('goes with its conversation', async () => {
    const id = await chat(UNKNOWN);
    await decide(UNKNOWN, { intent: 'out-of-scope' });
    await pages.database.run({ text: 'delete from conversations where id = $1' }, [id]);
    expect(await find()).toEqual([]);
    expect(await exported()).not.toContain(UNKNOWN);
  });
});

describe('what did not help', () => {
  const unhelped = () => chat('vilken id-handling gäller', 'tack', 'nej');

  it('is there with what was written before it, and what that was understood as', async () => {
    await unhelped();
    expect(await find()).toEqual([
      expect.objectContaining({
        kinds: ['notHelped'],
        text: '',
        wish: 'valid-id',
        before: [
          { seq: expect.any(Number), text: 'vilken id-handling gäller' },
          { seq: expect.any(Number), text: 'tack' },
        ],
      }),
    ]);
  });

  it('is about the message that the editor says, of the same conversation and no other', async () => {
    await unhelped();
    const [lesson] = await find();
    const [first] = lesson?.before ?? [];
    expect(await decide('', { intent: 'pickup-bring' }, 999)).toBe(true);
    expect((await find())[0]?.text).toBe('');
    expect(await decide('', { intent: 'pickup-bring' }, first?.seq)).toBe(true);
    expect((await find())[0]).toMatchObject({ text: first?.text, decided: { as: { intent: 'pickup-bring' } } });
  });

  it('is a lesson each', async () => {
    await unhelped();
    await unhelped();
    expect((await find()).map(({ times }) => times)).toEqual([1, 1]);
  });
});

describe('a decision', () => {
  it.each<Decision>([{ intent: 'lost-card' }, { intent: 'out-of-scope' }, { wished: 'Väder' }, 'dismissed'])(
    'is kept with who made it and when: %j',
    async (as) => {
      await chat(UNKNOWN);
      expect(await decide(UNKNOWN, as)).toBe(true);
      expect((await find())[0]?.decided).toEqual({ as, by: 'Edit', at: NOW });
      expect(await find({ state: 'undecided' })).toEqual([]);
      expect(await find({ state: 'decided' })).toHaveLength(1);
    },
  );

  it('is made of everybody’s who has written the same, and of those who write it later', async () => {
    await chat(UNKNOWN);
    await chat(UNKNOWN.toUpperCase());
    await decide(UNKNOWN.toUpperCase(), { intent: 'out-of-scope' });
    await chat(`${UNKNOWN}!`);
    expect(await find()).toEqual([expect.objectContaining({ times: 3, decided: expect.anything() })]);
    const rows = await pages.database.run({ text: 'select intent from lessons order by id' }, []);
    expect(rows).toEqual([{ intent: 'out-of-scope' }, { intent: 'out-of-scope' }, { intent: null }]);
  });

  it('is undone by the next', async () => {
    await chat(UNKNOWN);
    await chat(UNKNOWN);
    await decide(UNKNOWN, { intent: 'lost-card' });
    await decide(UNKNOWN, 'dismissed');
    expect((await find())[0]?.decided?.as).toBe('dismissed');
    expect(await exported()).not.toContain(UNKNOWN);
  });

  it('of what is gone is told to be none', async () => {
    expect(await decideLesson(pages.database, '1', { as: 'dismissed', by: EDITOR, at: NOW })).toBe(false);
  });
});

describe('the export', () => {
  const TEXTS = [
    `${UNKNOWN} sa hon: "ja" # eller`,
    "- 'nej' \u202E {a: b}\u0000",
    'true',
    'null',
    '*stjärna & co',
    `jag undrar ${content.masked} om solen`,
    'rad ett\n\trad två \uFFFD',
    '@channel, 100 % säkert?',
    'ok',
  ];

  /** As `chat` makes them, without a chat for each. */
  const addLessons = async (texts: readonly string[]) => {
    const id = await chat();
    for (const [index, text] of texts.entries()) {
      const kept = text.replaceAll('\0', ' ').replace(/\p{Surrogate}/gu, '\uFFFD');
      await pages.database.run(
        {
          text: `insert into lessons (conversation, seq, kind, text, folded, at) values ($1, $2, 'notKnown', $3, $4, now())`,
        },
        [id, 1_000 + index, kept, comparable(kept)],
      );
    }
  };
  const decideAll = (intent: string) =>
    pages.database.run(
      { text: `update lessons set intent = $1, decided_by = 'e-1', decider = 'Edit', decided_at = now()` },
      [intent],
    );

  /** The rows go where the export says, and the content is checked. */
  const pasted = (yaml: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'content-'));
    try {
      cpSync(contentFolder, folder, { recursive: true });
      for (const part of yaml.split('\n\n')) {
        const [, file, intent, rows] = /^# (\S+)\n(\S+):\n {2}examples:\n([^]+)$/.exec(part) ?? [];
        if (file === undefined) continue;
        const before = readFileSync(join(folder, file), 'utf8');
        const [head, tail] = before.split(new RegExp(`(?<=^${intent ?? ''}:\\n(?:.+\\n)*? {2}examples:\\n)`, 'm'));
        writeFileSync(join(folder, file), `${head ?? ''}${(rows ?? '').trimEnd()}\n${tail ?? ''}`);
      }
      const files = readFolder(folder);
      const { reading } = readContent(files);
      const labels = new Set([...reading.lines.keys()].filter((name) => !name.startsWith('canned/')));
      const facts = new Set(factNames);
      const problems = checkContent(files, { lines: new Set(), labels, teamsLimits: new Map(), intents, facts });
      return { problems, taught: reading.taught };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const examplesOf = (taught: ReturnType<typeof pasted>['taught'], intent: string) =>
    taught.find((each) => each.intent === intent)?.examples ?? [];

  it('passes the content check where it is pasted, whatever was written', async () => {
    await addLessons(TEXTS);
    await decideAll('lost-card');
    await chat(UNKNOWN);
    await decide(UNKNOWN, { intent: 'out-of-scope' });
    const { problems, taught } = pasted(await exported());
    expect(problems).toEqual([]);
    expect(examplesOf(taught, 'out-of-scope')).toContain(UNKNOWN);
    expect(examplesOf(taught, 'lost-card')).toEqual(
      expect.arrayContaining([TEXTS[0], 'jag undrar om solen', "- 'nej' {a: b}", 'true', 'rad ett rad två']),
    );
  });

  it('passes it for whatever anybody may write', async () => {
    const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), { numRuns: 300, seed: 7 });
    await addLessons(texts.map((text, index) => `${text} lektion ${index}`));
    await decideAll('lost-card');
    const { problems, taught } = pasted(await exported());
    expect(problems).toEqual([]);
    expect(examplesOf(taught, 'lost-card').filter((each) => /lektion \d+$/.test(each))).toHaveLength(300);
  });

  it('names the file of each intent, and leaves out what is there already', async () => {
    const [known = ''] = content.taught.find(({ intent }) => intent === 'pin-locked')?.examples ?? [];
    await addLessons([known.toUpperCase(), 'helt nytt om låst pin']);
    await decideAll('pin-locked');
    expect((await exported()).split('\n\n').slice(1)).toEqual([
      '# pin-trouble/utterances.yaml\npin-locked:\n  examples:\n    - helt nytt om låst pin\n',
    ]);
  });

  it('names apart what is there as something else, and what is wished to be an intent', async () => {
    const [known = ''] = content.taught.find(({ intent }) => intent === 'pin-locked')?.examples ?? [];
    await addLessons([known]);
    await decideAll('lost-card');
    await chat(UNKNOWN);
    await decide(UNKNOWN, { wished: 'Väder\n# och: annat' });
    const yaml = await exported();
    expect(yaml).toContain(`\n# Väder # och: annat\n#   - ${UNKNOWN}\n`);
    expect(yaml).toContain(`#   - ${known} (pin-trouble/utterances.yaml)`);
    expect(yaml.split('\n').filter((row) => row !== '' && !row.startsWith('#'))).toEqual([]);
  });
});

describe('the page', () => {
  const PATH = '/servicedesk/lessons';

  it('shows what is not decided, as text, with what the understanding makes of it now', async () => {
    await chat(`${UNKNOWN} <script>alert(1)</script>`);
    const response = await pages.open(PATH, editor);
    const html = await response.text();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).not.toContain('script-src');
    expect(html).toContain('&lt;script>alert(1)');
    expect(html).not.toContain('<script');
    expect(html).toMatch(/Förstår det nu som<\/dt><dd>Vet inte: [^<]+ \d+\u00a0%/);
  });

  it('takes a decision as a form sends it, and shows the list as it was', async () => {
    await chat(UNKNOWN);
    const [lesson] = await find();
    const form = {
      lesson: lesson?.id ?? '',
      decision: 'out-of-scope',
      wished: '',
      order: 'often',
      state: 'all',
      page: '1',
    };
    const response = await pages.send(PATH, form, editor, { origin: pages.origin });
    expect(response.status).toBe(303);
    const back = response.headers.get('location') ?? '';
    expect(Object.fromEntries(new URL(back, pages.origin).searchParams)).toEqual({
      state: 'all',
      order: 'often',
      page: '1',
      outcome: 'saved',
    });
    const html = await (await pages.open(back, editor)).text();
    expect(html).toContain('Det gäller något annat, av Edit, 23 nov. 2026 12:00');
    expect(html).toContain(content.label('lessons/outcome.saved'));
  });

  it.each([
    [{ decision: '' }, 'undecided'],
    [{ decision: 'new', wished: '  ' }, 'nameless'],
    [{ decision: 'dismissed', lesson: '999999' }, 'gone'],
  ])('says what is missing of %j', async (form, outcome) => {
    await chat(UNKNOWN);
    const [lesson] = await find();
    const response = await pages.send(PATH, { lesson: lesson?.id ?? '', ...form }, editor);
    expect(response.headers.get('location')).toMatch(new RegExp(`outcome=${outcome}$`));
    expect((await find())[0]?.decided).toBeUndefined();
  });

  it('hands out what is decided, as a file', async () => {
    await chat(UNKNOWN);
    await decide(UNKNOWN, { intent: 'out-of-scope' });
    const response = await pages.open(`${PATH}/export`, editor);
    expect(response.headers.get('content-type')).toBe('application/yaml; charset=utf-8');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="utterances.yaml"');
    expect(await response.text()).toBe(await exported());
    expect(await exported()).toContain(`out-of-scope:\n  examples:\n    - ${UNKNOWN}\n`);
  });

  it('is turned over', async () => {
    const id = await chat();
    await pages.database.run(
      {
        text: `insert into lessons (conversation, seq, kind, text, folded, at)
          select $1, n, 'notKnown', 'text ' || n, 'text ' || n, now() from generate_series(1, 45) n`,
      },
      [id],
    );
    const shown = await Promise.all([1, 2, 3, 4].map((page) => find({ page })));
    expect(shown.map(({ length }) => length)).toEqual([LESSONS_A_PAGE, LESSONS_A_PAGE, 5, 0]);
    expect(new Set(shown.flat().map(({ text }) => text)).size).toBe(45);
    const html = await (await pages.open(`${PATH}?page=2`, editor)).text();
    expect(html).toContain('page=1">Föregående sida');
    expect(html).toContain('page=3">Nästa sida');
  });

  it('is filtered by why it is there', async () => {
    await chat(UNKNOWN, '???');
    expect((await find({ kind: 'notKnown' })).map(({ text }) => text)).toEqual([UNKNOWN]);
    expect((await find({ kind: 'notUnderstood' })).map(({ text }) => text)).toEqual(['???']);
  });
});

describe('whoever is no editor', () => {
  const ways = ['/servicedesk/lessons', '/servicedesk/lessons/export'];

  it.each(ways)('is sent to sign in, and gets nothing of %s', async (path) => {
    await chat(UNKNOWN);
    for (const cookie of [undefined, 'kortlotsen-servicedesk=forged']) {
      const response = await pages.open(path, cookie);
      expect(response.status).toBe(303);
      expect(response.headers.get('location')).toBe('/servicedesk/sign-in?to=%2Fservicedesk%2Flessons');
    }
  });

  it.each(ways)('is refused, as an agent, at %s', async (path) => {
    await chat(UNKNOWN);
    await decide(UNKNOWN, { intent: 'out-of-scope' });
    const response = await pages.open(path, await pages.cookieOf('Anna', 'agent'));
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain(UNKNOWN);
  });

  it.each([
    ['without a session', undefined, {}, 303],
    ['as an agent', 'agent', {}, 403],
    ['from a page elsewhere', 'editor', { origin: 'https://evil.example' }, 403],
    ['from a page in a sandbox', 'editor', { origin: 'null' }, 403],
    ['from another site, as the browser says', 'editor', { 'sec-fetch-site': 'cross-site' }, 403],
  ] as const)('decides nothing %s', async (_, role, headers, status) => {
    await chat(UNKNOWN);
    const [lesson] = await find();
    const cookie = role && (await pages.cookieOf('Somebody', role));
    const form = { lesson: lesson?.id ?? '', decision: 'dismissed' };
    expect((await pages.send('/servicedesk/lessons', form, cookie, headers)).status).toBe(status);
    expect((await find())[0]?.decided).toBeUndefined();
  });

  it.each([{ decision: 'no-intent' }, { lesson: '1; drop table lessons' }, { wished: 'x'.repeat(81) }])(
    'is not understood either: %j',
    async (form) => {
      const sent = { lesson: '1', decision: 'dismissed', ...form };
      expect((await pages.send('/servicedesk/lessons', sent, editor)).status).toBe(400);
    },
  );
});
