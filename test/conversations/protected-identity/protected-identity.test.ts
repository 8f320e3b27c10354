import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';

describe('a student with protected personal data', () => {
  it.each([
    ['to begin with', ['jag har skyddad identitet, kan jag få kort?']],
    ['in the middle of an order', ['hur beställer jag kort?', 'ja', 'jag har skyddade personuppgifter']],
    ['when asked why a card is to be revoked', ['jag vill spärra mitt kort', 'jag har skyddade personuppgifter']],
    ['when asked about the photo', ['är kortet klart att hämta?', 'har sekretessmarkering']],
    ['with the card read back', ['kortet är stulet', 'jag har skyddade personuppgifter']],
    ['instead of a PUK', ['jag har slagit fel kod tre gånger', 'jag har skyddad identitet så brevet kom inte']],
  ] as const)('is told whom to speak to first, %s', async (_, messages) => {
    const { state, cites } = await chat({ at, as: 'active' }).say(...messages);
    expect(state).toBe('protected-identity/contactFirst');
    expect(cites).toEqual(['R22']);
  });

  it('is not asked anything more, and the path is not come back to', async () => {
    const student = chat({ at });
    await student.say('hur beställer jag kort?', 'ja', 'jag har skyddad identitet');
    expect((await student.say('tillbaka')).state).toBe('protected-identity/contactFirst');
  });

  it('has nothing remembered that was told before', async () => {
    const { state } = await chat({ at }).say(
      'hur beställer jag kort?',
      'ja',
      'jag har skyddad identitet',
      'hur beställer jag kort?',
    );
    expect(state).toBe('order/askingJobshApproved');
  });

  it('cannot have a card revoked by a yes that comes after', async () => {
    const student = chat({ at, as: 'active' });
    await student.say('kortet är stulet', 'jag har skyddade personuppgifter', 'ja', 'ja');
    expect(student.requested()).not.toContain('ledger.revoke');
  });
});
