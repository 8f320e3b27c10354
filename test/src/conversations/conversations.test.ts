import { describe, expect, it } from '@jest/globals';
import { createConversations, type World } from '../../src/conversations.ts';
import { demonstrationHolders } from '../../src/ledger/demonstration-holders.ts';
import { createEmbeddedLedger } from '../../src/ledger/embedded-ledger.ts';
import { inCondition, withDeadline } from '../../src/ledger/faults.ts';
import { calendar, content, readUnderstanding } from '../product.ts';

const TODAY = '2026-11-23';
const now = () => new Date(`${TODAY}T08:00:00+01:00`);
const understanding = readUnderstanding();
const DEADLINE = 60;

function aWorld(changes: Partial<World> = {}): World & { mistakes: unknown[] } {
  const mistakes: unknown[] = [];
  return {
    content,
    understanding,
    calendar,
    ledger: createEmbeddedLedger(demonstrationHolders(TODAY), now),
    identify: () => Promise.resolve(undefined),
    now,
    onMistake: (mistake) => mistakes.push(mistake),
    ...changes,
    mistakes,
  };
}

describe('conversations', () => {
  it('welcome once, however often they are opened', async () => {
    const { open } = createConversations(aWorld());
    expect((await open('c')).replies).toHaveLength(2);
    expect((await open('c')).replies).toEqual([]);
  });

  it('begin with a welcome also for somebody who writes at once', async () => {
    const { send } = createConversations(aWorld());
    const { replies, state } = await send('c', 'jag har slagit fel kod tre gånger');
    expect(state).toBe('pin-trouble/askingHasPuk');
    expect(replies).toHaveLength(3);
  });

  it('are kept apart', async () => {
    const { send } = createConversations(aWorld());
    await send('one', 'jag har slagit fel kod tre gånger');
    await send('other', 'kan jag uppgradera mitt kort?');
    expect((await send('one', 'nej')).state).toBe('pin-trouble/needsCodeLetter');
  });

  it('answer messages that come at once in the order they came', async () => {
    const { open, send } = createConversations(aWorld());
    await open('c');
    const sent = ['jag har slagit fel kod tre gånger', 'när är sös öppet på onsdag?', 'nej'].map((text) =>
      send('c', text),
    );
    expect((await Promise.all(sent)).map(({ state }) => state)).toEqual([
      'pin-trouble/askingHasPuk',
      'pin-trouble/askingHasPuk',
      'pin-trouble/needsCodeLetter',
    ]);
  });

  it('keep no secret, and say so', async () => {
    const { open, send } = createConversations(aWorld());
    await open('c');
    const { said, heard, replies } = await send('c', 'glömt pinkoden, tror den är 4711, pnr 640823-3234');
    expect(said).not.toMatch(/\d/);
    expect(heard[0]).toBe('secret');
    expect(replies[0]?.text).toBe(content.label('conversation/secret'));
  });

  it('read nothing into what stands where a secret was', async () => {
    const { open, send } = createConversations(aWorld());
    await open('c');
    expect(await send('c', '640823-3234')).toMatchObject({ heard: ['secret'], state: 'conversation/listening' });
    await send('c', 'jag har tappat kortet');
    expect((await send('c', '640823-3234')).state).toBe('lost-card/askingWhereabouts');
  });

  it('tell of a revocation that was answered late, whatever is written next, under the same reference', async () => {
    const ledger = createEmbeddedLedger(demonstrationHolders(TODAY), now);
    const slow = withDeadline(inCondition(ledger, 'slow', DEADLINE), DEADLINE);
    const { open, send } = createConversations(aWorld({ ledger: slow }));
    await open('c', 'active');
    await send('c', 'någon har snott kortet');
    const uncertain = await send('c', 'ja');
    const settled = await send('c', 'vad är ett reservkort?');
    expect(uncertain.state).toBe('lost-card/uncertain');
    expect(settled.requests).toEqual(uncertain.requests);
    expect(settled.replies[0]?.text).toMatch(/S-[0-9A-F]{4}-[0-9A-F]{4}/);
    expect((await send('c', 'tack')).requests).toEqual([]);
  });

  it('tell of it also to somebody who writes nothing more', async () => {
    const ledger = createEmbeddedLedger(demonstrationHolders(TODAY), now);
    const slow = withDeadline(inCondition(ledger, 'slow', DEADLINE), DEADLINE);
    const { open, send, settle } = createConversations(aWorld({ ledger: slow }));
    await open('c', 'active');
    await send('c', 'någon har snott kortet');
    await send('c', 'ja');
    expect((await settle('c'))?.state).toBe('lost-card/revoked');
    expect(await settle('c')).toBeUndefined();
  });

  it('prove who is asking before they look for a card', async () => {
    const { open, send } = createConversations(aWorld({ identify: () => Promise.resolve('active') }));
    await open('c');
    const { requests, state } = await send('c', 'någon har snott kortet');
    expect(requests.map(({ request }) => request)).toEqual(['identity.verify', 'ledger.findCards']);
    expect(state).toBe('lost-card/confirming');
  });

  it('give a way on when the mistake is ours, and go on from where they were', async () => {
    const broken = {
      findCards: () => Promise.reject(new Error('out of order')),
      revoke: () => Promise.reject(new Error()),
    };
    const world = aWorld({ ledger: broken });
    const { open, send } = createConversations(world);
    await open('c', 'active');
    const { replies } = await send('c', 'någon har snott kortet');
    expect(replies.at(-1)).toMatchObject({ text: content.label('conversation/failed') });
    expect(world.mistakes).toEqual([new Error('out of order')]);
    expect((await send('c', 'vilka tider har södersjukhuset')).heard).toEqual(['intent.sos-office']);
  });
});
