import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';
const active = { at, as: 'active' } as const;

describe('a student who has slapped in the wrong code', () => {
  it('gets the hours of Wednesday on the way, and the code letter in the end', async () => {
    const student = chat({ at });
    const asked = await student.say('jag har slagit fel kod tre gånger');
    expect(asked.state).toBe('pin-trouble/askingHasPuk');

    const aside = await student.say('när är sös öppet på onsdag?');
    expect(aside.texts[0]).toContain('9:30–10:30 och 13:30–15:00');
    expect(aside.cites).toEqual(expect.arrayContaining(['R25', 'R26']));
    expect(aside.state).toBe('pin-trouble/askingHasPuk');
    expect(aside.texts.at(-1)).toBe(asked.texts.at(-1));

    const outcome = await student.say('nej jag har kastat brevet');
    expect(outcome.state).toBe('pin-trouble/needsCodeLetter');
    expect(outcome.cites).toContain('R15');
  });

  it('unlocks the card with the PUK', async () => {
    const { state, cites } = await chat(active).say('slog fel pin 3 ggr så nu är det låst', 'ja den har jag kvar');
    expect(state).toBe('pin-trouble/canUnlock');
    expect(cites).toEqual(expect.arrayContaining(['R47', 'R48']));
  });

  it.each([
    ['while we ask for the PUK', ['jag har slagit fel kod tre gånger', 'kortet är spärrat']],
    ['after the answer', ['jag har slagit fel kod tre gånger', 'nej', 'men kortet är ju spärrat']],
    ['in one breath', ['slog fel kod tre gånger och nu är kortet spärrat']],
    ['when asked why it is to be revoked', ['kan du spärra upp kortet', 'jag har slagit fel kod tre gånger']],
  ] as const)('may say that the card is “spärrat” %s, and the ledger is left alone', async (_, messages) => {
    const student = chat(active);
    const { state } = await student.say(...messages);
    expect(state).toMatch(/^pin-trouble\//);
    expect(student.requested()).toEqual([]);
  });

  it('can choose it when “spärrat” may mean this or that', async () => {
    const student = chat(active);
    const { suggests } = await student.say('kortet är spärrat');
    expect(suggests).toContain('Jag har slagit fel pinkod');
    expect((await student.say('Jag har slagit fel pinkod')).state).toBe('pin-trouble/askingHasPuk');
    expect(student.requested()).toEqual([]);
  });

  it('is not told of code letters for a reserve card', async () => {
    const { state } = await chat(active).say('mitt reservkort är låst, jag slog fel pin');
    expect(state).toBe('pin-trouble/hasReserveCard');
  });

  it('has no reserve card for having asked how to get one', async () => {
    const { state } = await chat(active).say('Hur får jag reservkort?', 'jag har slagit fel kod tre gånger', 'nej');
    expect(state).toBe('pin-trouble/needsCodeLetter');
  });

  it('has the PUK, if it is written out here, though not to be kept', async () => {
    const { said, state } = await chat(active).say('jag har slagit fel kod tre gånger', 'puk är 12345678');
    expect(said).not.toMatch(/\d/);
    expect(state).toBe('pin-trouble/canUnlock');
  });
});

describe('a student who has forgotten the code', () => {
  it('is asked first whether the card is collected', async () => {
    const student = chat(active);
    expect((await student.say('jag har glömt min pinkod')).state).toBe('pin-trouble/askingCollectedCard');
    expect((await student.say('ja')).state).toBe('pin-trouble/askingHasPuk');
    expect((await student.say('vet inte')).state).toBe('pin-trouble/needsCodeLetter');
  });

  it('waits for the codes, if the card is not', async () => {
    const { state, cites } = await chat(active).say('minns inte pinkoden', 'nej jag har inte hämtat ut det än');
    expect(state).toBe('pin-trouble/codesAreOnTheirWay');
    expect(cites).toContain('R31');
  });

  it('may have thrown the letter where others find it, and then the card is to be revoked', async () => {
    const student = chat(active);
    const { suggests } = await student.say('hittar inte puken nånstans');
    const { state, cites } = await student.say(suggests[0] ?? '');
    expect(state).toBe('lost-card/confirming');
    expect(cites).toContain('R43');
  });
});
