import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addDays, type Day, type Span } from '../../../dialogs/card-validity.ts';
import { createDateReader, type Leaning } from '../../../src/understanding/dates.ts';

const text = readFileSync(join(import.meta.dirname, '../../../content/dates.yaml'), 'utf8');
const file = { name: 'dates.yaml', text, firstLine: 1 };
const reader = createDateReader(file);

/** A Monday in November. */
const today = '2026-11-23';

/** What is written, what it says of the past, and of the future where that is something else. */
type Row = readonly [written: string, past: string, future?: string];

const inNumbers: Row[] = [
  ['2020-02-18', '2020-02-18'],
  ['2020-2-3', '2020-02-03'],
  ['2020/02/18', '2020-02-18'],
  ['20200218', '2020-02-18'],
  ['200218', '2020-02-18'],
  ['20-02-18', '2020-02-18'],
  ['18.2.2020', '2020-02-18'],
  ['18.02.20', '2020-02-18'],
  ['18-02-2020', '2020-02-18'],
  ['18/2', '2026-02-18', '2027-02-18'],
  ['den 18/2', '2026-02-18', '2027-02-18'],
  ['24/11', '2025-11-24', '2026-11-24'],
  ['18/2-20', '2020-02-18'],
  ['18/2 -20', '2020-02-18'],
  ['18/2 20', '2020-02-18'],
  ['18/2/20', '2020-02-18'],
  ['18/2 2020', '2020-02-18'],
  ['18/2, 2020', '2020-02-18'],
  ['18/2–2020', '2020-02-18'],
  ['18–20/2', '2026-02-18..2026-02-20', '2027-02-18..2027-02-20'],
  ['02/12', '2025-12-02', '2026-12-02'],
  ['12/12', '2025-12-12', '2026-12-12'],
];

const onCards: Row[] = [
  ['2020-02', '2020-02-01..2020-02-29'],
  ['02/2027', '2027-02-01..2027-02-28'],
  ['2/2027', '2027-02-01..2027-02-28'],
  ['02/27', '2027-02-01..2027-02-28'],
  ['02/28', '2028-02-01..2028-02-29'],
  ['12/13', '2013-12-01..2013-12-31'],
];

const inMonths: Row[] = [
  ['18 feb 2020', '2020-02-18'],
  ['18 feb. 2020', '2020-02-18'],
  ['18feb2020', '2020-02-18'],
  ['4 maj 2022', '2022-05-04'],
  ['18 februari -20', '2020-02-18'],
  ['18 feb ’20', '2020-02-18'],
  ['18 feb 20', '2020-02-18'],
  ['den 18:e februari', '2026-02-18', '2027-02-18'],
  ['18e februari i fjol', '2025-02-18'],
  ['artonde februari 2020', '2020-02-18'],
  ['första maj', '2026-05-01', '2027-05-01'],
  ['den 24 december', '2025-12-24', '2026-12-24'],
  ['ons den 25 november', '2025-11-25', '2026-11-25'],
  ['den 18 till 20 februari', '2026-02-18..2026-02-20', '2027-02-18..2027-02-20'],
  ['2020 den 18 februari', '2020-02-18'],
  ['den 3:e', '2026-11-03', '2026-12-03'],
  ['den 31:a', '2026-10-31', '2026-12-31'],
  ['februari 2020', '2020-02-01..2020-02-29'],
  ['februari (2020)', '2020-02-01..2020-02-29'],
  ['februari månad 2020', '2020-02-01..2020-02-29'],
  ['feb -20', '2020-02-01..2020-02-29'],
  ['feb2020', '2020-02-01..2020-02-29'],
  ['mars', '2026-03-01..2026-03-31', '2027-03-01..2027-03-31'],
  ['i januari', '2026-01-01..2026-01-31', '2027-01-01..2027-01-31'],
  ['i jan', '2026-01-01..2026-01-31', '2027-01-01..2027-01-31'],
  ['jan', '2026-01-01..2026-01-31', '2027-01-01..2027-01-31'],
  ['i mars förra året', '2025-03-01..2025-03-31'],
  ['förra året i mars', '2025-03-01..2025-03-31'],
  ['mars i år', '2026-03-01..2026-03-31'],
];

const inYears: Row[] = [
  ['1990', '1990-01-01..1990-12-31'],
  ['2020', '2020-01-01..2020-12-31'],
  ['år 2020', '2020-01-01..2020-12-31'],
  ['2099', '2099-01-01..2099-12-31'],
  ['förra året', '2025-01-01..2025-12-31'],
  ['i fjol', '2025-01-01..2025-12-31'],
  ['förrförra året', '2024-01-01..2024-12-31'],
  ['nästa år', '2027-01-01..2027-12-31'],
  ['i år', '2026-01-01..2026-12-31'],
];

const inSeasons: Row[] = [
  ['våren 2020', '2020-03-01..2020-05-31'],
  ['hösten -19', '2019-09-01..2019-11-30'],
  ['hösten 19', '2019-09-01..2019-11-30'],
  ['vintern 2019', '2018-12-01..2020-02-29'],
  ['vintern 2019/20', '2018-12-01..2020-02-29'],
  ['våren i fjol', '2025-03-01..2025-05-31'],
  ['i våras', '2026-03-01..2026-05-31'],
  ['i somras', '2026-06-01..2026-08-31'],
  ['i vintras', '2025-12-01..2026-02-28'],
  ['i höstas', '2025-09-01..2026-11-23'],
  ['i höst', '2026-09-01..2026-11-30'],
  ['i vår.', '2026-03-01..2026-05-31', '2027-03-01..2027-05-31'],
  ['förra våren', '2025-03-01..2026-05-31'],
  ['förra hösten', '2025-09-01..2025-11-30'],
  ['nästa vår', '2027-03-01..2027-05-31'],
  ['ht 2024', '2024-08-15..2025-01-14'],
  ['HT-24', '2024-08-15..2025-01-14'],
  ['ht 24', '2024-08-15..2025-01-14'],
  ['vt25', '2025-01-15..2025-06-14'],
  ['vårterminen 2025', '2025-01-15..2025-06-14'],
  ['förra terminen', '2026-01-15..2026-06-14'],
  ['den här terminen', '2026-08-15..2027-01-14'],
  ['nästa termin', '2027-01-15..2027-06-14'],
];

const namedDays: Row[] = [
  ['på julafton', '2025-12-24', '2026-12-24'],
  ['julafton 2024', '2024-12-24'],
  ['juldagen', '2025-12-25', '2026-12-25'],
  ['nyårsafton', '2025-12-31', '2026-12-31'],
  ['nyårsdagen', '2026-01-01', '2027-01-01'],
  ['trettondagen', '2026-01-06', '2027-01-06'],
  ['långfredag', '2026-04-03', '2027-03-26'],
  ['annandag påsk 2025', '2025-04-21'],
  ['påsken 2024', '2024-03-29..2024-04-01'],
  ['Kristi himmelsfärd', '2026-05-14', '2027-05-06'],
  ['nationaldagen', '2026-06-06', '2027-06-06'],
  ['midsommarafton', '2026-06-19', '2027-06-25'],
  ['midsommardagen 2026', '2026-06-20'],
  ['alla helgons dag', '2026-10-31', '2027-11-06'],
  ['jul 2020', '2020-12-24..2020-12-26'],
  ['i julas', '2025-12-24..2025-12-26'],
  ['18 jul 2020', '2020-07-18'],
];

const inWeeks: Row[] = [
  ['förrförra veckan', '2026-11-09..2026-11-15'],
  ['förra veckan', '2026-11-16..2026-11-22'],
  ['förra vecka', '2026-11-16..2026-11-22'],
  ['den här veckan', '2026-11-23..2026-11-29'],
  ['nästa vecka', '2026-11-30..2026-12-06'],
  ['förra månaden', '2026-10-01..2026-10-31'],
  ['den här månaden', '2026-11-01..2026-11-30'],
  ['nästa månad', '2026-12-01..2026-12-31'],
  ['vecka 50', '2025-12-08..2025-12-14', '2026-12-07..2026-12-13'],
  ['v.2 2027', '2027-01-11..2027-01-17'],
  ['v53 2026', '2026-12-28..2027-01-03'],
  ['på onsdag nästa vecka', '2026-12-02'],
];

const inDays: Row[] = [
  ['i förrgår', '2026-11-21'],
  ['igår', '2026-11-22'],
  ['i går', '2026-11-22'],
  ['idag', '2026-11-23'],
  ['imorgon', '2026-11-24'],
  ['i övermorgon', '2026-11-25'],
  ['nyss', '2026-11-16..2026-11-23'],
  ['på onsdag', '2026-11-18', '2026-11-25'],
  ['onsdag', '2026-11-18', '2026-11-25'],
  ['på måndag', '2026-11-23'],
  ['i onsdags', '2026-11-18'],
  ['i måndags', '2026-11-16'],
  ['i ons', '2026-11-18'],
  ['nästa onsdag', '2026-12-02'],
  ['förra onsdagen', '2026-11-18'],
  ['på fre', '2026-11-20', '2026-11-27'],
  ['tis', '2026-11-17', '2026-11-24'],
  ['Mån.', '2026-11-23'],
];

const counted: Row[] = [
  ['tre dagar sen', '2026-11-20'],
  ['för 10 dagar sedan', '2026-11-13'],
  ['om tre dagar', '2026-11-26'],
  ['typ tre dagar sen', '2026-11-18..2026-11-22'],
  ['för tre veckor sen', '2026-10-30..2026-11-05'],
  ['typ tre veckor sen', '2026-10-30..2026-11-05'],
  ['för typ tre veckor sen', '2026-10-30..2026-11-05'],
  ['exakt tre veckor sen', '2026-11-02'],
  ['för 3 mån sedan', '2026-08-13..2026-09-02'],
  ['typ två månader sen', '2026-09-13..2026-10-03'],
  ['ett par månader sen', '2026-09-13..2026-10-03'],
  ['ungefär en månad sedan', '2026-10-13..2026-11-02'],
  ['på dagen tre månader sedan', '2026-08-23'],
  ['för ett halvår sedan', '2026-04-22..2026-06-23'],
  ['för ett halvt år sen', '2026-04-22..2026-06-23'],
  ['två år tillbaka', '2024-05-24..2025-05-25'],
  ['för ett och ett halvt år sen', '2024-11-21..2025-11-22'],
  ['1,5 år sen', '2024-11-21..2025-11-22'],
  ['ett år och två månader sen', '2025-09-13..2025-10-03'],
  ['två tre veckor sen', '2026-10-30..2026-11-12'],
  ['2-3 veckor sen', '2026-10-30..2026-11-12'],
  ['en till två månader sen', '2026-09-13..2026-11-02'],
  ['om fem veckor', '2026-12-25..2026-12-31'],
  ['om en månad', '2026-12-13..2027-01-02'],
  ['om ett halvår', '2027-04-22..2027-06-23'],
];

const turned: Row[] = [
  ['före februari 2020', '1990-01-01..2020-01-31'],
  ['innan den 18:e februari 2020', '1990-01-01..2020-02-17'],
  ['före i våras', '1990-01-01..2026-02-28'],
  ['efter 2020', '2021-01-01..2099-12-31'],
  ['efter 18/2-20', '2020-02-19..2099-12-31'],
  ['från och med 2021', '2021-01-01..2099-12-31'],
  ['fr.o.m. 2021-05-01', '2021-05-01..2099-12-31'],
  ['mer än tre månader sen', '1990-01-01..2026-08-22'],
  ['mindre än tre månader sen', '2026-08-24..2026-11-23'],
  ['om mer än åtta veckor', '2027-01-19..2099-12-31'],
  ['om högst åtta veckor', '2026-11-24..2027-01-17'],
  ['runt den 18 februari 2020', '2020-02-15..2020-02-21'],
  ['ungefär mars 2020', '2020-02-14..2020-04-16'],
  ['mellan 2019 och 2021', '2019-01-01..2021-12-31'],
  ['2019–2021', '2019-01-01..2021-12-31'],
  ['från mars till maj 2020', '2020-03-01..2020-05-31'],
  ['januari eller februari 2020', '2020-01-01..2020-02-29'],
  ['mellan november och februari 2020', '2019-11-01..2020-02-29'],
  ['2 feb-4 feb', '2026-02-02..2026-02-04', '2027-02-02..2027-02-04'],
  ['idag eller imorgon', '2026-11-23..2026-11-24'],
];

const tables: Record<string, Row[]> = {
  'a date in numbers': inNumbers,
  'a month as it is printed on a card': onCards,
  'a date or a month by name': inMonths,
  'a year': inYears,
  'a season or a term': inSeasons,
  'a day that has a name': namedDays,
  'a week or a month near this one': inWeeks,
  'a day near this one': inDays,
  'a time that is counted from today': counted,
  'a time before, after, around or between': turned,
};

const rows = Object.values(tables).flat();

describe.each(Object.entries(tables))('%s', (_, table) => {
  it.each(table)('is read: %s', (written, past, future = past) => {
    expect([spans(written, 'past'), spans(written, 'future')]).toEqual([[past], [future]]);
  });
});

describe('what is no date', () => {
  it.each([
    ...['13:30', 'kl 13.30', 'plan 3', 'Hus 48', 'SPP 1073', '1177', 'R42', 'SE2321000016', 'ring 08-123 45 67'],
    ...['koden 4711', 'min kod är 2020', 'koden 200218', 'fel kod 3 ggr', 'tre gånger', 'kostar 2000 kr', '24/7'],
    ...['20200218-1234', '10.1.10.1', '1.2.3', '3,5', 'på 2020-talet'],
    ...['marschera', 'majoritet', 'höstterminer', 'sen', 'vi ses sen', 'från', 'från tis', 'fredlig', 'ons är bra'],
    ...[
      'det här är bra',
      'detta är kul',
      'den förra är borta',
      'hur mår du 2',
      'var god vänta',
      'i vår klass',
      'i mån av tid',
      'man kan',
      'Jan Ek',
    ],
    ...['31 feb', '31/2', '99/99', '0/0', '32/1', '18/27', '2020-13-01', '20201301', '29/2 2023', 'den 31 april'],
    ...['1989', '1085', '2100', 'född 18 februari 1985', '18/2-85', '1985-02-18', 'för 100 år sen'],
    ...[
      'för länge sen',
      'för några veckor sen',
      'för flera år sen',
      'två veckor',
      'i tre år',
      'sen fem år',
      'vecka 54',
    ],
    ...['feb 20', 'julafton 24', 'inte 2020', 'inte före 2020', ''],
  ])('is not read: %s', (written) => {
    expect([spans(written, 'past'), spans(written, 'future'), spans(written.normalize('NFD'))]).toEqual([[], [], []]);
  });

  it('does not hide the date beside it', () => {
    expect(spans('plan 3, Hus 48, kl 13:30 den 18/2 2020, kod 4711')).toEqual(['2020-02-18']);
    expect(spans('18 februari 13:30')).toEqual(['2026-02-18']);
    expect(spans('i mars 10 dagar')).toEqual(['2026-03-01..2026-03-31']);
    expect(spans('24/7 2020')).toEqual(['2020-07-24']);
  });
});

describe('the day it is', () => {
  it.each<[Day, string, string, string?]>([
    ['2024-02-28', 'imorgon', '2024-02-29'],
    ['2024-02-29', '29/2', '2024-02-29'],
    ['2024-02-28', '29 feb', '2020-02-29', '2024-02-29'],
    ['2024-02-29', 'exakt ett år sen', '2023-02-28'],
    ['2023-03-31', 'exakt en månad sen', '2023-02-28'],
    ['2026-12-31', 'imorgon', '2027-01-01'],
    ['2026-12-31', '1/1', '2026-01-01', '2027-01-01'],
    ['2027-01-01', '31/12', '2026-12-31', '2027-12-31'],
    ['2027-01-01', 'förra månaden', '2026-12-01..2026-12-31'],
    ['2027-01-01', 'förra veckan', '2026-12-21..2026-12-27'],
    ['2027-01-01', 'i fjol', '2026-01-01..2026-12-31'],
    ['2027-01-01', 'i vintras', '2025-12-01..2027-01-01'],
    ['2027-01-01', 'i julas', '2026-12-24..2026-12-26'],
    ['2026-11-29', 'i måndags', '2026-11-23'],
    ['2026-11-29', 'nästa vecka', '2026-11-30..2026-12-06'],
    ['2026-11-27', 'förra onsdagen', '2026-11-18'],
    ['2026-09-01', 'i våras', '2026-03-01..2026-05-31'],
    ['2026-12-01', 'i höstas', '2026-09-01..2026-11-30'],
    ['2026-02-10', 'nästa vår', '2026-03-01..2027-05-31'],
    ['2026-07-01', 'den här terminen', ''],
    ['2020-02-18', 'februari', '2020-02-01..2020-02-29'],
  ])('on %s tells what %s is', (day, written, past, future = past) => {
    expect(spans(written, 'past', day).join()).toBe(past);
    expect(spans(written, 'future', day).join()).toBe(future);
  });
});

describe('the words of dates', () => {
  it('are read with and without å, ä and ö, in capitals, and however they are spaced', () => {
    const dressed = [plain, (each: string) => each.toUpperCase(), (each: string) => each.normalize('NFD'), spaced];
    for (const [written] of rows) {
      for (const dress of dressed) expect([written, ...spans(dress(written))]).toEqual([written, ...spans(written)]);
    }
  });

  it('are the editors’ own', () => {
    const edited = createDateReader({ ...file, text: text.replace('ett par: 2', 'ett par: 2\n  ett gäng: 5') });
    expect(spans('för ett gäng dagar sen')).toEqual([]);
    expect(edited.read('för ett gäng dagar sen', today, 'past')).toMatchObject([{ span: { from: '2026-11-18' } }]);
  });

  it('are refused with every mistake pointed at', () => {
    const broken = text.replace('names: [maj]', 'nmaes: [maj]').replace('from: easter -2', 'from: easter minus two');
    const lineOf = (wrong: string) => broken.slice(0, broken.indexOf(wrong)).split('\n').length;
    const read = () => createDateReader({ ...file, text: broken });
    expect(read).toThrow(`dates.yaml:${lineOf('nmaes')}: fieldUnknown nmaes`);
    expect(read).toThrow(`dates.yaml:${lineOf('easter minus two')}: wrongShape from`);
    expect(() => createDateReader({ ...file, text: '' })).toThrow('dates.yaml:1');
  });
});

describe('the dates of a text', () => {
  it('are found in order, each once, where they stand', () => {
    const story = 'Beställdes i våras, hämtades den 18:e feb 2020 och går ut 02/27. Kom förra veckan!';
    expect(found(story)).toEqual(['i våras', 'den 18:e feb 2020', '02/27', 'förra veckan']);
  });

  it('stand where they stood, also after what takes more places than it shows', () => {
    expect(found('👩‍⚕️ hej\u200b\u00a0på\u2003dig,  i va\u030aras   sa\u0308ger  jag')).toEqual(['i va\u030aras']);
    expect(found('  \n\t18\u00a0feb\n2020  ')).toEqual(['18\u00a0feb\n2020']);
  });

  it('are looked for in the beginning of a long text', () => {
    const after = (length: number) => spans(`${'x'.repeat(length - 1)} 18 februari 2020`);
    expect(after(1199)).toEqual(['2020-02-18']);
    expect(after(1200)).toEqual([]);
    expect(spans('18/2 '.repeat(2000))).toHaveLength(1200 / '18/2 '.length);
  });
});

describe('any day', () => {
  const days = fc.integer({ min: 0, max: 40_176 }).map((number) => addDays('1990-01-01', number));
  const monthNames = [...Array(12).keys()].map((month) =>
    new Intl.DateTimeFormat('sv-SE', { month: 'long' }).format(new Date(2020, month, 15)),
  );
  const partsOf = (day: Day) => {
    const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
    return { year, month, date, name: monthNames[month - 1] ?? '' };
  };

  it('is itself in whichever form it is written, whatever day it is', () => {
    const forms = (day: Day) => {
      const { year, month, date, name } = partsOf(day);
      const numbers = [day, day.replaceAll('-', ''), `${date}/${month} ${year}`, `${date}.${month}.${year}`];
      return [...numbers, `${date} ${name} ${year}`, `den ${date}:e ${name.slice(0, 3)} ${year}`];
    };
    fc.assert(
      fc.property(days, days, leanings, (day, now, leaning) => {
        for (const written of forms(day)) expect([written, ...spans(written, leaning, now)]).toEqual([written, day]);
      }),
    );
  });

  it('is of a year near this one when the year has two digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: -13_000, max: 7000 }), (number) => {
        const day = addDays(today, number);
        const { year, month, date, name } = partsOf(day);
        const short = String(year).slice(2);
        for (const written of [`${date}/${month}-${short}`, `${date} ${name} -${short}`, day.slice(2)]) {
          expect([written, ...spans(written)]).toEqual([written, day]);
        }
      }),
    );
  });

  it('is the nearest of its name when the year is not said', () => {
    fc.assert(
      fc.property(days, days, (day, now) => {
        fc.pre(day.slice(5) !== '02-29' && now > '1991' && now < '2099');
        const { month, date } = partsOf(day);
        const [past = ''] = spans(`den ${date}/${month}`, 'past', now);
        const [future = ''] = spans(`den ${date}/${month}`, 'future', now);
        expect([past.slice(5), future.slice(5)]).toEqual([day.slice(5), day.slice(5)]);
        expect(past <= now && now <= future).toBe(true);
        expect(Date.parse(future) - Date.parse(past)).toBeLessThanOrEqual(366 * 86_400_000);
      }),
    );
  });
});

describe('any text', () => {
  const words = [...text.matchAll(/[\p{L}\d:.-]+/gu)].map(([word]) => word);
  const punctuation = ['-', '/', ':', '.', ',', "'", '(', '’', '–', '\u030a'];
  const wordy = fc
    .array(fc.oneof(fc.constantFrom(...words), fc.nat(2030).map(String), fc.constantFrom(...punctuation)), {
      maxLength: 30,
    })
    .chain((parts) => fc.constantFrom(' ', '', '-', '/').map((between) => parts.join(between)));
  const texts = fc.oneof(wordy, fc.string({ unit: 'binary', maxLength: 2000 }));

  it('is read without falling over, into ordered spans that do not overlap', () => {
    fc.assert(
      fc.property(texts, leanings, (written, leaning) => {
        const read = reader.read(written, today, leaning);
        const places = read.flatMap(({ start, end }) => [start, end]);
        expect(places).toEqual([...new Set(places)].sort((one, other) => one - other));
        for (const { span, start, end } of read) {
          const days = ['1990-01-01', span.from, span.to, '2099-12-31'];
          expect(days).toEqual([...days].sort());
          expect(written.slice(start, end)).toMatch(/^[\p{L}\p{N}].*[\p{L}\p{N}\p{M}\p{Cf}]$/su);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('may stand before and after a date without moving it', () => {
    const filler = fc.string({
      unit: fc.constantFrom('x', 'å', ' ', '?', '!', '👩', '\u030a', '\u200b'),
      maxLength: 40,
    });
    fc.assert(
      fc.property(filler, fc.constantFrom(...rows), filler, (before, [written], after) => {
        fc.pre(spans(`hm ${written} hm`).length === 1);
        expect(found(`${before} ${written} ${after}`).map((each) => each.replace(/[\u030a\u200b]+$/, ''))).toEqual(
          found(`hm ${written} hm`),
        );
      }),
    );
  });
});

const leanings = fc.constantFrom<Leaning>('past', 'future');

function spans(written: string, leaning: Leaning = 'past', on: Day = today): string[] {
  return reader.read(written, on, leaning).map(({ span }) => inShort(span));
}

function found(written: string): string[] {
  return reader.read(written, today, 'past').map(({ start, end }) => written.slice(start, end));
}

function inShort({ from, to }: Span): string {
  return from === to ? from : `${from}..${to}`;
}

function plain(written: string): string {
  return written.normalize('NFD').replace(/\p{M}/gu, '');
}

function spaced(written: string): string {
  return `\n ${written.replaceAll(' ', ' \u00a0 ')} `;
}
