/**
 * Signing in, from a conversation that asks who is there until it is told.
 *
 * The way goes through a browser that the conversation knows nothing of, so
 * whoever comes back is given a code, and types it where the question was
 * asked. A link that was sent to somebody else proves nothing: the code is
 * shown to the one who signed in, and is good in that one conversation.
 *
 * Every step is one statement, and nobody takes the same step twice.
 */
import { createHash, createHmac, randomBytes, randomInt } from 'node:crypto';
import type { Database, Statement } from '../storage/database.ts';

/** The state goes to the provider and back, and the browser's part into its cookie. Neither is kept. */
export type Begun = { state: string; nonce: string; verifier: string; browser: string };
/** A sign-in whose browser has come back. */
export type Taken = { id: string; conversation: string; nonce: string; verifier: string };
export type Proof = { person: string; provedAt: Date; acr: string | undefined };
export type Redeemed =
  | { outcome: 'proved'; person: string; provedAt: Date }
  | { outcome: 'wrong' }
  /** There is no more to try: nothing is asked, or not any longer, or it was tried too often. */
  | { outcome: 'spent' };

export type SignIns = {
  /** Nothing, if nobody waits for this challenge any longer. */
  begin: (challenge: string) => Promise<Begun | undefined>;
  /** Once only, and only for the browser it was begun in. Whoever else asks changes nothing. */
  take: (state: string, browser: string) => Promise<Taken | undefined>;
  /** The code that tells the conversation, written as people read it. Nothing, if it no longer waits. */
  prove: (taken: Taken, proof: Proof) => Promise<string | undefined>;
  /** `redeemer` names the try: the same one again is no new try, and a right one gets the same answer. */
  redeem: (conversation: string, code: string, redeemer: string) => Promise<Redeemed>;
  /** From now on, an account is that person's. */
  link: (account: string, person: string, provedAt: Date) => Promise<void>;
  linkedTo: (account: string) => Promise<{ person: string; provedAt: Date } | undefined>;
  unlink: (person: string) => Promise<void>;
  /** Removes what has had its time. Until then it only looks gone. */
  purge: () => Promise<void>;
};

/** In seconds: a sign-in from the link to the answer, and then a code until it is typed. */
export const SIGN_IN_LASTS = 600;
const MOST_SIGN_INS = 20;
const MOST_TRIES = 5;

/** The letters of RFC 8628, section 6.1: no vowels, so no words, and no two that are easily taken for one another. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const CODE_LENGTH = 8;

const IS_WAITED_FOR = `r.state = 'challenged' and r.due_at > now() and r.code_attempts < ${MOST_TRIES}`;

const begin: Statement = {
  name: 'begin-sign-in',
  text: `insert into sign_ins (state, browser, request, nonce, verifier, expires_at)
    select $2, $3, r.id, $4, $5, now() + make_interval(secs => ${SIGN_IN_LASTS})
    from requests r
    where r.challenge = $1 and ${IS_WAITED_FOR}
      and (select count(*) from sign_ins s where s.request = r.id) < ${MOST_SIGN_INS}
    returning state`,
};

const take: Statement = {
  name: 'take-sign-in',
  text: `with taken as (
      select s.state, r.conversation, s.nonce, s.verifier from sign_ins s join requests r on r.id = s.request
      where s.state = $1 and s.browser = $2 and s.verifier is not null and s.expires_at > now() and ${IS_WAITED_FOR}
      for update of s
    )
    update sign_ins set verifier = null from taken where sign_ins.state = taken.state
    returning taken.state as id, taken.conversation, taken.nonce, taken.verifier`,
};

const prove: Statement = {
  name: 'prove-sign-in',
  text: `update sign_ins s set code = $2, person = $3, proved_at = $4, acr = $5,
      expires_at = now() + make_interval(secs => ${SIGN_IN_LASTS})
    from requests r
    where s.state = $1 and s.verifier is null and s.code is null and r.id = s.request and ${IS_WAITED_FOR}
    returning s.state`,
};

const redeem: Statement = {
  name: 'redeem-code',
  text: `with tried as (
      update requests r set
        code_attempts = code_attempts + 1,
        state = case when exists (
          select from sign_ins s where s.request = r.id and s.code = $2 and s.expires_at > now()
        ) then 'closed' else r.state end
      where r.conversation = $1 and ${IS_WAITED_FOR} and not exists (
        select from sign_ins s join requests of on of.id = s.request where of.conversation = $1 and s.redeemer = $3
      )
      returning r.id, r.state
    ), redeemed as (
      update sign_ins s set redeemer = $3, redeemed_at = now() from tried
      where s.request = tried.id and tried.state = 'closed' and s.code = $2
      returning s.person, s.proved_at
    )
    select person, proved_at from tried left join redeemed on true`,
};

const redeemedBefore: Statement = {
  name: 'redeemed-before',
  text: `select s.person, s.proved_at from sign_ins s join requests r on r.id = s.request
    where r.conversation = $1 and s.code = $2 and s.redeemer = $3`,
};

const link: Statement = {
  name: 'link',
  text: `insert into links (account, person, linked_at, proved_at) values ($1, $2, now(), $3)
    on conflict (account) do update set
      person = excluded.person, linked_at = excluded.linked_at, proved_at = excluded.proved_at`,
};

const linkedTo: Statement = { name: 'linked-to', text: 'select person, proved_at from links where account = $1' };
const unlink: Statement = { name: 'unlink', text: 'delete from links where person = $1' };

/** A code that was right is kept for a day more, for a try that a crash has interrupted. */
const purge: Statement = {
  name: 'purge-sign-ins',
  text: `delete from sign_ins where expires_at < now()
    and (redeemed_at is null or redeemed_at < now() - interval '1 day')`,
};

/** `key` is a secret of this installation, the same in all its processes. */
export function createSignIns(database: Database, key: string): SignIns {
  /** Says in which conversation a code is right, to nobody but whoever has the key. */
  const sealed = (conversation: string, code: string): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([conversation, code]))
      .digest('base64url');

  return {
    async begin(challenge) {
      const begun = { state: secret(), nonce: secret(), verifier: secret(), browser: secret() };
      const { state, nonce, verifier, browser } = begun;
      const values = [fingerprint(challenge), fingerprint(state), fingerprint(browser), nonce, verifier];
      const [row] = await database.run(begin, values);
      return row && begun;
    },
    async take(state, browser) {
      const [row] = await database.run<Taken>(take, [fingerprint(state), fingerprint(browser)]);
      return row;
    },
    async prove({ id, conversation }, { person, provedAt, acr }) {
      const code = Array.from({ length: CODE_LENGTH }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('');
      const values = [id, sealed(conversation, code), person, provedAt, acr ?? null];
      const [row] = await database.run(prove, values);
      return row && `${code.slice(0, CODE_LENGTH / 2)}-${code.slice(CODE_LENGTH / 2)}`;
    },
    async redeem(conversation, code, redeemer) {
      const values = [conversation, sealed(conversation, normal(code)), redeemer];
      const [tried] = await database.run<Tried>(redeem, values);
      const [told] = tried ? [tried] : await database.run<Tried>(redeemedBefore, values);
      if (!told) return { outcome: 'spent' };
      const { person, proved_at } = told;
      return person && proved_at ? { outcome: 'proved', person, provedAt: proved_at } : { outcome: 'wrong' };
    },
    async link(account, person, provedAt) {
      await database.run(link, [account, person, provedAt]);
    },
    async linkedTo(account) {
      const [row] = await database.run<{ person: string; proved_at: Date }>(linkedTo, [account]);
      return row && { person: row.person, provedAt: row.proved_at };
    },
    async unlink(person) {
      await database.run(unlink, [person]);
    },
    async purge() {
      await database.run(purge, []);
    },
  };
}

type Tried = { person: string | null; proved_at: Date | null };

const secret = (): string => randomBytes(32).toString('base64url');
const fingerprint = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** What may be seen of a letter, without case, width and what is not seen. */
const plain = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toUpperCase();
const normal = (code: string): string => plain(code).replace(/[^A-Z]/g, '');

/** A code, its letters in any groups, and before it no more than that it is one: “koden är bcdf ghjk”. */
const LETTER = `[${LETTERS}]`;
const TYPED = new RegExp(
  String.raw`^[^\p{L}\p{N}]*(?:(?:[\p{L}]+[ ,]+){0,3}(?:KOD|KODEN|CODE)[ :=]+(?:(?:ÄR|E|IS)[ :]+)?[^\p{L}\p{N}]*)?(${LETTER}(?:[\s\p{Pd}._]*${LETTER}){${CODE_LENGTH - 1}})[^\p{L}\p{N}]*$`,
  'u',
);

/** The code a message consists of, as it is compared. Ordinary sentences have vowels, and hold none. */
export const readSignInCode = (text: string): string | undefined => {
  const typed = TYPED.exec(plain(text).trim())?.[1];
  return typed === undefined ? undefined : normal(typed);
};
