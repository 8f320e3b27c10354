/**
 * Who works at the servicedesk: they sign in at a provider of identity, and
 * are known by a cookie until they sign out, go idle, or have been here for
 * half a day.
 *
 * A session is a row, so every instance on the database knows it, and signing
 * out ends it at all of them. The row holds only the hash of its cookie. What
 * somebody may do is what the id token said when they signed in, and nothing
 * that a student has, a link, a code or a token of a chat, is looked at here.
 *
 * A sign-in that is under way is not kept anywhere but in the browser: its
 * state, nonce and verifier are keyed hashes of the cookie that it went with.
 * So a link that is only looked at leaves nothing behind, and a cookie that
 * was changed or belongs to another browser fits no state. That the way back
 * is taken once is seen to by the session that it makes.
 *
 * Both cookies are lax. A strict one would be missing just after coming back
 * from the provider, and on a link from Teams; a page of somebody else's can
 * send a lax one along only by leading the browser here, and what is changed
 * here is changed by requests of our own pages alone.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import type { Content } from '../content.ts';
import type { Provider, ProviderClient } from '../identity/provider.ts';
import { cookieOf, isSecure, paragraphs, parameter, sendSignInPage } from '../identity/sign-in.ts';
import type { ServicedeskIdentity } from '../settings.ts';
import type { Database, Statement } from '../storage/database.ts';
import { escaped } from '../web/page.ts';
import { isFromOurPage } from '../web/requests.ts';

/** Agents chat with students; editors look after what is said. */
export type Role = 'agent' | 'editor';

/** `id` is the same at every sign-in, and means nothing elsewhere. `name` is what students and colleagues see. */
export type Member = { id: string; name: string; roles: readonly Role[] };

export type Sessions = {
  mount: (server: Server) => void;
  /**
   * Who has sent a request. A page that only keeps itself up to date is `watching`, which does not count as being
   * there: otherwise no session with an open page would ever be idle.
   */
  memberOf: (req: Pick<IncomingMessage, 'headers'>, how?: 'acting' | 'watching') => Promise<Member | undefined>;
  /** Removes what has had its time. Until then it only looks gone. */
  purge: () => Promise<void>;
};

export type SessionsWorld = {
  content: Pick<Content, 'label'>;
  database: Database;
  /** A secret of this installation, the same in all its processes. */
  key: string;
  provider: Provider;
  identity: Pick<ServicedeskIdentity, 'roleClaim' | 'agentRole' | 'editorRole' | 'acr'>;
  /** Where browsers reach us. It is known once we listen. */
  publicOrigin: () => string;
  onMistake: (mistake: unknown) => void;
  now: () => Date;
};

const HOME = '/servicedesk';
const PATH = `${HOME}/sign-in`;
const CALLBACK = `${PATH}/callback`;
const SIGN_OUT = `${HOME}/sign-out`;

/** Where somebody signs in who is on their way to one of the servicedesk's pages. */
export const deskSignInPath = (to: string): string => `${PATH}?${new URLSearchParams({ to }).toString()}`;

/** Where the provider sends browsers back to, as it must be told beforehand. */
export const deskSignInCallback = (origin: string): string => `${origin}${CALLBACK}`;

const SESSION = 'kortlotsen-servicedesk';
const ERRAND = `${SESSION}-sign-in`;

/** In seconds. */
const SIGN_IN_LASTS = 600;
/** In minutes: without anything done, and altogether. */
const IDLE = 60;
const LONGEST = 12 * 60;

const statuses = {
  expired: 410,
  denied: 403,
  insufficient: 403,
  refused: 400,
  unreachable: 503,
  failed: 500,
} as const;
type Failing = keyof typeof statuses;

export const sessionLabels: readonly string[] = [
  'notSignedIn',
  'again',
  ...Object.keys(statuses),
  ...['noRole', 'signedOut', 'notSignedOut'].flatMap((name) => [name, `${name}Text`]),
  'nameless',
  'demonstration',
].map((name) => `servicedesk-sign-in/${name}`);

/** The row of a sign-in that has been used is kept for as long as that could be tried again. */
const purge: Statement = {
  name: 'purge-sessions',
  text: `delete from sessions where ends_at < now() - make_interval(secs => ${SIGN_IN_LASTS})
    or seen_at < now() - make_interval(mins => ${IDLE})`,
};

const begin: Statement = {
  name: 'begin-session',
  text: `with former as (update sessions set ends_at = now() where hash = $6 and ends_at > now())
    insert into sessions (hash, errand, member, name, roles, ends_at)
    values ($1, $2, $3, $4, $5, now() + make_interval(mins => ${LONGEST}))
    on conflict (errand) do nothing returning hash`,
};

/** That somebody was there is written once a minute at most. */
const find: Statement = {
  name: 'find-session',
  text: `with found as (
      select hash, member, name, roles, seen_at from sessions
      where hash = $1 and ends_at > now() and seen_at > now() - make_interval(mins => ${IDLE})
    ), seen as (
      update sessions set seen_at = now() from found
      where sessions.hash = found.hash and $2 and found.seen_at < now() - interval '1 minute'
    )
    select member as id, name, roles from found`,
};

const end: Statement = {
  name: 'end-session',
  text: 'update sessions set ends_at = now() where hash = $1 and ends_at > now()',
};

/** What the cookie of a sign-in holds. `begun` is in milliseconds since 1970. */
const Errand = z.strictObject({ browser: z.string(), begun: z.number(), to: z.string() });
type Errand = z.infer<typeof Errand>;

export function createSessions(world: SessionsWorld): Sessions {
  const { content, database, key, provider, identity, publicOrigin, onMistake, now } = world;
  const label = (name: string) => content.label(`servicedesk-sign-in/${name}`);
  const keyed = (purpose: string, text: string): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([purpose, text]))
      .digest('base64url');
  /** What goes with a sign-in, from its cookie. */
  const bindingsOf = (cookie: string) => ({
    redirectUri: deskSignInCallback(publicOrigin()),
    state: keyed('state', cookie),
    nonce: keyed('nonce', cookie),
    verifier: keyed('verifier', cookie),
  });

  const sessionOf = (req: Pick<IncomingMessage, 'headers'>) => cookieOf(req, cookieFor(SESSION, publicOrigin()));
  const set = (name: string, value: string, ...more: string[]): string => {
    const origin = publicOrigin();
    const guards = ['Path=/', ...more, 'HttpOnly', 'SameSite=Lax', ...(isSecure(origin) ? ['Secure'] : [])];
    return [`${cookieFor(name, origin)}=${value}`, ...guards].join('; ');
  };
  const unset = (name: string) => set(name, '', 'Max-Age=0');
  const leadTo = (res: Response, address: string, cookies: string[]) => {
    res.writeHead(303, {
      Location: address,
      'Set-Cookie': cookies,
    });
    res.end();
  };

  const tell = (res: Response, title: string, text: string, status: number) => {
    const again = `<p><a href="${PATH}">${escaped(label('again'))}</a></p>`;
    sendSignInPage(res, { title: label(title), body: `${paragraphs(label(text))}\n${again}`, status });
  };
  const fail = (res: Response, failing: Failing) => {
    tell(res, 'notSignedIn', failing, statuses[failing]);
  };
  const failFor = (res: Response, failing: Failing, why: string) => {
    onMistake(new Error(`The servicedesk’s provider of identity is ${failing} (${why})`));
    fail(res, failing);
  };
  const page = (
    server: Server,
    path: string,
    visit: (req: Request, res: Response, client: ProviderClient) => Promise<void>,
  ) => {
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

  const leave = async (req: Request, res: Response, client: ProviderClient): Promise<void> => {
    const to = destinationOf(parameter(req, 'to'));
    const cookie = written({ browser: secret(), begun: now().getTime(), to });
    const address = await client.addressFor({ ...bindingsOf(cookie), acr: identity.acr });
    leadTo(res, address.href, [set(ERRAND, cookie, `Max-Age=${SIGN_IN_LASTS}`)]);
  };

  const comeBack = async (req: Request, res: Response, client: ProviderClient): Promise<void> => {
    const cookie = cookieOf(req, cookieFor(ERRAND, publicOrigin())) ?? '';
    const errand = read(cookie);
    const bindings = bindingsOf(cookie);
    // Compared by their hashes, so that the time it takes tells nothing.
    const isOurs = fingerprint(parameter(req, 'state') ?? '') === fingerprint(bindings.state);
    if (!errand || !isOurs || now().getTime() - errand.begun > SIGN_IN_LASTS * 1_000) {
      fail(res, 'expired');
      return;
    }
    const believed = await client.believe(bindings, req.getQuery());
    if (believed.outcome === 'denied') {
      fail(res, 'denied');
      return;
    }
    if (believed.outcome !== 'proved') {
      failFor(res, believed.outcome, believed.why);
      return;
    }
    const { claims } = believed;
    const { iss, sub, acr } = Proved.parse(claims);
    if (identity.acr.length > 0 && !(acr && identity.acr.includes(acr))) {
      fail(res, 'insufficient');
      return;
    }
    const roles = rolesOf(claims[identity.roleClaim], identity);
    if (roles.length === 0) {
      tell(res, 'noRole', 'noRoleText', 403);
      return;
    }
    const member = keyed('member', JSON.stringify([iss, sub]));
    const name = nameOf(claims) ?? label('nameless');
    const [session, former] = [secret(), sessionOf(req)];
    const row = [session, bindings.state].map(fingerprint);
    const [begun] = await database.run(begin, [...row, member, name, roles, former ? fingerprint(former) : null]);
    if (!begun) {
      fail(res, 'expired');
      return;
    }
    leadTo(res, `${publicOrigin()}${errand.to}`, [set(SESSION, session), unset(ERRAND)]);
  };

  return {
    mount(server) {
      page(server, PATH, leave);
      page(server, CALLBACK, comeBack);
      server.post(SIGN_OUT, async (req: Request, res: Response) => {
        if (!isFromOurPage(req, publicOrigin())) {
          tell(res, 'notSignedOut', 'notSignedOutText', 403);
          return;
        }
        const session = sessionOf(req);
        if (session) await database.run(end, [fingerprint(session)]);
        res.setHeader('Set-Cookie', unset(SESSION));
        tell(res, 'signedOut', 'signedOutText', 200);
      });
    },
    async memberOf(req, how = 'acting') {
      const session = sessionOf(req);
      if (!session) return undefined;
      const [member] = await database.run<Member>(find, [fingerprint(session), how === 'acting']);
      return member;
    },
    async purge() {
      await database.run(purge, []);
    },
  };
}

const Proved = z.object({ iss: z.string(), sub: z.string(), acr: z.string().optional().catch(undefined) });

/** One role, or a list that others may be in too. */
const Roles = z.union([z.string().transform((role): unknown[] => [role]), z.array(z.unknown())]).catch([]);

function rolesOf(
  claim: unknown,
  { agentRole, editorRole }: Pick<ServicedeskIdentity, 'agentRole' | 'editorRole'>,
): Role[] {
  const told = Roles.parse(claim);
  return [
    ...(told.includes(agentRole) ? (['agent'] as const) : []),
    ...(editorRole !== undefined && told.includes(editorRole) ? (['editor'] as const) : []),
  ];
}

const Named = z.object({
  given_name: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
});

/** The first name, or whichever the provider has, as far as it can be seen. */
function nameOf(claims: unknown): string | undefined {
  const { given_name, name } = Named.parse(claims);
  return [given_name, name].map((each) => plain(each ?? '')).find((each) => each !== '');
}

/** Neither control characters nor what turns the direction of the text round. */
const plain = (name: string): string => {
  const seen = name.normalize('NFC').replace(/\s+/g, ' ').replace(/\p{C}/gu, '').trim();
  return (SHORTENED.exec(seen)?.[0] ?? '').trim();
};
const SHORTENED = /^.{1,80}/u;

/**
 * One of the servicedesk's own pages, as a browser would read its address: any
 * other, and those of signing in and out, are the first page instead.
 */
function destinationOf(to: string | undefined): string {
  const ours = 'http://ours.invalid';
  if (to === undefined || !to.startsWith('/') || !URL.canParse(to, ours)) return HOME;
  const { origin, pathname, search } = new URL(to, ours);
  const isDesk = pathname === HOME || pathname.startsWith(`${HOME}/`);
  const isWay = [PATH, SIGN_OUT].some((path) => pathname === path || pathname.startsWith(`${path}/`));
  const path = `${pathname}${search}`;
  return origin === ours && isDesk && !isWay && path.length <= LONGEST_PATH ? path : HOME;
}

/** In bytes, so that it has room in the cookie. */
const LONGEST_PATH = 400;

/** By this name a browser takes it over https only, and from no neighbour of ours. */
const cookieFor = (name: string, origin: string): string => (isSecure(origin) ? `__Host-${name}` : name);

const written = (errand: Errand): string => Buffer.from(JSON.stringify(errand)).toString('base64url');

function read(cookie: string): Errand | undefined {
  try {
    return Errand.safeParse(JSON.parse(Buffer.from(cookie, 'base64url').toString())).data;
  } catch {
    return undefined;
  }
}

const secret = (): string => randomBytes(32).toString('base64url');
const fingerprint = (text: string): string => createHash('sha256').update(text).digest('base64url');
