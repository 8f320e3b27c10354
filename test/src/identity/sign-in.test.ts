/** Signing in from end to end, with a real provider; and everybody who tries to be somebody else. */
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'restify';
import { startDevelopmentProvider, type DevelopmentProvider } from '../../../src/identity/development-provider.ts';
import { createProvider, type ProviderSettings } from '../../../src/identity/provider.ts';
import { mountSignIn, signInCallback, signInLink, type SignInWorld } from '../../../src/identity/sign-in.ts';
import { createSignIns } from '../../../src/identity/sign-ins.ts';
import { createServer } from '../../../src/server.ts';
import { openTestDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';
import { type Browser, openBrowser, type Visited } from './browsing.ts';
import {
  type ForgingProvider,
  type Forging,
  honestly,
  signedWith,
  startForgingProvider,
  unsigned,
} from './forging-provider.ts';
import { letLapse, provedIn, type Waiting, waitFor } from './waiting.ts';

const NAMES = ['active', 'protected'];
const IDENTIFIER = 'identifier-of-active';
const HOLDER = 'h_of-identifier-of-active';
const ACR = 'urn:kortlotsen:demo';
const CODE = /[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}/;
/** The clock of the product is its own; those who sign tokens have that of the machine. */
const now = () => new Date('2026-11-23T08:00:00+01:00');

const database = await openTestDatabase();
const signIns = createSignIns(database, 'a key of the tests');

type Place = { origin: string; mistakes: string[]; server: Server };
const places: Place[] = [];

/** Our pages, listening, with this provider behind them. */
async function serve(provider: ProviderSettings, changes: Partial<SignInWorld> = {}): Promise<Place> {
  const mistakes: string[] = [];
  const onMistake = (mistake: unknown) => {
    mistakes.push(String(mistake));
  };
  const place = { origin: '', mistakes };
  const server = await createServer({
    content,
    mounts: [
      (each) => {
        mountSignIn(each, {
          content,
          signIns,
          provider: createProvider(provider),
          holderFor: (identifier) => Promise.resolve({ outcome: 'found', holder: `h_of-${identifier}` }),
          publicOrigin: () => place.origin,
          acr: [ACR],
          holderClaim: 'holder',
          onMistake,
          now,
          ...changes,
        });
      },
    ],
    isHealthy: () => Promise.resolve({}),
    onMistake,
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  place.origin = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  const served = Object.assign(place, { server });
  places.push(served);
  return served;
}

let real: DevelopmentProvider & ProviderSettings;
let low: DevelopmentProvider & ProviderSettings;
let forging: ForgingProvider & ProviderSettings;
let here: Place;
let forged: Place;

/** The development's provider, which may send browsers to all our pages there are by then. */
async function startProvider(acr?: string): Promise<DevelopmentProvider & ProviderSettings> {
  const started = await startDevelopmentProvider({
    isProduction: false,
    host: '127.0.0.1',
    names: NAMES,
    identifierOf: (name) => `identifier-of-${name}`,
    content,
    redirectUris: () => places.map(({ origin }) => signInCallback(origin)),
    ...(acr && { acr }),
  });
  return { ...started, scope: 'openid', allowInsecure: true };
}

beforeAll(async () => {
  real = await startProvider();
  low = await startProvider('urn:kortlotsen:low');
  forging = { ...(await startForgingProvider(IDENTIFIER)), scope: 'openid', allowInsecure: true };
  here = await serve(real);
  forged = await serve(forging);
});
afterAll(async () => {
  for (const { server } of places) {
    server.close();
    server.server.closeAllConnections();
  }
  await Promise.all([real.stop(), low.stop(), forging.stop()]);
  await database.close();
});

const linkOf = ({ challenge }: Waiting, { origin }: Place = here) => signInLink(origin, challenge);

/** From the link, through the provider, until it sends the browser back: where to. */
async function goThrough(browser: Browser, link: string, name = 'active'): Promise<string> {
  const sent = await browser.open(link);
  const asked = await browser.open((await browser.open(sent.location)).location);
  expect(asked.text).toContain(`value="${name}"`);
  const chosen = await browser.submit(asked.url, { name });
  const { location } = await browser.open(chosen.location);
  return location;
}

/** What our own page sends to the provider, and so what a provider that forges knows. */
async function sendOff(browser: Browser, waiting: Waiting, place: Place) {
  const { location } = await browser.open(linkOf(waiting, place));
  const { searchParams } = new URL(location);
  const [state, nonce] = [searchParams.get('state') ?? '', searchParams.get('nonce') ?? ''];
  const back = (changes: Record<string, string> = {}) => {
    const query = new URLSearchParams({ code: 'any', state, iss: forging.issuer, ...changes });
    return `${signInCallback(place.origin)}?${query.toString()}`;
  };
  return { state, nonce, back, searchParams };
}

function expectNothingTold(page: Visited, status: number): void {
  expect(page.status).toBe(status);
  expect(page.text).toContain('<h1>Du är inte inloggad</h1>');
  expect(page.text).not.toMatch(CODE);
  expect(page.text).not.toMatch(/identifier-of|h_of/);
}
const expectNobodyProved = async (waiting: Waiting) => {
  expect(await provedIn(database, waiting)).toEqual([]);
};

describe('the right way', () => {
  it('leads from the link to a code, and the code tells the conversation who it was and when', async () => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const page = await browser.open(await goThrough(browser, linkOf(waiting)));
    expect(page.status).toBe(200);
    const [code = ''] = CODE.exec(page.text) ?? [];
    const redeemed = await signIns.redeem(waiting.conversation, code, 'try');
    expect(redeemed).toMatchObject({ outcome: 'proved', person: HOLDER });
    const age = redeemed.outcome === 'proved' ? now().getTime() - redeemed.provedAt.getTime() : -1;
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(60_000);
    expect(here.mistakes).toEqual([]);
  });

  it('shows a page in Swedish that says nothing of anybody, keeps nothing and runs nothing', async () => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const { text, headers } = await browser.open(await goThrough(browser, linkOf(waiting)));
    expect(text).toContain('<html lang="sv">');
    expect(text).toContain('lämna inte ut koden');
    expect(text).not.toMatch(/identifier-of|h_of|<script|href="http/);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*form-action 'none'$/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('asks for a fresh login of the accepted kind, with everything that binds the answer to this browser', async () => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const sent = await browser.open(linkOf(waiting));
    expect(sent.status).toBe(303);
    expect(Object.fromEntries(new URL(sent.location).searchParams)).toEqual({
      client_id: real.clientId,
      response_type: 'code',
      scope: 'openid',
      redirect_uri: signInCallback(here.origin),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      prompt: 'login',
      max_age: '300',
      acr_values: ACR,
    });
    const cookie = sent.headers.getSetCookie().join();
    expect(cookie).toMatch(/^kortlotsen-sign-in=[\w-]{43}; Path=\/sign-in; Max-Age=600; HttpOnly; SameSite=Lax$/);
    expect(sent.headers.get('cache-control')).toBe('no-store');
  });

  it('marks the cookie as secure, by its name too, where the page is reached by https', async () => {
    const secure = await serve(forging, { publicOrigin: () => 'https://kort.example' });
    const { headers, location } = await openBrowser().open(linkOf(await waitFor(database), secure));
    expect(headers.getSetCookie().join()).toMatch(/^__Secure-kortlotsen-sign-in=.*; HttpOnly; SameSite=Lax; Secure$/);
    expect(new URL(location).searchParams.get('redirect_uri')).toBe('https://kort.example/sign-in/callback');
  });

  it('is as good after somebody has looked at the link', async () => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    await fetch(linkOf(waiting), { method: 'HEAD', redirect: 'manual' });
    await openBrowser().open(linkOf(waiting));
    const page = await browser.open(await goThrough(browser, linkOf(waiting)));
    expect(page.text).toMatch(CODE);
  });

  it('asks who it is again in a browser where somebody has signed in before', async () => {
    const browser = openBrowser();
    await browser.open(await goThrough(browser, linkOf(await waitFor(database)), 'protected'));
    const waiting = await waitFor(database);
    await browser.open(await goThrough(browser, linkOf(waiting), 'active'));
    await expect(provedIn(database, waiting)).resolves.toEqual([HOLDER]);
  });

  it('works with the provider that forges, as long as it is honest', async () => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const { nonce, back } = await sendOff(browser, waiting, forged);
    forging.forge(nonce, honestly);
    const page = await browser.open(back());
    const [code = ''] = CODE.exec(page.text) ?? [];
    const redeemed = await signIns.redeem(waiting.conversation, code, 'try');
    expect(redeemed).toMatchObject({ outcome: 'proved', person: HOLDER });
    const age = redeemed.outcome === 'proved' ? now().getTime() - redeemed.provedAt.getTime() : -1;
    expect(age).toBeGreaterThanOrEqual(60_000);
    expect(age).toBeLessThan(120_000);
  });
});

describe('a link that is not, or no longer, waited for', () => {
  const attempts: [string, (waiting: Waiting) => Promise<unknown>, (waiting: Waiting) => string][] = [
    ['is unknown', () => Promise.resolve(), () => 'unknown'],
    ['is empty', () => Promise.resolve(), () => ''],
    ['is endless', () => Promise.resolve(), ({ challenge }) => challenge + 'x'.repeat(5_000)],
    ['has expired', (waiting) => letLapse(database, 'requests', waiting), ({ challenge }) => challenge],
    ['is the fingerprint that is kept', () => Promise.resolve(), ({ request }) => request],
    ['holds markup', () => Promise.resolve(), () => '"><script>alert(1)</script>'],
    ['holds a line break', () => Promise.resolve(), () => 'x\r\nSet-Cookie: a=b'],
    ['holds an address', () => Promise.resolve(), () => 'https://evil.example/'],
  ];
  it.each(attempts)('%s: it leads nowhere', async (_name, before, challengeOf) => {
    const waiting = await waitFor(database);
    await before(waiting);
    const page = await openBrowser().open(signInLink(here.origin, challengeOf(waiting)));
    expectNothingTold(page, 410);
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(page.location).toBe('');
    expect(page.text).not.toMatch(/evil|alert\(1\)/);
  });
});

describe('whoever comes back otherwise than they went', () => {
  /** What somebody does with the address the provider has sent a student’s browser to, in which browser, and the answer. */
  type Attack = [string, (student: { browser: Browser; waiting: Waiting; back: URL }) => Promise<Visited>, number];

  const changed = (back: URL, changes: Record<string, string>): URL => {
    const url = new URL(back);
    for (const [name, value] of Object.entries(changes)) url.searchParams.set(name, value);
    return url;
  };
  const attacks: Attack[] = [
    ['has no cookie', ({ back }) => openBrowser().open(back), 410],
    [
      'has the cookie of another sign-in',
      async ({ back }) => {
        const attacker = openBrowser();
        await attacker.open(linkOf(await waitFor(database)));
        return await attacker.open(back);
      },
      410,
    ],
    ['has no state', ({ browser, back }) => browser.open(changed(back, { state: '' })), 410],
    ['has made up a state', ({ browser, back }) => browser.open(changed(back, { state: 'made-up' })), 410],
    [
      'brings the state of another student',
      async ({ browser, back }) => {
        const { state } = await sendOff(openBrowser(), await waitFor(database), here);
        return await browser.open(changed(back, { state }));
      },
      410,
    ],
    ['has made up a code', ({ browser, back }) => browser.open(changed(back, { code: 'made-up' })), 400],
    [
      'brings the code of another student, which another verifier goes with',
      async ({ browser, back }) => {
        const other = openBrowser();
        const theirs = new URL(await goThrough(other, linkOf(await waitFor(database)), 'protected'));
        return await browser.open(changed(back, { code: theirs.searchParams.get('code') ?? '' }));
      },
      400,
    ],
    [
      'brings a code that has been used',
      async ({ browser, back }) => {
        const other = openBrowser();
        const theirs = new URL(await goThrough(other, linkOf(await waitFor(database)), 'protected'));
        await other.open(theirs);
        return await browser.open(changed(back, { code: theirs.searchParams.get('code') ?? '' }));
      },
      400,
    ],
    [
      'comes from another provider',
      ({ browser, back }) => browser.open(changed(back, { iss: 'http://evil.example' })),
      400,
    ],
    [
      'comes from no provider',
      ({ browser, back }) => {
        const url = new URL(back);
        url.searchParams.delete('iss');
        return browser.open(url);
      },
      400,
    ],
    ['brings two codes', ({ browser, back }) => browser.open(`${back.href}&code=another`), 400],
    ['brings markup', ({ browser, back }) => browser.open(changed(back, { code: '"><script>alert(1)</script>' })), 400],
    ['brings line breaks', ({ browser, back }) => browser.open(changed(back, { code: 'x\r\nSet-Cookie: a=b' })), 400],
    [
      'wants to be sent on',
      ({ browser, back }) => browser.open(changed(back, { redirect_uri: 'https://evil.example', code: '' })),
      400,
    ],
    [
      'has taken more than ten minutes',
      async ({ browser, waiting, back }) => {
        await letLapse(database, 'sign_ins', waiting);
        return await browser.open(back);
      },
      410,
    ],
    [
      'comes when the conversation has gone on',
      async ({ browser, waiting, back }) => {
        await letLapse(database, 'requests', waiting);
        return await browser.open(back);
      },
      410,
    ],
    [
      'did not want to sign in',
      ({ browser, back }) => {
        const [state, iss] = [back.searchParams.get('state') ?? '', back.searchParams.get('iss') ?? ''];
        const query = new URLSearchParams({ error: 'access_denied', error_description: '<b>evil</b>', state, iss });
        return browser.open(`${back.origin}${back.pathname}?${query.toString()}`);
      },
      403,
    ],
    [
      'met an error',
      ({ browser, back }) => {
        const [state, iss] = [back.searchParams.get('state') ?? '', back.searchParams.get('iss') ?? ''];
        const query = new URLSearchParams({ error: '"><script>alert(1)</script>', state, iss });
        return browser.open(`${back.origin}${back.pathname}?${query.toString()}`);
      },
      400,
    ],
  ];

  it.each(attacks)('%s: nobody is proved and nothing is told', async (_name, attack, status) => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const back = new URL(await goThrough(browser, linkOf(waiting)));
    const page = await attack({ browser, waiting, back });
    expectNothingTold(page, status);
    expect(page.location).toBe('');
    expect(page.text).not.toMatch(/evil|alert\(1\)/);
    expect(here.mistakes.join()).not.toMatch(/identifier-of|h_of|evil|alert/);
    await expectNobodyProved(waiting);
  });

  it('has not spoiled it for the student, if it was another browser', async () => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const back = await goThrough(browser, linkOf(waiting));
    await openBrowser().open(back);
    expect((await browser.open(back)).text).toMatch(CODE);
  });

  it('comes twice, and is shown the code once', async () => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const back = await goThrough(browser, linkOf(waiting));
    const pages = await Promise.all([browser.open(back), browser.open(back), browser.open(back)]);
    expect(pages.filter(({ text }) => CODE.test(text))).toHaveLength(1);
    expectNothingTold(await browser.open(back), 410);
  });

  it('may begin again by the same link', async () => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const back = new URL(await goThrough(browser, linkOf(waiting)));
    expectNothingTold(await browser.open(changed(back, { code: 'made-up' })), 400);
    expect((await browser.open(await goThrough(browser, linkOf(waiting)))).text).toMatch(CODE);
  });
});

describe('a token that is not to be believed', () => {
  const later = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
  const without =
    (claim: string): Forging =>
    (honest, { sign }) =>
      sign(Object.fromEntries(Object.entries(honest).filter(([name]) => name !== claim)));
  const having =
    (claims: object): Forging =>
    (honest, { sign }) =>
      sign({ ...honest, ...claims });

  const forgeries: [string, Forging, number][] = [
    ['is not signed', unsigned, 400],
    ['is signed with our own secret', (honest, keys) => signedWith(forging.clientSecret)(honest, keys), 400],
    ['is signed with another’s key', (honest, { signFalsely }) => signFalsely(honest), 400],
    ['has lost its signature', async (honest, { sign }) => (await sign(honest)).replace(/[^.]*$/, ''), 400],
    ['is no token', () => 'nonsense', 400],
    ['is of another provider', having({ iss: 'http://evil.example' }), 400],
    ['is for somebody else', having({ aud: 'another-client' }), 400],
    ['is for somebody else too', having({ aud: ['kortlotsen', 'another-client'], azp: 'another-client' }), 400],
    ['has the nonce of another browser', having({ nonce: 'another' }), 400],
    ['has no nonce', without('nonce'), 400],
    ['has expired', having({ iat: later(-7_200), exp: later(-3_600) }), 400],
    ['never expires', without('exp'), 400],
    ['is from a login of an hour ago', having({ auth_time: later(-3_600) }), 400],
    ['does not say when the login was', without('auth_time'), 400],
    ['has no level of assurance', without('acr'), 403],
    ['has too low a level of assurance', having({ acr: 'urn:kortlotsen:low' }), 403],
    ['has the level of assurance in a list', having({ acr: [ACR] }), 403],
    ['does not say who it is', without('holder'), 400],
    ['says that nobody is', having({ holder: ' ' }), 400],
    ['says a number', having({ holder: 7 }), 400],
    ['says too much', having({ holder: 'x'.repeat(201) }), 400],
  ];

  it.each(forgeries)('%s: nobody is proved and nothing is told', async (_name, forgery, status) => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const { nonce, back } = await sendOff(browser, waiting, forged);
    forging.forge(nonce, forgery);
    expectNothingTold(await browser.open(back()), status);
    expect(forged.mistakes.join()).not.toMatch(/identifier-of|h_of|evil/);
    await expectNobodyProved(waiting);
  });

  it('says that the login is yet to be: it counts as now', async () => {
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const { nonce, back } = await sendOff(browser, waiting, forged);
    forging.forge(nonce, having({ auth_time: later(3_000) }));
    const [code = ''] = CODE.exec((await browser.open(back())).text) ?? [];
    await expect(signIns.redeem(waiting.conversation, code, 'try')).resolves.toMatchObject({ provedAt: now() });
  });

  it('is of too low a level, from a real provider', async () => {
    const place = await serve(low);
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    expectNothingTold(await browser.open(await goThrough(browser, linkOf(waiting, place))), 403);
    await expectNobodyProved(waiting);
  });

  it('may be of any level, where none is asked for', async () => {
    const place = await serve(low, { acr: [] });
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    expect((await browser.open(await goThrough(browser, linkOf(waiting, place)))).text).toMatch(CODE);
  });
});

describe('a neighbour that fails', () => {
  it('is the provider: the page says so, and the link works once it is back', async () => {
    const passing = await startForgingProvider(IDENTIFIER);
    const place = await serve({ ...passing, scope: 'openid', allowInsecure: true, issuer: 'http://127.0.0.1:9' });
    const waiting = await waitFor(database);
    const page = await openBrowser().open(linkOf(waiting, place));
    expectNothingTold(page, 503);
    expect(page.text).toContain('svarar inte just nu');
    await passing.stop();
  });

  it('is the provider, when the browser comes back', async () => {
    const passing = await startForgingProvider(IDENTIFIER);
    const place = await serve({ ...passing, scope: 'openid', allowInsecure: true });
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const { back } = await sendOff(browser, waiting, place);
    await passing.stop();
    expectNothingTold(await browser.open(back({ iss: passing.issuer })), 503);
    await expectNobodyProved(waiting);
  });

  it('is told of where it is watched, and of how each sign-in ended; and so is that it is back', async () => {
    const [outcomes, reached]: [string[], boolean[]] = [[], []];
    const watched = {
      onOutcome: (outcome: string) => void outcomes.push(outcome),
      onProvider: (isReached: boolean) => void reached.push(isReached),
    };
    const away = await serve({ ...real, issuer: 'http://127.0.0.1:9' }, watched);
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    await browser.open(linkOf(waiting, away));
    await browser.open(signInLink((await serve(real, watched)).origin, 'guessed'));
    await browser.open(await goThrough(browser, linkOf(waiting, await serve(real, watched))));
    expect(outcomes).toEqual(['unreachable', 'expired', 'proved']);
    expect(reached).toEqual([false, true]);
  });

  it.each(['unreachable', 'unanswered'] as const)('is the ledger (%s): nobody is proved', async (outcome) => {
    const place = await serve(real, { holderFor: () => Promise.resolve({ outcome }) });
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    expectNothingTold(await browser.open(await goThrough(browser, linkOf(waiting, place))), 503);
    await expectNobodyProved(waiting);
  });

  it('is ourselves: nobody is proved, and only we are told', async () => {
    const place = await serve(real, { holderFor: () => Promise.reject(new Error('a mistake of ours')) });
    const [browser, waiting] = [openBrowser(), await waitFor(database)];
    const page = await browser.open(await goThrough(browser, linkOf(waiting, place)));
    expectNothingTold(page, 500);
    expect(page.text).not.toContain('a mistake of ours');
    expect(place.mistakes).toEqual(['Error: a mistake of ours']);
    await expectNobodyProved(waiting);
  });

  it('is a provider by http, where that is not allowed', async () => {
    const place = await serve({ ...forging, allowInsecure: false });
    expectNothingTold(await openBrowser().open(linkOf(await waitFor(database), place)), 503);
  });
});

describe('the code on the page', () => {
  const signIn = async (waiting: Waiting) => {
    const browser = openBrowser();
    const page = await browser.open(await goThrough(browser, linkOf(waiting)));
    return CODE.exec(page.text)?.[0] ?? '';
  };

  it('of a link that was sent to somebody else proves nothing to the sender who does not have it', async () => {
    const waiting = await waitFor(database);
    await signIn(waiting);
    for (let guess = 0; guess < 5; guess++)
      await expect(signIns.redeem(waiting.conversation, 'BCDF-GHJK', `guess ${guess}`)).resolves.toEqual({
        outcome: 'wrong',
      });
    await expect(signIns.redeem(waiting.conversation, 'BCDF-GHJK', 'one more')).resolves.toEqual({ outcome: 'spent' });
  });

  it('typed in another conversation proves nobody there', async () => {
    const [mine, theirs] = [await waitFor(database), await waitFor(database)];
    const code = await signIn(mine);
    await expect(signIns.redeem(theirs.conversation, code, 'try')).resolves.toEqual({ outcome: 'wrong' });
  });

  it('typed twice is spent, but asked about again by the same try after a crash it is as before', async () => {
    const waiting = await waitFor(database);
    const code = await signIn(waiting);
    const first = await signIns.redeem(waiting.conversation, code, 'first');
    expect(first).toMatchObject({ outcome: 'proved', person: HOLDER });
    const afterCrash = createSignIns(database, 'a key of the tests');
    await expect(afterCrash.redeem(waiting.conversation, code, 'first')).resolves.toEqual(first);
    await expect(signIns.redeem(waiting.conversation, code, 'second')).resolves.toEqual({ outcome: 'spent' });
  });
});
