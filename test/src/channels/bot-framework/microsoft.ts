/**
 * Microsoft's side, on this machine and with real signatures: the Bot Connector
 * service's keys, which sign what a bot gets, and Entra's tokens, by which a
 * bot proves itself when it answers.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, jwtVerify } from 'jose';

export const ISSUER = 'https://api.botframework.com';
/** In seconds. */
const HOUR = 3_600;

export type Microsoft = {
  appId: string;
  tenantId: string;
  /** What a product is started with to be this app. */
  environment: Record<string, string>;
  /** Signs as the Bot Connector service: for this app, from now on for an hour, unless told otherwise. */
  sign: (claims: JWTPayload & { serviceurl?: string }, header?: { kid?: string; alg?: string }) => Promise<string>;
  /** A new key, as Microsoft changes its own now and then. The old one is gone. */
  changeKey: () => Promise<void>;
  /** Sends an activity as the service would, and tells the status it is answered with. */
  send: (origin: string, activity: { serviceUrl?: string }) => Promise<number>;
  /** Whether a request to the connector proves to come from the bot. */
  isBots: (authorization: string | undefined) => Promise<boolean>;
  /** What has been asked for, by path. */
  asked: string[];
  /** While it is down it answers nobody. */
  isDown: boolean;
  close: () => void;
};

export async function openMicrosoft(): Promise<Microsoft> {
  const [appId, tenantId, password] = [randomUUID(), randomUUID(), randomUUID()];
  const own = await generateKeyPair('RS256');
  let [kid, keys] = [randomUUID() as string, await generateKeyPair('RS256')];
  const asked: string[] = [];

  const answer = async (path: string, form: URLSearchParams): Promise<[number, object]> => {
    if (path === '/openid') return [200, { issuer: ISSUER, jwks_uri: `${url}/keys` }];
    if (path === '/keys') {
      const key = { ...(await exportJWK(keys.publicKey)), kid, use: 'sig', endorsements: ['msteams', 'webchat'] };
      const other = { ...(await exportJWK(own.publicKey)), kid: 'skype', use: 'sig', endorsements: ['skype'] };
      return [200, { keys: [other, key] }];
    }
    const isApp = form.get('client_id') === appId && form.get('client_secret') === password;
    if (path !== `/${tenantId}/oauth2/v2.0/token` || !isApp) return [401, { error: 'invalid_client' }];
    const token = await new SignJWT({ appid: appId, aud: form.get('scope')?.replace('/.default', '') ?? '' })
      .setProtectedHeader({ alg: 'RS256' })
      .setExpirationTime('1h')
      .sign(own.privateKey);
    return [200, { token_type: 'Bearer', expires_in: HOUR, access_token: token }];
  };
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      asked.push(request.url ?? '');
      if (microsoft.isDown) {
        request.socket.destroy();
        return;
      }
      const [status, json] = await answer(request.url ?? '', new URLSearchParams(body));
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const microsoft: Microsoft = {
    appId,
    tenantId,
    environment: {
      MicrosoftAppId: appId,
      MicrosoftAppTenantId: tenantId,
      MicrosoftAppPassword: password,
      ToBotFromChannelOpenIdMetadataUrl: `${url}/openid`,
      ToChannelFromBotLoginUrl: url,
      BOT_SERVICE_HOSTS: '127.0.0.1',
    },
    sign: (claims, header = {}) =>
      new SignJWT({ iss: ISSUER, aud: appId, exp: now() + HOUR, nbf: now(), ...claims })
        .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT', ...header })
        .sign(header.kid === 'skype' ? own.privateKey : keys.privateKey),
    async changeKey() {
      [kid, keys] = [randomUUID(), await generateKeyPair('RS256')];
    },
    async send(origin, activity) {
      const token = await microsoft.sign({ serviceurl: activity.serviceUrl ?? '' });
      const response = await fetch(`${origin}/api/messages`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify(activity),
      });
      await response.text();
      return response.status;
    },
    isBots: async (authorization = '') => {
      try {
        const { payload } = await jwtVerify(authorization.replace('Bearer ', ''), own.publicKey, { audience: ISSUER });
        return payload.appid === appId;
      } catch {
        return false;
      }
    },
    asked,
    isDown: false,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return microsoft;
}

const now = (): number => Math.floor(Date.now() / 1_000);
