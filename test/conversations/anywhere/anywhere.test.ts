/** What a student can do wherever the talk is. */
import { describe, expect, it } from '@jest/globals';
import { chat, type Situation } from '../chat.ts';

const at = '2026-11-23T08:00';
const active: Situation = { at, as: 'active' };
const locked = 'jag har slagit fel kod tre gånger';

/** One place of each sort: a question, a question with a date for an answer, a card read back, and an outcome. */
const places: [string, string[]][] = [
  ['at a question', [locked]],
  ['at a question about a date', ['hur beställer jag kort?', 'ja']],
  ['with a card read back', ['kortet är stulet']],
  ['at an outcome', ['hittar inte puken nånstans']],
  ['between paths', ['hej']],
];

describe.each(places)('%s', (_, messages) => {
  it.each(['stopp', 'avbryt', 'strunt i det'])('“%s” stops', async (stop) => {
    const student = chat(active);
    expect((await student.say(...messages, stop)).state).toBe('conversation/listening');
    await student.say('ja');
    expect(student.requested()).not.toContain('ledger.revoke');
  });

  it('“börja om” forgets what was told', async () => {
    const student = chat(active);
    expect((await student.say(...messages, 'börja om')).state).toBe('conversation/listening');
    expect((await student.say('jag har glömt min pinkod')).state).toBe('pin-trouble/askingCollectedCard');
  });

  it('“hjälp” tells what there is, and changes nothing', async () => {
    const student = chat(active);
    const { state } = await student.say(...messages);
    const helped = await student.say('hjälp');
    expect(helped.state).toBe(state);
    expect(helped.suggests.length).toBeGreaterThan(2);
  });

  it.each(['människa', 'kan jag få prata med en riktig människa?'])('“%s” leads to one', async (wish) => {
    const student = chat(active);
    const { state } = await student.say(...messages);
    const human = await student.say(wish);
    expect(human.cites).toContain('R50');
    expect(human.state).toBe(state);
  });

  it('anything can be asked in passing', async () => {
    const student = chat(active);
    const { state } = await student.say(...messages);
    const aside = await student.say('duger körkort som legitimation?');
    expect(aside.cites).toContain('R37');
    expect(aside.state).toBe(state);
  });

  it('the subject can be changed', async () => {
    expect((await chat(active).say(...messages, 'när måste jag förnya kortet?')).state).toBe('renewal/askingExpiresOn');
  });
});

describe('a path that was left for another', () => {
  const left = [locked, 'förresten, när måste jag förnya kortet?'] as const;

  it('is offered when the other is done', async () => {
    const { state, suggests } = await chat({ at }).say(...left, 'juni 2028');
    expect(state).toBe('renewal/canRenewInTime');
    expect(suggests).toContain('Fortsätt');
  });

  it.each(['tillbaka', 'ja', 'ja tack', 'gå tillbaka'])('is taken up where it was on “%s”', async (back) => {
    expect((await chat({ at }).say(...left, 'juni 2028', back)).state).toBe('pin-trouble/askingHasPuk');
  });

  it.each(['nej', 'nej tack', 'nä det behövs inte'])('is let go on “%s”', async (no) => {
    const student = chat({ at });
    expect((await student.say(...left, 'juni 2028', no)).state).toBe('conversation/listening');
    expect((await student.say('tillbaka')).state).toBe('conversation/listening');
  });

  it('is not jumped back to by a question at the end of the other', async () => {
    const student = chat({ at });
    const { texts, state } = await student.say(...left, 'juni 2028', 'när är sös öppet på onsdag?');
    expect(state).toBe('renewal/canRenewInTime');
    expect(texts[0]).toContain('9:30–10:30');
  });

  it('goes on at once when the other is done in one answer', async () => {
    const { state, cites } = await chat({ at }).say(locked, 'vad gör jag med kortet efter examen?');
    expect(cites).toContain('R49');
    expect(state).toBe('pin-trouble/askingHasPuk');
  });

  it('is taken up in the middle of the other, too', async () => {
    expect((await chat({ at }).say(...left, 'tillbaka')).state).toBe('pin-trouble/askingHasPuk');
  });

  it('does not ask again what it knows', async () => {
    const { state } = await chat({ at }).say(
      'jag har glömt min pinkod',
      'ja',
      'när måste jag förnya kortet?',
      'juni 2028',
      'tillbaka',
    );
    expect(state).toBe('pin-trouble/askingHasPuk');
  });
});

describe('a question in the middle of a path', () => {
  it('is answered, and the path asks its own again', async () => {
    const student = chat({ at });
    const asked = await student.say(locked);
    const aside = await student.say('vad ska jag ha med mig när jag hämtar kortet?');
    expect(aside.cites).toContain('R33');
    expect(aside.texts.at(-1)).toBe(asked.texts.at(-1));
    expect((await student.say('ja')).state).toBe('pin-trouble/canUnlock');
  });

  it('may come with the answer', async () => {
    const { state, cites } = await chat({ at }).say(locked, 'ja det har jag, men när är sös öppet?');
    expect(state).toBe('pin-trouble/canUnlock');
    expect(cites).toContain('R26');
  });

  it.each([
    ['var hämtar jag ut kortet?', 'när är sös öppet?'],
    ['jag har tappat kortet', 'kan en spärr tas bort om jag hittar det hemma?'],
    ['behöver jag ett nytt kort?', 'vad är ett eTjänstekort?'],
  ])('is no answer to it, though it has the words of one: “%s”, “%s”', async (message, question) => {
    const student = chat({ at });
    const asked = await student.say(message);
    const aside = await student.say(question);
    expect(aside.state).toBe(asked.state);
    expect(aside.texts.at(-1)).toBe(asked.texts.at(-1));
    expect(aside.cites.length).toBeGreaterThan(asked.cites.length);
  });

  it('leaves a card that was read back as it was', async () => {
    const student = chat(active);
    const { state } = await student.say('kortet är stulet', 'hur får jag reservkort?');
    expect(state).toBe('lost-card/confirming');
    expect((await student.say('ja')).state).toBe('lost-card/revoked');
  });
});

describe('a message that is not understood', () => {
  it.each([
    ['between paths', ['hej']],
    ['at a question', [locked]],
  ] as const)(
    'is asked about once, twice is met with choices, and three times with a person, %s',
    async (_, messages) => {
      const student = chat({ at });
      const { state } = await student.say(...messages);
      const once = await student.say('?!');
      expect(once.heard).toEqual(['unclear']);
      expect(once.suggests).not.toContain('Prata med en människa');

      const twice = await student.say('…');
      expect(twice.suggests.length).toBeGreaterThan(4);
      expect(twice.suggests).toContain('Prata med en människa');

      const thrice = await student.say('😭');
      expect(thrice.cites).toContain('R50');
      expect(thrice.state).toBe(state);
    },
  );

  it('is forgotten with the next that is', async () => {
    const { suggests } = await chat({ at }).say('?!', '…', 'jag har glömt min pinkod', '?!');
    expect(suggests).not.toContain('Prata med en människa');
  });

  it('is met with choices that can be picked', async () => {
    const student = chat({ at });
    const { suggests } = await student.say('?!', '…');
    const place = suggests.indexOf('Jag har slagit fel pinkod') + 1;
    expect((await student.say(String(place))).state).toBe('pin-trouble/askingHasPuk');
  });
});

describe('a suggestion', () => {
  it.each(['2', 'nummer två', 'den andra', 'Det ligger hemma', 'det ligger hemma.'])(
    'is picked by “%s”',
    async (pick) => {
      const student = chat({ at });
      const { suggests } = await student.say('jag har tappat kortet');
      expect(suggests[1]).toBe('Det ligger hemma');
      expect((await student.say(pick)).state).toBe('lost-card/leftAtHome');
    },
  );

  it.each<[string, (place: number, title: string) => string]>([
    ['its number', (place) => String(place + 1)],
    ['its place', (place) => ['den första', 'den andra', 'den tredje'][place] ?? ''],
    ['its words', (_, title) => title.toUpperCase()],
  ])('among several that may have been meant is picked by %s', async (_, pick) => {
    const student = chat({ at });
    const { heard, suggests } = await student.say('kortet är spärrat');
    expect(heard).toEqual(['ambiguous']);
    const title = 'Jag har slagit fel pinkod';
    expect(suggests).toContain(title);
    expect((await student.say(pick(suggests.indexOf(title), title))).state).toBe('pin-trouble/askingHasPuk');
  });

  it('is picked by the number it is shown under, also in the middle of a path', async () => {
    const student = chat({ at });
    const { heard, suggests, state } = await student.say('hur beställer jag kort?', 'kortet är spärrat');
    expect(heard).toEqual(['ambiguous']);
    expect(state).toBe('order/askingJobshApproved');
    const place = suggests.indexOf('Jag har slagit fel pinkod') + 1;
    expect(place).toBeGreaterThan(0);
    expect((await student.say(String(place))).state).toBe('pin-trouble/askingHasPuk');
  });
});

describe('small talk', () => {
  it('is answered, and is no secret', async () => {
    const student = chat({ at });
    expect((await student.say('hej')).heard).toEqual(['intent.greeting']);
    expect((await student.say('är du en robot?')).heard).toEqual(['intent.are-you-a-bot']);
    expect((await student.say('tack så mycket!')).heard).toEqual(['intent.thanks']);
  });

  it.each(['mitt sl-kort funkar inte', 'vilken tid börjar min praktik på måndag?', 'vad får jag i lön?'])(
    'about other things is told from what we know: “%s”',
    async (message) => {
      const { heard, cites, suggests } = await chat({ at }).say(message);
      expect(heard).toEqual(['intent.out-of-scope']);
      expect(cites).toEqual([]);
      expect(suggests).toContain('Prata med en människa');
    },
  );
});
