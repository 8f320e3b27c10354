import { describe, expect, it } from '@jest/globals';
import { content } from '../../product.ts';
import { chat } from '../chat.ts';

const at = '2026-11-23T08:00';
const active = { at, as: 'active' } as const;

describe('a stolen card', () => {
  it('is read back, and revoked on a yes to that very card', async () => {
    const student = chat(active);
    const readBack = await student.say('Hej! någon har snott min väska med etjänstekortet i');
    expect(readBack.state).toBe('lost-card/confirming');
    expect(readBack.texts.at(-1)).toContain('4711');
    expect(student.requested()).toEqual(['identity.verify', 'ledger.findCards']);

    const receipt = await student.say('ja');
    expect(receipt.state).toBe('lost-card/revoked');
    expect(receipt.requests).toEqual([
      { request: 'ledger.revoke', reference: expect.stringMatching(/^revocation\/c_[\w-]+\/LOST$/) },
    ]);
    expect(receipt.texts.at(-1)).toMatch(/\bS(-[0-9A-F]{4}){3}\b/);
    expect(receipt.cites).toEqual(expect.arrayContaining(['R11']));
  });

  it('is revoked once, however often the student says yes', async () => {
    const student = chat(active);
    await student.say('kortet är stulet', 'ja', 'ja', 'ja spärra kortet', 'ja');
    expect(student.requested().filter((request) => request === 'ledger.revoke')).toHaveLength(1);
  });

  it.each(['ja', 'Japp!', 'ja tack, spärra det direkt', 'JA spärra kortet nu', 'jo gör det', 'yes', 'javisst'])(
    'takes “%s” for a yes',
    async (yes) => {
      expect((await chat(active).say('kortet är stulet', yes)).state).toBe('lost-card/revoked');
    },
  );

  it.each([
    'ok',
    'okej',
    'mm',
    'visst',
    'precis',
    'det stämmer',
    'ja kanske',
    'ja men vänta',
    'jo men',
    'kanske',
    'vet inte',
    'va?',
    'vad händer om jag säger ja?',
    'ja, går det att ångra?',
    'tack',
  ])('does not take “%s” for a yes', async (something) => {
    const student = chat(active);
    await student.say('kortet är stulet', something);
    expect(student.requested()).not.toContain('ledger.revoke');
  });

  it('is kept when the student finds it at the last moment', async () => {
    const student = chat(active);
    const { state } = await student.say('mitt kort är stulet', 'nej vänta jag hittade kortet');
    expect(state).toBe('lost-card/kept');
    expect(student.requested()).not.toContain('ledger.revoke');
  });

  it.each([
    ['told so in the middle of unlocking another', ['jag har slagit fel kod tre gånger', 'nej, kortet är stulet nu']],
    ['told so in the middle of an order', ['hur beställer jag kort?', 'jag har blivit bestulen på mitt kort']],
  ] as const)('comes first, also when we are %s', async (_, messages) => {
    expect((await chat(active).say(...messages)).state).toBe('lost-card/confirming');
  });

  it.each(['vad gör jag nu?', 'hur får jag ett nytt kort?', 'då behöver jag ett nytt kort'])(
    'is followed, on “%s”, by the way to a new one',
    async (whatNow) => {
      const { cites, state } = await chat(active).say('kortet är stulet', 'ja', whatNow);
      expect(cites).toContain('R11');
      expect(state).not.toContain('asking');
    },
  );

  it('is never one to keep once it is revoked', async () => {
    const { state } = await chat(active).say(
      'kortet är stulet',
      'ja',
      'behöver jag ett nytt kort?',
      'ja',
      'stockholm',
      'ordinarie',
      'ja',
    );
    expect(state).not.toBe('new-card/keepCard');
  });
});

describe('a card that the student cannot find', () => {
  it('is not revoked when it lies at home, and a reserve card is the way on', async () => {
    const student = chat(active);
    expect((await student.say('jag har tappat kortet')).state).toBe('lost-card/askingWhereabouts');

    const leftAtHome = await student.say('hmm det ligger nog hemma');
    expect(leftAtHome.state).toBe('lost-card/leftAtHome');
    expect(leftAtHome.cites).toContain('R28');

    const reserve = await student.say(leftAtHome.suggests[0] ?? '');
    expect(reserve.state).toBe('new-card/needsReserveCard');
    expect(reserve.cites).toEqual(expect.arrayContaining(['R28', 'R29', 'R30']));
    expect(student.requested()).toEqual([]);
  });

  it('is looked up once the student knows that it is gone', async () => {
    expect((await chat(active).say('hittar inte mitt kort', 'det är borta, jag har letat överallt')).state).toBe(
      'lost-card/confirming',
    );
  });

  it('is asked about again after an answer that says neither', async () => {
    const { state, texts } = await chat(active).say('jag har tappat kortet', 'ja');
    expect(state).toBe('lost-card/askingWhereabouts');
    expect(texts).not.toContain(content.label('conversation/nothingWasAsked'));
  });
});

describe('a card that is to be revoked for another reason', () => {
  it.each([
    ['somebody has opened the code letter', 'active', ['nån har öppnat mitt kodbrev från telia'], 'R43'],
    ['the codes are known before the card is collected', 'awaiting-handover', ['någon har sett mina koder'], 'R43'],
    ['its name is wrong', 'active', ['jag har bytt efternamn, det står fel på kortet'], 'R44'],
    [
      'the student wants it, and has been asked why',
      'active',
      ['jag vill spärra mitt kort', 'någon kan min kod'],
      'R43',
    ],
  ] as const)('is read back when %s', async (_, as, messages, rule) => {
    const student = chat({ at, as });
    const { state, cites } = await student.say(...messages);
    expect(state).toBe('lost-card/confirming');
    expect(cites).toContain(rule);
    expect((await student.say('ja')).state).toBe('lost-card/revoked');
  });

  it('is left alone when it is only locked', async () => {
    const student = chat(active);
    expect((await student.say('spärra mitt kort', 'jag har slagit fel kod')).state).toBe('pin-trouble/askingHasPuk');
    expect(student.requested()).toEqual([]);
  });
});

describe('a student with two cards', () => {
  const twoCards = { at, as: 'two-cards' } as const;

  it('is asked which of them it is', async () => {
    const student = chat(twoCards);
    expect((await student.say('mitt kort blev stulet på bussen')).state).toBe('lost-card/choosingCard');

    const readBack = await student.say('reservkortet');
    expect(readBack.state).toBe('lost-card/confirming');
    expect(readBack.texts.at(-1)).toContain('0815');

    const { requests, texts } = await student.say('ja spärra det');
    expect(requests.map(({ request }) => request)).toEqual(['ledger.revoke']);
    expect(texts.at(-1)).toContain('Kortet som slutar på 0815 är spärrat');
  });

  it('can say that it was the other one', async () => {
    const student = chat(twoCards);
    const wrongOne = await student.say('mitt kort är stulet', 'det ordinarie', 'nej, det är reservkortet som är borta');
    expect(wrongOne.state).toBe('lost-card/kept');
    expect((await student.say('mitt kort är stulet')).state).toBe('lost-card/choosingCard');
  });

  it('is helped by people when both are gone', async () => {
    const { state, cites } = await chat(twoCards).say('mitt kort är stulet', 'båda');
    expect(state).toBe('lost-card/noCertainCard');
    expect(cites).toContain('R46');
  });
});

describe('a card that the assistant cannot revoke', () => {
  const insisting = ['mitt kort är stulet', 'ja', 'spärra det ändå', 'ja'] as const;

  it.each([
    ['revoked', 'lost-card/alreadyRevoked', 'R11'],
    ['other-region', 'lost-card/otherRegion', 'R46'],
    ['expired', 'lost-card/hasExpired', 'R11'],
    ['order-fresh', 'lost-card/noCertainCard', 'R46'],
    ['no-card', 'lost-card/noCertainCard', 'R46'],
    ['protected', 'lost-card/noCertainCard', 'R46'],
  ] as const)('is not revoked, however much the student insists: %s', async (as, outcome, rule) => {
    const student = chat({ at, as });
    const { state, cites } = await student.say('mitt kort är stulet');
    expect(state).toBe(outcome);
    expect(cites).toContain(rule);
    await student.say(...insisting);
    expect(student.requested()).not.toContain('ledger.revoke');
  });

  it('has the receipt it was given when it was revoked', async () => {
    const { texts } = await chat({ at, as: 'revoked' }).say('kortet är stulet');
    expect(texts.at(-1)).toMatch(
      /är redan spärrat, sedan 14 november 2026 klockan 10\.15\. Kvittot har nummer S(-[0-9A-F]{4}){3}\./,
    );
  });

  it('is the servicedesk’s to revoke for a student who cannot prove who they are', async () => {
    const student = chat({ at });
    const { state, cites } = await student.say('mitt kort är stulet, spärra det nu!');
    expect(state).toBe('lost-card/notIdentified');
    expect(cites).toContain('R46');
    await student.say('ja', 'det är mitt kort, jag lovar');
    expect(student.requested()).toEqual(['identity.verify']);
  });

  it('looks the same for a protected person as for one who has no card', async () => {
    const inProtection = chat({ at, as: 'protected' });
    const without = chat({ at, as: 'no-card' });
    for (const message of [
      ...insisting,
      'någon har sett min kod',
      'vad har mitt kort för status?',
      'är det spärrat?',
    ]) {
      expect(await inProtection.say(message)).toEqual(await without.say(message));
    }
  });
});

describe('a ledger in trouble', () => {
  it('that is down has revoked nothing, and will not later', async () => {
    const student = chat({ ...active, ledger: 'down' });
    const { state, cites } = await student.say('mitt kort är stulet');
    expect(state).toBe('lost-card/ledgerIsDown');
    expect(cites).toContain('R46');
    expect((await student.say('tack')).requests).toEqual([]);
  });

  it('that is slow may have revoked the card: what happened is asked and told with the next message', async () => {
    const student = chat({ ...active, ledger: 'slow' });
    const uncertain = await student.say('mitt kort är stulet', 'ja');
    expect(uncertain.state).toBe('lost-card/uncertain');
    expect(uncertain.cites).toContain('R46');
    expect(uncertain.texts.join()).not.toMatch(/\bS-[0-9A-F]{4}-/);

    const news = await student.say('tack');
    expect(news.requests).toEqual(uncertain.requests);
    expect(news.texts[0]).toMatch(/\bS(-[0-9A-F]{4}){3}\b/);
    expect(news.state).toBe('lost-card/revoked');
  });

  it('says different things of the two', async () => {
    const [down, slow] = await Promise.all(
      (['down', 'slow'] as const).map((ledger) => chat({ ...active, ledger }).say('mitt kort är stulet', 'ja')),
    );
    expect(down?.texts.at(-1)).not.toBe(slow?.texts.at(-1));
  });
});
