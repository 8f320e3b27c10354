/** What an editor's change goes through: it is tried on what is on record, and then read anew while the service runs. */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { createCalendar } from '../../../src/calendar.ts';
import { replayContent, type ReplayOptions } from '../../../src/cli/content-replay.ts';
import { createConversations } from '../../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import type { Difference } from '../../../src/conversations/replay.ts';
import { createDemonstrationLedger } from '../../../src/ledger/demonstration-ledger.ts';
import { createDeskHours } from '../../../src/servicedesk/hours.ts';
import type { Lessons, Model } from '../../../src/understanding/classifier.ts';
import { train } from '../../../src/understanding/training.ts';
import { createUnderstanding, lessonsOf } from '../../../src/understanding/understanding.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { reloadContent } from '../../../src/cli/content-reload.ts';
import { createPreparing, type Prepared } from '../../../src/cli/preparing.ts';
import { askForReload } from '../../../src/cli/reloading.ts';
import type { Service } from '../../../src/cli/serve.ts';
import { createContent, type Line, type Reading } from '../../../src/content.ts';
import type { Edition } from '../../../src/editions.ts';
import type { Guidance } from '../../../src/guidance.ts';
import { deskSignInPath } from '../../../src/servicedesk/sessions.ts';
import type { Database } from '../../../src/storage/database.ts';
import { visitLink } from '../../../src/web/visits.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { isLong, runToItsEnd } from '../../faults/built-product.ts';
import { content, contentFolder, reading, readUnderstanding, root } from '../../product.ts';
import { startService } from '../../service.ts';
import { startServing } from '../../serving.ts';
import { type Activity, clientOf, openStream } from '../channels/direct-line/client.ts';
import { sessionOf } from '../servicedesk/agents.ts';

const understanding = readUnderstanding();
const OLD = '⟦old⟧';
const NEW = '⟦new⟧';

/** Every text of the content marked, and the offices open at an hour of their own. */
function marked(mark: string, from: string): Edition {
  const with_ = (text: string) => `${text} ${mark}`;
  const pages = new Map<Guidance, Guidance>();
  const pageOf = (guidance: Guidance) => {
    const page = pages.get(guidance) ?? { ...guidance, source: with_(guidance.source) };
    pages.set(guidance, page);
    return page;
  };
  const dropIn = [{ weekdays: [1, 2, 3, 4, 5], from, to: '23:00', notOnHolidays: false }];
  const changed: Reading = {
    ...reading,
    words: reading.words && { ...reading.words, masked: with_(reading.words.masked) },
    offices: { booth: dropIn, sodersjukhuset: dropIn },
    lines: new Map(
      [...reading.lines].map(([name, line]) => [
        name,
        { ...line, text: with_(line.text), suggests: line.suggests.map(with_) },
      ]),
    ),
    rules: new Map(
      [...reading.rules].map(([id, rule]) => [
        id,
        { ...rule, text: with_(rule.text), guidance: pageOf(rule.guidance) },
      ]),
    ),
    visits: new Map(
      [...reading.visits].map(([name, visit]) => [
        name,
        { ...visit, title: with_(visit.title), place: with_(visit.place), bring: visit.bring.map(with_) },
      ]),
    ),
    taught: reading.taught.map((lesson) => ({ ...lesson, title: with_(lesson.title) })),
  };
  return { content: createContent(changed), understanding };
}
const editions = { old: marked(OLD, '9:07'), new: marked(NEW, '9:11') };

describe('a recorded conversation, taken anew', () => {
  /** The content with a few wishes and examples, so that it is trained on at once. */
  const editionOf = (change: (reading: Reading) => Reading): Edition => {
    const few = reading.taught.filter(({ intent }) => WISHES.includes(intent));
    const taught = few.map((lesson) => ({ ...lesson, examples: lesson.examples.slice(0, 40) }));
    const changed = change({ ...reading, taught, borders: [] });
    const made = createContent(changed);
    return { content: made, understanding: createUnderstanding(made, modelOf(lessonsOf(changed))) };
  };
  const models = new Map<string, Model>();
  const modelOf = (lessons: Lessons): Model => {
    const key = JSON.stringify(lessons);
    const model = models.get(key) ?? train(lessons);
    models.set(key, model);
    return model;
  };
  const WISHES: readonly string[] = [
    'renew',
    'lost-card',
    'pin-forgotten',
    'greeting',
    'talk-to-human',
    'out-of-scope',
  ];
  const NEW_WORDS = 'brickan ska bytas mot en med nyare datum';
  const inService = editionOf((same) => same);
  const servicedesk = createDeskHours(undefined);
  let records: Database;

  /** What the command tells, in words or as JSON. */
  const told = async (after: Edition, options: Partial<ReplayOptions> = {}, before = inService): Promise<string> => {
    let text = '';
    const write = (more: string) => {
      text += more;
      return Promise.resolve();
    };
    const progress = new PassThrough();
    const all = { since: undefined, limit: 100, isJson: false, ...options };
    await replayContent(records, [before, after], all, { servicedesk }, { write, progress });
    return text;
  };
  const lineChanged = (name: string, change: (line: Line) => Line) =>
    editionOf((before) => {
      const line = before.lines.get(name);
      if (!line) throw new Error(`There is no ${name}`);
      return { ...before, lines: new Map(before.lines).set(name, change(line)) };
    });

  beforeAll(async () => {
    records = await openTestDatabase(await createDatabase());
    const now = () => new Date('2026-11-23T08:00:00+01:00');
    const store = createPostgresStore(records);
    const { ledger, personOf } = createDemonstrationLedger(now);
    const conversations = createConversations({
      ...inService,
      calendar: createCalendar(content),
      store,
      ledger,
      proving: { way: 'known', person: personOf('active') },
      proofLasts: { minutes: 30, idleMinutes: 10 },
      servicedesk,
      now,
      onTurn: () => undefined,
      onMistake: (mistake) => {
        throw mistake;
      },
    });
    const chats = [
      ['jag har tappat mitt kort', 'spärra kortet', 'ja'],
      [NEW_WORDS, 'mitt nummer är 19850709-9876'],
      [NEW_WORDS, 'avbryt', 'hej'],
      ['jag vill prata med en människa', 'är någon där'],
    ];
    for (const [nth, texts] of chats.entries()) {
      const place = { conversation: `record ${nth}`, channel: 'test', isPushed: false };
      await conversations.open(place);
      for (const [id, text] of texts.entries())
        await (
          await conversations.accept({ ...place, id: String(id), text })
        ).answered;
    }
  });
  afterAll(() => records.close());

  it('is answered as it was by the same content, and nothing on record is changed by asking', async () => {
    const rows = () =>
      records.run(
        { text: 'select (select count(*) from messages), sum(turns), max(changed_at) from conversations' },
        [],
      );
    const before = await rows();
    expect(await told(editionOf((same) => same))).toMatch(
      /^4 samtal med 9 meddelanden[^]*1 meddelanden till skrevs till en människa[^]*\nInget besvaras annorlunda\.\n$/,
    );
    expect(await rows()).toEqual(before);
  });

  it('with a line that is put otherwise tells how often it is said, and of no difference', async () => {
    const edited = lineChanged('conversation/welcome', (line) => ({ ...line, text: `${line.text} Välkommen.` }));
    const report: unknown = JSON.parse(await told(edited, { isJson: true }));
    expect(report).toMatchObject({ differences: [], reworded: { 'conversation/welcome': 4 } });
    expect(await told(edited)).toContain('conversation/welcome: 4 svar');
    expect(JSON.parse(await told(edited, { isJson: true, limit: 2 }))).toMatchObject({
      conversations: 2,
      reworded: { 'conversation/welcome': 2 },
    });
    expect(await told(edited, { since: new Date('2100-01-01') })).toMatch(/^0 samtal/);
  });

  it('with an utterance that was added tells what is understood now, masked, and where it leads', async () => {
    const taught = editionOf((before) => ({
      ...before,
      taught: before.taught.map((lesson) =>
        lesson.intent === 'renew' ? { ...lesson, examples: [...lesson.examples, NEW_WORDS] } : lesson,
      ),
    }));
    const better = JSON.parse(await told(taught, { isJson: true })) as { differences: Difference[] };
    expect(better.differences[0]).toMatchObject({
      kind: 'understoodOtherwise',
      text: NEW_WORDS,
      times: 2,
      after: { heard: ['intent.renew'], intent: 'renew', decision: 'answer' },
    });
    const worse = await told(inService, {}, taught);
    expect(worse).toMatch(/Förstås inte längre[^]*brickan ska bytas[^]*\(2 gånger\)[^]*Nu: intent\.renew/);
    expect(worse).not.toContain('19850709');
  });

  it('with a line on other rules tells of those, after what changes the meaning', async () => {
    const edited = lineChanged('conversation/welcome', (line) => ({ ...line, cites: ['R1'] }));
    expect(await told(edited)).toMatch(/som bygger på andra regler: 4\n {2}När samtalet börjar \(4 gånger\)[^]*\(R1\)/);
  });
});

let database: Database;
let services: Service[] = [];
/** What the next reload comes to, in each process. */
let next: (Prepared | Promise<Prepared> | undefined)[] = [];
const offer = (...prepared: typeof next): void => {
  next = prepared;
};
const offerBoth = (edition: Edition): void => {
  offer({ outcome: 'good', edition }, { outcome: 'good', edition });
};
const origin = (nth: number) => services[nth]?.origin ?? '';

beforeAll(async () => {
  const url = await createDatabase();
  database = await openTestDatabase(url);
  const environment = { DATABASE_URL: url, SERVICEDESK_HOURS: 'mån 03:00-03:01' };
  services = await Promise.all(
    [0, 1].map((nth) =>
      startService(environment, {
        ...editions.old,
        rates: { beginnings: 100_000, messages: 100_000, requests: 100_000 },
        prepare: () => {
          const prepared = next[nth];
          return prepared === undefined ? Promise.reject(new Error('Nothing is prepared')) : Promise.resolve(prepared);
        },
      }),
    ),
  );
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await database.close();
});

/** Where an activity stands in its conversation. */
const seqOf = (id: unknown): number => Number(String(id).split('|').at(-1));

/** What is said in a chat of these messages, one after the other, each once the one before is answered. */
async function chatAt(home: string, texts: readonly string[]): Promise<Activity[]> {
  const client = clientOf(home);
  const chat = await client.begin();
  const stream = await openStream(chat.streamUrl);
  const seen = new Map<string, Activity>();
  for (const text of texts) {
    const { body } = await client.send(chat, { type: 'message', text });
    const asked = seqOf(body.id);
    while (![...seen.values()].some(({ id, from }) => from.role === 'bot' && seqOf(id) > asked)) {
      for (const activity of (await stream.next()).activities) seen.set(activity.id, activity);
    }
  }
  stream.close();
  return [...seen.values()];
}

describe('another content', () => {
  /** What everybody is shown who is there, by where they look. */
  async function everythingAt(home: string, sessions: Record<string, string>): Promise<Record<string, string>> {
    const visits = ['9:07', '9:11'].map((from) =>
      visitLink('', 'photo-at-booth', { day: '2026-11-24', from, to: '23:00' }),
    );
    const pages = [
      '/',
      '/web-chat',
      '/embed.js',
      '/embed-example',
      '/accessibility',
      '/records',
      '/nowhere',
      '/c/none',
    ];
    const paths: [string, string?][] = [
      ...[...pages, ...visits, '/sign-in?challenge=none', deskSignInPath('https://elsewhere')].map((path): [string] => [
        path,
      ]),
      ['/servicedesk', 'agent-anna'],
      ['/servicedesk/lessons', 'editor-eva'],
      ['/servicedesk/figures', 'agent-anna'],
    ];
    const seen = await Promise.all(
      paths.map(async ([path, who = '']) => {
        const response = await fetch(`${home}${path}`, { headers: { cookie: sessions[who] ?? '' } });
        return [path, await response.text()] as const;
      }),
    );
    const activities = await chatAt(home, [
      'hur förnyar jag kortet',
      'avbryt',
      '19850709-9876',
      'när är båset öppet i morgon',
    ]);
    return { ...Object.fromEntries(seen), chat: JSON.stringify(activities) };
  }

  it('leaves nothing of the one before on any page or in any chat', async () => {
    const home = origin(0);
    const sessions = {
      'agent-anna': await sessionOf(home, 'agent-anna'),
      'editor-eva': await sessionOf(home, 'editor-eva'),
    };
    const before = await everythingAt(home, sessions);
    for (const [where, text] of Object.entries(before))
      expect([where, text]).toEqual([where, expect.not.stringContaining(NEW)]);
    const shown = Object.keys(before).filter((where) => before[where]?.includes(OLD));
    expect(shown).toHaveLength(Object.keys(before).length);
    const tag = async () => (await fetch(`${home}/embed.js`)).headers.get('etag');
    const tagBefore = await tag();

    offerBoth(editions.new);
    expect(await services[0]?.reload?.()).toEqual({ outcome: 'taken' });
    const after = await everythingAt(home, sessions);
    for (const where of shown) {
      expect([where, after[where]]).toEqual([where, expect.stringContaining(NEW)]);
      expect([where, after[where]]).toEqual([where, expect.not.stringContaining(OLD)]);
    }
    expect(before.chat).toContain('9:07');
    expect(after.chat).toContain('9:11');
    expect(after.chat).not.toContain('9:07');
    expect(await tag()).not.toBe(tagBefore);
  });
});

describe('a reload under load', () => {
  const ROUNDS = isLong ? 40 : 6;
  const TEXTS = ['hur förnyar jag kortet', 'avbryt', 'jag har tappat mitt kort och glömt pinkoden', 'avbryt'];

  it('loses no message, and no turn is of both contents', async () => {
    const now = { isReloading: true };
    const reloading = (async () => {
      for (let round = 0; round < ROUNDS; round++) {
        offerBoth(round % 2 === 0 ? editions.old : editions.new);
        const { processes, deaf } = await askForReload(database, 60);
        expect({ outcomes: processes.map(({ reloaded }) => reloaded.outcome), deaf }).toEqual({
          outcomes: ['taken', 'taken'],
          deaf: 0,
        });
      }
    })().finally(() => (now.isReloading = false));
    const written: number[] = [];
    await Promise.all(
      [0, 1, 0, 1, 0, 1].map(async (nth) => {
        while (now.isReloading) {
          await chatAt(origin(nth), TEXTS);
          written.push(TEXTS.length);
        }
      }),
    );
    await reloading;

    const turns = await database.run<{ replies: string; answers: number | null }>(
      {
        text: `select string_agg(said::text, ' ') as replies, max(answers) as answers from messages
          where author = 'bot' and conversation in (select id from conversations where begun_at > now() - interval '1 hour')
          group by conversation, turn`,
      },
      [],
    );
    const ofBoth = turns.filter(({ replies }) => replies.includes(OLD) && replies.includes(NEW));
    expect(ofBoth).toEqual([]);
    expect(turns.some(({ replies }) => replies.includes(OLD))).toBe(true);
    expect(turns.some(({ replies }) => replies.includes(NEW))).toBe(true);
    const lost = await database.run(
      {
        text: `select m.conversation, m.seq, count(r) from messages m
          left join (select distinct conversation, answers, turn from messages where author = 'bot') r
            on r.conversation = m.conversation and r.answers = m.seq
          where m.author = 'student' group by 1, 2 having count(r) <> 1`,
      },
      [],
    );
    expect(lost).toEqual([]);
    expect(written.length).toBeGreaterThanOrEqual(6);
  });
});

describe('whoever asks for a reload', () => {
  let told: string;
  const asked = async (seconds = 60) => {
    told = '';
    return reloadContent(database, seconds, content, (text) => {
      told += text;
      return Promise.resolve();
    });
  };
  const titleAt = async (nth: number) => (await fetch(`${origin(nth)}/accessibility`)).text();

  it('is told of each process that it has taken it', async () => {
    offerBoth(editions.new);
    expect(await asked()).toBe(0);
    expect(told.match(/det nya innehållet används nu\./g)).toHaveLength(2);
  });

  it('is told why one has not, however long the reasons are, and that one goes on as it was', async () => {
    const reasons = Array.from({ length: 400 }, (_, line) => `lost-card/lines.yaml:${line} är fel “så här”`).join('\n');
    offer({ outcome: 'refused', reasons }, { outcome: 'good', edition: editions.old });
    expect(await asked()).toBe(1);
    expect(told).toContain('det nya innehållet används inte');
    expect(told).toContain(reasons.replace(/^/gm, '  '));
    expect(await titleAt(0)).toContain(NEW);
    expect(await titleAt(1)).toContain(OLD);
  });

  it('is told that one has failed, has not answered in time, or is not there', async () => {
    let finish = (): void => undefined;
    const late = new Promise<Prepared>((resolve) => {
      finish = () => {
        resolve({ outcome: 'good', edition: editions.new });
      };
    });
    offer(undefined, late);
    expect(await asked(1)).toBe(1);
    expect(told).toContain('gick inte att läsa om');
    expect(told).toContain('har hört, men inte svarat inom 1 sekunder');
    // Whoever asks while it goes on has the next one's answer, and all who wait have the same.
    offerBoth(editions.new);
    const [one, other] = [services[1]?.reload?.(), services[1]?.reload?.()];
    expect(one).toBe(other);
    finish();
    expect(await one).toEqual({ outcome: 'taken' });

    const empty = await openTestDatabase(await createDatabase());
    told = '';
    const write = (text: string) => {
      told += text;
      return Promise.resolve();
    };
    expect(await reloadContent(empty, 60, content, write)).toBe(1);
    expect(told).toContain('Ingen process är igång');
    expect(await reloadContent(empty, 60, undefined, write)).toBe(1);
    expect(told).toContain('nobody');
    await empty.close();
  });
});

/** In milliseconds: it starts the product, and two more of it. */
const PATIENCE = 240_000;

describe('the editors’ own folder', () => {
  it(
    'is taken at SIGHUP, and refused with what the checker says to whoever asks by the command',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'own-content-'));
      const own = join(folder, 'content');
      cpSync(contentFolder, own, { recursive: true });
      const file = join(own, 'accessibility/lines.yaml');
      const before = readFileSync(file, 'utf8');
      const environment = { DATABASE_URL: await createDatabase(), KORTLOTSEN_CONTENT: own };
      const serving = await startServing(environment);
      try {
        const title = content.label('accessibility/title');
        const page = async () => (await fetch(`${serving.origin}/accessibility`)).text();
        expect(await page()).toContain(title);

        writeFileSync(file, before.replace(title, 'En annan rubrik'));
        serving.process.kill('SIGHUP');
        await serving.logged(/content is (taken|refused)/);
        expect(await page()).toContain('En annan rubrik');

        writeFileSync(file, `${before}\ngarbled: [\n`);
        const { status, told } = await runToItsEnd(root, ['content', 'reload'], environment);
        expect(status).toBe(1);
        expect(told).toMatch(/det nya innehållet används inte[^]*accessibility\/lines\.yaml/);
        await serving.logged(/content is refused/);
        expect(await page()).toContain('En annan rubrik');
      } finally {
        expect(await serving.stop()).toBe(0);
        rmSync(folder, { recursive: true });
      }
    },
    PATIENCE,
  );
});

describe('the process that prepares', () => {
  it('is of the program that serves, also if that was built anew, and of no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kortlotsen-preparing-'));
    const program = join(folder, 'program.mjs');
    const refusing = "serialize({ outcome: 'refused', reasons: 'rad 1' })";
    writeFileSync(program, `import { serialize } from 'node:v8';\nprocess.stdout.write(${refusing});\n`);
    const untold = () => undefined;
    const world = { program, command: [], contacts: {}, onTraining: untold, onUnkept: untold };
    const prepare = createPreparing(world);
    const { signal } = new AbortController();
    utimesSync(program, new Date(0), new Date(0));
    expect(await prepare(signal)).toEqual({ outcome: 'refused', reasons: 'rad 1' });
    appendFileSync(program, '// A later version.\n');
    await expect(prepare(signal)).rejects.toThrow('start it anew');
    rmSync(folder, { recursive: true });
  });
});
