/** Who works at the servicedesk: signing in with a real provider, and everybody who tries to without. */
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Request, Response, Server } from 'restify';
import { startDevelopmentProvider, type DevelopmentProvider } from '../../../src/identity/development-provider.ts';
import { createProvider, type ProviderSettings } from '../../../src/identity/provider.ts';
import { createServer } from '../../../src/server.ts';
import {
  createSessions,
  deskSignInCallback,
  deskSignInPath,
  type Member,
  type Sessions,
  type SessionsWorld,
} from '../../../src/servicedesk/sessions.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';
import { type Browser, openBrowser, type Visited } from '../identity/browsing.ts';
import {
  type Forging,
  type ForgingProvider,
  honestly,
  signedWith,
  startForgingProvider,
  unsigned,
} from '../identity/forging-provider.ts';

const ACR = 'urn:kortlotsen:demo';
const COOKIE = 'kortlotsen-servicedesk';
const NO_ROLE = 'Du har ingen roll här';
const noon = new Date('2026-11-23T12:00:00+01:00');
const identity = { roleClaim: 'roles', agentRole: 'agent', editorRole: 'editor', acr: [ACR] };

let database: Database;
let real: DevelopmentProvider;
let forging: ForgingProvider;
let here: Place;
let other: Place;
let forged: Place;

type Place = { origin: string; mistakes: string[]; server: Server; sessions: Sessions };
const places: Place[] = [];

/** One instance, on the database of all, whose page says who is there. */
async function serve(
  { issuer, clientId, clientSecret }: Pick<ProviderSettings, 'issuer' | 'clientId' | 'clientSecret'>,
  changes: Partial<SessionsWorld> = {},
): Promise<Place> {
  const mistakes: string[] = [];
  const onMistake = (mistake: unknown) => {
    mistakes.push(String(mistake));
  };
  let origin = '';
  const sessions = createSessions({
    content,
    database,
    key: 'a key of the tests',
    provider: createProvider({ issuer, clientId, clientSecret, scope: 'openid profile', allowInsecure: true }),
    identity,
    publicOrigin: () => origin,
    onMistake,
    now: () => noon,
    ...changes,
  });
  const server = await createServer({
    content,
    mounts: [
      sessions.mount,
      (each) => {
        each.get('/servicedesk', async (req: Request, res: Response) => {
          res.send(200, { member: (await sessions.memberOf(req)) ?? null });
        });
      },
    ],
    isHealthy: () => Promise.resolve({}),
    onMistake,
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  const place = { origin, mistakes, server, sessions };
  places.push(place);
  return place;
}

beforeAll(async () => {
  database = await openTestDatabase(await createDatabase());
  const callbacks = () => places.map(({ origin }) => deskSignInCallback(origin));
  real = await startDevelopmentProvider({
    isProduction: false,
    host: '127.0.0.1',
    names: ['active'],
    identifierOf: (name) => name,
    content,
    // Ours among those of students too: it is not the address that keeps them apart.
    redirectUris: callbacks,
    deskRedirectUris: callbacks,
  });
  forging = await startForgingProvider('identifier');
  [here, other, forged] = [await serve(deskOf(real)), await serve(deskOf(real)), await serve(forging)];
});
afterAll(async () => {
  for (const { server } of places) {
    server.close();
    server.server.closeAllConnections();
  }
  await Promise.all([real.stop(), forging.stop()]);
  await database.close();
});
beforeEach(() => database.run({ text: 'delete from sessions' }, []));

const deskOf = ({ issuer, desk }: DevelopmentProvider) => ({ issuer, ...desk });

/** From our page, through the provider, until it sends the browser back: where to. */
async function goThrough(browser: Browser, name: string, { to = '/servicedesk', place = here } = {}) {
  const sent = await browser.open(`${place.origin}${deskSignInPath(to)}`);
  const asked = await browser.open((await browser.open(sent.location)).location);
  const chosen = await browser.submit(asked.url, { name });
  return (await browser.open(chosen.location)).location;
}
const signIn = async (browser: Browser, name: string, where?: { to?: string; place?: Place }): Promise<Visited> =>
  browser.open(await goThrough(browser, name, where));

/** Who a browser is at an instance. */
async function whoIs(browser: Browser, { origin }: Place = here): Promise<Member | null> {
  const { text } = await browser.open(`${origin}/servicedesk`);
  return (JSON.parse(text) as { member: Member | null }).member;
}
/** A request with this session, as one of our modules gets it. */
const requestWith = (session: string, name = COOKIE) => ({ headers: { cookie: `${name}=${session}` } });

const sessionIn = ({ headers }: Visited): string =>
  new RegExp(`^${COOKIE}=([\\w-]{43});`).exec(headers.getSetCookie()[0] ?? '')?.[1] ?? '';

/** What our own page sends to the provider, and so what a provider that forges knows. */
async function sendOff(browser: Browser, place: Place = forged, to = '/servicedesk') {
  const { location } = await browser.open(`${place.origin}${deskSignInPath(to)}`);
  return bindingsIn(location, place);
}
function bindingsIn(location: string, { origin }: Place) {
  const { searchParams } = new URL(location);
  const [state, nonce] = [searchParams.get('state') ?? '', searchParams.get('nonce') ?? ''];
  const back = (changes: Record<string, string> = {}) => {
    const query = new URLSearchParams({ code: 'any', state, iss: forging.issuer, ...changes });
    return `${deskSignInCallback(origin)}?${query.toString()}`;
  };
  return { nonce, back };
}
/** Without a browser, whose cookies one can see and change. */
async function sendOffByHand(place: Place = forged) {
  const sent = await fetch(`${place.origin}/servicedesk/sign-in`, { redirect: 'manual' });
  const [cookie = ''] = sent.headers.getSetCookie();
  const bindings = bindingsIn(sent.headers.get('location') ?? '', place);
  return { ...bindings, setCookie: cookie, cookie: cookie.split(';')[0] ?? '' };
}
const comeBack = (back: string, cookie: string) => fetch(back, { redirect: 'manual', headers: { cookie } });

/** Comes back with a token that the provider has forged like this. */
async function bring(browser: Browser, how: Forging, place?: Place): Promise<Visited> {
  const { nonce, back } = await sendOff(browser, place);
  forging.forge(nonce, how);
  return await browser.open(back());
}
const claiming =
  (claims: object): Forging =>
  (honest, { sign }) =>
    sign({ ...honest, ...claims });
const asAgent = claiming({ roles: 'agent' });

const sessionsKept = () => database.run<Record<string, unknown>>({ text: 'select * from sessions' }, []);

async function expectNobody(page: Visited, status: number, title = 'Du är inte inloggad'): Promise<void> {
  expect(page.status).toBe(status);
  expect(page.text).toContain(`<h1>${title}</h1>`);
  expect(page.headers.getSetCookie()).toEqual([]);
  expect(page.text).not.toMatch(/subject|evil|<script/);
  expect(await sessionsKept()).toEqual([]);
}

describe('the right way', () => {
  it.each([
    ['agent-anna', 'Anna', ['agent']],
    ['editor-eva', 'Eva', ['editor']],
    ['agent-and-editor-disa', 'Disa', ['agent', 'editor']],
  ])('leads to the page one was on the way to, as %s', async (chosen, name, roles) => {
    const browser = openBrowser();
    const back = await signIn(browser, chosen, { to: '/servicedesk/cases/7?tab=notes' });
    expect(back.status).toBe(303);
    expect(back.location).toBe(`${here.origin}/servicedesk/cases/7?tab=notes`);
    expect(await whoIs(browser)).toEqual({ id: expect.stringMatching(/^[\w-]{43}$/), name, roles });
    expect(here.mistakes).toEqual([]);
  });

  it('asks for a fresh login of the accepted kind, with everything that binds the answer to this browser', async () => {
    const sent = await openBrowser().open(`${here.origin}/servicedesk/sign-in`);
    expect(sent.status).toBe(303);
    expect(Object.fromEntries(new URL(sent.location).searchParams)).toEqual({
      client_id: real.desk.clientId,
      response_type: 'code',
      scope: 'openid profile',
      redirect_uri: deskSignInCallback(here.origin),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      prompt: 'login',
      max_age: '300',
      acr_values: ACR,
    });
    expect(sent.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^kortlotsen-servicedesk-sign-in=[\w-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/),
    ]);
    expect(sent.headers.get('cache-control')).toBe('no-store');
    expect(await sessionsKept()).toEqual([]);
  });

  it('sets cookies that a browser takes over https only, where that is how we are reached', async () => {
    const secure = await serve(forging, { publicOrigin: () => 'https://kort.example' });
    const { nonce, back, setCookie, cookie } = await sendOffByHand(secure);
    expect(setCookie).toMatch(/^__Host-kortlotsen-servicedesk-sign-in=.*; Path=\/;.*; HttpOnly; SameSite=Lax; Secure$/);
    forging.forge(nonce, asAgent);
    const response = await comeBack(back(), cookie);
    expect(response.headers.get('location')).toBe('https://kort.example/servicedesk');
    const [session = '', spent = ''] = response.headers.getSetCookie();
    expect(session).toMatch(/^__Host-kortlotsen-servicedesk=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    expect(spent).toMatch(/^__Host-kortlotsen-servicedesk-sign-in=; Path=\/; Max-Age=0;/);
    const value = /=([\w-]{43});/.exec(session)?.[1] ?? '';
    expect(await secure.sessions.memberOf(requestWith(value, `__Host-${COOKIE}`))).toMatchObject({ roles: ['agent'] });
    expect(await secure.sessions.memberOf(requestWith(value))).toBeUndefined();
  });

  it('gives somebody the same id each time, and another one the next', async () => {
    const [anna, again, bashir] = [openBrowser(), openBrowser(), openBrowser()];
    await signIn(anna, 'agent-anna');
    await signIn(again, 'agent-anna');
    await signIn(bashir, 'agent-bashir');
    const [first, second, third] = [await whoIs(anna), await whoIs(again), await whoIs(bashir)];
    expect(second?.id).toBe(first?.id);
    expect(third?.id).not.toBe(first?.id);
    expect(first?.id).not.toContain('anna');
  });

  it('gives a new session each time, and ends the one the browser had', async () => {
    const browser = openBrowser();
    const first = sessionIn(await signIn(browser, 'agent-anna'));
    const second = sessionIn(await signIn(browser, 'agent-bashir'));
    expect(second).not.toBe(first);
    expect(await here.sessions.memberOf(requestWith(first))).toBeUndefined();
    expect(await here.sessions.memberOf(requestWith(second))).toMatchObject({ name: 'Bashir' });
  });

  it('takes no session that somebody else has chosen', async () => {
    const chosen = 'x'.repeat(43);
    const { nonce, back, cookie } = await sendOffByHand();
    forging.forge(nonce, asAgent);
    const response = await comeBack(back(), `${COOKIE}=${chosen}; ${cookie}`);
    expect(response.status).toBe(303);
    expect(response.headers.getSetCookie()[0]).not.toContain(chosen);
    expect(await forged.sessions.memberOf(requestWith(chosen))).toBeUndefined();
  });
});

describe('a session', () => {
  const change = (columns: string) => database.run({ text: `update sessions set ${columns}` }, []);

  it('is known at every instance, and keeps no cookie that could be used', async () => {
    const browser = openBrowser();
    const session = sessionIn(await signIn(browser, 'agent-anna'));
    expect(await whoIs(browser, other)).toMatchObject({ name: 'Anna' });
    const kept = JSON.stringify(await sessionsKept());
    expect(kept).toContain('Anna');
    expect(kept).not.toContain(session);
  });

  it('ends everywhere when it is signed out of, and is nobody’s when it is used again', async () => {
    const browser = openBrowser();
    const session = sessionIn(await signIn(browser, 'agent-anna'));
    const page = await browser.submit(`${other.origin}/servicedesk/sign-out`, {});
    expect(page.status).toBe(200);
    expect(page.text).toContain('<h1>Du är utloggad</h1>');
    expect(page.headers.getSetCookie()).toEqual([`${COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`]);
    expect(browser.cookies()).not.toContain(COOKIE);
    for (const { sessions } of [here, other]) expect(await sessions.memberOf(requestWith(session))).toBeUndefined();
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbour of ours', { 'sec-fetch-site': 'same-site' }],
    ['another origin', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
  ])('is not signed out of by %s', async (_who, headers) => {
    const browser = openBrowser();
    const cookie = `${COOKIE}=${sessionIn(await signIn(browser, 'agent-anna'))}`;
    const init = { method: 'POST', headers: { cookie, ...headers } };
    expect((await fetch(`${here.origin}/servicedesk/sign-out`, init)).status).toBe(403);
    expect(await whoIs(browser)).toMatchObject({ name: 'Anna' });
  });

  it('is not signed out of by a link', async () => {
    const browser = openBrowser();
    await signIn(browser, 'agent-anna');
    expect((await browser.open(`${here.origin}/servicedesk/sign-out`)).status).toBe(404);
    expect(await whoIs(browser)).toMatchObject({ name: 'Anna' });
  });

  it.each([
    ['an hour without anything done', `seen_at = now() - interval '60 minutes'`],
    ['half a day, whatever was done', 'ends_at = now()'],
  ])('is over after %s', async (_when, columns) => {
    const browser = openBrowser();
    await signIn(browser, 'agent-anna');
    await change(columns);
    expect(await whoIs(browser)).toBeNull();
  });

  it('lasts twelve hours and no longer', async () => {
    await signIn(openBrowser(), 'agent-anna');
    const lasts = { text: `select ends_at - begun_at = interval '12 hours' as "isHalfADay" from sessions` };
    expect(await database.run(lasts, [])).toEqual([{ isHalfADay: true }]);
  });

  it('goes on while something is done, but not because a page is open', async () => {
    const session = sessionIn(await signIn(openBrowser(), 'agent-anna'));
    const recent = { text: `select hash from sessions where seen_at > now() - interval '1 minute'` };
    await change(`seen_at = now() - interval '59 minutes'`);
    expect(await here.sessions.memberOf(requestWith(session), 'watching')).toMatchObject({ name: 'Anna' });
    expect(await database.run(recent, [])).toHaveLength(0);
    expect(await here.sessions.memberOf(requestWith(session))).toMatchObject({ name: 'Anna' });
    expect(await database.run(recent, [])).toHaveLength(1);
  });

  it('is none for what is no cookie of ours', async () => {
    await signIn(openBrowser(), 'agent-anna');
    const [kept] = await sessionsKept();
    for (const cookie of [String(kept?.hash), 'x'.repeat(43), '', "' or true --", 'x'.repeat(5_000)])
      expect(await here.sessions.memberOf(requestWith(cookie))).toBeUndefined();
  });

  it('is none for what a student has', async () => {
    const session = sessionIn(await signIn(openBrowser(), 'agent-anna'));
    const headers = { authorization: `Bearer ${session}`, cookie: `kortlotsen-sign-in=${session}` };
    expect(await here.sessions.memberOf({ headers })).toBeUndefined();
  });

  it.each([
    ['as long as it lasts', 'ends_at = ends_at', 1],
    ['when it has ended, while its sign-in could be tried again', `ends_at = now() - interval '9 minutes'`, 1],
    ['no longer after that', `ends_at = now() - interval '11 minutes'`, 0],
    ['no longer when it has gone idle', `seen_at = now() - interval '61 minutes'`, 0],
  ])('is kept %s', async (_when, columns, count) => {
    await signIn(openBrowser(), 'agent-anna');
    await change(columns);
    await here.sessions.purge();
    expect(await sessionsKept()).toHaveLength(count);
  });
});

describe('the page one was on the way to', () => {
  it.each([
    ['/servicedesk/', '/servicedesk/'],
    ['/servicedesk/cases/7?a=b&c=%2F', '/servicedesk/cases/7?a=b&c=%2F'],
    ['/servicedesk//evil.example', '/servicedesk//evil.example'],
    ['', '/servicedesk'],
    ['//evil.example/servicedesk', '/servicedesk'],
    ['/\\evil.example/servicedesk', '/servicedesk'],
    ['\\\\evil.example', '/servicedesk'],
    ['/\t/evil.example/servicedesk', '/servicedesk'],
    ['https://evil.example/servicedesk', '/servicedesk'],
    ['https:/servicedesk', '/servicedesk'],
    ['javascript:alert(1)//servicedesk', '/servicedesk'],
    ['@evil.example/servicedesk', '/servicedesk'],
    ['/records', '/servicedesk'],
    ['/servicedesk-evil', '/servicedesk'],
    ['/servicedesk/../records', '/servicedesk'],
    ['/servicedesk/%2e%2e/records', '/servicedesk'],
    ['/%2F%2Fevil.example/servicedesk', '/servicedesk'],
    ['%2F%2Fevil.example', '/servicedesk'],
    ['/servicedesk/sign-in', '/servicedesk'],
    ['/servicedesk/sign-in/callback?code=x', '/servicedesk'],
    ['/servicedesk/sign-out', '/servicedesk'],
    [`/servicedesk/${'x'.repeat(5_000)}`, '/servicedesk'],
    ['/servicedesk/x\r\nSet-Cookie: a=b', '/servicedesk/xSet-Cookie:%20a=b'],
    [`/servicedesk?${'å'.repeat(150)}`, '/servicedesk'],
  ])('%j is %j', async (to, expected) => {
    const browser = openBrowser();
    const { nonce, back } = await sendOff(browser, forged, to);
    forging.forge(nonce, asAgent);
    const page = await browser.open(back());
    expect(page.headers.get('location')).toBe(`${forged.origin}${expected}`);
    expect(page.headers.getSetCookie()).toHaveLength(2);
  });
});

describe('the role', () => {
  it.each([
    ['in a list with others', { roles: ['x', 7, 'agent'] }, ['agent']],
    ['as a single text', { roles: 'editor' }, ['editor']],
    ['as one of two', { roles: ['editor', 'agent'] }, ['agent', 'editor']],
  ])('may be told %s', async (_how, claims, roles) => {
    const browser = openBrowser();
    expect((await bring(browser, claiming(claims))).status).toBe(303);
    expect(await whoIs(browser, forged)).toMatchObject({ roles });
  });

  it.each([
    ['is not there', {}],
    ['is another', { roles: ['student', 'administrator'] }],
    ['is in another claim', { groups: ['agent'] }],
    ['is only part of a text', { roles: 'agents agent' }],
    ['has capitals', { roles: ['Agent'] }],
    ['is an object', { roles: { agent: true } }],
    ['is in a list in a list', { roles: [['agent']] }],
    ['is none at all', { roles: [] }],
  ])('lets nobody in that %s, and says so kindly', async (_how, claims) => {
    const browser = openBrowser();
    const page = await bring(browser, claiming(claims));
    await expectNobody(page, 403, NO_ROLE);
    expect(page.text).toContain('Be den som ger behörigheter');
    expect(await whoIs(browser, forged)).toBeNull();
  });

  it('is no editor’s where none is set', async () => {
    const place = await serve(forging, { identity: { ...identity, editorRole: undefined } });
    const page = await bring(openBrowser(), claiming({ roles: ['undefined', 'editor'] }), place);
    await expectNobody(page, 403, NO_ROLE);
  });
});

describe('the name', () => {
  it.each([
    ['is the first one', { given_name: 'Anna', name: 'Anna Andersson' }, 'Anna'],
    ['is the whole one where there is no other', { given_name: ' ', name: 'Anna Andersson' }, 'Anna Andersson'],
    ['is that of their kind where it cannot be read', { given_name: 7, name: ['Anna'] }, 'Handläggare'],
    ['is that of their kind where the provider has none', {}, 'Handläggare'],
    ['is shortened', { name: '😀'.repeat(100) }, '😀'.repeat(80)],
    ['has nothing that is not seen', { name: 'An\u0000na\u202E\u200B \n\t B' }, 'Anna B'],
    ['may hold markup, as text', { name: '<b>Anna</b>' }, '<b>Anna</b>'],
  ])('%s', async (_how, claims, name) => {
    const browser = openBrowser();
    await bring(browser, claiming({ roles: 'agent', ...claims }));
    expect(await whoIs(browser, forged)).toMatchObject({ name });
  });
});

describe('a token that is not to be believed', () => {
  const agent = { roles: ['agent'] };
  const forgeries: [string, Forging][] = [
    ['is signed by somebody else', (honest, { signFalsely }) => signFalsely({ ...honest, ...agent })],
    ['is not signed', (honest, keys) => unsigned({ ...honest, ...agent }, keys)],
    ['is signed with our secret', (honest, keys) => signedWith(forging.clientSecret)({ ...honest, ...agent }, keys)],
    ['is for another nonce', claiming({ ...agent, nonce: 'another' })],
    ['has no nonce', claiming({ ...agent, nonce: undefined })],
    ['is for the client of students', claiming({ ...agent, aud: 'students' })],
    ['is of another provider', claiming({ ...agent, iss: 'https://evil.example' })],
    ['has expired', claiming({ ...agent, exp: 1 })],
    ['is of a login of long ago', claiming({ ...agent, auth_time: 1 })],
  ];
  it.each(forgeries)('%s', async (_how, forgery) => {
    await expectNobody(await bring(openBrowser(), forgery), 400);
  });

  it.each([
    ['another', 'urn:kortlotsen:low'],
    ['no text', 7],
    ['none', undefined],
  ])('is of a level that is not enough: %s', async (_how, acr) => {
    await expectNobody(await bring(openBrowser(), claiming({ ...agent, acr })), 403);
  });

  it('may be of any level where none is asked for', async () => {
    const place = await serve(forging, { identity: { ...identity, acr: [] } });
    expect((await bring(openBrowser(), claiming({ ...agent, acr: undefined }), place)).status).toBe(303);
  });

  it('is the honest one of somebody without a role', async () => {
    await expectNobody(await bring(openBrowser(), honestly), 403, NO_ROLE);
  });
});

describe('whoever comes back otherwise than they went', () => {
  const attacks: [string, (mine: Browser, theirs: Browser) => Promise<Visited>, number][] = [
    [
      'has no cookie',
      async (mine, theirs) => {
        const { nonce, back } = await sendOff(mine);
        forging.forge(nonce, asAgent);
        return await theirs.open(back());
      },
      410,
    ],
    [
      'has the cookie of another sign-in',
      async (mine, theirs) => {
        const { nonce, back } = await sendOff(mine);
        await sendOff(theirs);
        forging.forge(nonce, asAgent);
        return await theirs.open(back());
      },
      410,
    ],
    ['has made up a state', async (mine) => mine.open((await sendOff(mine)).back({ state: 'made-up' })), 410],
    ['has no state', async (mine) => mine.open((await sendOff(mine)).back({ state: '' })), 410],
    ['brings markup', async (mine) => mine.open((await sendOff(mine)).back({ state: '<script>evil' })), 410],
    ['would not', async (mine) => mine.open((await sendOff(mine)).back({ error: 'access_denied' })), 403],
    [
      'comes from another provider',
      async (mine) => mine.open((await sendOff(mine)).back({ iss: 'http://evil.example' })),
      400,
    ],
  ];
  it.each(attacks)('%s', async (_how, attack, status) => {
    await expectNobody(await attack(openBrowser(), openBrowser()), status);
  });

  it('comes twice: the second time nobody is signed in', async () => {
    const { nonce, back, cookie } = await sendOffByHand();
    forging.forge(nonce, asAgent);
    expect((await comeBack(back(), cookie)).status).toBe(303);
    const again = await comeBack(back(), cookie);
    expect(again.status).toBe(410);
    expect(again.headers.getSetCookie()).toEqual([]);
    expect(await sessionsKept()).toHaveLength(1);
  });

  it('comes many times at the same moment: one is signed in', async () => {
    const { nonce, back, cookie } = await sendOffByHand();
    forging.forge(nonce, asAgent);
    const answers = await Promise.all(Array.from({ length: 8 }, () => comeBack(back(), cookie)));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array<number>(7).fill(410)]);
    expect(await sessionsKept()).toHaveLength(1);
  });

  it('comes again after signing out: nobody is signed in', async () => {
    const { nonce, back, cookie } = await sendOffByHand();
    forging.forge(nonce, asAgent);
    const session = (await comeBack(back(), cookie)).headers.getSetCookie()[0]?.split(';')[0] ?? '';
    await fetch(`${forged.origin}/servicedesk/sign-out`, { method: 'POST', headers: { cookie: session } });
    await forged.sessions.purge();
    expect((await comeBack(back(), cookie)).status).toBe(410);
  });

  it.each([
    ['with another page to go to', { to: '//evil.example' }],
    ['as if it had begun later', { begun: noon.getTime() + 1 }],
    ['with something more in it', { more: true }],
  ])('has changed the cookie, %s', async (_how, changes) => {
    const { nonce, back, cookie } = await sendOffByHand();
    const [name = '', value = ''] = cookie.split('=');
    const errand = JSON.parse(Buffer.from(value, 'base64url').toString()) as object;
    const changed = Buffer.from(JSON.stringify({ ...errand, ...changes })).toString('base64url');
    forging.forge(nonce, asAgent);
    expect((await comeBack(back(), `${name}=${changed}`)).status).toBe(410);
    expect(await sessionsKept()).toEqual([]);
  });

  it('has taken more than ten minutes', async () => {
    let minutes = 0;
    const place = await serve(forging, { now: () => new Date(noon.getTime() + minutes * 60_000) });
    const browser = openBrowser();
    const { nonce, back } = await sendOff(browser, place);
    forging.forge(nonce, asAgent);
    minutes = 10.1;
    await expectNobody(await browser.open(back()), 410);
    minutes = 10;
    expect((await browser.open(back())).status).toBe(303);
  });
});

describe('students and those who work here', () => {
  it('cannot sign in as one another', async () => {
    const browser = openBrowser();
    const sent = await browser.open(`${here.origin}/servicedesk/sign-in`);
    const asked = await browser.open((await browser.open(sent.location)).location);
    expect(asked.text).toContain('value="agent-anna"');
    expect(asked.text).not.toContain('value="active"');
    expect((await browser.submit(asked.url, { name: 'active' })).status).toBe(410);
    expect((await browser.submit(asked.url, { name: 'agent-anna' })).status).toBe(303);

    const student = openBrowser();
    const begun = await student.open(`${(await serve(real)).origin}/servicedesk/sign-in`);
    const offered = await student.open((await student.open(begun.location)).location);
    expect(offered.text).toContain('value="active"');
    expect(offered.text).not.toContain('value="agent-anna"');
    expect((await student.submit(offered.url, { name: 'agent-anna' })).status).toBe(410);
  });

  it('are told apart by their roles too: whoever signs in as a student has none', async () => {
    const page = await signIn(openBrowser(), 'active', { place: await serve(real) });
    await expectNobody(page, 403, NO_ROLE);
  });

  it('cannot use one another’s codes', async () => {
    const student = new URL(await goThrough(openBrowser(), 'active', { place: await serve(real) }));
    const browser = openBrowser();
    const mine = new URL(await goThrough(browser, 'agent-anna'));
    mine.searchParams.set('code', student.searchParams.get('code') ?? '');
    await expectNobody(await browser.open(mine), 400);
  });
});

describe('a neighbour that fails', () => {
  it('is the provider: the page says so, and the next try may work', async () => {
    const place = await serve({ ...forging, issuer: 'http://127.0.0.1:9' });
    const page = await openBrowser().open(`${place.origin}/servicedesk/sign-in`);
    await expectNobody(page, 503);
    expect(page.text).toContain('svarar inte just nu');
    expect(page.text).toContain('<a href="/servicedesk/sign-in">');
    expect(place.mistakes.join()).toMatch(
      /^Error: The servicedesk’s provider of identity is unreachable \([A-Z_ ]+\)$/,
    );
  });

  it('is the database: nobody is signed in, and only we are told', async () => {
    const failing = { ...database, run: () => Promise.reject(new Error('a mistake of ours')) };
    const place = await serve(forging, { database: failing });
    const page = await bring(openBrowser(), asAgent, place);
    await expectNobody(page, 500);
    expect(page.text).not.toContain('a mistake of ours');
    expect(place.mistakes).toEqual(['Error: a mistake of ours']);
  });
});
