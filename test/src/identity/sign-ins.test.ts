/** What is kept of a sign-in: every step once, and a code for one conversation only. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Begun, createSignIns, readSignInCode } from '../../../src/identity/sign-ins.ts';
import { lessonsOf } from '../../../src/understanding/understanding.ts';
import { openTestDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';
import { letLapse, provedIn, type Waiting, waitFor } from './waiting.ts';

const database = await openTestDatabase();
afterAll(() => database.close());
const signIns = createSignIns(database, 'a key of the tests');

const provedAt = new Date('2026-11-23T08:00:00+01:00');
const proof = { person: 'h_somebody', provedAt, acr: 'urn:test' };
const proved = { outcome: 'proved', person: 'h_somebody', provedAt };
const wrong = { outcome: 'wrong' };
const spent = { outcome: 'spent' };

const begin = async ({ challenge }: Waiting): Promise<Begun> => {
  const begun = await signIns.begin(challenge);
  if (!begun) throw new Error('It could not be begun');
  return begun;
};
const comeBack = async ({ state, browser }: Begun) => {
  const taken = await signIns.take(state, browser);
  if (!taken) throw new Error('It could not be taken');
  return taken;
};
const signIn = async (waiting: Waiting): Promise<string> => {
  const code = await signIns.prove(await comeBack(await begin(waiting)), proof);
  if (!code) throw new Error('It could not be proved');
  return code;
};
/** A code that is not this one. */
const other = (code: string) => code.replace(/^./, (letter) => (letter === 'B' ? 'C' : 'B'));

describe('a sign-in', () => {
  it('is begun only while a conversation waits for it', async () => {
    const waiting = await waitFor(database);
    await expect(signIns.begin(waiting.challenge)).resolves.toMatchObject({ state: expect.any(String) });
    await expect(signIns.begin('another challenge')).resolves.toBeUndefined();
    await letLapse(database, 'requests', waiting);
    await expect(signIns.begin(waiting.challenge)).resolves.toBeUndefined();
  });

  it('can be begun twenty times, and no more', async () => {
    const { challenge } = await waitFor(database);
    const begun = [];
    for (let time = 0; time < 22; time++) begun.push(await signIns.begin(challenge));
    expect(begun.filter(Boolean)).toHaveLength(20);
  });

  it('comes back once, however many try at the same moment', async () => {
    for (let round = 0; round < 10; round++) {
      const { state, browser } = await begin(await waitFor(database));
      const taken = await Promise.all(Array.from({ length: 8 }, () => signIns.take(state, browser)));
      expect(taken.filter(Boolean)).toHaveLength(1);
      await expect(signIns.take(state, browser)).resolves.toBeUndefined();
    }
  });

  it('comes back to the browser it was begun in, and another one spoils nothing', async () => {
    const [mine, theirs] = [await begin(await waitFor(database)), await begin(await waitFor(database))];
    await expect(signIns.take(mine.state, theirs.browser)).resolves.toBeUndefined();
    await expect(signIns.take(mine.state, mine.browser)).resolves.toMatchObject({
      nonce: mine.nonce,
      verifier: mine.verifier,
    });
  });

  it('does not come back after ten minutes', async () => {
    const waiting = await waitFor(database);
    const { state, browser } = await begin(waiting);
    await letLapse(database, 'sign_ins', waiting);
    await expect(signIns.take(state, browser)).resolves.toBeUndefined();
  });

  it('makes one code, and none for a conversation that has gone on', async () => {
    const waiting = await waitFor(database);
    const [first, second] = [await comeBack(await begin(waiting)), await comeBack(await begin(waiting))];
    await expect(signIns.prove(first, proof)).resolves.toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
    await expect(signIns.prove(first, proof)).resolves.toBeUndefined();
    await letLapse(database, 'requests', waiting);
    await expect(signIns.prove(second, proof)).resolves.toBeUndefined();
  });

  it('keeps no state, cookie, challenge or code that could be used', async () => {
    const waiting = await waitFor(database);
    const begun = await begin(waiting);
    const code = await signIns.prove(await comeBack(begun), proof);
    const rows = await database.run({ text: 'select to_jsonb(s)::text as row from sign_ins s where request = $1' }, [
      waiting.request,
    ]);
    const kept = JSON.stringify(rows);
    expect(kept).toContain('h_somebody');
    for (const secret of [
      begun.state,
      begun.browser,
      begun.verifier,
      waiting.challenge,
      code ?? '',
      code?.replace('-', '') ?? '',
    ])
      expect(kept).not.toContain(secret);
  });

  it('is removed when it has had its time, but a code that was right is kept for its try', async () => {
    const [left, used] = [await waitFor(database), await waitFor(database)];
    await signIn(left);
    const code = await signIn(used);
    await signIns.redeem(used.conversation, code, 'try');
    await letLapse(database, 'sign_ins', left);
    await letLapse(database, 'sign_ins', used);
    await signIns.purge();
    await expect(provedIn(database, left)).resolves.toEqual([]);
    await expect(signIns.redeem(used.conversation, code, 'try')).resolves.toEqual(proved);
  });
});

describe('a code', () => {
  it('proves who signed in, and when, in whichever way it is typed', async () => {
    const ways: ((code: string) => string)[] = [
      (code) => code,
      (code) => code.toLowerCase(),
      (code) => code.replace('-', ''),
      (code) => code.replace('-', '').replace(/./g, '$& ').trim(),
    ];
    for (const typed of ways) {
      const waiting = await waitFor(database);
      const code = await signIn(waiting);
      await expect(signIns.redeem(waiting.conversation, typed(code), 'try')).resolves.toEqual(proved);
    }
  });

  it('is good once: the same try gets the same answer again, and another finds it spent', async () => {
    const waiting = await waitFor(database);
    const code = await signIn(waiting);
    await expect(signIns.redeem(waiting.conversation, code, 'first')).resolves.toEqual(proved);
    await expect(signIns.redeem(waiting.conversation, code, 'first')).resolves.toEqual(proved);
    await expect(signIns.redeem(waiting.conversation, code, 'second')).resolves.toEqual(spent);
    await expect(signIns.begin(waiting.challenge)).resolves.toBeUndefined();
  });

  it('is one try’s, of many at the same moment', async () => {
    const waiting = await waitFor(database);
    const code = await signIn(waiting);
    const tries = Array.from({ length: 8 }, (_, nth) => signIns.redeem(waiting.conversation, code, `try ${nth}`));
    const outcomes = (await Promise.all(tries)).map(({ outcome }) => outcome).sort();
    expect(outcomes).toEqual(['proved', ...Array<string>(7).fill('spent')]);
  });

  it('that is asked about twice at once by the same try is answered twice alike', async () => {
    const waiting = await waitFor(database);
    const code = await signIn(waiting);
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => signIns.redeem(waiting.conversation, code, 'the same')),
    );
    expect(answers).toEqual(Array(4).fill(proved));
  });

  it('asked about again by its try does not count against the next question of the conversation', async () => {
    const waiting = await waitFor(database);
    const code = await signIn(waiting);
    await signIns.redeem(waiting.conversation, code, 'try');
    const next = await waitFor(database, waiting.conversation);
    for (let time = 0; time < 6; time++)
      await expect(signIns.redeem(waiting.conversation, code, 'try')).resolves.toEqual(proved);
    const nextCode = await signIn(next);
    await expect(signIns.redeem(waiting.conversation, nextCode, 'next try')).resolves.toEqual(proved);
  });

  it('is nothing in another conversation, even one that waits, and proves nobody there', async () => {
    const [mine, theirs] = [await waitFor(database), await waitFor(database)];
    const code = await signIn(mine);
    await expect(signIns.redeem(theirs.conversation, code, 'try')).resolves.toEqual(wrong);
    await expect(signIns.redeem('test/nowhere', code, 'try')).resolves.toEqual(spent);
    await expect(signIns.redeem(mine.conversation, code, 'try')).resolves.toEqual(proved);
  });

  it('is refused after five that were wrong, though it is right', async () => {
    const waiting = await waitFor(database);
    const code = await signIn(waiting);
    for (let time = 0; time < 5; time++)
      await expect(signIns.redeem(waiting.conversation, other(code), `try ${time}`)).resolves.toEqual(wrong);
    await expect(signIns.redeem(waiting.conversation, code, 'right')).resolves.toEqual(spent);
    await expect(signIns.begin(waiting.challenge)).resolves.toBeUndefined();
  });

  it('is accepted after four that were wrong', async () => {
    const waiting = await waitFor(database);
    const code = await signIn(waiting);
    for (let time = 0; time < 4; time++) await signIns.redeem(waiting.conversation, other(code), `try ${time}`);
    await expect(signIns.redeem(waiting.conversation, code, 'right')).resolves.toEqual(proved);
  });

  it('is no good when it is late, or the conversation has gone on', async () => {
    const [late, gone] = [await waitFor(database), await waitFor(database)];
    const [lateCode, goneCode] = [await signIn(late), await signIn(gone)];
    await letLapse(database, 'sign_ins', late);
    await letLapse(database, 'requests', gone);
    await expect(signIns.redeem(late.conversation, lateCode, 'try')).resolves.toEqual(wrong);
    await expect(signIns.redeem(gone.conversation, goneCode, 'try')).resolves.toEqual(spent);
  });

  it('is no good to an installation with another key', async () => {
    const waiting = await waitFor(database);
    const code = await signIn(waiting);
    const elsewhere = createSignIns(database, 'another key');
    await expect(elsewhere.redeem(waiting.conversation, code, 'try')).resolves.toEqual(wrong);
  });
});

describe('a code in a message', () => {
  it.each([
    'BCDF-GHJK',
    'bcdfghjk.',
    'koden är bcdf ghjk',
    'Koden: BCDF–GHJK',
    'min kod är “bcdf-ghjk”',
    'här är koden: b c d f g h j k',
    'ＢＣＤＦ－ＧＨＪＫ',
    'BCDF\u200b-GHJK\n',
  ])('is read: %j', (text) => {
    expect(readSignInCode(text)).toBe('BCDFGHJK');
  });

  it.each([
    '',
    'koden',
    'BCDF-GHJ',
    'BCDF-GHJKL',
    'BCDF-GHJA',
    'BCDF-1234',
    'jag har tappat kortet BCDF-GHJK, vad gör jag',
  ])('is not read: %j', (text) => {
    expect(readSignInCode(text)).toBeUndefined();
  });

  it('is never read in what students say', () => {
    const said = lessonsOf(content).examples.map(({ text }) => text);
    expect(said.length).toBeGreaterThan(1_000);
    expect(said.filter((text) => readSignInCode(text) !== undefined)).toEqual([]);
    fc.assert(
      fc.property(fc.constantFrom(...said), fc.constantFrom(...said), (one, another) => {
        expect(readSignInCode(`${one} ${another}`)).toBeUndefined();
        expect(readSignInCode(`koden är ${one}`)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an account', () => {
  it('is linked to the one who signed in last, until that person is forgotten', async () => {
    const [account, person] = [randomUUID(), randomUUID()];
    await expect(signIns.linkedTo(account)).resolves.toBeUndefined();
    await signIns.link(account, 'somebody before', new Date(0));
    await signIns.link(account, person, provedAt);
    await expect(signIns.linkedTo(account)).resolves.toEqual({ person, provedAt });
    await signIns.unlink(person);
    await expect(signIns.linkedTo(account)).resolves.toBeUndefined();
  });
});
