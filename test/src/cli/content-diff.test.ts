/** What an editor is told of a new copy of the guidance, and of how old the rules are. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runContentAge } from '../../../src/cli/content-age.ts';
import { runContentDiff } from '../../../src/cli/content-diff.ts';
import { Checker, createFounding } from '../../../src/content-check.ts';
import { readFiles } from '../../../src/content.ts';
import { readCopy } from '../../../src/guidance-copy.ts';
import { compareGuidance, type Comparison, type Difference } from '../../../src/guidance-diff.ts';
import { readYaml } from '../../../src/source-file.ts';
import { content, contentFolder } from '../../product.ts';

const { reading } = readFiles(contentFolder);
const { data: checker } = readYaml(Checker, reading.checker, []);
if (!checker) throw new Error('Nothing says how the content is checked');
const { numbersIn } = createFounding(checker);

const page = (reading.pages[0]?.paragraphs ?? []).map(({ text }) => text);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The page with some of its words changed, each of which has to be there. */
function edited(...changes: (readonly [string, string])[]): string[] {
  return changes.reduce((texts, [old, now]) => {
    if (!texts.some((text) => text.includes(old))) throw new Error(`The page has no ${old}`);
    return texts.flatMap((text) => text.replace(old, now).split('\n')).filter((text) => text !== '');
  }, page);
}

function compared(paragraphs: readonly string[]): Comparison {
  const copied = readCopy(bytes(paragraphs.join('\n')));
  const comparison = copied && compareGuidance(reading, copied, numbersIn);
  if (!comparison) throw new Error('It is not compared');
  return comparison;
}

const [ORDER, RENEWAL, PROTECTED, DESTROY] = [
  'Observera att beställning',
  'För nytt kort',
  'Studenter med',
  'Efter avslutad',
].map((beginning) => page.findIndex((text) => text.startsWith(beginning)));
const touched = ({ rules }: Difference) => rules.filter((each) => each.isTouched).map(({ rule }) => rule.id);
const untouched = ({ rules }: Difference) => rules.filter((each) => !each.isTouched).map(({ rule }) => rule.id);
const only = ({ differences }: Comparison): Difference => {
  const [first, ...others] = differences;
  if (!first || others.length > 0) throw new Error(`There are ${differences.length} differences`);
  return first;
};

describe('a copy of the guidance', () => {
  const html = (paragraphs: readonly string[]) =>
    `<!DOCTYPE html><html><head><title>Sidan</title><script>if (1 < 2) write("<p>nej</p>")</script></head><body>
     <nav><ul><li>Hem</li></ul></nav><!-- <p>nej</p> --><main>${paragraphs
       .map((text, index) =>
         index % 3 === 0
           ? `<p class="a>b">${text.replaceAll('&', '&amp;').replaceAll('å', '&aring;').replaceAll('–', '&#8211;')}</p>`
           : `<ul><li data-x='1'>\n  ${text.replace(' ', '\n <b>') + (text.includes(' ') ? '</b>' : '')}\n</li></ul>`,
       )
       .join('\n')}</main></body></html>`;

  it.each<[string, Uint8Array]>([
    ['a row a paragraph', bytes(page.join('\n'))],
    [
      'rows with marks and spaces',
      bytes(page.map((text) => `  • ${text.replaceAll(' ', '\u00a0 ')}  `).join('\r\n\r\n')),
    ],
    ['rows that an editor has broken', bytes(page.join('\n\n').replace(/(?=\S)(.{60,90}) (?=\S)/g, '$1\n'))],
    ['other quotes and strokes', bytes(page.join('\n').replaceAll('”', '"').replaceAll('–', '—'))],
    ['decomposed letters', bytes(page.join('\n').normalize('NFD'))],
    ['UTF-16, as Windows may', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(page.join('\r\n'), 'utf16le')])],
    ['a page of HTML', bytes(html(page))],
    [
      'a page with marks in its attributes',
      bytes(`<body>${page.map((text) => `<div data-x="{'a':<p>1</p>}" title='a > b'>${text}</div>`).join('')}</body>`),
    ],
    ['a page with breaks for paragraphs', bytes(`<body>${page.join('<br>\n')}</body>`)],
  ])('is read as %s', (_, copy) => {
    const copied = readCopy(copy) ?? [];
    expect(copied.length).toBeGreaterThanOrEqual(page.length);
    expect(compareGuidance(reading, copied, numbersIn)?.differences).toEqual([]);
  });

  it('is read also in the encoding of long ago', () => {
    const [copied] =
      readCopy(Buffer.from('<p>R\u00e4tt kod i kuvertet \u0096 p&#229; alla &#150; s\u00e4tt</p>', 'latin1')) ?? [];
    expect(copied?.text).toBe('Rätt kod i kuvertet – på alla – sätt');
  });

  it('says on which row each paragraph begins', () => {
    expect(readCopy(bytes('\nEtt\n\nTvå\n'))).toEqual([
      { text: 'Ett', at: 2, isBeside: false },
      { text: 'Två', at: 4, isBeside: false },
    ]);
    expect(readCopy(bytes('<body>\n<script>\n</script>\n<p>Ett\n</p><p>\n  Två'))).toEqual([
      { text: 'Ett', at: 4, isBeside: false },
      { text: 'Två', at: 6, isBeside: false },
    ]);
  });

  it('is not new for what stands beside its main part, where the page says which that is', () => {
    const [first = '', ...others] = page;
    const paragraphs = (texts: readonly string[]) => texts.map((text) => `<p>${text}</p>`).join('');
    const around = (tag: string) =>
      bytes(`<body>${paragraphs([first])}<${tag}>${paragraphs(others)}</${tag}><footer><p>Om webbplatsen</p></footer>`);
    const found = (tag: string) => compareGuidance(reading, readCopy(around(tag)) ?? [], numbersIn)?.differences;
    expect(found('main')).toEqual([]);
    expect(found('div')).toMatchObject([{ change: 'new', now: [{ text: 'Om webbplatsen' }] }]);
  });

  it.each<[string, Uint8Array]>([
    ['nothing', bytes('')],
    ['a PDF', bytes('%PDF-1.7 ...')],
    ['a document of Word', Buffer.from('PK\u0003\u0004')],
    ['a page without a word', bytes('<html><body><script>1</script></body></html>')],
  ])('is not read where it is %s', (_, copy) => {
    expect(readCopy(copy)).toBeUndefined();
  });

  it('is read to its end whatever HTML it has', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            '<',
            '>',
            '<p',
            '<p>',
            '</p>',
            '<!--',
            '-->',
            '<script>',
            '</script>',
            '"',
            "'",
            '&',
            '&#',
            ';',
            ' a=',
            'ord',
            '\n',
          ),
        ),
        (pieces) => {
          const copied = readCopy(bytes(`<p>${pieces.join('')}`)) ?? [];
          expect(copied.every(({ text }) => text.trim() === text && text !== '')).toBe(true);
        },
      ),
    );
  });
});

describe('a paragraph', () => {
  it('that has another number touches the rule that says it, and the texts that repeat it', () => {
    const difference = only(compared(edited(['giltig i 3 månader', 'giltig i 6 månader'])));
    expect(difference).toMatchObject({ change: 'changed', isMoved: false });
    expect(difference.pieces.filter(({ kind }) => kind !== 'same').map(({ kind, text }) => `${kind}${text}`)).toEqual([
      'gone 3',
      'added 6',
    ]);
    expect([touched(difference), untouched(difference)]).toEqual([['R20'], ['R21']]);
    const repeating = difference.lines.filter((line) => line.says.includes('3 månader')).map(({ name }) => name);
    expect(repeating).toEqual(
      expect.arrayContaining(['order/orderHasLapsed', 'canned/orderLasts', 'card-status/ordered']),
    );
    expect(repeating.every((name) => reading.lines.get(name)?.cites.includes('R20'))).toBe(true);
  });

  it('lists every text that cites its rules, by a sentence on the row that is told', () => {
    const rows = new Map(reading.files.map(({ name, text }) => [name, text.split('\n')]));
    const { differences } = compared([page[RENEWAL ?? 0] ?? '']);
    const all = differences.flatMap(({ lines }) => lines);
    const citing = [...reading.lines.values(), ...reading.visits.values(), ...reading.openings].filter(
      ({ cites }) => cites.length > 0,
    );
    const onlyOf = ['R11', 'R17'];
    const wanted = citing.filter(({ cites }) => !cites.every((id) => onlyOf.includes(id)));
    expect(new Set(all.map(({ name }) => name))).toEqual(new Set(wanted.map(({ name }) => name)));
    for (const { file, at, sentence } of all) {
      const [word = ''] = /[\p{L}\p{N}]+/u.exec(sentence) ?? [];
      expect({ file, at, row: rows.get(file)?.[at - 1] }).toEqual({ file, at, row: expect.stringContaining(word) });
    }
  });

  it.each([
    ['a name is gone', ['från TeliaSonera och', 'från Telia och'], ['R48'], ['R47']],
    [
      'words are put in among a rule’s',
      ['3 månader, därefter', '3 månader från beställningsdagen, därefter'],
      ['R20'],
      ['R21'],
    ],
    [
      'a sentence is put in between two rules',
      ['försvinner den. För', 'försvinner den. Det är normalt. För'],
      [],
      ['R20', 'R21'],
    ],
    ['only a sign is another', ['försvinner den. För ny', 'försvinner den; För ny'], [], ['R20', 'R21']],
  ] as const)('touches what it should when %s', (_, change, rules, others) => {
    const difference = only(compared(edited(change)));
    expect([touched(difference), untouched(difference)]).toEqual([rules, others]);
  });

  it('that is gone touches all its rules, and one that is new none', () => {
    const [gone] = compared(page.filter((_, index) => index !== DESTROY)).differences;
    expect(gone).toMatchObject({ change: 'removed', now: [] });
    expect(gone && touched(gone)).toEqual(['R49']);
    expect(gone?.lines.map(({ name }) => name)).toContain('studies-ended/destroyCard');
    const fresh = only(
      compared([...page.slice(0, 40), 'Kortet kan nu skickas hem med rekommenderat brev.', ...page.slice(40)]),
    );
    expect(fresh).toMatchObject({ change: 'new', old: [], rules: [], now: [{ at: 41 }] });
  });

  it('that was moved is known again, also with another number', () => {
    const moved = page.filter((_, index) => index !== PROTECTED && index !== ORDER);
    moved.push(page[PROTECTED ?? 0] ?? '', (page[ORDER ?? 0] ?? '').replace('3 månader', '6 månader'));
    const { differences } = compared(moved);
    expect(differences.map(({ change, isMoved, old }) => ({ change, isMoved, text: old[0]?.text }))).toEqual([
      { change: 'changed', isMoved: true, text: page[ORDER ?? 0] },
      { change: 'moved', isMoved: true, text: page[PROTECTED ?? 0] },
    ]);
  });

  it('that was divided, or put together with the next, is the same', () => {
    expect(compared(edited(['försvinner den. För', 'försvinner den.\nFör'])).differences).toEqual([]);
    const together = page.flatMap((text, index) =>
      index === ORDER ? [`${text} ${page[index + 1] ?? ''}`] : index === (ORDER ?? 0) + 1 ? [] : [text],
    );
    expect(compared(together).differences).toEqual([]);
  });

  it('is found whatever the order is, and none is lost', () => {
    const places = page.map((_, index) => index);
    fc.assert(
      fc.property(fc.shuffledSubarray(places, { minLength: page.length - 10 }), (order) => {
        const { same, differences } = compared(order.map((index) => page[index] ?? ''));
        const kinds = differences.map(({ change }) => change);
        expect(kinds.every((kind) => kind === 'moved' || kind === 'removed')).toBe(true);
        expect(kinds.filter((kind) => kind === 'removed')).toHaveLength(page.length - order.length);
        expect(same + differences.length).toBe(page.length);
      }),
      { numRuns: 8 },
    );
  });

  it('is told the same each time', () => {
    const changed = edited(['8 veckor', '10 veckor'], ['Plats: Lindhagensterassen 1', 'Plats: Storgatan 2']);
    expect(compared(changed)).toEqual(compared(changed));
  });

  it('is looked for on the page that has most in common with the copy', () => {
    const [first] = reading.pages;
    if (!first) throw new Error('There is no page');
    const other = { ...first, file: 'guidance/other.yaml', paragraphs: first.paragraphs.slice(-5) };
    const pages = [other, first];
    const copied = readCopy(bytes(page.join('\n'))) ?? [];
    expect(compareGuidance({ ...reading, pages }, copied, numbersIn)).toMatchObject({ page: first, differences: [] });
  });

  it('that dates the page tells the date', () => {
    const { dates, differences } = compared(edited(['22 mars 2022', '5 januari 2027']));
    expect(dates).toEqual([{ date: 'updated', was: '2022-03-22', is: '2027-01-05' }]);
    expect(differences.map(({ change }) => change)).toEqual(['changed']);
  });
});

describe('kortlotsen content diff', () => {
  const folder = mkdtempSync(join(tmpdir(), 'content-diff-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  async function run(copy: string, isJson = false) {
    const file = join(folder, 'copy.txt');
    writeFileSync(file, copy);
    let told = '';
    const code = await runContentDiff(
      { folder: contentFolder, copy: file, isJson },
      { content, reading },
      (text) => void (told += text),
    );
    return { code, told };
  }

  it('says in one sentence that nothing has changed', async () => {
    const { code, told } = await run(page.join('\n'));
    expect(code).toBe(0);
    expect(told).toMatch(/^Inget har ändrats\. .*student-2022-03-22\.yaml\.\n$/);
  });

  it('tells an editor what has changed, what rests on it, and what to do', async () => {
    const { code, told } = await run(edited(['8 veckor', '10 veckor'], ['22 mars 2022', '5 januari 2027']).join('\n'));
    expect(code).toBe(1);
    expect(told).toContain('uppdaterad 2027-01-05');
    expect(told).toMatch(
      /ÄNDRAT STYCKE, content\/guidance\/student-2022-03-22\.yaml rad \d+\n.*minst \[-8-\] \[\+10\+\] veckor/,
    );
    expect(told).toMatch(/\n {2}R17, content\/guidance\/student-2022-03-22\.md rad \d+: ”Var noga/);
    expect(told).toMatch(
      /\n {4}content\/canned\/lines\.yaml rad \d+, canned\/renewInTime: ”.*8 veckor.*”\n {6}Texten säger ”8 veckor”/,
    );
    expect(told).toContain('inte på de ord som har ändrats: R11.');
    expect(told).toMatch(/Gör så här: .*content\/README\.md/);
    expect(readFileSync(join(contentFolder, 'README.md'), 'utf8')).toContain('## När vägledningen ändras');
  });

  it('tells machines the same as one object', async () => {
    const { code, told } = await run(edited(['8 veckor', '10 veckor']).join('\n'), true);
    const { differences } = JSON.parse(told) as {
      differences: { lines: { file: string; line: number; says: string[] }[] }[];
    };
    expect(code).toBe(1);
    expect(differences).toMatchObject([
      {
        change: 'changed',
        rules: [
          { rule: 'R11', touched: false },
          { rule: 'R17', touched: true },
        ],
      },
    ]);
    for (const { file, line, says } of (differences[0]?.lines ?? []).filter((each) => each.says.length > 0)) {
      const rows = readFileSync(resolve(file), 'utf8')
        .split('\n')
        .slice(line - 1, line + 2);
      expect(rows.join(' ').replace(/\s+/g, ' ')).toContain(says[0]);
    }
  });

  it.each([
    ['cannot be read', '', /går inte att läsa/],
    [
      'is another page',
      'Välkommen till kommunens sida om parkering.\nHär finns inget om kort.',
      /inget stycke gemensamt/,
    ],
  ])('says so of a file that %s', async (_, copy, said) => {
    const { code, told } = await run(copy);
    expect(code).toBe(2);
    expect(told).toMatch(said);
    expect((await run(copy, true)).code).toBe(2);
  });
});

describe('kortlotsen content age', () => {
  const rules = new Map(reading.rules);
  const older = rules.get('R31');
  if (!older) throw new Error('There is no R31');
  rules.set('R31', { ...older, guidance: { ...older.guidance, fact_checked: '2019-10-12' } });

  async function run(given?: { name: string; count: number }[], isJson = false) {
    let told = '';
    const asked = { folder: contentFolder, today: '2020-10-21', days: 30, isJson } as const;
    await runContentAge(asked, { ...content, rules }, given, (text) => void (told += text));
    return told;
  }
  const orderIn = (told: string) => [...told.matchAll(/^(R\d+) /gm)].map(([, id]) => id);

  it('puts first what is oldest times most often given', async () => {
    const told = await run([
      { name: 'R42', count: 50 },
      { name: 'R31', count: 1 },
      { name: 'R20', count: 36 },
    ]);
    expect(orderIn(told).slice(0, 3)).toEqual(['R42', 'R31', 'R20']);
    expect(told).toMatch(/^R42 +2020-10-11 +10 +50 +500$/m);
    expect(told).toMatch(/^R31 +2019-10-12 +375 +1 +375 +kan ha ändrats$/m);
    expect(told).toContain('Sägs i: lost-card/');
    expect(told).toContain('2020-09-22 till 2020-10-21');
  });

  it('goes by age alone where nobody knows how often', async () => {
    const told = await run();
    expect(orderIn(told)[0]).toBe('R31');
    expect(orderIn(told)).not.toContain('R51');
    expect(told).not.toContain('Gånger  ');
  });

  it('tells machines a rule a line, with where its texts are', async () => {
    const [first] = (await run([{ name: 'R20', count: 2_000 }], true)).split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({ rule: 'R20', factChecked: '2020-10-11', days: 10, given: 2_000 });
    expect(JSON.parse(first ?? '')).toMatchObject({
      lines: expect.arrayContaining([
        { name: 'order/orderHasLapsed', file: expect.stringMatching(/order\/lines\.yaml$/), line: expect.any(Number) },
      ]),
    });
  });
});
