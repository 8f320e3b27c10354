/**
 * A short address into a conversation that an agent has opened for somebody
 * who phoned. It can be read out, lasts for half an hour, and is taken once: by
 * the page that opens the chat with it.
 */
import { createHash, randomInt } from 'node:crypto';
import type { Database, Statement } from '../storage/database.ts';

export type Invitations = {
  /** Where whoever is to come in goes. */
  linkTo: (conversation: string) => Promise<string>;
  /** The conversation, for whoever has the code; `by` is the page that asks, and may ask again. */
  take: (code: string, by: string) => Promise<string | undefined>;
  purge: () => Promise<void>;
};

/** In minutes. */
const LASTS = 30;
/** No vowels, so no words; and nothing that is taken for another when it is read out. */
const SIGNS = 'BCDFGHJKMNPQRSTVWXZ23456789';
const LENGTH = 8;

const invite: Statement = {
  name: 'invite',
  text: `insert into invitations (code, conversation, expires_at)
    values ($1, $2, now() + make_interval(mins => ${LASTS}))`,
};

const take: Statement = {
  name: 'take-invitation',
  text: `update invitations set taken_by = $2
    where code = $1 and expires_at > now() and coalesce(taken_by, $2) = $2 returning conversation`,
};

const purge: Statement = { name: 'purge-invitations', text: 'delete from invitations where expires_at < now()' };

export function createInvitations(database: Database, publicOrigin: () => string): Invitations {
  return {
    async linkTo(conversation) {
      const code = Array.from({ length: LENGTH }, () => SIGNS[randomInt(SIGNS.length)]).join('');
      await database.run(invite, [kept(code), conversation]);
      return `${publicOrigin()}/c/${code}`;
    },
    async take(code, by) {
      const [row] = await database.run<{ conversation: string }>(take, [kept(code), by]);
      return row?.conversation;
    },
    async purge() {
      await database.run(purge, []);
    },
  };
}

/** However it was typed. */
const kept = (code: string): string => createHash('sha256').update(code.toUpperCase()).digest('base64url');
