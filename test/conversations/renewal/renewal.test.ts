import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';

describe('renewal, eight weeks before the card expires', () => {
  it.each([
    ['22 november 2026', 'hasExpired'],
    ['23/11 2026', 'expiresSoon'],
    ['17 januari 2027', 'expiresSoon'],
    ['18 januari 2027', 'canRenewInTime'],
    ['juni 2028', 'canRenewInTime'],
    ['om en månad', 'expiresSoon'],
    ['det gick ut förra veckan', 'hasExpired'],
    ['jag har inte kortet här, vet inte', 'expiryUnknown'],
  ])('is a matter of the date on the card: %s, %s', async (day, outcome) => {
    expect((await chat({ at }).say('när måste jag förnya kortet?', day)).state).toBe(`renewal/${outcome}`);
  });

  it('tells the last day to do it', async () => {
    const { texts, cites } = await chat({ at }).say('när måste jag förnya kortet?', '2028-06-30');
    expect(texts.at(-1)).toContain('5 maj 2028');
    expect(cites).toEqual(expect.arrayContaining(['R11', 'R17']));
  });

  it('asks nothing of a student who says when', async () => {
    expect((await chat({ at }).say('mitt kort går ut om 3 veckor')).state).toBe('renewal/expiresSoon');
    expect((await chat({ at }).say('mitt kort har gått ut')).state).toBe('renewal/hasExpired');
  });

  it('offers a reserve card for the time without one', async () => {
    const student = chat({ at });
    const { suggests } = await student.say('kortet går ut om två veckor');
    expect((await student.say(suggests[0] ?? '')).state).toBe('new-card/needsReserveCard');
  });
});
