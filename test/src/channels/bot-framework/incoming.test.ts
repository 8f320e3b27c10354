/** What comes by the Bot Framework, as it is read: a table of what is meant by what. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Activity } from 'botbuilder';
import fc from 'fast-check';
import { type Incoming, isActivity, placeOf, read, tenantOf } from '../../../../src/channels/bot-framework/incoming.ts';
import * as shapes from './shapes.ts';

const world = {
  tenantId: randomUUID(),
  appId: randomUUID(),
  connector: { url: 'https://smba.trafficmanager.net/emea' },
};
const BOT = `28:${world.appId}`;
const own = shapes.personal(world);
const chats: [string, shapes.Chat][] = [
  ['a personal chat', own],
  ['a phone', shapes.mobile(world)],
  ['a group chat', shapes.group(world)],
  ['a channel', shapes.channel(world)],
];

/** As it is after the border; a shape of Teams' that is not let in is a fault of ours. */
function letIn(body: unknown): Activity {
  if (!isActivity(body)) throw new Error('That is not let in');
  return body;
}
const readAs = (body: unknown): Incoming => read(letIn(body));
const textOf = (body: unknown): string | undefined => {
  const incoming = readAs(body);
  return incoming.kind === 'message' ? incoming.text : undefined;
};

describe.each(chats)('from %s', (_where, chat) => {
  const said = shapes.saying(chat, 'jag har tappat kortet');

  it.each<[string, object, Incoming['kind']]>([
    ['words are a message', said, 'message'],
    ['words to the bot by its name are a message', shapes.naming(chat, 'hej'), 'message'],
    ['a picture is a message', shapes.sendingPicture(chat), 'message'],
    ['a button is a message', shapes.pressing(chat, {}), 'message'],
    ['the bot comes with others', shapes.addingBot(chat), 'arrived'],
    ['the bot is installed', shapes.installing(chat), 'arrived'],
    ['the bot is upgraded', shapes.installing(chat, 'add-upgrade'), 'nothing'],
    ['the bot is uninstalled', shapes.installing(chat, 'remove'), 'left'],
    ['the bot is taken away', shapes.removingBot(chat), 'left'],
    ['somebody else comes', shapes.addingSomebody(chat), 'nothing'],
    [
      'somebody else goes',
      { ...shapes.addingSomebody(chat), membersAdded: [], membersRemoved: [chat.student] },
      'nothing',
    ],
    [
      'the chat is given another name',
      { ...shapes.addingSomebody(chat), membersAdded: null, topicName: 'Kort' },
      'nothing',
    ],
    ['words are changed', shapes.editing(chat, said, 'jag har hittat kortet'), 'edited'],
    ['words are taken back', shapes.deleting(chat, said), 'deleted'],
    ['words are brought back', undeleting(chat, said), 'nothing'],
    ['somebody likes', shapes.liking(chat), 'nothing'],
    ['somebody types', shapes.typing(chat), 'nothing'],
    ['somebody has read', shapes.readReceipt(chat), 'nothing'],
    ['something comes that is not known yet', { ...shapes.typing(chat), type: 'trace' }, 'nothing'],
  ])('%s', (_what, body, kind) => {
    expect(readAs(body).kind).toBe(kind);
  });

  it('a message is told by its id, its sender and the time of the client', () => {
    expect(readAs(said)).toEqual({
      kind: 'message',
      id: said.id,
      text: 'jag har tappat kortet',
      sentBy: chat.student.id,
      sentAt: said.localTimestamp,
    });
  });

  it('what is taken back is told by the id that it was said with', () => {
    expect(readAs(shapes.deleting(chat, said))).toEqual({ kind: 'deleted', id: said.id });
  });

  it('it is told which tenant it is of', () => {
    expect(tenantOf(letIn(said))).toBe(world.tenantId);
  });
});

function undeleting(chat: shapes.Chat, said: { id: string }) {
  const edited = shapes.editing(chat, said, 'jag har tappat kortet');
  return { ...edited, channelData: { ...chat.channelData, eventType: 'undeleteMessage' } };
}

const mention = (text: string, id = BOT) => ({ type: 'mention', mentioned: { id, name: 'x' }, text });
const ours = mention('<at>Kortlotsen</at>');
const annas = mention('<at>Anna Andersson</at>', own.student.id);

describe('what is said', () => {
  it.each<[string, string, unknown[], string]>([
    ['the bot by its name', '<at>Kortlotsen</at>&nbsp;duger körkort?\n', [ours], 'duger körkort?'],
    ['the bot by its name, last', 'duger körkort, <at>Kortlotsen</at>', [ours], 'duger körkort,'],
    ['the bot by its name in the middle', 'duger<at>Kortlotsen</at>körkort?', [ours], 'duger körkort?'],
    ['the bot by its name, twice', '<at>Kortlotsen</at> <at>Kortlotsen</at> hej', [ours, ours], 'hej'],
    ['nothing but the name of the bot', ' <at>Kortlotsen</at>&nbsp;', [ours], ''],
    ['a name with attributes, told without', '<at id="0">Kortlotsen</at> hej', [ours], 'hej'],
    [
      'a name with attributes, told with them',
      '<at id="0">Kortlotsen</at> hej',
      [mention('<at id="0">Kortlotsen</at>')],
      'hej',
    ],
    ['a name that is told without a tag, as on a phone', '<at>Kortlotsen</at> hej', [mention('Kortlotsen')], 'hej'],
    [
      'the name of somebody else',
      '<at>Kortlotsen</at> <at>Anna Andersson</at> har tappat kortet',
      [ours, annas],
      'Anna Andersson har tappat kortet',
    ],
    ['a name that is nobody’s', '<at>Kortlotsen</at> <at>Bo</at> hej', [ours, 7, null, {}], 'Bo hej'],
    ['the word, where nobody is named', 'vad är Kortlotsen?', [], 'vad är Kortlotsen?'],
    ['the word beside the name', '<at>Kortlotsen</at> vad är Kortlotsen?', [ours], 'vad är Kortlotsen?'],
    [
      'the word beside a name told without a tag',
      '<at>Kortlotsen</at> vad är Kortlotsen?',
      [mention('Kortlotsen')],
      'vad är Kortlotsen?',
    ],
    ['an entity that is no name', 'hej', [{ type: 'clientInfo', locale: 'sv-SE' }], 'hej'],
    ['spaces that do not break', 'duger\u00a0körkort&nbsp;&nbsp;här', [], 'duger körkort här'],
    [
      'signs that are written out',
      'a &lt; b &amp;&amp; c &gt; d, &quot;så&quot; &#39;här&#39;',
      [],
      'a < b && c > d, "så" \'här\'',
    ],
    ['a sign that is written out twice, once', '&amp;lt;', [], '&lt;'],
    ['signs without width', '\ufeffdu\u200bger\u200c kör\u2060kort\u200d?', [], 'duger körkort?'],
    ['two lines', 'hej\n  duger   körkort?', [], 'hej\n duger körkort?'],
    ['a tag that is nobody’s name', 'skriv <attest> så', [], 'skriv <attest> så'],
    ['a tag that does not end', '<at>Kortlotsen hej', [ours], '<at>Kortlotsen hej'],
  ])('is read without what is not said: %s', (_what, text, entities, meant) => {
    expect(textOf({ ...shapes.saying(own, text), entities })).toBe(meant);
  });

  it('is nothing in words, where it is a picture, or a card that is not ours', () => {
    expect(textOf(shapes.sendingPicture(own))).toBe('');
    expect(textOf(shapes.pressing(own, { action: 'approve' }))).toBe('');
    expect(textOf({ ...shapes.sendingPicture(own), text: null })).toBe('');
  });

  it('is what stands on the button, and under which reply', () => {
    const value = { kortlotsen: { says: 'Ja', under: 7 } };
    expect(readAs(shapes.pressing(own, value))).toMatchObject({ text: 'Ja', button: 7 });
  });

  it('is what is written, where a button comes with words', () => {
    const value = { kortlotsen: { says: 'Ja', under: 7 } };
    const incoming = readAs({ ...shapes.saying(own, 'nej'), value });
    expect(incoming).toMatchObject({ text: 'nej' });
    expect(incoming).not.toHaveProperty('button');
  });

  it.each([
    ['no place', { says: 'Ja' }],
    ['a place that is none', { says: 'Ja', under: 0.5 }],
    ['no words', { says: '', under: 7 }],
    ['too many words', { says: 'a'.repeat(201), under: 7 }],
    ['words that are none', { says: { a: 1 }, under: 7 }],
  ])('is nothing, on a button with %s', (_what, kortlotsen) => {
    expect(readAs(shapes.pressing(own, { kortlotsen }))).toMatchObject({ text: '' });
  });

  it('is read, however much of a kind there is in it', () => {
    for (const each of ['<at', '<at ', '<at>', '<at>x', '&', '&amp', '\u200b', '\u00a0'])
      expect(() =>
        textOf({ ...shapes.saying(own, each.repeat(30_000 / each.length)), entities: [ours] }),
      ).not.toThrow();
  });
});

describe('where it comes from', () => {
  const placed = (chat: shapes.Chat, changes: object = {}, isProved = true) =>
    placeOf(letIn({ ...shapes.saying(chat, 'hej'), ...changes }), isProved);

  it.each(chats.slice(0, 2))('%s is of one account, whose name is not kept', (_where, chat) => {
    const place = placed(chat);
    expect(place).toMatchObject({
      conversation: `bot/msteams/${chat.conversation.id}`,
      channel: 'msteams',
      isPushed: true,
      isShared: false,
      account: `${world.tenantId}/${chat.student.aadObjectId}`,
      address: { serviceUrl: chat.serviceUrl, user: { id: chat.student.id }, bot: { id: BOT } },
    });
    expect(JSON.stringify(place)).not.toMatch(/Andersson/);
  });

  it.each(chats.slice(2))('%s is of nobody, and tells nothing of whoever wrote', (_where, chat) => {
    const place = placed(chat, { conversation: { ...chat.conversation, name: 'Anna och Bo' } });
    expect(place).toMatchObject({ isShared: true, address: { serviceUrl: chat.serviceUrl } });
    expect(place).not.toHaveProperty('account');
    const { id, aadObjectId } = chat.student;
    for (const each of [id, aadObjectId, 'Andersson', 'Anna']) expect(JSON.stringify(place)).not.toContain(each);
  });

  it.each([
    ['neither its id nor anything else says that it is personal', { id: '19:1' }],
    ['it is of a kind that is not known', { id: 'a:1', conversationType: 'meeting' }],
    ['it says that it is a group too', { id: '19:1', conversationType: 'groupChat' }],
  ])('is taken for one where others read along, if %s', (_what, conversation) => {
    const place = placed(own, { conversation });
    expect(place.isShared).toBe(true);
    expect(place).not.toHaveProperty('account');
  });

  it('is personal by its id, where nothing else is said of it', () => {
    expect(placed(own, { conversation: { id: 'a:1' } }).isShared).toBe(false);
  });

  it('is no account where nothing is proved, or by another channel', () => {
    expect(placed(own, {}, false)).not.toHaveProperty('account');
    expect(placed(own, { channelId: 'webchat' })).not.toHaveProperty('account');
    expect(placed(own, { from: { id: own.student.id } })).not.toHaveProperty('account');
    expect(placed(own, { from: { id: own.student.id, aadObjectId: 'anna' } })).not.toHaveProperty('account');
  });

  it('is an account also by an identifier that is older than its standard', () => {
    const aadObjectId = '11111111-2222-0333-0444-555555555555';
    expect(placed(own, { from: { id: '29:1', aadObjectId } }).account).toBe(`${world.tenantId}/${aadObjectId}`);
  });

  it.each([
    ['both', { channelData: { tenant: { id: 't' } }, conversation: { id: 'c', tenantId: 't' } }, 't'],
    ['what the channel adds', { channelData: { tenant: { id: 't' } }, conversation: { id: 'c' } }, 't'],
    ['the conversation', { conversation: { id: 'c', tenantId: 't' }, channelData: undefined }, 't'],
    [
      'the conversation, beside something else',
      { conversation: { id: 'c', tenantId: 't' }, channelData: { eventType: 'x' } },
      't',
    ],
    ['nobody', { conversation: { id: 'c' }, channelData: {} }, undefined],
    ['nobody who can be understood', { conversation: { id: 'c' }, channelData: { tenant: 't' } }, undefined],
  ])('is of the tenant that is told by %s', (_where, changes, tenant) => {
    expect(tenantOf(letIn({ ...shapes.saying(own, 'hej'), ...changes }))).toBe(tenant);
  });
});

describe('what is no activity', () => {
  const said = shapes.saying(own, 'hej');

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a list', [said]],
    ['no type', { ...said, type: undefined }],
    ['no sender', { ...said, from: undefined }],
    ['no address', { ...said, serviceUrl: 'smba' }],
    ['a message without an id', { ...said, id: undefined }],
    ['an id of signs that cannot be kept', { ...said, id: 'a\0' }],
    ['an id of half a sign', { ...said, id: 'a\ud83d' }],
    ['a conversation of a kind that is no word', { ...said, conversation: { id: 'c', conversationType: { a: 1 } } }],
    ['a receiver that is none', { ...said, recipient: 'kortlotsen' }],
    ['a text that is too long', { ...said, text: 'a'.repeat(30_001) }],
    ['entities that are no list', { ...said, entities: {} }],
    ['a time that is a number', { ...said, localTimestamp: 7 }],
  ])('is not let in: %s', (_what, body) => {
    expect(isActivity(body)).toBe(false);
  });

  it('is the only thing that cannot be read', () => {
    const any = fc.anything({ withNullPrototype: true, withDate: true });
    const bent = fc.dictionary(
      fc.constantFrom(...Object.keys(said), 'value', 'action', 'membersAdded', 'membersRemoved', 'replyToId'),
      any,
      { maxKeys: 3 },
    );
    const kinds = fc.constantFrom(
      ...['message', 'messageUpdate', 'messageDelete', 'conversationUpdate', 'installationUpdate', 'event'],
    );
    let letInOf = 0;
    fc.assert(
      fc.property(kinds, bent, fc.boolean(), (type, changes, isProved) => {
        const body: unknown = { ...said, type, ...changes };
        if (!isActivity(body)) return;
        letInOf++;
        expect(read(body).kind).toMatch(/^\w+$/);
        expect(placeOf(body, isProved).conversation).toMatch(/^bot\//);
        tenantOf(body);
      }),
      { numRuns: 3_000, seed: 8 },
    );
    expect(letInOf).toBeGreaterThan(500);
  });
});
