/** Where a student is sent, as cards: what to bring, where and when. */
import { describe, expect, it } from '@jest/globals';
import { chat, type Situation } from '../chat.ts';

const at = '2026-11-23T08:00';
const photo = ['photo-at-booth', 'photo-at-sodersjukhuset'];

describe('a student who', () => {
  it.each<[string, Omit<Situation, 'at'>, string[], string, string[]]>([
    ['asks where to be photographed', {}, ['var fotograferar jag mig?'], 'photo-and-pickup/notPhotographed', photo],
    [
      'has an order that is fresh',
      {},
      ['hur beställer jag kort?', 'ja', 'i förra veckan'],
      'order/canBePhotographed',
      photo,
    ],
    [
      'may collect at Lindhagen',
      {},
      ['var hämtar jag ut kortet?', 'automaten', 'båda'],
      'photo-and-pickup/collectAtLindhagen',
      ['pickup-at-lindhagen'],
    ],
    [
      'may collect at Södersjukhuset',
      {},
      ['var hämtar jag ut kortet?', 'sös', 'båda'],
      'photo-and-pickup/collectAtSodersjukhuset',
      ['pickup-at-sodersjukhuset'],
    ],
    [
      'waits for the codes',
      {},
      ['var hämtar jag ut kortet?', 'sös', 'bara kortet'],
      'photo-and-pickup/waitForCodes',
      [],
    ],
    [
      'needs a card for a short while',
      {},
      ['behöver jag ett nytt kort?', 'nej', 'ja bara några dagar'],
      'new-card/needsReserveCard',
      ['reserve-card-at-lindhagen'],
    ],
    ['asks for the office', {}, ['var ligger kortkontoret på sös?'], 'conversation/listening', ['sodersjukhuset']],
    ['asks about a day', {}, ['när är sös öppet på onsdag?'], 'conversation/listening', ['sodersjukhuset']],
    ['asks what to bring to the photo', {}, ['vad tar jag med till fotot?'], 'conversation/listening', photo],
    [
      'asks how to book',
      {},
      ['hur bokar jag tid för att hämta kortet?'],
      'conversation/listening',
      ['pickup-at-lindhagen', 'pickup-at-sodersjukhuset'],
    ],
    [
      'has a card that waits for them',
      { as: 'awaiting-handover' },
      ['kolla mitt kort'],
      'card-status/shown',
      ['pickup-at-sodersjukhuset'],
    ],
    ['asks what is valid', {}, ['duger körkort?'], 'conversation/listening', []],
  ])('%s', async (_who, situation, messages, state, visits) => {
    const answered = await chat({ at, ...situation }).say(...messages);
    expect(answered).toMatchObject({ state, visits });
  });
});
