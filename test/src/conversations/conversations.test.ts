import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Opening } from '../../../dialogs/vocabulary.ts';
import { createConversations, type Exchange } from '../../../src/conversations/conversations.ts';
import { createMemoryStore } from '../../../src/conversations/memory-store.ts';
import type { ConversationStore, Kept, Pending, Said } from '../../../src/conversations/store.ts';
import { inCondition, switchable as withSwitch, withDeadline } from '../../../src/ledger/faults.ts';
import type { Understanding } from '../../../src/understanding/understanding.ts';
import { content } from '../../product.ts';
import {
  conversationsOf,
  deliveringWith,
  demonstrationLedger,
  now,
  personOf,
  placeOf,
  say,
  stores,
  worldOf,
} from './world.ts';

const DEADLINE = 100;

describe.each(stores)('conversations %s', (_, newStore) => {
  const newId = () => `test/${randomUUID()}`;

  it('welcome once, however often they are opened', async () => {
    const [{ open }, id] = [conversationsOf(newStore()), newId()];
    expect((await open(placeOf(id))).replies).toHaveLength(2);
    expect((await open(placeOf(id))).replies).toEqual([]);
  });

  it('tell what they would begin with, and begin nothing by that', async () => {
    const [store, id] = [newStore(), newId()];
    const conversations = conversationsOf(store);
    const told = conversations.welcome().map(({ text }) => text);
    expect(await store.has(id)).toBe(false);
    expect((await conversations.open(placeOf(id))).replies.map(({ text }) => text)).toEqual(told);
  });

  it('begin with a welcome also for somebody who writes at once', async () => {
    const { replies, state } = await say(conversationsOf(newStore()), newId(), 'jag har slagit fel kod tre gånger');
    expect(state).toBe('pin-trouble/askingHasPuk');
    expect(replies).toHaveLength(3);
  });

  it('are kept apart', async () => {
    const [conversations, one, other] = [conversationsOf(newStore()), newId(), newId()];
    await say(conversations, one, 'jag har slagit fel kod tre gånger');
    await say(conversations, other, 'kan jag uppgradera mitt kort?');
    expect((await say(conversations, one, 'nej')).state).toBe('pin-trouble/needsCodeLetter');
  });

  it('keep a visit with where it can be had for a calendar, if it has a time and there is such a place', async () => {
    const visitLink = (visit: string, { day, from }: Opening) => `https://here/${visit}/${day}/${from}`;
    const store = newStore();
    const visitsIn = async (conversation: string) =>
      (await store.log(conversation, 0)).flatMap((entry) => (entry.author === 'bot' ? (entry.said.visits ?? []) : []));
    const [one, other] = [newId(), newId()];
    await say(conversationsOf(store, { visitLink }), one, 'hur bokar jag tid för att hämta kortet?');
    await say(conversationsOf(store), other, 'hur bokar jag tid för att hämta kortet?');
    const [booked, dropIn] = await visitsIn(one);
    expect(booked).not.toHaveProperty('link');
    expect(dropIn).toEqual({
      name: 'pickup-at-sodersjukhuset',
      title: expect.any(String),
      rows: [expect.anything(), { name: 'När', value: 'Drop-in måndag den 23 november 13:30–15:00' }],
      bring: { name: 'Ta med', items: ['giltig id-handling', 'dina pinkoder'] },
      cites: ['R33', 'R36'],
      link: { title: 'Lägg i kalendern', url: 'https://here/pickup-at-sodersjukhuset/2026-11-23/13:30' },
    });
    expect((await visitsIn(other)).map(({ link }) => link)).toEqual([undefined, undefined]);
  });

  it('answer messages that come at once in the order they were kept', async () => {
    const [conversations, id] = [conversationsOf(newStore()), newId()];
    await conversations.open(placeOf(id));
    const texts = ['jag har slagit fel kod tre gånger', 'när är sös öppet på onsdag?', 'nej'];
    const accepted = [];
    for (const text of texts) accepted.push(await conversations.accept({ ...placeOf(id), id: text, text }));
    const exchanges = await Promise.all(accepted.map(({ answered }) => answered));
    expect(exchanges.map(({ said }) => said)).toEqual(texts);
    expect(exchanges.map(({ state }) => state)).toEqual([
      'pin-trouble/askingHasPuk',
      'pin-trouble/askingHasPuk',
      'pin-trouble/needsCodeLetter',
    ]);
  });

  it('answer a message once, however often it is sent, and at the same time', async () => {
    const [conversations, id] = [conversationsOf(newStore()), newId()];
    const message = { ...placeOf(id), id: 'm-1', text: 'vilken id-handling gäller' };
    const all = await Promise.all([1, 2, 3].map(() => conversations.accept(message)));
    await Promise.all(all.map(({ answered }) => answered));
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(1);
    expect((await conversations.log(id, 0)).filter(({ author }) => author === 'student')).toHaveLength(1);
    expect(await answersIn(conversations, id)).toBe(1);
  });

  it('know a resend under a new id by its sender, text and time, and a message said again by its new time', async () => {
    const [conversations, id] = [conversationsOf(newStore()), newId()];
    const send = async (messageId: string, sentAt: string, sentBy = 'anna') => {
      const message = { ...placeOf(id), id: messageId, sentBy, sentAt, text: 'ja' };
      const { isNew, answered } = await conversations.accept(message);
      await answered;
      return isNew;
    };
    expect(await send('m-1', '2026-11-23T08:00:00.000Z')).toBe(true);
    expect(await send('m-2', '2026-11-23T08:00:00.000Z')).toBe(false);
    expect(await send('m-3', '2026-11-23T08:00:00.000Z', 'berit')).toBe(true);
    expect(await send('m-4', '2026-11-23T08:00:15.000Z')).toBe(true);
  });

  it('keep no secret, and say so', async () => {
    const [conversations, id] = [conversationsOf(newStore()), newId()];
    await conversations.open(placeOf(id));
    const { said, heard, replies } = await say(conversations, id, 'glömt pinkoden, tror den är 4711, pnr 640823-3234');
    expect(said).not.toMatch(/\d/);
    expect(heard[0]).toBe('secret');
    expect(replies[0]?.text).toBe(content.label('conversation/secret'));
    expect(JSON.stringify(await conversations.log(id, 0))).not.toMatch(/4711|640823/);
  });

  it('let a date through where a date is asked for, and mask it as a code where codes are', async () => {
    const [conversations, dates, codes] = [conversationsOf(newStore()), newId(), newId()];
    await say(conversations, dates, 'kortet går snart ut');
    expect((await say(conversations, dates, '20270301')).said).toBe('20270301');
    await say(conversations, codes, 'jag har slagit fel kod tre gånger');
    expect((await say(conversations, codes, '20270301')).said).toBe(content.masked);
  });

  it('read nothing into what stands where a secret was', async () => {
    const [conversations, id] = [conversationsOf(newStore()), newId()];
    await conversations.open(placeOf(id));
    expect(await say(conversations, id, '640823-3234')).toMatchObject({
      heard: ['secret'],
      state: 'conversation/listening',
    });
    await say(conversations, id, 'jag har tappat kortet');
    expect((await say(conversations, id, '640823-3234')).state).toBe('lost-card/askingWhereabouts');
  });

  it('prove who is asking before they look for a card', async () => {
    const conversations = conversationsOf(newStore(), { proving: { way: 'known', person: personOf('active') } });
    const { requests, state } = await say(conversations, newId(), 'någon har snott kortet');
    expect(requests.map(({ request }) => request)).toEqual(['identity.verify', 'ledger.findCards']);
    expect(state).toBe('lost-card/confirming');
  });

  it('tell somebody who has no way to prove it whom to turn to', async () => {
    const { state } = await say(conversationsOf(newStore()), newId(), 'någon har snott kortet');
    expect(state).toBe('lost-card/notIdentified');
  });

  describe('when the ledger answers too late', () => {
    const revoking = async (id: string) => {
      const slow = withDeadline(inCondition(demonstrationLedger(), 'slow', DEADLINE), DEADLINE);
      const conversations = conversationsOf(newStore(), { ledger: slow });
      await conversations.open(placeOf(id), personOf('active'));
      await say(conversations, id, 'någon har snott kortet');
      return { conversations, uncertain: await say(conversations, id, 'ja') };
    };

    it('ask again under the same reference, and tell when they know', async () => {
      const id = newId();
      const { conversations, uncertain } = await revoking(id);
      expect(uncertain.state).toBe('lost-card/uncertain');
      const settled = await conversations.settle(id);
      expect(settled.requests).toEqual(uncertain.requests);
      expect(settled.state).toBe('lost-card/revoked');
      expect(settled.replies[0]?.text).toMatch(/S-[0-9A-F]{4}-[0-9A-F]{4}/);
      expect((await conversations.settle(id)).requests).toEqual([]);
    });

    it('tell it also to somebody who has gone on', async () => {
      const id = newId();
      const { conversations } = await revoking(id);
      await say(conversations, id, 'jag har slagit fel kod tre gånger');
      const settled = await conversations.settle(id);
      expect(settled.state).toBe('pin-trouble/askingHasPuk');
      expect(settled.replies[0]?.text).toMatch(/S-[0-9A-F]{4}-[0-9A-F]{4}/);
    });
  });

  it('never deny a revocation that an earlier attempt may have made', async () => {
    const [store, id] = [newStore(), newId()];
    const before = conversationsOf(store);
    await before.open(placeOf(id), personOf('active'));
    await say(before, id, 'någon har snott kortet');
    // An attempt that never came back: its process is gone, and the request is taken up by another.
    const resumed: ConversationStore = {
      ...store,
      async commit(step) {
        const after = await store.commit(step);
        return after && { ...after, requests: after.requests.map((each) => ({ ...each, attempt: 2 })) };
      },
    };
    const ledger = inCondition(demonstrationLedger(), 'down', DEADLINE);
    expect((await say(conversationsOf(resumed, { ledger }), id, 'ja')).state).toBe('lost-card/uncertain');
  });

  it('take a ledger that fails in a way of its own for one that has not answered', async () => {
    const broken = {
      holderFor: () => Promise.reject(new Error()),
      findCards: () => Promise.reject(new Error('out of order')),
      revoke: () => Promise.reject(new Error()),
    };
    const world = worldOf(newStore(), { ledger: broken });
    const [conversations, id] = [createConversations(world), newId()];
    await conversations.open(placeOf(id), personOf('active'));
    expect((await say(conversations, id, 'någon har snott kortet')).state).toBe('lost-card/ledgerIsSlow');
    expect(world.mistakes).toEqual([new Error('out of order')]);
    expect((await say(conversations, id, 'vilka tider har södersjukhuset')).heard).toEqual(['intent.sos-office']);
  });

  it.each<[string, Understanding['hear']]>([
    ['cannot be taken', () => ({ wishes: [{ type: 'ambiguous', between: null as never }], askedDay: undefined })],
    [
      'cannot be understood',
      () => {
        throw new Error('out of order');
      },
    ],
  ])('answer a message that %s with a way on, once, and go on from where they were', async (_what, hear) => {
    const [store, id] = [newStore(), newId()];
    await say(conversationsOf(store), id, 'jag har slagit fel kod tre gånger');
    const world = worldOf(store, { understanding: { ...worldOf(store).understanding, hear } });
    const failed = await say(createConversations(world), id, 'vad som helst');
    expect(failed).toMatchObject({ state: 'pin-trouble/askingHasPuk', said: 'vad som helst' });
    expect(failed.replies.at(-1)).toMatchObject({ text: content.label('conversation/failed') });
    expect(world.mistakes).toHaveLength(1);
    expect((await say(conversationsOf(store), id, 'nej')).state).toBe('pin-trouble/needsCodeLetter');
  });

  it.each<[string, (kept: Kept) => Kept]>([
    ['another version', (kept) => ({ ...kept, saved: { ...kept.saved, version: 0 } })],
    [
      'this version, but cannot be restored',
      (kept) => ({ ...kept, saved: { ...kept.saved, snapshot: { value: 'nowhere' } as never } }),
    ],
  ])('begin anew, politely, where what is kept is of %s', async (_what, change) => {
    const [store, id] = [newStore(), newId()];
    await conversationsOf(store).open(placeOf(id));
    const conversations = conversationsOf(foundFirst(store, change));
    const { replies } = await say(conversations, id, 'jag har slagit fel kod tre gånger');
    expect(replies.map(({ text }) => text)).toContain(content.label('conversation/begunAnew'));
    expect((await say(conversations, id, 'jag har slagit fel kod tre gånger')).state).toBe('pin-trouble/askingHasPuk');
  });

  describe('where a newer version has saved what is kept', () => {
    const clock = { at: now().getTime() };
    const newer = async () => {
      const [store, id] = [newStore(), newId()];
      await say(conversationsOf(store), id, 'jag har slagit fel kod tre gånger');
      const changed = foundFirst(store, (kept) => ({ ...kept, saved: { ...kept.saved, version: 99 } }));
      const conversations = conversationsOf(changed, { now: () => new Date(clock.at) });
      return { store, id, conversations, length: (await conversations.log(id, 0)).length };
    };

    it('keep a message and leave the rest as it is, for whoever is of that version to answer', async () => {
      const { store, id, conversations, length } = await newer();
      expect((await say(conversations, id, 'nej')).replies).toEqual([]);
      await conversations.edit(placeOf(id));
      expect(await conversations.log(id, length)).toMatchObject([{ text: 'nej' }]);
      await conversationsOf(store).open(placeOf(id));
      expect(await conversationsOf(store).log(id, length + 1)).toMatchObject([{ answers: length + 1 }]);
    });

    it('begin anew, politely, when nobody of that version has come to it for a while', async () => {
      const { id, conversations, length } = await newer();
      await say(conversations, id, 'nej');
      clock.at += 14_999;
      await conversations.open(placeOf(id));
      expect(await conversations.log(id, length)).toHaveLength(1);
      clock.at += 1;
      await conversations.open(placeOf(id));
      const texts = (await repliesIn(conversations, id)).map(({ text }) => text);
      expect(texts).toContain(content.label('conversation/begunAnew'));
    });
  });

  it('keep a client’s own events in their place, once, and answer none of them', async () => {
    const [conversations, id] = [conversationsOf(newStore()), newId()];
    await conversations.open(placeOf(id));
    const first = await conversations.note(id, { id: 'e-1', type: 'event', name: 'webchat/join' });
    expect(await conversations.note(id, { id: 'e-1', type: 'event', name: 'webchat/join' })).toBe(first);
    expect(await conversations.log(id, 2)).toMatchObject([{ seq: 3, noted: { type: 'event', name: 'webchat/join' } }]);
    expect((await say(conversations, id, 'tack')).heard).toEqual(['intent.thanks']);
  });

  describe('where something is switched off', () => {
    /** `off` is what is, just now; `calls` are those to the ledger. */
    const switchable = (changes: Parameters<typeof worldOf>[1] = {}) => {
      const off = new Set<string>();
      const calls: string[] = [];
      const ledger = demonstrationLedger();
      const counted = withSwitch(
        {
          ...ledger,
          findCards: (person) => (calls.push('findCards'), ledger.findCards(person)),
          revoke: (revocation) => (calls.push('revoke'), ledger.revoke(revocation)),
        },
        () => off.has('ledger'),
      );
      const world = worldOf(newStore(), {
        ledger: counted,
        proving: { way: 'known', person: personOf('active') },
        switchedOff: () => off,
        ...changes,
      });
      return { off, calls, world, id: newId(), conversations: createConversations(world) };
    };
    const linesOf = ({ replies }: Exchange) => replies.map(({ text }) => text);
    const text = (name: string) => content.label(`switches/${name}`);

    it('revoke nothing on a yes that comes after, and go on with it when it is on again', async () => {
      const { off, calls, id, conversations } = switchable();
      expect((await say(conversations, id, 'någon har snott kortet')).state).toBe('lost-card/confirming');
      off.add('lost-card');
      const refused = await say(conversations, id, 'ja');
      expect(refused).toMatchObject({ state: 'conversation/listening', requests: [] });
      expect(linesOf(refused).slice(0, 2)).toEqual([text('cannotGoOn'), text('revocationIsOff')]);
      expect(linesOf(await say(conversations, id, 'ja'))).not.toContain(text('cannotGoOn'));
      expect((await say(conversations, id, 'jag har slagit fel kod tre gånger')).state).toBe(
        'pin-trouble/askingHasPuk',
      );
      off.clear();
      await say(conversations, id, 'nej');
      expect((await say(conversations, id, 'tillbaka')).state).toBe('lost-card/confirming');
      expect(calls).toEqual(['findCards', 'findCards']);
    });

    it('call no ledger, neither for cards nor to ask again how a revocation went', async () => {
      const { off, calls, id, conversations } = switchable();
      await say(conversations, id, 'någon har snott kortet');
      off.add('ledger');
      expect((await say(conversations, id, 'ja')).state).toBe('lost-card/notSent');
      expect((await say(conversations, id, 'kolla mitt kort')).state).toBe('card-status/ledgerIsDown');
      expect(calls).toEqual(['findCards']);
      const slow = inCondition(demonstrationLedger(), 'slow', DEADLINE);
      const late = switchable();
      const asked: boolean[] = [];
      const ledger = withSwitch(
        {
          ...withDeadline(slow, DEADLINE),
          revoke: (revocation) => (asked.push(late.off.has('ledger')), withDeadline(slow, DEADLINE).revoke(revocation)),
        },
        () => late.off.has('ledger'),
      );
      const uncertain = createConversations({ ...late.world, ledger });
      await say(uncertain, late.id, 'någon har snott kortet');
      expect((await say(uncertain, late.id, 'ja')).state).toBe('lost-card/uncertain');
      late.off.add('ledger');
      expect((await uncertain.settle(late.id)).replies).toEqual([]);
      expect(asked).toEqual([false]);
    });

    it('answer every message once with whom to contact while the bot is off, and are where they were after', async () => {
      const { off, calls, world, id, conversations } = switchable();
      await say(conversations, id, 'någon har snott kortet');
      const before = (await world.store.pending(id))?.kept;
      off.add('bot');
      const answered = [];
      for (const message of ['ja', 'när är sös öppet?', 'glöm mig'])
        answered.push(await say(conversations, id, message));
      expect(answered.map(linesOf)).toEqual(answered.map(() => [text('botIsOff')]));
      const after = (await world.store.pending(id))?.kept;
      expect([after?.saved, after?.state]).toEqual([before?.saved, 'lost-card/confirming']);
      off.clear();
      const asked = await say(conversations, id, 'ja');
      expect(linesOf(asked)).toEqual([text('botIsOn'), expect.stringContaining('Vill du att jag spärrar')]);
      expect(calls).toEqual(['findCards']);
      expect((await say(conversations, id, 'ja')).state).toBe('lost-card/revoked');
      expect(await answersIn(conversations, id)).toBe(6);
    });

    it('begin with a caution and whom to contact while the bot is off, and as told beforehand', async () => {
      const { off, id, conversations } = switchable();
      off.add('bot');
      const told = conversations.welcome().map((said) => said.text);
      expect(told).toEqual([content.label('conversation/welcome'), text('botIsOff')]);
      expect(linesOf(await conversations.open(placeOf(id)))).toEqual(told);
      expect(linesOf(await say(conversations, id, 'hej'))).toEqual([text('botIsOff')]);
      off.clear();
      expect((await say(conversations, id, 'jag har slagit fel kod tre gånger')).state).toBe(
        'pin-trouble/askingHasPuk',
      );
    });

    it('sign out also while the bot is off', async () => {
      const { off, id, conversations } = switchable();
      await say(conversations, id, 'kolla mitt kort');
      off.add('bot');
      const out = linesOf(await say(conversations, id, 'logga ut'));
      expect(out).toEqual([content.label('conversation/signedOut'), text('botIsOff')]);
      expect(linesOf(await say(conversations, id, 'logga ut'))[0]).toBe(content.label('conversation/nobodyIsSignedIn'));
    });

    it('lead to a human where one is there while the bot is off, and back to whom to contact', async () => {
      const { off, id, conversations } = switchable({ servicedesk: { at: () => ({ isOpen: true, next: undefined }) } });
      await say(conversations, id, 'jag har slagit fel kod tre gånger');
      off.add('bot');
      expect(linesOf(await say(conversations, id, 'nej'))).toEqual([text('botIsOffAndDeskIsOpen')]);
      const handed = await say(conversations, id, 'människa');
      expect(linesOf(handed)).toEqual([content.label('conversation/handedOver')]);
      expect(handed.state).toBe('pin-trouble/askingHasPuk');
      // It is the human's to answer.
      expect(linesOf(await say(conversations, id, 'börja om'))).toEqual([]);
      expect(linesOf(await say(conversations, id, 'avbryt'))[0]).toContain(text('botIsOff').slice(0, 20));
      await say(conversations, id, 'människa');
      const back = await conversations.comeBack(id, undefined, 'closed', {});
      expect(back?.replies.map((reply) => reply.text)).toEqual([text('botIsOff')]);
      off.clear();
      expect((await say(conversations, id, 'fortsätt')).state).toBe('pin-trouble/askingHasPuk');
    });
  });

  describe('of a channel that is delivered to', () => {
    const pushed = (id: string) => ({ ...placeOf(id), isPushed: true, address: { to: id } });

    it('deliver every reply once, in order, to where the student is', async () => {
      const [conversations, id] = [conversationsOf(newStore()), newId()];
      const delivered: [object, string][] = [];
      const deliver = deliveringWith(conversations, (address, { text }) => {
        delivered.push([address, text]);
        return Promise.resolve(undefined);
      });
      await conversations.open(pushed(id));
      await Promise.all([deliver(id), deliver(id)]);
      await deliver(id);
      const texts = (await repliesIn(conversations, id)).map(({ text }) => text);
      expect(delivered).toEqual(texts.map((text) => [{ to: id }, text]));
    });

    it('go on with the reply that could not be delivered, not with the one after', async () => {
      const [store, id] = [newStore(), newId()];
      const world = worldOf(store);
      const conversations = createConversations(world);
      const tried: string[] = [];
      const deliver = deliveringWith(conversations, (_to, { text }) => {
        tried.push(text);
        return Promise.resolve(tried.length === 2 ? { outcome: 'later' as const, after: 0 } : undefined);
      });
      await conversations.open(pushed(id));
      await deliver(id);
      const [first, second] = (await repliesIn(conversations, id)).map(({ text }) => text);
      expect(tried.slice(0, 2)).toEqual([first, second]);
      expect(tried.slice(2).every((text) => text === second)).toBe(true);
      expect(world.mistakes).toEqual([]);
    });
  });
});

describe('whatever is written while switches are turned, in any order', () => {
  const texts = [
    'någon har snott kortet',
    'ja',
    'ja',
    'nej',
    'kolla mitt kort',
    'tillbaka',
    'glöm mig',
    'kortet är trasigt',
  ];
  const said = fc.constantFrom(...texts, 'jag har slagit fel kod tre gånger', 'börja om', 'vad kan du?', 'logga ut');
  const step = fc.oneof(
    { weight: 3, arbitrary: said.map((text) => ({ text, turned: undefined })) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('bot', 'ledger', 'lost-card', 'card-status', 'forgetting', 'malfunction', 'pin-trouble')
        .map((turned) => ({ text: undefined, turned })),
    },
  );

  it('is answered once, and nothing is asked of what is off, nor revoked but on a yes to the question just before', async () => {
    let revoked = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 16 }), async (steps) => {
        const off = new Set<string>();
        const calls: string[] = [];
        const ledger = demonstrationLedger();
        const conversations = conversationsOf(createMemoryStore(), {
          ledger: withSwitch(
            {
              ...ledger,
              findCards: (person) => (calls.push('findCards'), ledger.findCards(person)),
              revoke: (revocation) => (calls.push('revoke'), ledger.revoke(revocation)),
            },
            () => off.has('ledger'),
          ),
          proving: { way: 'known', person: personOf('active') },
          switchedOff: () => off,
        });
        const id = randomUUID();
        await conversations.open(placeOf(id));
        let last = '';
        for (const { text, turned } of [{ text: 'någon har snott kortet', turned: undefined }, ...steps]) {
          if (turned !== undefined && !off.delete(turned)) off.add(turned);
          if (text === undefined) continue;
          const [before, answered] = [calls.length, await answersIn(conversations, id)];
          const { replies } = await say(conversations, id, text);
          const made = calls.slice(before);
          // To be forgotten takes the answers that were before along.
          const isForgotten = replies[0]?.text === content.label('forgetting/forgotten');
          expect(await answersIn(conversations, id)).toBe(isForgotten ? 1 : answered + 1);
          if (off.has('bot') || off.has('ledger')) expect(made).toEqual([]);
          if (off.has('bot') && text !== 'logga ut')
            expect(replies.map((reply) => reply.text)).toEqual([content.label('switches/botIsOff')]);
          if (off.has('lost-card') || text !== 'ja' || !last.includes('Vill du att jag spärrar'))
            expect(made).not.toContain('revoke');
          revoked += made.filter((call) => call === 'revoke').length;
          last = replies.at(-1)?.text ?? '';
        }
      }),
      { numRuns: 25, seed: 20_261_129 },
    );
    expect(revoked).toBeGreaterThan(3);
  });
});

/** A store in which a conversation is first found otherwise than it was left. */
function foundFirst(store: ConversationStore, change: (kept: Kept) => Kept): ConversationStore {
  let first: number | undefined;
  const found = <Found extends Pending | undefined>(pending: Found): Found => {
    if (!pending?.kept) return pending;
    first ??= pending.turns;
    if (pending.turns !== first) return pending;
    return { ...pending, kept: change(pending.kept) };
  };
  return {
    ...store,
    open: async (place) => found(await store.open(place)),
    async accept(message) {
      const accepted = await store.accept(message);
      return { ...accepted, pending: found(accepted.pending) };
    },
    pending: async (conversation) => found(await store.pending(conversation)),
  };
}

async function repliesIn(conversations: ReturnType<typeof conversationsOf>, id: string): Promise<Said[]> {
  return (await conversations.log(id, 0)).flatMap((entry) => (entry.author === 'bot' ? [entry.said] : []));
}

/** How many turns have answered a message. */
async function answersIn(conversations: ReturnType<typeof conversationsOf>, id: string): Promise<number> {
  const turns = (await conversations.log(id, 0)).flatMap((entry) =>
    entry.author === 'bot' && entry.answers !== undefined ? [entry.turn] : [],
  );
  return new Set(turns).size;
}
