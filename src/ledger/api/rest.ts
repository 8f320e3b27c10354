/**
 * The ledger's REST API, and its only door from outside.
 *
 * Every error is a problem (RFC 9457) that repeats nothing of what was sent. A
 * card that is unknown, somebody else's, or of a protected holder is answered
 * with the very same bytes, and so no header tells how many requests are left.
 */
import type { Next, Request, Response, Server } from 'restify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { z } from 'zod';
import type { Registry } from '../cards.ts';
import type { Access, Granted } from './access.ts';
import { mountDocs } from './open-api.ts';
import {
  BASE,
  type Operation,
  type OperationName,
  operations,
  PROBLEM_JSON,
  type ProblemName,
  problemOf,
  TOKEN_PATH,
  type TokenProblem,
  TokenRequest,
} from './operations.ts';

/** How many a minute. */
export type Limits = {
  /** Of one client, revocations apart. */
  requests: number;
  revocations: number;
  /** Of one remote address. Behind a proxy that is everybody's, and the proxy has to have a limit of its own. */
  failedTokens: number;
};

export const usualLimits: Limits = { requests: 600, revocations: 60, failedTokens: 10 };

export type LedgerApiWorld = {
  registry: Registry;
  access: Access;
  limits?: Partial<Limits>;
  /** The folder with swagger-ui.css and swagger-ui-bundle.js. Without it there is no page to read the document on. */
  docs?: string;
  onMistake: (mistake: unknown) => void;
};

export function mountLedgerApi(server: Server, world: LedgerApiWorld): void {
  const { registry, access, docs, onMistake } = world;
  const limits = limitersOf({ ...usualLimits, ...world.limits });
  const handlers = handlersOf(registry);

  /** Whose request it is, if they may make it. Otherwise it has been answered. */
  const clientOf = async (req: Request, res: Response, { scope, limit }: Operation): Promise<string | undefined> => {
    const token = /^Bearer (\S+)$/i.exec(req.header('authorization', ''))?.[1];
    const caller = token === undefined ? undefined : await access.read(token);
    if (!caller) {
      const error = token === undefined ? '' : ', error="invalid_token"';
      sendProblem(res, 'unauthenticated', { 'WWW-Authenticate': `Bearer realm="ledger"${error}` });
      return undefined;
    }
    const seconds = await secondsToWait(limits[limit], caller.client);
    if (seconds !== undefined) {
      sendProblem(res, 'too-many-requests', { 'Retry-After': String(seconds) });
      return undefined;
    }
    if (!caller.scopes.includes(scope)) {
      const challenge = `Bearer realm="ledger", error="insufficient_scope", scope="${scope}"`;
      sendProblem(res, 'insufficient-scope', { 'WWW-Authenticate': challenge });
      return undefined;
    }
    return caller.client;
  };

  const serve = async (name: OperationName, req: Request, res: Response): Promise<void> => {
    const operation: Operation = operations[name];
    const client = await clientOf(req, res, operation);
    if (client === undefined) return;
    const query = Object.fromEntries(new URLSearchParams(req.getQuery()));
    const [params, body] = [req.params as unknown, req.body as unknown];
    const { data } = operation.takes.safeParse({ params, headers: req.headers, query, body });
    if (!data) {
      sendProblem(res, 'invalid-request');
      return;
    }
    // Each handler takes what its own operation does, which a union of them cannot say.
    const handle = handlers[name] as (asked: typeof data, client: string) => Promise<Reply>;
    const reply = await handle(data, client);
    if ('problem' in reply) {
      sendProblem(res, reply.problem, {}, reply.problems);
      return;
    }
    const { schema, type = 'application/json' } = operation.answers[reply.status] ?? {};
    if (!schema) {
      send(res, reply.status);
      return;
    }
    const answer = schema.parse(reply.body);
    send(res, reply.status, type, typeof answer === 'string' ? answer : JSON.stringify(answer));
  };

  const grant = async (req: Request, res: Response): Promise<void> => {
    const address = req.socket.remoteAddress ?? '';
    const before = await limits.failedTokens.get(address);
    if (before && before.remainingPoints <= 0) {
      sendProblem(res, 'too-many-requests', { 'Retry-After': String(inSeconds(before)) });
      return;
    }
    const granted = await tokenFor(req, access);
    if (typeof granted === 'string') {
      await limits.failedTokens.penalty(address);
      const isUnknown = granted === 'invalid_client';
      const headers = isUnknown ? { 'WWW-Authenticate': 'Basic realm="ledger"' } : undefined;
      send(res, isUnknown ? 401 : 400, 'application/json', JSON.stringify({ error: granted }), headers);
      return;
    }
    const { token, expiresIn, scopes } = granted;
    const answer = { access_token: token, token_type: 'Bearer', expires_in: expiresIn, scope: scopes.join(' ') };
    send(res, 200, 'application/json', JSON.stringify(answer));
  };

  const safely = (handle: (req: Request, res: Response) => Promise<void>) => async (req: Request, res: Response) => {
    try {
      await handle(req, res);
    } catch (mistake) {
      onMistake(mistake);
      if (!res.headersSent) sendProblem(res, 'mistake');
    }
  };

  for (const name of Object.keys(operations) as OperationName[]) {
    const { method, path } = operations[name];
    server[method](
      `${BASE}${path}`,
      safely((req, res) => serve(name, req, res)),
    );
  }
  server.post(TOKEN_PATH, safely(grant));
  mountDocs(server, docs);

  const nothing = (_req: Request, res: Response, next: Next) => {
    sendProblem(res, 'unknown');
    next();
  };
  server.get('/ledger/*', nothing);
  server.post('/ledger/*', nothing);
  // What the server says of a request that never came to a handler is said here as a problem, before the server does.
  server.prependListener(
    'restifyError',
    (req: Request, res: Response, { statusCode = 500 }: { statusCode?: number }) => {
      if (!/^\/ledger(\/|$)/.test(req.getPath()) || res.headersSent) return;
      sendProblem(res, REFUSED_BY_SERVER[statusCode] ?? (statusCode < 500 ? 'invalid-request' : 'mistake'));
    },
  );
}

const REFUSED_BY_SERVER: Record<number, ProblemName> = {
  404: 'unknown',
  405: 'method-not-allowed',
  413: 'too-large',
  415: 'unsupported-encoding',
};

// What is done

type Answers<O extends Operation> = {
  [Status in keyof O['answers']]: { status: Status } & (O['answers'][Status] extends {
    schema: infer S extends z.ZodType;
  }
    ? { body: z.input<S> }
    : { body?: never });
}[keyof O['answers']];
type Told<O extends Operation> = { problem: O['problems'][number]; problems?: readonly string[] };
type Handlers = {
  [Name in OperationName]: (
    asked: z.output<(typeof operations)[Name]['takes']>,
    client: string,
  ) => Promise<Answers<(typeof operations)[Name]> | Told<(typeof operations)[Name]>>;
};
type Reply =
  { status: keyof Operation['answers']; body?: unknown } | { problem: ProblemName; problems?: readonly string[] };

function handlersOf(registry: Registry): Handlers {
  return {
    findHolder: ({ body: { identifier } }) =>
      Promise.resolve({ status: 200, body: { holder: registry.holderFor(identifier) } }),
    async listCards({ params: { holder } }) {
      return { status: 200, body: { cards: await registry.cardsOf(holder) } };
    },
    async readCard({ params: { holder, card } }) {
      const found = (await registry.cardsOf(holder)).find(({ id }) => id === card);
      return found ? { status: 200, body: found } : { problem: 'unknown' };
    },
    async revokeCard({ params, headers, body }, client) {
      const revoked = await registry.revoke({ ...params, ...body, client, key: headers['idempotency-key'] });
      switch (revoked.outcome) {
        case 'revoked': {
          const { receipt, isNew } = revoked;
          return { status: isNew ? 201 : 200, body: { outcome: 'revoked', receipt } };
        }
        case 'expired':
          return { status: 200, body: { outcome: 'expired' } };
        case 'unknown':
          return { problem: 'unknown' };
        case 'otherRegion':
          return { problem: 'other-region' };
        case 'notInUse':
          return { problem: 'not-in-use' };
        case 'keyReused':
          return { problem: 'idempotency-key-reused' };
      }
    },
    async readReceipt({ params: { holder, number } }) {
      const receipt = await registry.receiptOf(holder, number);
      return receipt ? { status: 200, body: receipt } : { problem: 'unknown' };
    },
    async record({ body: { happenings } }, client) {
      const { problems: found } = await registry.record(happenings, client);
      return found.length > 0 ? { problem: 'impossible', problems: found } : { status: 204 };
    },
    async readHead() {
      return { status: 200, body: await registry.head() };
    },
    async readEvents({ query: { after, limit } }) {
      const lines = await registry.lines(after, limit);
      return { status: 200, body: lines.map((line) => `${line}\n`).join('') };
    },
  };
}

// Tokens

async function tokenFor(req: Request, access: Access): Promise<Granted | TokenProblem> {
  if (req.getContentType() !== 'application/x-www-form-urlencoded') return 'invalid_request';
  const { data: form } = TokenRequest.safeParse(req.body);
  if (!form) return 'invalid_request';
  const authorization = req.header('authorization', '');
  if (authorization !== '' && form.client_secret !== undefined) return 'invalid_request';
  const [id, secret] =
    authorization === '' ? [form.client_id, form.client_secret] : (basicCredentials(authorization) ?? []);
  if (id === undefined || secret === undefined) return 'invalid_client';
  const granted = await access.grant(id, secret, form.scope?.split(' '));
  if (granted === 'invalidClient') return 'invalid_client';
  if (form.grant_type !== 'client_credentials') return 'unsupported_grant_type';
  return granted === 'invalidScope' ? 'invalid_scope' : granted;
}

/** RFC 6749, 2.3.1: both are encoded as in a form, and then as Basic authentication does. */
function basicCredentials(authorization: string): [string, string] | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1] ?? '';
  const [, id, secret] = /^([^:]+):(.+)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  try {
    return [fromForm(id), fromForm(secret)];
  } catch {
    return undefined;
  }
}

const fromForm = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));

// Limits

type Limiters = Record<keyof Limits, RateLimiterMemory>;

function limitersOf({ requests, revocations, failedTokens }: Limits): Limiters {
  const limiter = (points: number) => new RateLimiterMemory({ points, duration: 60 });
  return { requests: limiter(requests), revocations: limiter(revocations), failedTokens: limiter(failedTokens) };
}

async function secondsToWait(limiter: RateLimiterMemory, key: string): Promise<number | undefined> {
  try {
    await limiter.consume(key);
    return undefined;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return inSeconds(refusal);
    throw refusal;
  }
}

const inSeconds = ({ msBeforeNext }: RateLimiterRes): number => Math.max(1, Math.ceil(msBeforeNext / 1000));

// Answers

function sendProblem(
  res: Response,
  name: ProblemName,
  headers: Record<string, string> = {},
  found?: readonly string[],
): void {
  const problem = problemOf(name, found);
  send(res, problem.status, PROBLEM_JSON, JSON.stringify(problem), headers);
}

/** As it is: formatted by restify, a client's Accept would decide the type, and an error's message be the body. */
function send(res: Response, status: number, type?: string, body = '', headers: Record<string, string> = {}): void {
  res.sendRaw(status, body, {
    ...headers,
    ...(type !== undefined && { 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(body)) }),
  });
}
