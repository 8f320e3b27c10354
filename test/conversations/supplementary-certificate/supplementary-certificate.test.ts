import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';

describe('a supplementary certificate', () => {
  it.each([
    ['is downloaded with the PIN codes', ['hur hämtar jag tilläggscertifikat?', 'ja', 'ja'], 'canDownload', 'R41'],
    [
      'waits for the codes',
      ['jag ska ladda ner tilläggscertifikat', 'ja', 'nej har glömt dem'],
      'needsCodesFirst',
      'R39',
    ],
    ['comes from lärosätet', ['hur hämtar jag tilläggscertifikat?', 'nej har inte fått nåt'], 'askUniversity', 'R38'],
    [
      'is asked of lärosätet in doubt',
      ['jag har kort från region skåne, funkar det här?', 'vet inte'],
      'askUniversity',
      'R38',
    ],
  ] as const)('%s', async (_, messages, outcome, rule) => {
    const { state, cites } = await chat({ at }).say(...messages);
    expect(state).toBe(`supplementary-certificate/${outcome}`);
    expect(cites).toContain(rule);
  });

  it('is chosen at login', async () => {
    const { cites } = await chat({ at }).say('det visas två certifikat, vilket ska jag välja?');
    expect(cites).toEqual(expect.arrayContaining(['R40', 'R41']));
  });
});
