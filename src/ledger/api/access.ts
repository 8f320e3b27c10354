/**
 * Who may use the ledger's API, and for what: OAuth 2.0 client credentials,
 * and access tokens that are signed and short lived (RFC 6749, RFC 9068).
 *
 * A client's secret is kept nowhere, only its hash. A client that is no longer
 * in the settings is nobody at once, whatever tokens it still has.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { JOSEError } from 'jose/errors';
import { z } from 'zod';
import { type Scope, scopes } from './operations.ts';

export const Client = z.object({
  id: z.string().regex(/^[\x21-\x39\x3b-\x7e]{1,100}$/),
  /** SHA-256 of a long random secret, in hex. A secret that can be guessed needs a slower hash than this. */
  secretHash: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(z.enum(Object.keys(scopes) as Scope[])).min(1),
});
export type Client = z.infer<typeof Client>;

export type Granted = { token: string; expiresIn: number; scopes: readonly Scope[] };

export type Access = {
  /** Without a wish, a token is for all that the client may do. */
  grant: (id: string, secret: string, wish?: readonly string[]) => Promise<Granted | 'invalidClient' | 'invalidScope'>;
  /** Whose a token is and what it is for. Nothing, if it is not valid here and now. */
  read: (token: string) => Promise<{ client: string; scopes: readonly Scope[] } | undefined>;
};

export type AccessWorld = {
  /** Of at least 32 random bytes, and the same in all processes. */
  key: string;
  clients: readonly Client[];
  now?: () => Date;
};

const ISSUER = 'kortlotsen-ledger';
const AUDIENCE = 'kortlotsen-ledger-api';
const TYPE = 'at+jwt';
const ALGORITHM = 'HS256';
/** In seconds. */
const LIFETIME = 300;

const Payload = z.object({ client_id: z.string(), scope: z.string() });

export function createAccess({ key, clients, now = () => new Date() }: AccessWorld): Access {
  const secretKey = new TextEncoder().encode(key);
  /** Several of one id are one client, who has a new secret before the old one is taken away. */
  const entriesOf = (id: string) => clients.filter((client) => client.id === id);

  return {
    async grant(id, secret, wish) {
      const digest = createHash('sha256').update(secret).digest();
      const isRight = ({ secretHash }: { secretHash: string }) =>
        timingSafeEqual(digest, Buffer.from(secretHash, 'hex'));
      const entries = entriesOf(id);
      const client = entries.find(isRight);
      // An unknown client takes as long to refuse as a known one with another secret.
      if (entries.length === 0) isRight({ secretHash: '0'.repeat(64) });
      if (!client) return 'invalidClient';
      const granted = client.scopes.filter((scope) => !wish || wish.includes(scope));
      if (wish && (granted.length === 0 || wish.some((scope) => !granted.some((each) => each === scope)))) {
        return 'invalidScope';
      }
      const seconds = Math.floor(now().getTime() / 1000);
      const token = await new SignJWT({ client_id: id, scope: granted.join(' ') })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(id)
        .setJti(randomUUID())
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + LIFETIME)
        .sign(secretKey);
      return { token, expiresIn: LIFETIME, scopes: granted };
    },

    async read(token) {
      try {
        const { payload } = await jwtVerify(token, secretKey, {
          algorithms: [ALGORITHM],
          issuer: ISSUER,
          audience: AUDIENCE,
          typ: TYPE,
          requiredClaims: ['exp', 'iat', 'sub'],
          currentDate: now(),
        });
        const { client_id, scope } = Payload.parse(payload);
        const granted = scope.split(' ');
        const allowed = entriesOf(client_id);
        const scopes = new Set(allowed.flatMap((client) => client.scopes));
        return allowed.length > 0
          ? { client: client_id, scopes: [...scopes].filter((each) => granted.includes(each)) }
          : undefined;
      } catch (problem) {
        if (problem instanceof JOSEError || problem instanceof z.ZodError) return undefined;
        throw problem;
      }
    },
  };
}
