/** Asking to be reminded, in the students' own words. */
import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';

describe('whoever asks how it is with their card', () => {
  it('is offered to be reminded beside the answer, and has it with a press', async () => {
    const student = chat({ at, as: 'expiring' });
    const { texts, suggests, state } = await student.say('status på mitt kort');
    expect(state).toBe('card-status/shown');
    expect(texts.join()).toMatch(/bara till och med 28 december 2026.*påminn mig/s);
    expect(suggests).toEqual(['Påminn mig', 'Logga ut']);
    const wanted = await student.say('Påminn mig');
    expect(wanted).toMatchObject({ heard: ['remindMe'], state: 'reminders/wanted', cites: ['R17', 'R20'] });
    expect(wanted.texts.join()).toMatch(/8 veckor innan.*sluta påminna mig/s);
    expect((await student.say('status på mitt kort')).suggests).toEqual(['Logga ut']);
  });

  it('is offered it once, and goes on as they like', async () => {
    const student = chat({ at, as: 'active' });
    await student.say('status på mitt kort');
    expect((await student.say('är mitt kort aktivt?')).suggests).toEqual(['Logga ut']);
  });

  it.each(['no-card', 'protected', 'revoked', 'order-lapsed', 'loa2'] as const)(
    'is not offered it with nothing to be reminded of: %s',
    async (as) => {
      expect((await chat({ at, as }).say('är mitt kort aktivt?')).suggests).not.toContain('Påminn mig');
    },
  );
});

describe('the wish to be reminded', () => {
  it.each([
    'påminn mig',
    'PÅMINN MIG!',
    'paminn mig',
    'påmin mig',
    'Kan du påminna mig när kortet går ut?',
    'kan du påminna mig innan mitt kort går ut',
    'påminn mig när kortet är klart',
    'jag vill ha en påminnelse',
  ])('is heard in “%s”', async (text) => {
    expect((await chat({ at, as: 'active' }).say(text)).state).toBe('reminders/wanted');
  });

  it.each(['sluta påminna mig', 'Sluta påminna', 'inga fler påminnelser', 'inga fler påminelser', 'påminn mig inte'])(
    'ends with “%s”',
    async (text) => {
      const student = chat({ at, as: 'active' });
      await student.say('påminn mig');
      expect(await student.say(text)).toMatchObject({ heard: ['stopReminding'], state: 'reminders/unwanted' });
    },
  );

  it.each([
    'får man en påminnelse?',
    'när går mitt kort ut?',
    'jag glömde påminna min kompis',
    'varför får jag inget besked?',
  ])('is not heard in “%s”', async (text) => {
    const { heard } = await chat({ at, as: 'active' }).say(text);
    expect(heard).not.toContain('remindMe');
    expect(heard).not.toContain('stopReminding');
  });

  it('waits for no card, and needs no ledger', async () => {
    expect((await chat({ at, as: 'no-card' }).say('påminn mig')).state).toBe('reminders/wanted');
    expect((await chat({ at, as: 'active', ledger: 'down' }).say('påminn mig')).state).toBe('reminders/wanted');
  });

  it('is nobody’s whose cards are not known, and says whom to ask', async () => {
    const { state, cites } = await chat({ at }).say('påminn mig');
    expect(state).toBe('reminders/notIdentified');
    expect(cites).toEqual(['R50']);
  });

  it('in the middle of something else leads back to it', async () => {
    const student = chat({ at, as: 'active' });
    await student.say('jag har slagit fel kod tre gånger');
    expect((await student.say('påminn mig')).texts.at(-1)).toMatch(/pinkoden/);
    expect((await student.say('ja')).state).toMatch(/^pin-trouble\//);
  });
});
