import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';
const active = { at, as: 'active' } as const;

describe('a card that does not work', () => {
  it.each([
    ['locked', ['ja det kan ha hänt'], 'pin-trouble/askingHasPuk', undefined],
    ['used with the wrong certificate', ['nej', 'ja två stycken'], 'malfunction/chooseCertificate', 'R41'],
    ['older than its certificates', ['nej', 'nej', 'ja'], 'malfunction/certificateIsDead', 'R10'],
    [
      'too old, as the student puts it',
      ['nej', 'bara ett', '2019 och aldrig uppgraderat'],
      'malfunction/certificateIsDead',
      'R10',
    ],
    ['expired', ['nej', 'nej', 'nej', 'ja'], 'renewal/hasExpired', 'R11'],
    ['expired, by its date', ['nej', 'nej', 'nej', '2026-10-01'], 'renewal/hasExpired', 'R11'],
    ['none of it', ['nej', 'det händer inget', 'nej det är nytt', 'nej'], 'malfunction/shouldBeRevoked', 'R45'],
    [
      'nothing the student knows of',
      ['vet inte', 'vet inte', 'vet inte', 'vet inte'],
      'malfunction/shouldBeRevoked',
      'R46',
    ],
  ] as const)('may be %s', async (_, answers, state, rule) => {
    const student = chat(active);
    const answered = await student.say('datorn läser inte kortet', ...answers);
    expect(answered.state).toBe(state);
    if (rule) expect(answered.cites).toContain(rule);
    expect(student.requested()).toEqual([]);
  });

  it('is not dead of old certificates while they are alive', async () => {
    const { state } = await chat({ at: '2022-05-04T12:00' }).say('kortet krånglar', 'nej', 'nej');
    expect(state).toBe('malfunction/askingHasExpired');
  });

  it.each(['Spärra kortet', 'ja, spärra kortet', 'då vill jag spärra det'])(
    'can be revoked at the end of it, on “%s” and a yes to the card',
    async (wish) => {
      const student = chat(active);
      const readBack = await student.say('kortet fungerar inte', 'nej', 'nej', 'nej', 'nej', wish);
      expect(readBack.state).toBe('lost-card/confirming');
      expect(readBack.cites).toContain('R45');
      expect(student.requested()).not.toContain('ledger.revoke');
      expect((await student.say('ja')).state).toBe('lost-card/revoked');
    },
  );

  it.each(['nej', 'ja', 'tack'])('is left alone on a bare “%s”, for nothing was asked', async (word) => {
    const student = chat(active);
    await student.say('kortet fungerar inte', 'nej', 'nej', 'nej', 'nej', word);
    expect(student.requested()).toEqual([]);
  });
});
