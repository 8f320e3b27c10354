import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

describe('an upgrade while it is open', () => {
  const at = '2022-04-20T10:00';

  it.each([
    [
      'an older card with both codes',
      ['kan jag uppgradera mitt kort?', 'ordinarie', 'maj 2019', 'ja båda'],
      'canUpgrade',
    ],
    [
      'an older card without one of its codes',
      ['hur uppgraderar jag kortet', 'vanligt', '10 oktober 2019', 'nej bara den ena'],
      'needsCodesFirst',
    ],
    ['a reserve card', ['hur uppgraderar jag kortet', 'reserv'], 'isReserveCard'],
    ['a newer card', ['måste jag uppgradera kortet?', 'ordinarie', 'hösten 2021'], 'needsNoUpgrade'],
    [
      'a card ordered before and issued after',
      ['kan jag uppgradera kortet', 'ordinarie', 'mars 2020', 'innan'],
      'issuedUnknown',
    ],
    ['a card ordered after', ['kan jag uppgradera kortet', 'ordinarie', '18 feb 2020', 'nej efter'], 'needsNoUpgrade'],
  ] as const)('leads %s there', async (_, messages, outcome) => {
    expect((await chat({ at }).say(...messages)).state).toBe(`upgrade/${outcome}`);
  });

  it('is guided by the rules that were in force', async () => {
    const { cites } = await chat({ at }).say('kan jag uppgradera mitt kort?', 'ordinarie', 'maj 2019', 'ja');
    expect(cites).toEqual(expect.arrayContaining(['R6', 'R9', 'R12', 'R14', 'R16']));
  });
});

describe('an upgrade on its last day', () => {
  it.each(['2022-05-04T00:00', '2022-05-04T23:59'])('is for the servicedesk to say, at %s', async (at) => {
    const { state, cites } = await chat({ at }).say('kan jag uppgradera mitt kort?');
    expect(state).toBe('upgrade/lastDay');
    expect(cites).toEqual(expect.arrayContaining(['R9', 'R16']));
  });

  it('comes after the last day that it is open and before the first that it is not', async () => {
    expect((await chat({ at: '2022-05-03T23:59' }).say('kan jag uppgradera mitt kort?')).state).toBe(
      'upgrade/askingCardKind',
    );
    expect((await chat({ at: '2022-05-05T00:00' }).say('kan jag uppgradera mitt kort?')).state).toBe(
      'upgrade/askingWasUpgraded',
    );
  });
});

describe('an upgrade after its time', () => {
  const at = '2026-11-23T08:00';

  it('is refused before anything is asked, and R9 is told as history', async () => {
    const { state, cites } = await chat({ at }).say('kan man uppgradera kortet fortfarande?');
    expect(state).toBe('upgrade/askingWasUpgraded');
    expect(cites).toEqual(expect.arrayContaining(['R9', 'R10']));
  });

  it.each([
    ['was made in time', ['kan man uppgradera kortet än?', 'ja det gjorde jag'], 'wasUpgraded', 'R13'],
    ['was never made', ['jag missade att uppgradera', 'ordinarie', '17 feb 2020'], 'needsNewCard', 'R11'],
    [
      'cannot be remembered, of a reserve card',
      ['kan jag uppgradera mitt kort?', 'vet inte', 'reservkort'],
      'isReserveCard',
      'R7',
    ],
    [
      'cannot be remembered at all',
      ['kan jag uppgradera mitt kort?', 'nej', 'vet inte', 'vet inte'],
      'issuedUnknown',
      'R11',
    ],
    ['was not needed', ['jag missade att uppgradera', 'ordinarie', 'våren 2023'], 'needsNoUpgrade', 'R8'],
    [
      'explains a card that died before its printed date',
      ['mitt kort gäller till 2027 men funkar inte längre', 'nej', 'ordinarie', 'oktober 2019'],
      'needsNewCard',
      'R10',
    ],
  ] as const)('that %s', async (_, messages, outcome, rule) => {
    const { state, cites } = await chat({ at }).say(...messages);
    expect(state).toBe(`upgrade/${outcome}`);
    expect(cites).toContain(rule);
  });

  it.each(['kan jag uppgradera?', 'gäller uppgraderingen mig?', 'kan man upgradera än'])(
    'is asked about in many words: “%s”',
    async (message) => {
      expect((await chat({ at }).say(message)).state).toBe('upgrade/askingWasUpgraded');
    },
  );

  it('is never guided to', async () => {
    const student = chat({ at });
    const all = [
      await student.say('hur uppgraderar jag i mina sidor?'),
      await student.say('nej'),
      await student.say('ordinarie'),
      await student.say('2019'),
    ];
    expect(all.flatMap(({ cites }) => cites)).not.toContain('R16');
    expect(all.at(-1)?.state).toBe('upgrade/needsNewCard');
  });
});
