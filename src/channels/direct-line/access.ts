/**
 * Who may do what over Direct Line.
 *
 * A conversation belongs to our own page, or to the hub that began it; which,
 * is told by its id, so no token and no secret can be taken for another's. A
 * hub is in the settings or it is nobody, whatever tokens it has handed out.
 */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Hub } from '../../settings.ts';
import { isOurOrigin } from '../../web/requests.ts';
import type { Claims, Tokens, Use } from './tokens.ts';

/** Whoever has a hub's secret speaks for all of its conversations, and whoever has a token for one. */
export type Caller = { by: 'secret'; hub: Hub } | { by: 'token'; claims: Claims };

export type Access = {
  callerOf: (bearer: string | undefined) => Promise<Caller | 'missing' | 'expired' | 'invalid'>;
  /** What a token tells that is for this use, unless it is a hub's that is no more. */
  read: (use: Use, token: string) => Promise<Claims | 'expired' | 'invalid'>;
  /** Whether some conversation may be had from the page that asks; no page is needed. */
  isKnownPage: (req: IncomingMessage) => boolean;
  /** Whether this one may. */
  isPageOf: (req: IncomingMessage, caller: Caller) => boolean;
};

export type AccessWorld = { tokens: Tokens; hubs: readonly Hub[]; publicOrigin: string | undefined };

export function createAccess({ tokens, hubs, publicOrigin }: AccessWorld): Access {
  const hubOf = (conversation: string): Hub | undefined => {
    const name = hubNameOf(conversation);
    return hubs.find((hub) => hub.name === name);
  };

  const read: Access['read'] = async (use, token) => {
    const claims = await tokens.read(use, token);
    if (typeof claims === 'string' || hubNameOf(claims.conversation) === undefined) return claims;
    return hubOf(claims.conversation) ? claims : 'invalid';
  };

  const originsOf = (caller: Caller): readonly string[] => {
    const hub = caller.by === 'secret' ? caller.hub : hubOf(caller.claims.conversation);
    const narrowed = caller.by === 'secret' ? undefined : caller.claims.origins;
    return (hub?.origins ?? []).filter((origin) => narrowed?.includes(origin) ?? true);
  };

  const isPageAmong = (req: IncomingMessage, origins: readonly string[]): boolean => {
    const { origin } = req.headers;
    return origin === undefined || origins.includes(origin) || isOurOrigin(origin, req, publicOrigin);
  };

  return {
    async callerOf(bearer) {
      if (bearer === undefined) return 'missing';
      const hub = hubs.find(({ secretHash }) => timingSafeEqual(digest(bearer), Buffer.from(secretHash, 'hex')));
      if (hub) return { by: 'secret', hub };
      const claims = await read('chat', bearer);
      return typeof claims === 'string' ? claims : { by: 'token', claims };
    },
    read,
    isKnownPage: (req) =>
      isPageAmong(
        req,
        hubs.flatMap(({ origins }) => origins),
      ),
    isPageOf: (req, caller) => isPageAmong(req, originsOf(caller)),
  };
}

/** What a caller may do in a conversation, if they may do anything there. */
export function claimsIn(conversation: string, caller: Caller): Claims | undefined {
  if (caller.by === 'token') return caller.claims.conversation === conversation ? caller.claims : undefined;
  const { name } = caller.hub;
  return hubNameOf(conversation) === name ? { conversation, user: `dl_${name}`, isHubs: true } : undefined;
}

/** Somebody new, in a conversation of their own. Its id is a secret that cannot be guessed. */
export const newcomer = (hub?: Hub): Claims => ({
  conversation: `${hub ? `hub-${hub.name}-` : ''}${randomBytes(18).toString('base64url')}`,
  user: `dl_${randomUUID()}`,
});

/** The ids of our own page are 24 characters, and so never one of these. */
export const hubNameOf = (conversation: string): string | undefined =>
  /^hub-([a-z0-9]+)-[\w-]{24}$/.exec(conversation)?.[1];

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
