/**
 * A provider of identity that signs in whoever comes, at once, as the person
 * that their browser's cookie `who` names. It keeps everything and checks
 * nothing: that is not what is tried here.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export type IdentityProvider = {
  /** What a process of the assistant has to be told. */
  environment: Record<string, string>;
  stop: () => Promise<void>;
};

const CLIENT = 'kortlotsen';
const ACR = 'http://id.example.se/loa3';
const CLAIM = 'holder';
const ALGORITHM = 'ES256';

/** `identifierOf` is what the provider calls somebody. */
export async function startIdentityProvider(identifierOf: (who: string) => string): Promise<IdentityProvider> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM);
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'only', use: 'sig', alg: ALGORITHM }];
  const granted = new Map<string, { who: string; nonce: string }>();

  const tokenFor = async (code: string): Promise<object> => {
    const { who = '', nonce = '' } = granted.get(code) ?? {};
    const now = Math.floor(Date.now() / 1_000);
    const claims = { nonce, acr: ACR, auth_time: now, [CLAIM]: identifierOf(who) };
    const idToken = await new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, kid: 'only' })
      .setIssuer(issuer())
      .setAudience(CLIENT)
      .setSubject(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + 300)
      .sign(privateKey);
    return { access_token: randomUUID(), token_type: 'Bearer', expires_in: 300, id_token: idToken };
  };

  const answer = async (req: IncomingMessage): Promise<object | URL> => {
    const { pathname, searchParams } = new URL(req.url ?? '/', issuer());
    switch (pathname) {
      case '/authorize': {
        const who = /(?:^|; )who=([^;]+)/.exec(req.headers.cookie ?? '')?.[1] ?? '';
        const code = randomUUID();
        granted.set(code, { who, nonce: searchParams.get('nonce') ?? '' });
        const back = new URL(searchParams.get('redirect_uri') ?? '');
        back.searchParams.set('code', code);
        back.searchParams.set('state', searchParams.get('state') ?? '');
        return back;
      }
      case '/token':
        return tokenFor(new URLSearchParams(await textOf(req)).get('code') ?? '');
      case '/keys':
        return { keys };
      default:
        return {
          issuer: issuer(),
          authorization_endpoint: `${issuer()}/authorize`,
          token_endpoint: `${issuer()}/token`,
          jwks_uri: `${issuer()}/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [ALGORITHM],
        };
    }
  };

  const server = createServer((req, res) => {
    answer(req).then(
      (told) => {
        // Never chained: restify, which another suite may have loaded, makes it return nothing.
        if (told instanceof URL) res.writeHead(303, { location: told.href });
        else res.writeHead(200, { 'content-type': 'application/json' });
        res.end(told instanceof URL ? undefined : JSON.stringify(told));
      },
      () => {
        res.writeHead(500);
        res.end();
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    environment: {
      OIDC_ISSUER: issuer(),
      OIDC_CLIENT_ID: CLIENT,
      OIDC_CLIENT_SECRET: randomUUID(),
      OIDC_HOLDER_CLAIM: CLAIM,
      OIDC_ACR: ACR,
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
