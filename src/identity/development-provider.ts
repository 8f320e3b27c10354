/**
 * A provider of identity to try the assistant with: a real one, on this machine
 * only, where whoever comes chooses which of our inventions to be.
 *
 * Students and those who work at the servicedesk come by clients of their own,
 * and each client knows its own people only.
 *
 * It runs on an address of its own and outlives the server it serves. It
 * remembers nothing when it is stopped, and never starts in production.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Adapter, AdapterPayload, ClientMetadata, Configuration } from 'oidc-provider';
import { createServer, type Next, plugins, type Request, type Response } from 'restify';
import { z } from 'zod';
import type { Content } from '../content.ts';
import { StartupProblem } from '../startup-problem.ts';
import { escaped } from '../web/page.ts';
import { paragraphs, sendSignInPage } from './sign-in.ts';

export type DevelopmentProviderWorld = {
  isProduction: boolean;
  /** Where the server it is for listens. */
  host: string;
  /** Whom one may sign in as. */
  names: readonly string[];
  /** What the provider calls the one of that name, in its claim `holder`. */
  identifierOf: (name: string) => Promise<string> | string;
  content: Pick<Content, 'label'>;
  /** Where it may send browsers back to, asked each time: it starts before the server it is for. */
  redirectUris: () => readonly string[];
  /** The same, of those who work at the servicedesk. */
  deskRedirectUris?: () => readonly string[];
  /** The level of assurance it gives whoever signs in. */
  acr?: string;
};

export type DevelopmentProvider = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Who we are there as the servicedesk. */
  desk: { clientId: string; clientSecret: string };
  stop: () => Promise<void>;
};

export const DEMONSTRATION_ACR = 'urn:kortlotsen:demo';
export const DEMONSTRATION_CLAIM = 'holder';

/** Those who work at the servicedesk, by what they are chosen by, with the claims the provider makes of them. */
export const demonstrationMembers: Readonly<Record<string, { name: string; roles: readonly string[] }>> = {
  'agent-anna': { name: 'Anna', roles: ['agent'] },
  'agent-bashir': { name: 'Bashir', roles: ['agent'] },
  'editor-eva': { name: 'Eva', roles: ['editor'] },
  'agent-and-editor-disa': { name: 'Disa', roles: ['agent', 'editor'] },
};

/** Whom it is told about, and what it tells of them. */
type Client = {
  id: string;
  secret: string;
  names: readonly string[];
  claimsOf: (name: string) => Promise<Record<string, unknown>>;
  redirectUris: () => readonly string[];
  /** The introduction of the page where one chooses. */
  intro: () => string;
};

const HERE = '127.0.0.1';
const LOOPBACK: readonly string[] = [HERE, '::1', 'localhost'];
/** In seconds. */
const WHILE_SIGNING_IN = 600;
const CODE_LASTS = 60;
const TOKEN_LASTS = 300;

const Chosen = z.object({ name: z.string() });

export async function startDevelopmentProvider(world: DevelopmentProviderWorld): Promise<DevelopmentProvider> {
  const { isProduction, host, names, identifierOf, content, redirectUris, acr = DEMONSTRATION_ACR } = world;
  const { deskRedirectUris = () => [] } = world;
  if (isProduction || !LOOPBACK.includes(host)) {
    throw new StartupProblem(
      'settingsAreWrong',
      'Signing in as an invented person is for trying the assistant on this machine; set a provider of identity.',
    );
  }
  const { Provider } = await quietly(() => import('oidc-provider'));
  const label = (name: string) => content.label(`sign-in/${name}`);
  const students: Client = {
    id: 'kortlotsen',
    secret: secret(),
    names,
    claimsOf: async (name) => ({ [DEMONSTRATION_CLAIM]: await identifierOf(name) }),
    redirectUris,
    intro: () => label('intro'),
  };
  const desk: Client = {
    id: 'kortlotsen-servicedesk',
    secret: secret(),
    names: Object.keys(demonstrationMembers),
    claimsOf: (name) => Promise.resolve({ ...demonstrationMembers[name] }),
    redirectUris: deskRedirectUris,
    intro: () => content.label('servicedesk-sign-in/demonstration'),
  };
  const clientOf = (id: unknown) => [students, desk].find((client) => client.id === id);
  const metadataOf = (client: Client): ClientMetadata => ({
    client_id: client.id,
    client_secret: client.secret,
    redirect_uris: [...client.redirectUris()],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    id_token_signed_response_alg: 'ES256',
    token_endpoint_auth_method: 'client_secret_basic',
  });

  const server = createServer({ name: 'kortlotsen', onceNext: true });
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(0, HERE, resolve);
  });
  const issuer = `http://${HERE}:${(server.server.address() as AddressInfo).port}`;

  const provider = new Provider(issuer, {
    adapter: remembering((id) => {
      const client = clientOf(id);
      return client && metadataOf(client);
    }),
    jwks: { keys: [{ ...privateKey(), kid: 'demonstration', use: 'sig', alg: 'ES256' }] },
    // The cookie that would remember a login is for no page of its own: whoever comes next is asked anew.
    cookies: { keys: [secret()], long: { path: '/nowhere', httpOnly: true, sameSite: 'lax' } },
    acrValues: [acr, DEMONSTRATION_ACR],
    claims: {
      openid: ['sub', DEMONSTRATION_CLAIM, 'roles'],
      profile: ['name'],
      acr: null,
      auth_time: null,
      iss: null,
      sid: null,
    },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    ttl: {
      AccessToken: TOKEN_LASTS,
      AuthorizationCode: CODE_LASTS,
      Grant: WHILE_SIGNING_IN,
      IdToken: TOKEN_LASTS,
      Interaction: WHILE_SIGNING_IN,
      Session: WHILE_SIGNING_IN,
    },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount({ oidc }, name) {
      const client = clientOf(oidc.client?.clientId);
      if (!client?.names.includes(name)) return undefined;
      return { accountId: name, claims: async () => ({ sub: name, ...(await client.claimsOf(name)) }) };
    },
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client?.clientId,
        accountId: oidc.session?.accountId,
      });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
    renderError(ctx) {
      ctx.type = 'text/plain';
      ctx.body = label('refused');
    },
  } satisfies Configuration);

  const form = '/interaction/:uid';
  const expired = (res: Response) => {
    sendSignInPage(res, { title: label('notSignedIn'), body: paragraphs(label('expired')), status: 410 });
  };
  server.get(form, async (req: Request, res: Response) => {
    const client = await clientUnderWay(req, res);
    if (!client) return;
    const choices = client.names.map(
      (name) => `<li><button name="name" value="${escaped(name)}">${escaped(name)}</button></li>`,
    );
    sendSignInPage(res, {
      title: label('title'),
      body: `${paragraphs(client.intro())}
<form method="post">
<h2>${escaped(label('holders'))}</h2>
<ul>
${choices.join('\n')}
</ul>
</form>`,
      // A browser follows the form through all it is redirected to, by this same policy.
      leadsTo: ["'self'", ...client.redirectUris().map((uri) => new URL(uri).origin)],
    });
  });
  server.post(
    form,
    plugins.bodyReader({ maxBodySize: 4_096 }),
    plugins.urlEncodedBodyParser({ mapParams: false }),
    async (req: Request, res: Response) => {
      const chosen = Chosen.safeParse(req.body).data?.name;
      const client = await clientUnderWay(req, res);
      if (!client) return;
      if (chosen === undefined || !client.names.includes(chosen)) {
        expired(res);
        return;
      }
      await provider.interactionFinished(req, res, { login: { accountId: chosen, acr } });
    },
  );
  /** Who has sent the browser that signs in just now. */
  const clientUnderWay = async (req: Request, res: Response): Promise<Client | undefined> => {
    const details = await provider.interactionDetails(req, res).catch(() => undefined);
    const client = clientOf(details?.params.client_id);
    if (!client) expired(res);
    return client;
  };
  const answer = provider.callback();
  const pass = (req: Request, res: Response, next: Next) => {
    void answer(req, res).then(() => {
      next();
    });
  };
  server.get('/*', pass);
  server.post('/*', pass);

  return {
    issuer,
    clientId: students.id,
    clientSecret: students.secret,
    desk: { clientId: desk.id, clientSecret: desk.secret },
    async stop() {
      const closed = new Promise<void>((resolve) => {
        server.close(resolve);
      });
      server.server.closeAllConnections();
      await closed;
    },
  };
}

/** What a provider keeps, in memory, and its clients from elsewhere. */
function remembering(clientOf: (id: string) => AdapterPayload | undefined): (model: string) => Adapter {
  type Remembered = { payload: AdapterPayload; until: number };
  const memory = new Map<string, Remembered>();
  const forget = (isGone: (remembered: Remembered) => boolean) => {
    for (const [key, remembered] of memory) if (isGone(remembered)) memory.delete(key);
  };
  return (model) => {
    const keyOf = (id: string) => `${model}:${id}`;
    const recall = (id: string) => memory.get(keyOf(id))?.payload;
    return {
      upsert: (id, payload, lifetime = Infinity) => {
        forget(({ until }) => until < Date.now());
        memory.set(keyOf(id), { payload, until: Date.now() + lifetime * 1_000 });
        return Promise.resolve();
      },
      find: (id) => Promise.resolve(model === 'Client' ? clientOf(id) : recall(id)),
      findByUid: (uid) => {
        const isIt = ([key, { payload }]: [string, Remembered]) => key.startsWith(keyOf('')) && payload.uid === uid;
        return Promise.resolve([...memory].find(isIt)?.[1].payload);
      },
      findByUserCode: () => Promise.resolve(undefined),
      consume: (id) => {
        const payload = recall(id);
        if (payload) payload.consumed = Math.floor(Date.now() / 1_000);
        return Promise.resolve();
      },
      destroy: (id) => {
        memory.delete(keyOf(id));
        return Promise.resolve();
      },
      revokeByGrantId: (grant) => {
        forget(({ payload }) => payload.grantId === grant);
        return Promise.resolve();
      },
    };
  };
}

const secret = (): string => randomBytes(32).toString('base64url');

const privateKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

/** The library warns of Node 20, which it works on, as it is loaded. */
async function quietly<T>(load: () => Promise<T>): Promise<T> {
  const speaking = globalThis.console;
  globalThis.console = Object.assign(Object.create(speaking) as Console, { warn: () => undefined });
  try {
    return await load();
  } finally {
    globalThis.console = speaking;
  }
}
