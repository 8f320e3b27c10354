import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Asks } from '../../dialogs/vocabulary.ts';
import { mask } from '../../src/masking.ts';

const removed = '[borttaget]';
const aboutCodes: Asks[] = ['hasPuk', 'hasPinCodes', 'codesArrived', 'wrongPin', 'readiness'];
const aboutDates: Asks[] = [
  'expiresOn',
  'issuedOn',
  'orderedOn',
  'hasExpired',
  'hasOldCertificate',
  'orderedBeforeChange',
];
const anyQuestion = [undefined, 'confirmation', 'cardKind', ...aboutCodes, ...aboutDates] as const;

describe('a personnummer', () => {
  it.each([
    '«640823-3234»',
    '«6408233234»',
    '«640823 3234»',
    '«640823+3234»',
    '«640823.3234»',
    '«640823 - 3234»',
    '«640823 -- 3234»',
    '«64 - 08 - 23 - 3234»',
    '«640823–3234»',
    '«640823−3234»',
    '«640823/3234»',
    '«640823, 3234»',
    '«19640823-3234»',
    '«19640823 3234»',
    '«196408233234»',
    '«1964-08-23-3234»',
    '«1964 08 23 3234»',
    '«64 08 23 32 34»',
    '«6 4 0 8 2 3 3 2 3 4»',
    '«20040229-1234»',
    '«６４０８２３－３２３４»',
    '«٦٤٠٨٢٣-٣٢٣٤»',
    '«𝟞𝟜𝟘𝟠𝟚𝟛𝟛𝟚𝟛𝟜»',
    '«64\u200b08\u200b23\u200b-\u200b32\u200b34»',
    '«6\u00ad4\u2060082\ufeff3-3234»',
    '«640823\u00a03234»',
    '«640823\n3234»',
  ])('is masked, written %j', (written) => {
    expectMasked(`Jag heter Kim, ${written}, och har tappat kortet.`);
    expectMasked(written);
  });

  it.each([
    'pnr«640823-3234»',
    '«640823-3234»är mitt',
    'mitt pnr:«6408233234».',
    'se«6408233234»',
    'SE«6408233234» är jag',
    '«1. 640823-3234»',
    'rum 4, «640823-3234», plan 3',
    '«640823-3234» eller «701063-2391»',
    '«640823-3234 701063-2391»',
    '«12 640823-3234»',
    '«5640823-32345»',
    '«1105 640823-3234»',
  ])('is masked in %j', (marked) => {
    expectMasked(marked);
  });

  it.each(['«640823-3235»', '«196408233224»', '«000101-0000»'])(
    'is masked whatever its check digit, as %s',
    (written) => {
      expectMasked(written);
    },
  );

  it.each(['«701063-2391»', '«640861-1234»', '«640891-1234»'])(
    'is masked with the day of a samordningsnummer, %s',
    (written) => {
      expectMasked(written);
    },
  );

  it.each(['641323-3234', '640023-3234', '640800-3234', '640832-3234', '640860-3234', '640892-3234', '64082-3234'])(
    'is not seen in %s, which has no such month or day',
    (written) => {
      expectMasked(written);
    },
  );

  it.each(anyQuestion)('is masked when %s is asked', (asked) => {
    expectMasked('«19640823-3234»', asked);
    expectMasked('den «2001-08-23-3234», tror jag', asked);
  });

  it('never survives, whoever bears it and however it is written and wrapped', () => {
    fc.assert(
      fc.property(
        personnummer,
        fc.constantFrom(...personnummerWritings),
        disguise,
        story,
        story,
        question,
        (...given) => {
          const [digits, write, disguised, before, after, asked] = given;
          const { text, isMasked } = mask(`${before}${disguised(write(digits))}${after}`, asked, removed);
          expect(text).not.toMatch(/\p{Nd}/u);
          expect(isMasked).toBe(true);
        },
      ),
    );
  });
});

describe('an HSA-id', () => {
  it.each([
    'SE2321000016-AB12',
    'det är SE2321000016-1002 som visas',
    'se2321000016-xxxx',
    'SE2321000016',
    'SE6408233234-K01', // the organisation number of a sole trader is her personnummer
  ])('is not a personnummer: %s', (text) => {
    expectMasked(text);
  });

  it('is readable beside a code too', () => {
    expectMasked('jag valde SE2321000016-1002 med pin «4711»');
  });

  it('does not hide a personnummer in its ending', () => {
    expectMasked('SE«2321000016-6408233234»');
    expectMasked('SE«2321000016-640823-3234»');
  });
});

describe('a PIN or PUK code', () => {
  it.each([
    'min pinkod är «1234»',
    'min pin är «471123»',
    'PIN: «4711»',
    'PIN«4711»',
    '«4711»pin',
    'PIN-kod=«4711»',
    'Ｐ\u200bＩＮ «4711»',
    'pukkoden är «12345678»',
    'PUK «1234 5678»',
    'puk «12-34-56-78»',
    'koden «1 2 3 4» funkar inte',
    'koden «1, 2, 3, 4» funkar inte',
    'koden «1/2/3/4» funkar inte',
    'koden «12 34 56» funkar inte',
    'koden «12.34.56» funkar inte',
    'koden «12–34» funkar inte',
    'kod «１２３４»',
    'kod «١٢٣٤»',
    'kod «1️⃣2️⃣3️⃣4️⃣»!',
    'kod «1\u200b2\u200b3\u200b4»',
    'kod «⒈⒉⒊⒋»',
    'har koder «1111» och «2222»',
    'legitimeringskoden: «123456», underskriftskoden: «654321»',
    'jag slog «4711» och då sa den fel pin',
    'my code is «4711»',
    'puk «12345678 12345678»',
    'puk «123456789»',
    'koden är «2022»',
    'koden fick jag i «2022»',
    'koden har gällt sedan «2022»',
    'koden är «20220504»',
    'koden är «20 22 05 04»',
    'koden är «1977-05-04»',
    'koden är «2022-13-04»',
    'koden är 4 maj «20221»',
    'koden är marmaj «2022»',
    'koden är maj «2020 00»',
    'koden är «00 2020-05-04»',
  ])('is masked in %j', (marked) => {
    expectMasked(marked);
  });

  it('is a number no more than sixty characters from the word, on either side', () => {
    const near = ' '.padEnd(60, 'x ');
    const far = near.padEnd(61);
    expectMasked(`pinkoden${near}«4711»`);
    expectMasked(`pinkoden${far}4711`);
    expectMasked(`«4711»${near}pinkoden`);
    expectMasked(`4711${far}pinkoden`);
  });

  it.each([
    'jag kommer inte in på 1177',
    'vad är SPP 1073?',
    'kortet är från 2022',
    'är ni öppna 13:30?',
    'öppet 9.30-10.30 i dag?',
    'Lindhagensterrassen 1, plan 3, Hus 48',
    'beställt 20260823',
    'ärende 123456',
  ])('is not seen where there is no word of codes: %s', (text) => {
    expectMasked(text);
  });

  it.each([
    'slog fel pin 3 gånger',
    'har 2 pinkoder och 1 puk',
    'hämtar koderna 13:30 i Hus 48',
    'pinkoden kom 4 maj 2022',
    'pinkoden kom den 4:e Maj, 2022',
    'pinkoden kom i maj 2022 tror jag',
    'pinkoden kom 4maj2022',
    'pinkoden kom 18 feb 2020',
    'pinkoden kom 18/2 2020',
    'pinkoden kom 18/02-2020',
    'pinkoden kom 2022-05-04',
  ])('is not seen in %j, where nothing can be a code', (text) => {
    expectMasked(text);
  });

  it('is told from a date beside it', () => {
    expectMasked('sedan maj 2022 är pinkoden «2022»');
  });

  it.each(aboutCodes)('is any number when %s is asked', (asked) => {
    expectMasked('ja, «4711»', asked);
    expectMasked('«1177 1073»', asked);
    expectMasked('den kom 4 maj 2022, 13:30', asked);
  });

  it.each(aboutDates)('is no number when %s is asked, and is no date either', (asked) => {
    for (const date of ['20200218', '2020-02-18', '200218', '2027', '0527', '18.2.2020', '18 2 2020', '1 3 2021']) {
      expectMasked(date, asked);
    }
    for (const date of ['20200218', '2020-02-18', '200218', '180220', '2027', '202705', '05 2027', '18.2.2020']) {
      expectMasked(`koderna kom ${date} tror jag`, asked);
    }
    expectMasked('vet inte, men pinkoden är «4711»', asked);
    expectMasked('2027, men puken är «12345678»', asked);
    expectMasked('koden är «2020 00»', asked);
  });

  it('never survives, however it is written and told of', () => {
    const asked = fc.constantFrom(undefined, 'confirmation' as const, ...aboutCodes);
    fc.assert(
      fc.property(
        code,
        fc.constantFrom(...codeWritings),
        fc.constantFrom(...confidences),
        disguise,
        asked,
        (...given) => {
          const [digits, write, confide, disguised, isAsked] = given;
          expect(mask(confide(disguised(write(digits))), isAsked, removed).text).not.toMatch(/\p{Nd}/u);
        },
      ),
    );
  });

  it('never survives as an answer to a question about codes', () => {
    fc.assert(
      fc.property(story, code, fc.constantFrom(...codeWritings), story, fc.constantFrom(...aboutCodes), (...given) => {
        const [before, digits, write, after, asked] = given;
        expect(mask(`${before} är ${write(digits)} ${after}`, asked, removed).text).not.toMatch(/\d/);
      }),
    );
  });
});

describe('a message', () => {
  it('is unchanged when it has no digits', () => {
    fc.assert(
      fc.property(anyText, question, (text, asked) => {
        const wordless = text.replace(/\p{N}/gu, '');
        expect(mask(wordless, asked, removed)).toEqual({ text: wordless, isMasked: false });
      }),
    );
  });

  it('is changed nowhere but in its secrets', () => {
    expectMasked('\u200bÅ\u0308 e\u0301 ﬁ İ 👩‍⚕️\u00a0½ pin «4711» \ud800 $& ﷺ');
    expect(mask('pin 4711', undefined, '$&').text).toBe('pin $&');
  });

  it('is not changed again when it is masked again', () => {
    const replacement = fc.constantFrom(removed, '***', '…', ' ');
    fc.assert(
      fc.property(anyText, question, replacement, (text, asked, instead) => {
        const once = mask(text, asked, instead).text;
        expect(mask(once, asked, instead)).toEqual({ text: once, isMasked: false });
      }),
      { numRuns: 500 },
    );
  });

  it('is near a code word by all that is not masked, so that nothing comes nearer when it is', () => {
    const some = ' och så '.padEnd(50, 'x ');
    const more = ' och så '.padEnd(70, 'x ');
    for (const secret of ['640823-3234', '1'.repeat(40)]) {
      expectMasked(`pin «${secret}»${some}«2222»`);
      expectMasked(`pin «${secret}»${more}2222`);
    }
  });

  it('is read whatever it is made of', () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 10_000, size: 'max' });
    fc.assert(
      fc.property(units, question, (codes, asked) => {
        const text = codes.map((unit) => String.fromCharCode(unit)).join('');
        expect(typeof mask(text, asked, removed).text).toBe('string');
      }),
      { numRuns: 10 },
    );
    expect(mask('', 'hasPuk', removed)).toEqual({ text: '', isMasked: false });
  });

  it.each(['1', '1 ', '1, ', 'pin ', 'a', '1\u200b', 'pin 1234 ', '2022-05-', '4/5 2022', 'se1234567890', '\ufeff'])(
    'is read in no time when it is %j over and over',
    (part) => {
      const text = part.repeat(100_000 / part.length);
      const started = performance.now();
      mask(text, 'expiresOn', removed);
      expect(performance.now() - started).toBeLessThan(4000); // a tenth of a second; a quadratic reading takes far longer
    },
  );
});

/** The secrets of a message stand «between these»; all of them are removed, and nothing else. */
function expectMasked(marked: string, asked?: Asks): void {
  const text = marked.replace(/[«»]/g, '');
  expect(mask(text, asked, removed)).toEqual({
    text: marked.replace(/«[^»]*»/g, removed),
    isMasked: marked.includes('«'),
  });
}

const question = fc.constantFrom(...anyQuestion);

/** Words that wrap a number. They have no digits, and some lie in wait for one. */
const story = fc
  .array(
    fc.constantFrom(
      'jag',
      'heter',
      'är',
      'och',
      'maj',
      'pinkod',
      'född',
      'den',
      'på',
      'Södersjukhuset',
      'SE-',
      '(',
      ',',
      '.',
    ),
  )
  .chain((words) => fc.constantFrom(...[' ', '', '\n', '-', ', '].map((glue) => words.join(glue))));

/** Twelve digits: a real day, or sixty more, three of any and the check digit. */
const personnummer = fc
  .record({
    born: fc.date({ min: new Date('1900-01-01'), max: new Date('2026-11-23'), noInvalidDate: true }),
    isCoordination: fc.boolean(),
    serial: fc.integer({ min: 0, max: 999 }),
  })
  .map(({ born, isCoordination, serial }) => {
    const [year = '', month = '', day = ''] = born.toISOString().slice(0, 10).split('-');
    const date = isCoordination ? String(Number(day) + 60) : day;
    const digits = `${year}${month}${date}${String(serial).padStart(3, '0')}`;
    return digits + checkDigitOf(digits.slice(2));
  });

function checkDigitOf(nine: string): string {
  const products = Array.from(nine).map((digit, place) => Number(digit) * (place % 2 === 0 ? 2 : 1));
  const sum = products.reduce((total, product) => total + Math.floor(product / 10) + (product % 10), 0);
  return String((10 - (sum % 10)) % 10);
}

const pairs = (digits: string): string[] => digits.match(/../g) ?? [];

const personnummerWritings: ((digits: string) => string)[] = [
  (all) => all,
  (all) => all.slice(2),
  ...['-', '+', ' ', '.', ' - ', '/'].flatMap((sign) => [
    (all: string) => `${all.slice(0, 8)}${sign}${all.slice(8)}`,
    (all: string) => `${all.slice(2, 8)}${sign}${all.slice(8)}`,
  ]),
  (all) => `${all.slice(0, 4)}-${all.slice(4, 6)}-${all.slice(6, 8)}-${all.slice(8)}`,
  (all) => pairs(all).join(' '),
  (all) => pairs(all.slice(2)).join(' '),
  (all) => Array.from(all.slice(2)).join(' '),
];

const code = fc.integer({ min: 4, max: 8 }).chain((length) => fc.stringMatching(new RegExp(`^\\d{${length}}$`)));

const codeWritings: ((digits: string) => string)[] = [
  (all) => all,
  (all) => Array.from(all).join(' '),
  (all) => Array.from(all).join('-'),
  (all) => Array.from(all).join(', '),
  (all) => all.replace(/..\B/g, '$& '),
  (all) => all.replace(/..\B/g, '$&.'),
  (all) => `${all.slice(0, 4)} ${all.slice(4)}`,
];

const confidences: ((written: string) => string)[] = [
  (written) => `min pinkod är ${written}`,
  (written) => `Min PIN-kod är ${written}, men den funkar inte.`,
  (written) => `PIN${written}`,
  (written) => `puk: ${written}`,
  (written) => `${written} är min pukkod`,
  (written) => `Jag skrev ${written} tre gånger och nu säger datorn att koden är fel`,
  (written) => `koderna i kuvertet från Telia, det som kom hem till mig, är\n${written}`,
];

const inDigitsFrom = (nought: number) => (written: string) =>
  written.replace(/\d/g, (digit) => String.fromCodePoint(nought + Number(digit)));
const fullwidthNought = 0xff10;
const arabicNought = 0x0660;

const disguise = fc.constantFrom(
  (written: string) => written,
  inDigitsFrom(fullwidthNought),
  inDigitsFrom(arabicNought),
  (written: string) => Array.from(written).join('\u200b'),
  (written: string) => written.replaceAll(' ', '\u00a0').replaceAll('-', '\u2011'),
);

/** Anything at all, with more than its share of what the masking looks for. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom('pin', 'PUK', 'koden', 'maj 2022', '2022-05-04', '18/2 2020', 'SE2321000016-', '640823-3234'),
      fc.constantFrom(' ', ' ', ' ', '-', '.', ',', '/', ':', '\u200b', 'x'.repeat(45)),
      fc.stringMatching(/^\d{1,9}$/),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));
