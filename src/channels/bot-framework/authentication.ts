/**
 * Who may send us activities.
 *
 * botbuilder's own check answers 500 to a forged signature, writes each one to
 * the console, lets the unverified tenant of any token lengthen a list for
 * ever, and may refuse a new key of Microsoft's for an hour. So what comes is
 * proved here, by jose: only what the Bot Connector service has signed, just
 * now, for this app, for the channel and the address that the activity names
 * (learn.microsoft.com, “Authenticate requests from the Bot Connector service
 * to your bot”). Tokens of emulators, skills and other bots are not taken.
 */
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';

export type Cloud = {
  /** Who signs what comes to us. */
  issuer: string;
  /** Where it tells of its keys. */
  metadataUrl: string;
};

/** What of an activity a token has to agree with. */
export type Claimed = { channelId: string; serviceUrl: string };

export type Doorkeeper = {
  /** Whether the header proves that the activity comes from the Bot Connector service, and is meant for us. */
  check: (header: string | undefined, claimed: Claimed) => Promise<Checked>;
};

export type Checked =
  | { outcome: 'proved'; claims: Readonly<Record<string, unknown>> }
  | { outcome: 'refused' }
  /** The keys cannot be had, and nobody can be believed until they can. */
  | { outcome: 'unreachable' };

const ALGORITHMS = ['RS256', 'RS384', 'RS512'];
/** In seconds, as Microsoft asks for. */
const CLOCK_SKEW = 300;
/** In milliseconds. */
const DEADLINE = 5_000;
const METADATA_LASTS = 86_400_000;
/** A key that is not among them is looked for at once, though not more than every 30 seconds. */
const KEYS_LAST = 86_400_000;
const BETWEEN_TRIES = 1_000;
/** In characters. A real one has about 1,500. */
const LONGEST_HEADER = 8_000;

const Metadata = z.object({ jwks_uri: z.url({ protocol: /^https?$/ }) });
const Endorsed = z.object({ kid: z.string(), endorsements: z.array(z.string()) });
const Claims = z.object({ aud: z.string(), serviceurl: z.string() });

export function createDoorkeeper(appId: string, { issuer, metadataUrl }: Cloud): Doorkeeper {
  const keysOf = lasting(async () => {
    // Where the keys are is told by the address in the settings, and by none that it leads on to.
    const response = await fetch(metadataUrl, { signal: AbortSignal.timeout(DEADLINE), redirect: 'error' });
    const { jwks_uri } = Metadata.parse(await response.json());
    return createRemoteJWKSet(new URL(jwks_uri), { timeoutDuration: DEADLINE, cacheMaxAge: KEYS_LAST });
  });

  return {
    async check(header = '', { channelId, serviceUrl }) {
      // What cannot be one of ours costs nothing, however many there are.
      const [, token = ''] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(header.slice(0, LONGEST_HEADER)) ?? [];
      if (issuerOf(token) !== issuer) return { outcome: 'refused' };
      const keys = await keysOf();
      if (!keys) return { outcome: 'unreachable' };
      try {
        const { payload, protectedHeader } = await jwtVerify(token, keys, {
          issuer,
          algorithms: ALGORITHMS,
          clockTolerance: CLOCK_SKEW,
          requiredClaims: ['exp'],
        });
        const { data } = Claims.safeParse(payload);
        const isForUs = data?.aud === appId && isSameAddress(data.serviceurl, serviceUrl);
        if (!isForUs || !endorsementsOf(keys.jwks(), protectedHeader.kid).includes(channelId)) {
          return { outcome: 'refused' };
        }
        return { outcome: 'proved', claims: payload };
      } catch (mistake) {
        return { outcome: isAboutToken(mistake) ? 'refused' : 'unreachable' };
      }
    },
  };
}

/** Not verified: it only tells whether to go to the trouble. */
function issuerOf(token: string): unknown {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return z.object({ iss: z.unknown() }).safeParse(payload).data?.iss;
  } catch {
    return undefined;
  }
}

const isSameAddress = (one: string, other: string): boolean => one.replace(/\/$/, '') === other.replace(/\/$/, '');

/** The channels that a key may sign for. */
const endorsementsOf = (keys: { keys: unknown[] } | undefined, kid: string | undefined): string[] =>
  (keys?.keys ?? [])
    .flatMap((key) => Endorsed.safeParse(key).data ?? [])
    .filter((key) => key.kid === kid)
    .flatMap(({ endorsements }) => endorsements);

/** jose throws its own for a token, and the plain one when it could not fetch the keys, or they are no keys. */
const isAboutToken = (mistake: unknown): boolean =>
  mistake instanceof errors.JOSEError &&
  !['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID'].includes(mistake.code);

/**
 * Fetched when it is first needed, then once a day; what cannot be had is not asked for more than once a second.
 * By a clock that nobody sets, or one that is set back would keep everybody waiting.
 */
function lasting<Value>(fetchIt: () => Promise<Value>): () => Promise<Value | undefined> {
  let kept: { value: Value; until: number } | undefined;
  let fetching: Promise<void> | undefined;
  let nextTry = 0;
  return async () => {
    if ((!kept || kept.until < performance.now()) && nextTry <= performance.now()) {
      fetching ??= fetchIt()
        .then((value) => {
          kept = { value, until: performance.now() + METADATA_LASTS };
        })
        .catch(() => {
          nextTry = performance.now() + BETWEEN_TRIES;
        })
        .finally(() => {
          fetching = undefined;
        });
      await fetching;
    }
    // Keys that were good yesterday are better than nobody being let in.
    return kept?.value;
  };
}
