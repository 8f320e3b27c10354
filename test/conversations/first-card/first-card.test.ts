import { describe, expect, it } from '@jest/globals';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';

describe('an order', () => {
  it('waits for JoBSH', async () => {
    const { state, cites } = await chat({ at }).say('hur får jag mitt första kort?', 'nej jag har inte gått den än');
    expect(state).toBe('order/needsJobsh');
    expect(cites).toEqual(expect.arrayContaining(['R18', 'R19']));
  });

  it.each([
    ['2026-08-24', 'canBePhotographed'],
    ['23 augusti', 'orderMayHaveLapsed'],
    ['22/8', 'orderHasLapsed'],
    ['i förra veckan', 'canBePhotographed'],
    ['för fyra månader sen', 'orderHasLapsed'],
    ['i våras', 'orderHasLapsed'],
    ['i somras', 'orderMayHaveLapsed'],
    ['vet inte', 'orderMayHaveLapsed'],
  ])('from %s, on 23 November: %s', async (day, outcome) => {
    expect((await chat({ at }).say('hur beställer jag kort?', 'ja', day)).state).toBe(`order/${outcome}`);
  });

  it('asks nothing that the student has said already', async () => {
    const { state } = await chat({ at }).say(
      'jag är klar med jobsh och beställningen gjordes förra veckan, vad händer nu?',
    );
    expect(state).toBe('order/canBePhotographed');
  });

  it('that the office does not find may have lapsed', async () => {
    const { state, cites } = await chat({ at }).say('dom hittar ingen beställning på kontoret', 'ja', 'i mars');
    expect(state).toBe('order/orderHasLapsed');
    expect(cites).toEqual(expect.arrayContaining(['R20', 'R21']));
  });
});

describe('the photo', () => {
  it('is taken in the booth or at Södersjukhuset, whichever opens first', async () => {
    const { state, cites, texts } = await chat({ at }).say('var fotograferar jag mig?');
    expect(state).toBe('photo-and-pickup/notPhotographed');
    expect(cites).toEqual(expect.arrayContaining(['R23', 'R24', 'R25', 'R26', 'R27']));
    expect(texts.at(-1)).toContain('idag 8:00–16:00');
    expect(texts.at(-1)).toContain('idag 13:30–15:00');
  });

  it('is not promised on a Saturday', async () => {
    const { texts } = await chat({ at }).say('är fotoautomaten öppen på lördag?');
    expect(texts.join()).not.toMatch(/på lördag \d/);
  });

  it('is not promised on Christmas Eve, and the next opening is after the holidays', async () => {
    const { texts } = await chat({ at: '2026-12-23T16:00' }).say('när har sös öppet imorgon?');
    expect(texts.at(-1)).toContain('på måndag 13:30–15:00');
  });
});

describe('the pickup', () => {
  it.each([
    ['of a photo from the booth', ['automaten', 'båda'], 'collectAtLindhagen', ['R32', 'R33', 'R35']],
    ['of a photo from Södersjukhuset', ['sös', 'ja båda har kommit'], 'collectAtSodersjukhuset', ['R33', 'R36']],
    ['without the codes', ['lindhagen', 'bara kortet'], 'waitForCodes', ['R31', 'R33']],
    ['without the card', ['lindhagen', 'har fått koderna men inte kortet'], 'waitForCard', ['R31']],
    ['of nothing yet', ['södersjukhuset', 'inget av dem'], 'waitForBoth', ['R31']],
    ['from an office nobody remembers', ['minns inte'], 'photoSiteUnknown', ['R34']],
  ] as const)('%s', async (_, answers, outcome, rules) => {
    const { state, cites } = await chat({ at }).say('var hämtar jag ut kortet?', ...answers);
    expect(state).toBe(`photo-and-pickup/${outcome}`);
    expect(cites).toEqual(expect.arrayContaining([...rules]));
  });

  it('asks for nothing but what is left', async () => {
    const student = chat({ at });
    const asked = await student.say('jag fotade mig på sös och har fått koderna, var hämtar jag kortet?');
    expect(asked.state).toBe('photo-and-pickup/askingCardReady');
    expect((await student.say('ja')).state).toBe('photo-and-pickup/collectAtSodersjukhuset');
  });

  it('comes after the photo', async () => {
    const { state } = await chat({ at }).say('är kortet klart att hämta?', 'nej jag har inte fotat mig');
    expect(state).toBe('photo-and-pickup/notPhotographed');
  });
});

describe('whether one needs a new card', () => {
  const asking = 'behöver jag ett nytt kort?';
  it.each([
    [
      'a working card with photo is kept',
      ['ja', 'region stockholm', 'ordinarie', 'ja det funkar'],
      'new-card/keepCard',
      'R3',
    ],
    [
      'a card that does not work is looked into',
      ['ja', 'stockholm', 'ordinarie', 'nej'],
      'malfunction/askingWrongPin',
      'R47',
    ],
    [
      'a reserve card is followed by an ordinary one',
      ['ja', 'stockholm', 'reservkort'],
      'new-card/hasReserveCard',
      'R19',
    ],
    [
      'a card of an unknown kind is for the coordinator',
      ['ja', 'stockholm', 'vet inte'],
      'new-card/cardUnclear',
      'R11',
    ],
    ['a card from nobody knows where, too', ['ja', 'ingen aning'], 'new-card/cardUnclear', 'R11'],
    [
      'a card from another region may do, with a certificate',
      ['ja', 'uppsala'],
      'supplementary-certificate/askingCertificateGranted',
      'R38',
    ],
    ['a reserve card is for a short while', ['nej', 'ja bara några dagar'], 'new-card/needsReserveCard', 'R28'],
    ['and an order is for the rest', ['nej', 'nej hela utbildningen'], 'order/askingJobshApproved', 'R18'],
  ] as const)('%s', async (_, answers, state, rule) => {
    const answered = await chat({ at }).say(asking, ...answers);
    expect(answered.state).toBe(state);
    expect(answered.cites).toContain(rule);
  });

  it('is clear to a student who has forgotten the card at home before placement', async () => {
    const { state } = await chat({ at }).say('glömde kortet hemma och har praktik imorrn');
    expect(state).toBe('new-card/needsReserveCard');
  });
});
