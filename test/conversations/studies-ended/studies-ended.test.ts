import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';

describe('a card after the studies', () => {
  it('is to be destroyed', async () => {
    const { state, cites } = await chat({ at }).say('jag har tagit examen, vad gör jag med kortet?');
    expect(state).toBe('studies-ended/destroyCard');
    expect(cites).toContain('R49');
  });

  it('is to be revoked if it is lost', async () => {
    const student = chat({ at, as: 'active' });
    const { suggests } = await student.say('ska jag lämna in kortet nu när jag är klar med plugget?');
    expect((await student.say(suggests[0] ?? '')).state).toBe('lost-card/askingWhereabouts');
  });
});
