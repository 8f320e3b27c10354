/** A provider of identity that issues whatever it is told to, for tokens that no real one makes. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';

export type Forged = { nonce: string | null };
/** Makes the token that is given for any code. */
export type Forging = (honest: JWTPayload, keys: ForgingKeys) => Promise<string> | string;
export type ForgingKeys = {
  sign: (claims: JWTPayload) => Promise<string>;
  signFalsely: (claims: JWTPayload) => Promise<string>;
};

export type ForgingProvider = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** The next token is made for the browser with this nonce, in this way. */
  forge: (nonce: string, forging: Forging) => void;
  stop: () => Promise<void>;
};

export const honestly: Forging = (honest, { sign }) => sign(honest);
export const unsigned: Forging = (honest) => new UnsecuredJWT(honest).encode();
export const signedWith =
  (secret: string): Forging =>
  (honest) =>
    new SignJWT(honest).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));

export async function startForgingProvider(identifier: string): Promise<ForgingProvider> {
  const [ours, false_] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const key = { ...(await exportJWK(ours.publicKey)), kid: 'ours', use: 'sig', alg: 'ES256' };
  const header = { alg: 'ES256', kid: 'ours' };
  const keys: ForgingKeys = {
    sign: (claims) => new SignJWT(claims).setProtectedHeader(header).sign(ours.privateKey),
    signFalsely: (claims) => new SignJWT(claims).setProtectedHeader(header).sign(false_.privateKey),
  };
  const [clientId, clientSecret] = ['kortlotsen', 'a secret of the tests that is long enough for HS256'];
  let token = () => Promise.resolve('');

  const server: Server = createServer((req, res) => {
    const { pathname } = new URL(req.url ?? '/', issuer);
    const answer = (body: object) => {
      res.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    };
    if (pathname === '/.well-known/openid-configuration') {
      answer({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        id_token_signing_alg_values_supported: ['ES256', 'HS256', 'none'],
        authorization_response_iss_parameter_supported: true,
      });
    } else if (pathname === '/jwks') answer({ keys: [key] });
    else
      void token().then((idToken) => {
        answer({ access_token: 'access', token_type: 'Bearer', id_token: idToken });
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    issuer,
    clientId,
    clientSecret,
    forge(nonce, forging) {
      const at = Math.floor(Date.now() / 1_000);
      const honest = {
        iss: issuer,
        aud: clientId,
        sub: 'subject',
        nonce,
        iat: at,
        exp: at + 300,
        auth_time: at - 60,
        acr: 'urn:kortlotsen:demo',
        holder: identifier,
      };
      token = async () => await forging(honest, keys);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
