/** Who is asking: a code typed back into the conversation that asked, how long that lasts, and how it ends. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Conversations, World } from '../../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import type { Place } from '../../../src/conversations/store.ts';
import { createSignIns } from '../../../src/identity/sign-ins.ts';
import type { DemonstrationName } from '../../../src/ledger/demonstration-holders.ts';
import { conversationsOf, database, now, personOf, placeOf, say } from './world.ts';

const store = createPostgresStore(database);
const signIns = createSignIns(database, 'a key of the tests');
const newId = () => `test/${randomUUID()}`;
const LINK = 'http://sign-in/';

const signingIn = {
  way: 'signIn',
  linkFor: (challenge: string) => `${LINK}${challenge}`,
  redeem: signIns.redeem,
  linkedTo: signIns.linkedTo,
  link: (account: string, { person, provedAt }: { person: string; provedAt: Date }) =>
    signIns.link(account, person, provedAt),
} as const;

const conversationsWith = (changes: Partial<World> = {}): Conversations =>
  conversationsOf(store, { proving: signingIn, ...changes });

/** The link that the student was given last. */
async function lastLink(conversations: Conversations, id: string): Promise<string> {
  const links = (await conversations.log(id, 0)).flatMap((entry) =>
    entry.author === 'bot' && entry.said.link?.url.startsWith(LINK) ? [entry.said.link.url] : [],
  );
  return links.at(-1)?.replace(LINK, '') ?? '';
}

/** Goes where the link leads, signs in there, and gives the code that is shown. */
async function codeFor(challenge: string, name: DemonstrationName, provedAt = now()): Promise<string | undefined> {
  const begun = await signIns.begin(challenge);
  const taken = begun && (await signIns.take(begun.state, begun.browser));
  return taken && (await signIns.prove(taken, { person: personOf(name), provedAt, acr: undefined }));
}

async function asked(changes: Partial<World> = {}, text = 'någon har snott kortet') {
  const [conversations, id] = [conversationsWith(changes), newId()];
  const { state } = await say(conversations, id, text);
  return { conversations, id, state, challenge: await lastLink(conversations, id) };
}

describe('signing in', () => {
  it('is waited for, and the code shows whose cards they are', async () => {
    const { conversations, id, state, challenge } = await asked();
    expect(state).toBe('lost-card/awaitingSignIn');
    const code = await codeFor(challenge, 'active');
    expect((await say(conversations, id, code ?? '')).state).toBe('lost-card/confirming');
    expect((await say(conversations, id, 'ja')).state).toBe('lost-card/revoked');
  });

  it('takes the code however it is typed', async () => {
    const { conversations, id, challenge } = await asked();
    const code = (await codeFor(challenge, 'active')) ?? '';
    const typed = `koden är ${code.toLowerCase().replace('-', ' ')}`;
    expect((await say(conversations, id, typed)).state).toBe('lost-card/confirming');
  });

  it('leaves room for other questions meanwhile', async () => {
    const { conversations, id, challenge } = await asked();
    expect((await say(conversations, id, 'duger körkort?')).heard).toEqual(['intent.valid-id']);
    const code = await codeFor(challenge, 'active');
    expect((await say(conversations, id, code ?? '')).state).toBe('lost-card/confirming');
  });

  it('takes the right code after a wrong one, and none after five', async () => {
    const { conversations, id, challenge } = await asked();
    const code = (await codeFor(challenge, 'active')) ?? '';
    for (let nth = 0; nth < 4; nth++) {
      expect((await say(conversations, id, 'BBBB-BBBB')).state).toBe('lost-card/codeIsWrong');
    }
    const patient = await asked();
    const right = (await codeFor(patient.challenge, 'active')) ?? '';
    expect((await say(patient.conversations, patient.id, 'BBBB-BBBB')).state).toBe('lost-card/codeIsWrong');
    expect((await say(patient.conversations, patient.id, right)).state).toBe('lost-card/confirming');

    await say(conversations, id, 'BBBB-BBBB');
    const { state } = await say(conversations, id, code);
    expect(state).toBe('lost-card/awaitingSignIn');
    expect(await lastLink(conversations, id)).not.toBe(challenge);
  });

  it('proves nothing in another conversation than the one that asked', async () => {
    const [victim, attacker] = [await asked(), await asked()];
    const code = (await codeFor(attacker.challenge, 'active')) ?? '';
    expect((await say(victim.conversations, victim.id, code)).state).toBe('lost-card/codeIsWrong');
  });

  it('gives each link up for the next', async () => {
    const { conversations, id, challenge } = await asked();
    await say(conversations, id, 'avbryt');
    await say(conversations, id, 'någon har snott kortet');
    expect(await codeFor(challenge, 'active')).toBeUndefined();
    const code = await codeFor(await lastLink(conversations, id), 'active');
    expect((await say(conversations, id, code ?? '')).state).toBe('lost-card/confirming');
  });

  it('is of no use to a code that nobody asked for', async () => {
    const [conversations, id] = [conversationsWith(), newId()];
    await conversations.open(placeOf(id));
    expect(await say(conversations, id, 'BCDF-GHJK')).toMatchObject({
      heard: ['signInCode'],
      state: 'conversation/listening',
      requests: [],
    });
  });

  it('is not offered where others read along', async () => {
    const conversations = conversationsWith();
    const place: Place = { ...placeOf(newId()), isShared: true };
    const { answered } = await conversations.accept({ ...place, id: 'm-1', text: 'någon har snott kortet' });
    expect((await answered).state).toBe('lost-card/notIdentified');
  });

  it('is kept as a proof, with its person and time', async () => {
    const { conversations, id, challenge } = await asked();
    await say(conversations, id, (await codeFor(challenge, 'active')) ?? '');
    const proofs = { name: 'proofs-of', text: 'select person, proved_at from proofs where conversation = $1' };
    expect(await database.run(proofs, [id])).toEqual([{ person: personOf('active'), proved_at: now() }]);
  });
});

describe('a proof', () => {
  const signedIn = async (changes: Partial<World> = {}) => {
    let at = now();
    const clock = { pass: (minutes: number) => (at = new Date(at.getTime() + minutes * 60_000)) };
    const { conversations, id, challenge } = await asked({ now: () => at, ...changes }, 'är mitt kort aktivt?');
    const code = await codeFor(challenge, 'active', at);
    expect((await say(conversations, id, code ?? '')).state).toBe('card-status/shown');
    return { conversations, id, ...clock };
  };
  const asksAgain = async (conversations: Conversations, id: string, text = 'är mitt kort aktivt?') =>
    (await say(conversations, id, text)).state.endsWith('awaitingSignIn');

  it('lasts while the student writes, and ends when it has had its time', async () => {
    const { conversations, id, pass } = await signedIn();
    for (let minutes = 9; minutes < 30; minutes += 9) {
      pass(9);
      expect(await asksAgain(conversations, id)).toBe(false);
    }
    pass(4);
    expect(await asksAgain(conversations, id)).toBe(true);
  });

  it('ends with idleness, which the student is told', async () => {
    const { conversations, id, pass } = await signedIn();
    pass(11);
    const { replies, state } = await say(conversations, id, 'är mitt kort aktivt?');
    expect(state).toBe('card-status/awaitingSignIn');
    expect(replies[0]?.text).toMatch(/utloggad/);
  });

  it('has to be fresh for a revocation', async () => {
    const { conversations, id, pass } = await signedIn({ proofLasts: { minutes: 60, idleMinutes: 60 } });
    pass(16);
    expect(await asksAgain(conversations, id)).toBe(false);
    expect(await asksAgain(conversations, id, 'någon har snott kortet')).toBe(true);
  });

  it('ends when the student signs out, and with it all that was known', async () => {
    const { conversations, id } = await signedIn();
    expect((await say(conversations, id, 'Logga ut')).heard).toEqual(['signOut']);
    expect(await asksAgain(conversations, id)).toBe(true);
  });

  it('is linked to an account once, and shows cards there from then on, but revokes none', async () => {
    const account = `${randomUUID()}/${randomUUID()}`;
    const conversations = conversationsWith();
    const write = async (id: string, text: string) => {
      const accepted = await conversations.accept({ ...placeOf(id), account, id: randomUUID(), text });
      return (await accepted.answered).state;
    };
    const [first, second] = [newId(), newId()];
    expect(await write(first, 'är mitt kort aktivt?')).toBe('card-status/awaitingSignIn');
    await write(first, (await codeFor(await lastLink(conversations, first), 'active')) ?? '');
    expect(await write(second, 'är mitt kort aktivt?')).toBe('card-status/shown');

    const later = conversationsWith({ now: () => new Date(now().getTime() + 20 * 60_000) });
    const accepted = await later.accept({ ...placeOf(newId()), account, id: 'm', text: 'någon har snott kortet' });
    expect((await accepted.answered).state).toBe('lost-card/awaitingSignIn');
  });
});

describe('“glöm mig”', () => {
  const CANARY = 'kanariefågel';
  const forgotten = async (place: Place) => {
    const { conversation: id } = place;
    const conversations = conversationsWith();
    const write = async (text: string) => {
      const accepted = await conversations.accept({ ...place, id: randomUUID(), text });
      return accepted.answered;
    };
    await write(`är mitt kort aktivt? ${CANARY}`);
    const code = (await codeFor(await lastLink(conversations, id), 'reserve')) ?? '';
    await write(code);
    await write('glöm mig');
    return { conversations, write, told: await write('ja') };
  };
  const rowsWith = async (text: string) => {
    const tables = ['conversations', 'messages', 'requests', 'proofs', 'links', 'sign_ins'];
    const found = await Promise.all(
      tables.map(async (table) =>
        (await database.run<{ row: string }>({ text: `select t::text as row from ${table} t` }, []))
          .filter(({ row }) => row.includes(text))
          .map(() => table),
      ),
    );
    return found.flat();
  };

  it('leaves nothing that was said, no proof and no link; and says what stays', async () => {
    const id = newId();
    const account = `${randomUUID()}/${randomUUID()}`;
    const { told } = await forgotten({ ...placeOf(id), account });
    expect(told.state).toBe('forgetting/forgotten');
    expect(told.replies[0]?.text).toMatch(/kortregistret/);
    expect(await rowsWith(CANARY)).toEqual([]);
    expect(await rowsWith(personOf('reserve'))).toEqual([]);
    expect(await signIns.linkedTo(account)).toBeUndefined();
  });

  it('takes the student’s other chats along, and nobody else’s', async () => {
    const other = await asked({}, `är mitt kort aktivt? ${CANARY}`);
    await say(other.conversations, other.id, (await codeFor(other.challenge, 'reserve')) ?? '');
    const stranger = await asked({}, 'är mitt kort aktivt?');
    await say(stranger.conversations, stranger.id, (await codeFor(stranger.challenge, 'active')) ?? '');
    await forgotten(placeOf(newId()));
    expect(await store.has(other.id)).toBe(false);
    expect(await store.has(stranger.id)).toBe(true);
  });

  it('takes the student’s links along, also when it is said elsewhere than where they were made', async () => {
    const [theirs, another] = [randomUUID(), randomUUID()];
    await signIns.link(theirs, personOf('reserve'), now());
    await signIns.link(another, personOf('active'), now());
    await forgotten(placeOf(newId()));
    expect(await signIns.linkedTo(theirs)).toBeUndefined();
    expect(await signIns.linkedTo(another)).toBeDefined();
  });

  it('lets the chat go on from there, in order, with nobody signed in', async () => {
    const id = newId();
    const { conversations, write } = await forgotten(placeOf(id));
    expect((await write('är mitt kort aktivt?')).state).toBe('card-status/awaitingSignIn');
    const seqs = (await conversations.log(id, 0)).map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((one, other) => one - other));
    expect(seqs[0]).toBeGreaterThan(5);
  });

  it('says with its first word that everything before it is gone, for whoever still shows it', async () => {
    const id = newId();
    const { conversations } = await forgotten(placeOf(id));
    const said = (await conversations.log(id, 0)).map((entry) => entry.author === 'bot' && entry.said.clears);
    expect(said).toEqual([true, ...said.slice(1).map(() => undefined)]);
  });

  it('forgets nothing on anything but a yes', async () => {
    const { conversations, id } = await asked();
    await say(conversations, id, 'glöm mig');
    expect((await say(conversations, id, 'nej')).state).toBe('forgetting/kept');
    expect((await conversations.log(id, 0)).length).toBeGreaterThan(5);
  });
});
