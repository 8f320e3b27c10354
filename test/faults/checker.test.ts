/** A checker that cannot fail proves nothing: each promise is broken in rows that keep them all, and is to be named. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { root } from './built-product.ts';
import { countRepeated, findLeaks, findViolations, type Testimony } from './checker.ts';
import { type DatabaseServer, startDatabaseServer } from './database-server.ts';

const PATIENCE = 120_000;
const PIN = '739184';

let server: DatabaseServer;
let client: Client;

beforeAll(async () => {
  server = await startDatabaseServer();
  client = new Client({ connectionString: await server.create() });
  await client.connect();
  for (const file of ['storage', 'ledger'].flatMap(migrationsOf)) await client.query(readFileSync(file, 'utf8'));
  await client.query(ROWS);
}, PATIENCE);

afterAll(async () => {
  await client.end();
  await server.stop();
}, PATIENCE);

const migrationsOf = (part: string): string[] => {
  const folder = join(root, 'src', part, 'migrations');
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
};

/** Whatever is broken is whole again afterwards. */
beforeEach(() => client.query('begin'));
afterEach(() => client.query('rollback'));

/**
 * Two conversations. In `web/a` a card is looked up and revoked: a welcome,
 * three messages, and two reports. In `web/b` there are two messages.
 */
const ROWS = `
  insert into conversations (id, channel, is_pushed, turns, last_seq, answered_seq, replied_seq) values
    ('web/a', 'web', false, 6, 11, 9, 11), ('web/b', 'web', false, 3, 5, 4, 5);
  insert into messages (conversation, seq, author, kind, id, resend_key, said, at, turn, answers)
  select conversation, seq, author, 'message', id, key, jsonb_build_object('text', said), '2022-03-22Z'::timestamptz + at * interval '1 s', turn, answers
  from (values
    ('web/a', 1, 'bot', null, null, 'Hej. Jag är en robot.', 1, 1, null),
    ('web/a', 2, 'bot', null, null, 'Vad vill du?', 1, 1, null),
    ('web/a', 3, 'student', 'a1', 'x', 'kortet är stulet', 2, null, null),
    ('web/a', 4, 'bot', null, null, 'Jag letar efter dina kort.', 3, 2, 3),
    ('web/a', 5, 'bot', null, null, 'Ska kortet spärras?', 4, 3, null),
    ('web/a', 6, 'student', 'a2', 'y', 'ja', 5, null, null),
    ('web/a', 7, 'bot', null, null, 'Jag spärrar kortet nu.', 6, 4, 6),
    ('web/a', 8, 'bot', null, null, 'Ditt kvitto har nummer S-12AB-34CD-56EF.', 7, 5, null),
    ('web/a', 9, 'student', 'a3', 'z', 'min pinkod är …', 8, null, null),
    ('web/a', 10, 'bot', null, null, 'Skriv inte pinkod här.', 9, 6, 9),
    ('web/a', 11, 'bot', null, null, 'Vad vill du?', 9, 6, 9),
    ('web/b', 1, 'bot', null, null, 'Hej. Jag är en robot.', 1, 1, null),
    ('web/b', 2, 'student', 'b1', 'x', 'hej', 2, null, null),
    ('web/b', 3, 'bot', null, null, 'Hej.', 3, 2, 2),
    ('web/b', 4, 'student', 'b2', 'y', 'tack', 4, null, null),
    ('web/b', 5, 'bot', null, null, 'Tack själv.', 5, 3, 4)
  ) as entries (conversation, seq, author, id, key, said, at, turn, answers);
  insert into requests (conversation, reference, request, state, made_at, due_at) values
    ('web/a', 'web/a/cards', '{"request": "ledger.findCards", "person": "h_a"}', 'closed',
      '2022-03-22 00:00:03Z', '2022-03-22 00:00:04Z'),
    ('web/a', 'web/a/revocation/4711/LOST', '{"request": "ledger.revoke", "person": "h_a", "card": "4711"}', 'closed',
      '2022-03-22 00:00:06Z', '2022-03-22 00:00:07Z');
  insert into proofs (conversation, person, proved_at, heard_at)
    values ('web/a', 'h_a', '2022-03-22 00:00:02Z', '2022-03-22 00:00:03Z');
  ${revoking({ card: '4711', receipt: 'S-12AB-34CD-56EF' })}`;

type Event = { position?: number; holder?: string; card: string; key?: string; receipt: string; second?: number };

/** An event of the ledger, at a second of the talk. */
function revoking({ position = 1, second = 7, ...event }: Event): string {
  const at = `2022-03-22T00:00:0${second}.000Z`;
  const whole = { position, holder: 'h_a', key: 'web/a/revocation/4711/LOST', ...event, at };
  const written = JSON.stringify({ ...whole, type: 'card.revoked', client: 'kortlotsen' });
  return `insert into ledger_events (event, hash) values ('${written}', '-');`;
}

const seenAs = (texts: readonly [string, string, string?][]): Testimony['seen'] =>
  texts.map(([author, text, id], index) => ({ seq: index + 1, author, text, id }));

const testify = (): [Testimony, Testimony] => [
  {
    conversation: 'web/a',
    sent: [
      { ids: ['a1'], text: 'kortet är stulet', hasSecret: false, round: 1, places: [3, 3] },
      { ids: ['a2-again', 'a2'], text: 'ja', hasSecret: false, round: 2, places: [6, 6] },
      { ids: ['a3'], text: 'min pinkod är 7 3 9 1 8 4', hasSecret: true, round: 3, places: [9] },
    ],
    seen: seenAs([
      ['bot', 'Hej. Jag är en robot.'],
      ['bot', 'Vad vill du?'],
      ['student', 'kortet är stulet', 'a1'],
      ['bot', 'Jag letar efter dina kort.'],
      ['bot', 'Ska kortet spärras?\n\nEnligt vägledningen [1]'],
      ['student', 'ja', 'a2'],
      ['bot', 'Jag spärrar kortet nu.'],
      ['bot', 'Ditt kvitto har nummer S-12AB-34CD-56EF.'],
      ['student', 'min pinkod är …', 'a3'],
      ['bot', 'Skriv inte pinkod här.'],
      ['bot', 'Vad vill du?'],
    ]),
    signedInAs: ['active'],
    saidYes: true,
    tabs: [],
    complaints: [],
  },
  {
    conversation: 'web/b',
    sent: [
      { ids: ['b1'], text: 'hej', hasSecret: false, round: 1, places: [2] },
      { ids: ['b2'], text: 'tack', hasSecret: false, round: 2, places: [4] },
    ],
    seen: seenAs([
      ['bot', 'Hej. Jag är en robot.'],
      ['student', 'hej', 'b1'],
      ['bot', 'Hej.'],
      ['student', 'tack', 'b2'],
      ['bot', 'Tack själv.'],
    ]),
    signedInAs: [],
    saidYes: false,
    tabs: [],
    complaints: [],
  },
];

const find = (testimonies: readonly Testimony[] = testify()) =>
  findViolations({ product: client, ledger: client }, testimonies, [PIN]);

it('rows that keep every promise are found right', async () => {
  expect(await find()).toEqual([]);
});

describe('in the rows it is found that', () => {
  it.each([
    [
      'a message that was acknowledged is lost',
      `delete from messages where id = 'b2'`,
      'web/b: message b2 was acknowledged, and is kept 0 times',
    ],
    [
      'a message is kept twice, once under each of its ids',
      `insert into messages (conversation, seq, author, kind, id, said, at)
       values ('web/a', 12, 'student', 'message', 'a2-again', '{"text": "ja"}', now())`,
      'web/a: message a2-again was acknowledged, and is kept 2 times',
    ],
    [
      'a message is kept elsewhere than was said',
      `update messages set id = 'b' where id = 'b1'; update messages set id = 'b1' where id = 'b2';
       update messages set id = 'b2' where id = 'b'`,
      'web/b: message b1 is at 4, and was said to be at 2',
    ],
    [
      'a message was changed on the way',
      `update messages set said = '{"text": "hejdå"}' where id = 'b1'`,
      'web/b: message b1 is kept as something else than was written',
    ],
    [
      'a message is from nobody',
      `insert into messages (conversation, seq, author, kind, id, said, at)
       values ('web/b', 6, 'student', 'message', 'b3', '{"text": "ja"}', now())`,
      'web/b: nobody wrote what is kept at 6',
    ],
    [
      'a reply is missing',
      `delete from messages where conversation = 'web/b' and seq = 3`,
      'web/b: the message at 2 is not answered',
    ],
    [
      'a message is answered twice',
      `insert into messages (conversation, seq, author, kind, said, at, turn, answers)
       values ('web/b', 6, 'bot', 'message', '{"text": "Hej."}', now(), 4, 4)`,
      'web/b: the message at 4 is answered in 2 turns',
    ],
    [
      'an answer is to nothing',
      `update messages set answers = 1 where conversation = 'web/b' and seq = 3`,
      'web/b: an answer is to 1, where there is no message',
    ],
    [
      'the second message was answered first',
      `update messages set answers = 6 - answers where conversation = 'web/b' and answers is not null`,
      'web/b: the reply at 5 answers 2, after one that answers 4',
    ],
    [
      'a reply comes before its message',
      `update messages set answers = 4 where conversation = 'web/b' and seq = 3`,
      'web/b: the reply at 3 comes before what it answers, 4',
    ],
    [
      'turns are swapped',
      `update messages set turn = 5 - turn where conversation = 'web/b' and turn > 1`,
      'web/b: the reply at 5 is of turn 2, after one of 3',
    ],
    [
      'a turn answers two messages',
      `update messages set turn = 2 where conversation = 'web/b' and seq = 5`,
      'web/b: turn 2 answers several messages',
    ],
    [
      'the log has a gap',
      `update messages set seq = 7 where conversation = 'web/b' and seq = 5`,
      'web/b: the log has 7 where 5 should be',
    ],
    [
      'a message was heard while the ledger was asked',
      `update messages set answers = 9 where conversation = 'web/a' and seq = 8;
       update requests set due_at = '2022-03-22 00:00:09Z' where reference = 'web/a/revocation/4711/LOST'`,
      'web/a: the message at 9 was heard while ledger.revoke was being asked',
    ],
    [
      'there is no welcome',
      `delete from messages where conversation = 'web/b' and seq = 1`,
      'web/b: it does not begin with a welcome',
    ],
    [
      'the welcome is said twice',
      `insert into messages (conversation, seq, author, kind, said, at, turn)
       values ('web/b', 6, 'bot', 'message', '{"text": "Hej. Jag är en robot."}', now(), 4)`,
      'web/b: the welcome is said 2 times',
    ],
    [
      'something is said that nobody asked for',
      `insert into messages (conversation, seq, author, kind, said, at, turn)
       values ('web/b', 6, 'bot', 'message', '{"text": "Förresten!"}', now(), 4)`,
      'web/b: 1 turns answer nothing, and there are 0 reports',
    ],
    [
      'a message waits',
      `update conversations set waiting = 1 where id = 'web/b'`,
      'web/b: messages that wait: 1 by its row, 0 by its messages',
    ],
    [
      'turns are miscounted',
      `update conversations set turns = 4 where id = 'web/b'`,
      'web/b: turns: 4 by its row, 3 by its messages',
    ],
    [
      'entries are miscounted',
      `update conversations set last_seq = 6 where id = 'web/b'`,
      'web/b: last entry: 6 by its row, 5 by its messages',
    ],
    ['a request is left open', `update requests set state = 'open'`, 'web/a: web/a/cards is still open'],
    ['a conversation is missing', `delete from conversations where id = 'web/b'`, 'web/b: it is not kept'],
    [
      'a conversation is nobody’s',
      `insert into conversations (id, channel, is_pushed) values ('web/c', 'web', false)`,
      'web/c: nobody began it',
    ],
    [
      'a receipt was told that is not there',
      `alter table ledger_events disable trigger all; delete from ledger_events`,
      'web/a: the receipt S-12AB-34CD-56EF was told, and is not one of the student’s',
    ],
    [
      'a receipt was told to somebody else',
      `update messages set said = '{"text": "Kvitto S-12AB-34CD-56EF."}' where conversation = 'web/b' and seq = 5`,
      'web/b: the receipt S-12AB-34CD-56EF was told, and is not one of the student’s',
    ],
    [
      'another receipt was told',
      `update messages set said = '{"text": "Kvitto S-0000-0000-0000."}' where conversation = 'web/a' and seq = 8`,
      'web/a: the receipt S-12AB-34CD-56EF was not told',
    ],
    [
      'a yes came to nothing',
      `update messages set said = '{"text": "Det gick inte."}' where conversation = 'web/a' and seq = 8`,
      'web/a: the student said yes to a card, and was told no receipt',
    ],
    [
      'a card is revoked twice',
      revoking({ position: 2, card: '4711', key: 'another', receipt: 'S-0000-1111-2222' }),
      'the card 4711 of h_a is revoked 2 times',
    ],
    [
      'one yes revokes two cards',
      `drop index ledger_events_of_errand; ${revoking({ position: 2, card: '4712', receipt: 'S-0000-1111-2222' })}`,
      'web/a/revocation/4711/LOST was carried out 2 times',
    ],
    [
      'a card is revoked that nobody wanted revoked',
      revoking({ position: 2, holder: 'h_b', card: '4712', key: 'web/b/4712', receipt: 'S-0000-1111-2222' }),
      'the card 4712 of h_b is revoked, and nobody asked for it',
    ],
    [
      'a card is revoked by another key than that of the yes',
      `alter table ledger_events disable trigger all; delete from ledger_events;
       ${revoking({ card: '4711', key: 'web/a/revocation/4711/LOST/2', receipt: 'S-12AB-34CD-56EF' })}`,
      'the card 4711 of h_a is revoked, and nobody asked for it',
    ],
    [
      'a card is revoked before the yes to it',
      `update requests set made_at = '2022-03-22 00:00:08Z' where reference = 'web/a/revocation/4711/LOST'`,
      'the card 4711 of h_a was revoked before anybody asked for it',
    ],
    [
      'a receipt was told before the card was revoked',
      `update messages set at = '2022-03-22 00:00:06Z' where conversation = 'web/a' and seq = 8`,
      'web/a: a card was said to be revoked at 8, and was not yet',
    ],
    [
      'a card was said to be revoked that is not',
      `alter table ledger_events disable trigger all; delete from ledger_events;
       update messages set said = '{"text": "Kortet som du bad mig spärra är spärrat."}'
       where conversation = 'web/a' and seq = 8`,
      'web/a: a card was said to be revoked at 8, and was not yet',
    ],
    [
      'a card was said not to be revoked that is',
      `update messages set said = '{"text": "Jag kunde inte spärra kortet."}' where conversation = 'web/a' and seq = 8`,
      'web/a: a card was said not to be revoked at 8, and that request had revoked it',
    ],
    [
      'a card was said not to be revoked, and nobody had asked for it',
      `update messages set said = '{"text": "Jag kunde inte spärra kortet."}' where conversation = 'web/b' and seq = 5`,
      'web/b: a card was said not to be revoked at 5, and nobody had asked',
    ],
    [
      'a secret is kept in what was said',
      `update messages set said = '{"text": "min pinkod är 7 3 9 1 8 4"}' where id = 'a3'`,
      `a row of public.messages holds the secret ${PIN}`,
    ],
    [
      'a secret is kept in full-width digits',
      `update conversations set snapshot = '{"known": "７３９１８４"}' where id = 'web/a'`,
      `a row of public.conversations holds the secret ${PIN}`,
    ],
    [
      'a secret is kept in a table of anybody’s',
      `create table notes (written text); insert into notes values ('739184')`,
      `a row of public.notes holds the secret ${PIN}`,
    ],
  ])('%s', async (_, breakage, violation) => {
    await client.query(breakage);
    expect(await find()).toContain(violation);
  });
});

describe('by what a student saw it is found that', () => {
  it.each<[string, (seen: Testimony['seen']) => Testimony['seen'], string]>([
    ['something was lost', (seen) => seen.slice(0, -1), 'web/b: the student never saw 5'],
    ['something was doubled', (seen) => [...seen, ...seen.slice(-1)], 'web/b: the student saw 5 twice'],
    ['the order was another', (seen) => [...seen].reverse(), 'web/b: the student saw 4 after 5'],
    [
      'it was something else',
      (seen) => seen.map((each) => (each.seq === 3 ? { ...each, text: 'Goddag.' } : each)),
      'web/b: the student saw something else than what is kept at 3',
    ],
    [
      'a message came back under another id',
      (seen) => seen.map((each) => (each.seq === 2 ? { ...each, id: 'b2' } : each)),
      'web/b: the student saw something else than what is kept at 2',
    ],
    [
      'it is nowhere',
      (seen) => [...seen, { seq: 6, author: 'bot', text: 'Hej då.' }],
      'web/b: the student saw 6, which is not kept',
    ],
  ])('%s', async (_, change, violation) => {
    const [one, other] = testify();
    expect(await find([one, { ...other, seen: change(other.seen) }])).toContain(violation);
  });

  it('an answer never came', async () => {
    const [one, other] = testify();
    const waiting = { ...other, complaints: ['the student waited in vain for an answer to b1'] };
    expect(await find([one, waiting])).toEqual(['web/b: the student waited in vain for an answer to b1']);
  });

  it('nothing, where a card is said to be revoked, and its receipt is not shown to whoever is signed in no longer', async () => {
    const text = 'Kortet som du bad mig spärra är spärrat. Du är inte inloggad längre, så jag visar inte kvittot här.';
    await client.query(`update messages set said = $1 where conversation = 'web/a' and seq = 8`, [{ text }]);
    const [one, other] = testify();
    const seen = one.seen.map((each) => (each.seq === 8 ? { ...each, text } : each));
    expect(await find([{ ...one, seen, tabs: [] }, other])).toEqual([]);
  });

  it('another tab showed another receipt', async () => {
    const [one, other] = testify();
    const tab = one.seen.map((each) => ({ ...each, text: each.text.replace('S-12AB', 'S-0000') }));
    expect(await find([{ ...one, tabs: [one.seen, tab] }, other])).toEqual([
      'web/a: another tab showed something else at 8',
    ]);
  });

  it('another tab lacked a message', async () => {
    const [one, other] = testify();
    expect(await find([{ ...one, tabs: [one.seen.toSpliced(3, 1)] }, other])).toContain(
      'web/a: another tab showed 5 where 4 should be',
    );
  });

  it('two students were taken for the same person', async () => {
    const [one, other] = testify();
    await client.query(`insert into proofs (conversation, person, proved_at, heard_at)
      values ('web/b', 'h_a', now(), now())`);
    expect(await find([one, { ...other, signedInAs: ['expiring'] }])).toEqual(['h_a is 2 people']);
  });

  it('one student was taken for two people', async () => {
    const [one, other] = testify();
    await client.query(`insert into proofs (conversation, person, proved_at, heard_at)
      values ('web/b', 'h_b', now(), now())`);
    expect(await find([one, { ...other, signedInAs: ['active'] }])).toEqual(['active was taken for 2 people']);
  });

  it('a message was never acknowledged', async () => {
    const [one, other] = testify();
    other.sent.push({ ids: ['b3'], text: 'hallå', hasSecret: false, round: 3, places: [] });
    expect(await find([one, other])).toEqual(['web/b: message b3 was never acknowledged']);
  });

  it('what was acknowledged first came second', async () => {
    const [one, other] = testify();
    const sent = other.sent.map((each) => ({ ...each, round: 3 - each.round })).reverse();
    expect(await find([one, { ...other, sent }])).toEqual([
      'web/b: message b1 is at 2, before one that was acknowledged before it, at 4',
    ]);
  });
});

/** A third conversation, which is pushed to: two messages, and three replies. */
const PUSHED = `
  insert into conversations (id, channel, is_pushed, turns, last_seq, answered_seq, replied_seq, delivered_seq)
    values ('bot/c', 'msteams', true, 3, 5, 4, 5, 5);
  insert into messages (conversation, seq, author, kind, id, resend_key, said, at, turn, answers)
  select 'bot/c', seq, author, 'message', id, key, jsonb_build_object('text', said), '2022-03-22Z'::timestamptz + seq * interval '1 s', turn, answers
  from (values
    (1, 'bot', null, null, 'Hej. Jag är en robot.', 1, null),
    (2, 'student', 'c1', 'x', 'hej', null, null),
    (3, 'bot', null, null, 'Hej <du> [nu].', 2, 2),
    (4, 'student', 'c2', 'y', 'tack', null, null),
    (5, 'bot', null, null, 'Tack själv.', 3, 4)
  ) as entries (seq, author, id, key, said, turn, answers);`;

const saying = (text: string, under: number[] = []) => ({ text, under });
const [welcomed, greeted, thanked] = [
  saying('Hej. Jag är en robot.'),
  saying('Hej &lt;du> [nu\\].\n\nEnligt vägledningen [1]'),
  saying('Tack själv.'),
];

describe('of what was pushed it is', () => {
  beforeEach(() => client.query(PUSHED));

  const findPushed = (delivered: { text: string; under: number[] }[], changes: Partial<Testimony> = {}) => {
    const sent = [
      { ids: ['c1'], text: ' hej ', hasSecret: false, round: 1, places: [], isAcknowledged: true },
      { ids: ['c2'], text: 'tack', hasSecret: false, round: 2, places: [], isAcknowledged: true },
    ];
    const [, other] = testify();
    const one = { ...other, conversation: 'bot/c', sent, seen: [], delivered, ...changes };
    return find([...testify(), one]);
  };

  it('right that everything came, in parts and in order', async () => {
    expect(await findPushed([welcomed, greeted, saying('', [3]), thanked])).toEqual([]);
  });

  it('right, and counted, that something came again', async () => {
    const delivered = [welcomed, greeted, greeted, saying('', [3]), welcomed, greeted, thanked, thanked];
    expect(await findPushed(delivered)).toEqual([]);
    const [, other] = testify();
    expect(await countRepeated(client, [other, { ...other, conversation: 'bot/c', delivered }])).toBe(4);
  });

  it.each<[string, { text: string; under: number[] }[], string[]]>([
    ['that a reply never came', [welcomed, greeted], ['what was said at 5 never came']],
    [
      'that two replies came the other way round',
      [welcomed, thanked, greeted],
      ['what was said at 5 came before what was said at 3'],
    ],
    ['that one in the middle never came', [welcomed, thanked], ['what was said at 5 came before what was said at 3']],
    [
      'that something came that was never said',
      [welcomed, greeted, saying('Kortet är spärrat.'), thanked],
      ['something came that was never said'],
    ],
    [
      'that a button stands under what the student wrote',
      [welcomed, greeted, saying('', [4]), thanked],
      ['a button stands under 4, where nothing was said'],
    ],
  ])('found %s', async (_, delivered, expected) => {
    expect(await findPushed(delivered)).toEqual(expected.map((each) => `bot/c: ${each}`));
  });

  it('found that the row waits for something to be delivered', async () => {
    await client.query(`update conversations set delivered_seq = 3 where id = 'bot/c'`);
    expect(await findPushed([welcomed, greeted, thanked])).toEqual(['bot/c: delivered is 3 by its row, of 5']);
  });

  it('found that a message was accepted and is kept nowhere', async () => {
    const lost = {
      ids: ['c3', 'c3-again'],
      text: 'hallå',
      hasSecret: false,
      round: 3,
      places: [],
      isAcknowledged: true,
    };
    const kept = [
      { ids: ['c1'], text: 'hej', hasSecret: false, round: 1, places: [], isAcknowledged: true },
      { ids: ['c2'], text: 'tack', hasSecret: false, round: 2, places: [], isAcknowledged: true },
    ];
    expect(await findPushed([welcomed, greeted, thanked], { sent: [...kept, lost] })).toEqual([
      'bot/c: message c3 was acknowledged, and is kept 0 times',
    ]);
  });

  it('found that a message was decided twice, under its two ids', async () => {
    await client.query(`insert into messages (conversation, seq, author, kind, id, said, at)
      values ('bot/c', 6, 'student', 'message', 'c2-again', '{"text": "tack"}', now());
      insert into messages (conversation, seq, author, kind, said, at, turn, answers)
      values ('bot/c', 7, 'bot', 'message', '{"text": "Tack själv."}', now(), 4, 6);
      update conversations set turns = 4, last_seq = 7, answered_seq = 6, replied_seq = 7, delivered_seq = 7
        where id = 'bot/c'`);
    const sent = [
      { ids: ['c1'], text: 'hej', hasSecret: false, round: 1, places: [], isAcknowledged: true },
      { ids: ['c2', 'c2-again'], text: 'tack', hasSecret: false, round: 2, places: [], isAcknowledged: true },
    ];
    expect(await findPushed([welcomed, greeted, thanked, thanked], { sent })).toEqual([
      'bot/c: message c2 was acknowledged, and is kept 2 times',
    ]);
  });
});

it('a secret in a log is found, whatever signs stand in it', () => {
  expect(findLeaks(['{"msg":"turn"}', '{"msg":"739 184"}'], [PIN])).toEqual([`a log holds the secret ${PIN}`]);
  expect(findLeaks(['{"msg":"turn"}'], [PIN])).toEqual([]);
});
