/**
 * The pages of signing in: out to the provider of identity, and back to a code
 * that is typed where the question was asked.
 *
 * Nothing personal is on any of them, and none says more than how to go on. A
 * page that fails has proved nobody, and the link in the chat works again for
 * as long as the conversation waits.
 */
import type { IncomingMessage } from 'node:http';
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import type { Content } from '../content.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { escaped, sendPage } from '../web/page.ts';
import type { Provider, ProviderClient } from './provider.ts';
import { SIGN_IN_LASTS, type SignIns } from './sign-ins.ts';

export type SignInWorld = {
  content: Pick<Content, 'label'>;
  signIns: Pick<SignIns, 'begin' | 'take' | 'prove'>;
  provider: Provider;
  holderFor: Ledger['holderFor'];
  /** Where browsers reach us. It is known once we listen. */
  publicOrigin: () => string;
  /** The levels of assurance that are enough. If there are none, any is. */
  acr: readonly string[];
  /** What the provider calls whoever has signed in. */
  holderClaim: string;
  /** Is told how a sign-in ended. */
  onOutcome?: (outcome: SignInOutcome) => void;
  /** Is told whether the provider could be reached, when it was needed. */
  onProvider?: (isReached: boolean) => void;
  onMistake: (mistake: unknown) => void;
  now: () => Date;
};

const PATH = '/sign-in';
const CALLBACK = `${PATH}/callback`;
const COOKIE = 'kortlotsen-sign-in';

/** Where a challenge is met. */
export const signInLink = (origin: string, challenge: string): string =>
  `${origin}${PATH}?${new URLSearchParams({ challenge }).toString()}`;

/** Where the provider sends browsers back to, as it must be told beforehand. */
export const signInCallback = (origin: string): string => `${origin}${CALLBACK}`;

const statuses = { expired: 410, denied: 403, insufficient: 403, refused: 400, unreachable: 503, failed: 500 } as const;
type Failing = keyof typeof statuses;

/** How a sign-in may end. */
export type SignInOutcome = Failing | 'proved';
export const signInOutcomes: readonly SignInOutcome[] = ['proved', ...(Object.keys(statuses) as Failing[])];

const Brought = z.string().min(1).max(200);

export function mountSignIn(server: Server, world: SignInWorld): void {
  const {
    content,
    signIns,
    provider,
    holderFor,
    publicOrigin,
    acr,
    holderClaim,
    onOutcome,
    onProvider,
    onMistake,
    now,
  } = world;
  const label = (name: string) => content.label(`sign-in/${name}`);

  const fail = (res: Response, failing: Failing) => {
    onOutcome?.(failing);
    sendSignInPage(res, {
      title: label('notSignedIn'),
      body: paragraphs(label(failing)),
      status: statuses[failing],
    });
  };

  const page = (path: string, visit: (req: Request, res: Response, client: ProviderClient) => Promise<void>) => {
    server.get(path, async (req: Request, res: Response) => {
      try {
        const reached = await provider.reach();
        if (reached.outcome === 'reached') await visit(req, res, reached.client);
        else failFor(res, reached.outcome, reached.why);
      } catch (mistake) {
        onMistake(mistake);
        fail(res, 'failed');
      }
    });
  };
  const failFor = (res: Response, failing: Failing, why: string) => {
    if (failing === 'unreachable') onProvider?.(false);
    onMistake(new Error(`The provider of identity is ${failing} (${why})`));
    fail(res, failing);
  };

  page(PATH, async (req, res, client) => {
    const challenge = parameter(req, 'challenge');
    const begun = challenge && (await signIns.begin(challenge));
    if (!begun) {
      fail(res, 'expired');
      return;
    }
    const { browser, ...errand } = begun;
    const origin = publicOrigin();
    const address = await client.addressFor({ ...errand, redirectUri: signInCallback(origin), acr });
    const cookie = [`${cookieFor(origin)}=${browser}`, `Path=${PATH}`, `Max-Age=${SIGN_IN_LASTS}`];
    const guards = ['HttpOnly', 'SameSite=Lax', ...(isSecure(origin) ? ['Secure'] : [])];
    res.writeHead(303, {
      Location: address.href,
      'Set-Cookie': [...cookie, ...guards].join('; '),
    });
    res.end();
  });

  page(CALLBACK, async (req, res, client) => {
    const origin = publicOrigin();
    const [state, browser] = [parameter(req, 'state'), cookieOf(req, cookieFor(origin))];
    const taken = state && browser && (await signIns.take(state, browser));
    if (!taken) {
      fail(res, 'expired');
      return;
    }
    const { nonce, verifier } = taken;
    const errand = { redirectUri: signInCallback(origin), state, nonce, verifier };
    const believed = await client.believe(errand, req.getQuery());
    if (believed.outcome === 'denied') {
      onProvider?.(true);
      fail(res, 'denied');
      return;
    }
    if (believed.outcome !== 'proved') {
      failFor(res, believed.outcome, believed.why);
      return;
    }
    onProvider?.(true);
    const assured = Brought.safeParse(believed.claims.acr).data;
    if (acr.length > 0 && !(assured && acr.includes(assured))) {
      fail(res, 'insufficient');
      return;
    }
    const identifier = Brought.safeParse(believed.claims[holderClaim]).data?.trim();
    if (!identifier) {
      failFor(res, 'refused', 'NO_HOLDER_CLAIM');
      return;
    }
    const holder = await holderFor(identifier);
    if (holder.outcome !== 'found') {
      fail(res, 'unreachable');
      return;
    }
    const provedAt = new Date(now().getTime() - believed.age);
    const code = await signIns.prove(taken, { person: holder.holder, provedAt, acr: assured });
    if (!code) {
      fail(res, 'expired');
      return;
    }
    onOutcome?.('proved');
    sendSignInPage(res, {
      title: label('code'),
      body: `${paragraphs(label('whereToType'))}
<p class="code"><strong>${escaped(code)}</strong></p>
${paragraphs(label('whoseCode'))}`,
    });
  });
}

/** A page of its own, that nothing runs on. `body` is HTML already. */
export function sendSignInPage(
  res: Response,
  { title, body, status, leadsTo = [] }: { title: string; body: string; status?: number; leadsTo?: readonly string[] },
): void {
  sendPage(res, {
    title,
    ...(status && { status }),
    head: (nonce) => `<style nonce="${nonce}">${STYLE}</style>\n<link rel="icon" href="data:,">`,
    body: `<main>\n<h1>${escaped(title)}</h1>\n${body}\n</main>`,
    allows: (nonce) => [`style-src 'nonce-${nonce}'`, 'img-src data:', `form-action ${leadsTo.join(' ') || "'none'"}`],
  });
}

export const paragraphs = (text: string): string =>
  text
    .split('\n\n')
    .map((each) => `<p>${escaped(each)}</p>`)
    .join('\n');

export const parameter = (req: Request, name: string): string | undefined =>
  Brought.safeParse(new URLSearchParams(req.getQuery()).get(name)).data;

export const isSecure = (origin: string): boolean => origin.startsWith('https:');
/** By this name a browser takes it over https only. */
const cookieFor = (origin: string): string => (isSecure(origin) ? `__Secure-${COOKIE}` : COOKIE);

export const cookieOf = ({ headers }: Pick<IncomingMessage, 'headers'>, name: string): string | undefined =>
  new RegExp(`(?:^|; )${name}=([\\w-]{1,800})(?:;|$)`).exec(headers.cookie ?? '')?.[1];

const STYLE = `
body { margin: 0; background: #f2f6f8; color: #16242d; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.05rem; }
ul { display: flex; flex-wrap: wrap; gap: 0.5rem; padding: 0; list-style: none; }
button { padding: 0.55rem 1rem; border: 1px solid #00527a; border-radius: 1.2rem; background: white; color: #00527a; font: inherit; cursor: pointer; }
button:hover { background: #e3eef4; }
button:focus-visible { outline: 3px solid #b35c00; outline-offset: 2px; }
.code { padding: 1rem; border: 2px solid #00527a; border-radius: 0.5rem; background: white; font: 2rem/1.2 ui-monospace, monospace; letter-spacing: 0.1em; text-align: center; user-select: all; }
`;
