/**
 * The provider of identity, by OpenID Connect: where to send a browser, and
 * what to believe of its coming back.
 *
 * A token is believed only if the provider has signed it with a key that only
 * it has, for us, for this browser, and just now. What is found wrong with one
 * is told by its kind alone, since the particulars are somebody's.
 */
import * as openId from 'openid-client';

export type ProviderSettings = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** `openid` and whatever else makes the provider tell who it is. */
  scope: string;
  /** Lets the provider be reached by http, as one on this machine is. */
  allowInsecure: boolean;
};

export type Provider = {
  /** Finds out about the provider, once it has answered; until then it is asked each time. */
  reach: () => Promise<{ outcome: 'reached'; client: ProviderClient } | Unreachable>;
};

/** `why` is a kind of failure, and holds nothing of anybody. */
export type Unreachable = { outcome: 'unreachable'; why: string };

export type ProviderClient = {
  /** Where the browser is sent. Whoever is signed in there must do it again: it may be another's browser. */
  addressFor: (errand: Errand & { acr: readonly string[] }) => Promise<URL>;
  /** What the browser has brought. `query` is what the provider has added to the address of the callback. */
  believe: (errand: Errand, query: string) => Promise<Believed>;
};

export type Errand = { redirectUri: string; state: string; nonce: string; verifier: string };

export type Believed =
  /** `age` is how long ago the person signed in, in milliseconds. */
  | { outcome: 'proved'; claims: Readonly<Record<string, unknown>>; age: number }
  /** The person would not, or could not. */
  | { outcome: 'denied' }
  | { outcome: 'refused'; why: string }
  | Unreachable;

/** In seconds. */
const DEADLINE = 8;
const OLDEST_PROOF = 300;
const NO_ANSWER = 'NO_ANSWER';

export function createProvider(settings: ProviderSettings): Provider {
  let discovered: Promise<openId.Configuration> | undefined;
  return {
    async reach() {
      discovered ??= discover(settings);
      try {
        return { outcome: 'reached', client: clientOf(await discovered, settings.scope) };
      } catch (mistake) {
        discovered = undefined;
        return { outcome: 'unreachable', why: kindOf(mistake) };
      }
    },
  };
}

function discover(settings: ProviderSettings): Promise<openId.Configuration> {
  const { issuer, clientId, clientSecret, allowInsecure } = settings;
  // This has the signature of every token checked, with a public key: one that is unsigned or signed with our secret fails.
  const checks = [openId.enableNonRepudiationChecks];
  // Marked as deprecated so that it stands out, as it should.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  if (allowInsecure) checks.push(openId.allowInsecureRequests);
  const authentication = openId.ClientSecretBasic(clientSecret);
  const options = { execute: checks, timeout: DEADLINE, [openId.customFetch]: asking };
  return openId.discovery(new URL(issuer), clientId, undefined, authentication, options);
}

const clientOf = (configuration: openId.Configuration, scope: string): ProviderClient => ({
  async addressFor({ redirectUri, state, nonce, verifier, acr }) {
    return openId.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      response_type: 'code',
      scope,
      state,
      nonce,
      code_challenge: await openId.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      prompt: 'login',
      max_age: String(OLDEST_PROOF),
      ...(acr.length > 0 && { acr_values: acr.join(' ') }),
    });
  },
  async believe({ redirectUri, state, nonce, verifier }, query) {
    try {
      const tokens = await openId.authorizationCodeGrant(configuration, new URL(`${redirectUri}?${query}`), {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        maxAge: OLDEST_PROOF,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) return { outcome: 'refused', why: 'NO_ID_TOKEN' };
      const age = Math.max(0, Date.now() - (claims.auth_time ?? 0) * 1_000);
      return { outcome: 'proved', claims, age };
    } catch (mistake) {
      if (mistake instanceof openId.AuthorizationResponseError && mistake.error === 'access_denied')
        return { outcome: 'denied' };
      const isAbsent = codesOf(mistake).includes(NO_ANSWER);
      return { outcome: isAbsent ? 'unreachable' : 'refused', why: kindOf(mistake) };
    }
  },
});

/** What does not answer, or only that it cannot, is told apart from what answers wrongly. */
const asking: openId.CustomFetch = async (url, options) => {
  const response = await fetch(url, options as RequestInit).catch((cause: unknown) => {
    throw Object.assign(new Error('The provider of identity does not answer', { cause }), { code: NO_ANSWER });
  });
  if (response.status < 500) return response;
  throw Object.assign(new Error('The provider of identity cannot answer'), { code: NO_ANSWER });
};

/** Of what went wrong: the codes of it and of its causes, which are fixed words. */
function codesOf(mistake: unknown): string[] {
  if (typeof mistake !== 'object' || mistake === null) return [];
  const { code, cause } = mistake as { code?: unknown; cause?: unknown };
  const isKnown = typeof code === 'string' && /^[A-Z_]{1,60}$/.test(code);
  return [...(isKnown ? [code] : []), ...codesOf(cause)];
}

const kindOf = (mistake: unknown): string => codesOf(mistake).join(' ') || 'UNKNOWN';
