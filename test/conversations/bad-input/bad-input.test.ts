import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';
const active = { at, as: 'active' } as const;
const locked = 'jag har slagit fel kod tre gånger';

const odd: [string, string][] = [
  ['nothing at all', ''],
  ['spaces and line breaks', ' \n\t \r\n '],
  ['one letter ten thousand times', 'a'.repeat(10_000)],
  ['one sentence until there are ten thousand characters', 'jag har tappat kortet '.repeat(455)],
  ['ten thousand brackets', '('.repeat(10_000)],
  ['emoji only', '😭🤷‍♀️💳'],
  ['HTML', '<script>alert("hej")</script><img src=x onerror=alert(1)>'],
  ['Markdown', '[klicka](javascript:alert(1)) **![x](http://x)**'],
  ['our own placeholders', '{{receipt}} {{servicedesk}} ${7*7} %s'],
  ['control characters', 'jag\u0000 har\u0007 \u001b[31mtappat\u202e kortet\u200b'],
  ['half a character', '\ud800'],
  ['SQL', "'; DROP TABLE cards; --"],
  ['Arabic', 'لقد فقدت بطاقتي'],
];

describe.each([
  ['between paths', ['hej']],
  ['at a question', [locked]],
  ['at a question about a date', ['när måste jag förnya kortet?']],
  ['with a card read back', ['kortet är stulet']],
] as const)('%s', (_, messages) => {
  it.each(odd)('%s has an answer, and nothing is revoked', async (_what, message) => {
    const student = chat(active);
    await student.say(...messages);
    const { texts, state } = await student.say(message);
    expect(texts.join('')).not.toBe('');
    expect(state).not.toBe('');
    expect(student.requested()).not.toContain('ledger.revoke');
  });

  it.each(odd)('%s is not repeated', async (_what, message) => {
    const { texts } = await chat(active).say(...messages, message);
    expect(texts.join()).not.toMatch(/[<>{}$\\]|javascript|DROP|\p{Extended_Pictographic}|\p{Script=Arabic}/u);
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThan(2_000);
  });

  it('the talk goes on afterwards', async () => {
    const student = chat(active);
    await student.say(...messages);
    for (const [, message] of odd) await student.say(message);
    expect((await student.say('jag har skyddad identitet')).state).toBe('protected-identity/contactFirst');
  });
});

describe('what is not quite Swedish', () => {
  it.each([
    ['I have lost my card', 'lost-card/askingWhereabouts'],
    ['I forgot my pin code', 'pin-trouble/askingCollectedCard'],
    ['jag hav tappa bort min kort', 'lost-card/askingWhereabouts'],
    ['slog fel pinkod tre ganger', 'pin-trouble/askingHasPuk'],
    ['JAG HAR SLAGIT FEL KOD TRE GÅNGER!!!!', 'pin-trouble/askingHasPuk'],
  ])('is understood: “%s”', async (message, state) => {
    expect((await chat(active).say(message)).state).toBe(state);
  });

  it('is understood also in the answers', async () => {
    expect((await chat(active).say('I have lost my card', 'it is gone')).state).toBe('lost-card/confirming');
    expect((await chat(active).say('I have lost my card', 'I left it at home')).state).toBe('lost-card/leftAtHome');
  });
});

describe('a secret', () => {
  it.each([
    ['a personnummer', ['jag har tappat kortet, mitt personnummer är 19990101-2384']],
    ['a personnummer alone', ['850709-9805']],
    ['a samordningsnummer', ['mitt nummer är 850769-9801 hittar ni mig?']],
    ['a personnummer in the middle of a path', ['när måste jag förnya kortet?', '8507099805']],
    ['a PIN', ['min pinkod 1 2 3 4 5 6 funkar inte']],
    ['a PIN for an answer', [locked, '123456']],
    ['a PUK', [locked, 'ja den är 12345678']],
  ] as const)('is not kept, and the student is told not to write it: %s', async (_, messages) => {
    const { said, heard, texts } = await chat(active).say(...messages);
    expect(said).not.toBeNull();
    expect(said).not.toMatch(/\d/);
    expect(heard[0]).toBe('secret');
    expect(texts.join()).toMatch(/Skriv inte personnummer, pinkod eller pukkod här/);
  });

  it('is no reason not to answer the rest', async () => {
    const { state } = await chat(active).say('jag har tappat kortet 19990101-2384');
    expect(state).toBe('lost-card/askingWhereabouts');
  });

  it('says nothing by itself', async () => {
    expect((await chat(active).say('850709-9805')).state).toBe('conversation/listening');
    expect((await chat(active).say('jag har tappat kortet', '850709-9805')).state).toBe('lost-card/askingWhereabouts');
    expect((await chat(active).say(locked, '123456')).state).toBe('pin-trouble/askingHasPuk');
  });

  it('is not what a date is, when one is asked for', async () => {
    const { said, state } = await chat(active).say('när måste jag förnya kortet?', '20280630');
    expect(said).toBe('20280630');
    expect(state).toBe('renewal/canRenewInTime');
  });
});
