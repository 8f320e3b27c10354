/** One person's data: handed out whole, and forgotten, with nobody else's. */
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { exportPerson, forgetPerson } from '../../../src/privacy/person.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { addChat, addRow, type Canary, mentionsOf, withDatabase } from './rows.ts';

const NOW = new Date('2026-11-23T08:00:00Z');
const [ADA, BOB] = ['h_ada', 'h_bob'];

/** Everything that the database can hold of somebody, with a canary in every column. */
async function addPerson(database: Database, person: string): Promise<readonly Canary[]> {
  const { id, canaries } = await addChat(database, { people: [person], changedAt: NOW });
  const link = await addRow(database, 'links', { person, linked_at: NOW, proved_at: NOW });
  const wish = await addRow(database, 'reminders', { person, since: NOW, needed_at: NOW });
  const said = await addRow(database, 'reminded', { person, stage: 'renew', how: 'said', at: NOW });
  return [...canaries, ...link, ...wish, ...said, ...(await addSignIn(database, id, person))];
}

async function addSignIn(database: Database, conversation: string, person: string): Promise<readonly Canary[]> {
  const asked = { text: 'select id as request from requests where conversation = $1' };
  const [row] = await database.run(asked, [conversation]);
  return addRow(database, 'sign_ins', { ...row, person, expires_at: NOW });
}

/** What an agent has seen of their cards. */
const addAudit = (database: Database, holder: string): Promise<readonly Canary[]> =>
  addRow(database, 'desk_audit', { at: NOW, what: 'look', outcome: 'shown', holder });

/** What a sign-in is recognized by. */
const HELD_BACK = [
  'requests.challenge',
  ...['cases.closed_by', 'lessons.decided_by', 'lessons.decider'],
  ...['state', 'browser', 'nonce', 'verifier', 'code'].map((column) => `sign_ins.${column}`),
];

const textsOf = (canaries: readonly Canary[]) => canaries.map(({ text }) => text);

describe('an export', () => {
  it('has every column of every table that can hold anything of the person, and nothing of anybody else', () =>
    withDatabase(async (database) => {
      const [theirs, others] = [await addPerson(database, ADA), await addPerson(database, BOB)];
      const written = JSON.stringify(await exportPerson(database, ADA));
      const missing = theirs.filter(({ text }) => !written.includes(text)).map(({ column }) => column);
      expect(missing).toEqual(HELD_BACK);
      expect(textsOf(others).filter((text) => written.includes(text))).toEqual([]);
      expect(written).not.toContain(BOB);
    }));

  it('has the messages both ways in their order, when they were written, and when the person was proved', () =>
    withDatabase(async (database) => {
      const { id } = await addChat(database, { people: [ADA], changedAt: NOW });
      const { conversations } = await exportPerson(database, ADA);
      expect(conversations).toMatchObject([
        {
          conversation: { id, channel: expect.any(String) },
          messages: [
            { seq: 1, author: 'student', at: expect.stringMatching(/^2026-11-23T0/) },
            { seq: 2, author: 'bot' },
          ],
          requests: [{ state: 'closed', request: { person: ADA } }],
          proofs: [{ person: ADA, proved_at: expect.stringMatching(/^2026-11-23T0/) }],
        },
      ]);
    }));

  it('has, of a chat that two have used, only what was said while it was theirs', () =>
    withDatabase(async (database) => {
      const { id } = await addChat(database, { people: [ADA, BOB], changedAt: NOW });
      const said = JSON.stringify({ text: 'said at last' });
      await addRow(database, 'messages', {
        conversation: id,
        seq: 3,
        author: 'student',
        kind: 'message',
        said,
        at: NOW,
      });
      const [ofAda] = (await exportPerson(database, ADA)).conversations;
      const [ofBob] = (await exportPerson(database, BOB)).conversations;
      expect(ofAda?.messages).toMatchObject([{ seq: 1 }, { seq: 2 }]);
      expect(ofBob?.messages).toMatchObject([{ seq: 3, said: { text: 'said at last' } }]);
      expect(ofAda?.conversation).not.toHaveProperty('snapshot');
      expect(ofBob?.conversation).toHaveProperty('snapshot');
      expect(ofAda?.requests).toHaveLength(1);
      expect(ofBob?.requests).toHaveLength(0);
      expect(JSON.stringify(ofAda)).not.toContain(BOB);
      expect(JSON.stringify(ofBob)).not.toContain(ADA);
    }));

  it('has the chats from an account of theirs, unless others read along', () =>
    withDatabase(async (database) => {
      await addRow(database, 'links', { account: 'teams/ada', person: ADA, linked_at: NOW, proved_at: NOW });
      const [own, shared] = [
        await addChat(database, { changedAt: NOW, account: 'teams/ada' }),
        await addChat(database, { changedAt: NOW, account: 'teams/ada', isShared: true }),
      ];
      expect((await exportPerson(database, ADA)).conversations).toMatchObject([
        { conversation: { id: own.id }, messages: [{ seq: 1 }, { seq: 2 }], requests: [{}], proofs: [] },
      ]);
      expect(await forgetPerson(database, ADA)).toEqual({ removed: 1, stays: [] });
      expect(await mentionsOf(database, [own.id, ADA])).toEqual([]);
      expect(await mentionsOf(database, [shared.id])).toContain('messages');
    }));

  it('has no address that somebody could sign in by', () =>
    withDatabase(async (database) => {
      const { id } = await addChat(database, { people: [ADA], changedAt: NOW });
      const said = JSON.stringify({ text: 'Hej', link: { title: 'Legitimera dig', url: 'https://secret' } });
      await addRow(database, 'messages', { conversation: id, seq: 3, author: 'bot', kind: 'message', said, at: NOW });
      const written = JSON.stringify(await exportPerson(database, ADA));
      expect(written).toContain('Legitimera dig');
      expect(written).not.toContain('https://secret');
    }));

  it('has what agents have seen and done of the person’s cards, but not who they were or in which case', () =>
    withDatabase(async (database) => {
      const [theirs, others] = [await addAudit(database, ADA), await addAudit(database, BOB)];
      const written = JSON.stringify(await exportPerson(database, ADA));
      const missing = theirs.filter(({ text }) => !written.includes(text)).map(({ column }) => column);
      expect(missing).toEqual(['agent', 'agent_name', 'reference', 'case_id'].map((column) => `desk_audit.${column}`));
      expect(textsOf(others).filter((text) => written.includes(text))).toEqual([]);
    }));

  it('says what it does not have, and how the ledger’s part is got', () =>
    withDatabase(async (database) => {
      const nothing = await exportPerson(database, 'h_nobody');
      expect(nothing).toMatchObject({ person: 'h_nobody', conversations: [], links: [], signIns: [] });
      expect(nothing.notIncluded.map(({ how }) => how)).toContain('kortlotsen ledger export');
    }));
});

describe('somebody who is forgotten', () => {
  it('leaves no word in any table, and everybody else is as before', () =>
    withDatabase(async (database) => {
      const [theirs, others] = [await addPerson(database, ADA), await addPerson(database, BOB)];
      const before = await exportPerson(database, BOB);
      expect(await forgetPerson(database, ADA)).toEqual({ removed: 1, stays: [] });
      expect(await mentionsOf(database, [ADA, ...textsOf(theirs)])).toEqual([]);
      expect(await exportPerson(database, BOB)).toEqual(before);
      for (const { column, text } of others) {
        expect(await mentionsOf(database, [text])).toEqual([column.split('.')[0]]);
      }
    }));

  it.each([
    ['open', 'requestOpen'],
    ['unsettled', 'revocationUnsettled'],
  ] as const)(
    'keeps a chat with a request that is %s, is told of it, and can have it forgotten later',
    (request, why) =>
      withDatabase(async (database) => {
        const { id } = await addChat(database, { people: [ADA], changedAt: NOW, request });
        const theirs = [...(await addPerson(database, ADA)), ...(await addSignIn(database, id, ADA))];
        expect(await forgetPerson(database, ADA)).toEqual({ removed: 1, stays: [{ conversation: id, why }] });
        expect(await mentionsOf(database, textsOf(theirs))).toEqual([]);
        expect((await exportPerson(database, ADA)).conversations).toMatchObject([{ conversation: { id } }]);

        await database.run({ text: "update requests set state = 'closed'" }, []);
        expect(await forgetPerson(database, ADA)).toEqual({ removed: 1, stays: [] });
        expect(await mentionsOf(database, [ADA, id])).toEqual([]);
      }),
  );

  it('is still in the audit of what agents have done, under the ledger’s name, and in nothing else', () =>
    withDatabase(async (database) => {
      await addPerson(database, ADA);
      const audit = await addAudit(database, ADA);
      expect(await forgetPerson(database, ADA)).toEqual({ removed: 1, stays: [] });
      expect(await mentionsOf(database, [ADA])).toEqual(['desk_audit']);
      for (const { text } of audit) expect(await mentionsOf(database, [text])).toEqual(['desk_audit']);
      expect((await exportPerson(database, ADA)).servicedesk).toHaveLength(1);
    }));

  it('keeps a chat that asks something of the world at the very moment', async () => {
    const url = await createDatabase();
    const database = await openTestDatabase(url);
    const turn = new Client(url);
    await turn.connect();
    const { id } = await addChat(database, { people: [ADA], changedAt: NOW });
    await turn.query('begin');
    await turn.query('update conversations set turns = turns + 1 where id = $1', [id]);
    const request = `insert into requests (conversation, reference, request, state, due_at) values ($1, '', '{}', 'open', now())`;
    await turn.query(request, [id]);
    const forgetting = forgetPerson(database, ADA);
    while ((await database.run(BLOCKED, [])).length === 0);
    await turn.query('commit');
    expect(await forgetting).toEqual({ removed: 0, stays: [{ conversation: id, why: 'requestOpen' }] });
    await turn.end();
    await database.close();
  });
});

const BLOCKED = {
  name: 'blocked',
  text: "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
};
