/**
 * Tokens of the web chat: signed, for one conversation and one user, and short
 * lived. The browser keeps a second one to come back to its conversation with.
 */
import { jwtVerify, SignJWT } from 'jose';
import { JWTExpired } from 'jose/errors';
import { z } from 'zod';

/** `chat` is for requests, `stream` for opening a WebSocket, `return` for a new token in the same conversation. */
export type Use = 'chat' | 'stream' | 'return';
export type Claims = {
  /** Its id tells which hub it belongs to, if it does not belong to our own page. */
  conversation: string;
  user: string;
  /** The pages that may use it, as origins, where a hub has said that it is to be fewer than all of its own. */
  origins?: string[];
  /** It was had with the hub's secret, and is shown what only the hub is. */
  isHubs?: true;
};

export type Tokens = {
  issue: (use: Use, claims: Claims) => Promise<{ token: string; expiresIn: number }>;
  read: (use: Use, token: string) => Promise<Claims | 'expired' | 'invalid'>;
};

/** In seconds. A laptop that sleeps misses its refresh, so a chat token lasts far longer than the 15 minutes between them. */
const LIFETIME: Record<Use, number> = { chat: 3_600, stream: 120, return: 86_400 };
const ISSUER = 'kortlotsen';

/** Direct Line clients read `user` and `conv` themselves. */
const Payload = z.object({
  conv: z.string(),
  user: z.string(),
  origins: z.array(z.string()).optional(),
  hub: z.literal(true).optional(),
});

export function createTokens(key: string, lifetime: Record<Use, number> = LIFETIME): Tokens {
  const secret = new TextEncoder().encode(key);
  return {
    async issue(use, { conversation, user, origins, isHubs }) {
      const token = await new SignJWT({
        conv: conversation,
        user,
        ...(origins && { origins }),
        ...(isHubs && { hub: isHubs }),
      })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(ISSUER)
        .setAudience(use)
        .setIssuedAt()
        .setExpirationTime(`${lifetime[use]} s`)
        .sign(secret);
      return { token, expiresIn: lifetime[use] };
    },
    async read(use, token) {
      try {
        const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'], issuer: ISSUER, audience: use });
        const { conv, user, origins, hub } = Payload.parse(payload);
        return { conversation: conv, user, ...(origins && { origins }), ...(hub && { isHubs: hub }) };
      } catch (problem) {
        return problem instanceof JWTExpired ? 'expired' : 'invalid';
      }
    },
  };
}
