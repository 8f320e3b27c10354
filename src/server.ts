/**
 * The web server, assembled and not yet listening.
 *
 * A handler that throws has met a mistake of ours, or a neighbour's: it is told
 * of here, and the client learns no more than that.
 *
 * Whoever comes may be nobody's friend: a request has so long to arrive, so
 * much room and so many headers, and what is answered bears the same headers
 * whether a handler, this file or Node itself has refused it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import {
  createServer as createRestifyServer,
  type Next,
  plugins,
  type Request,
  type Response,
  type Server,
} from 'restify';
import type { Content } from './content.ts';
import { StartupProblem } from './startup-problem.ts';
import { headersOf, linesOf } from './web/headers.ts';
import { escaped, sendPage } from './web/page.ts';

export type ServerWorld = {
  content: Content;
  /** Whatever puts its own addresses on the server. */
  mounts: readonly ((server: Server) => void | Promise<void>)[];
  /** What `/health` reports: whether each of our neighbours answers. */
  isHealthy: () => Promise<Record<string, boolean>>;
  /** Is told of every answer: of which route, never the address itself, since that may hold what is secret. */
  onAnswer?: (answer: { method: string; route: string; status: number; took: number }) => void;
  /** Is told when a connection begins to stay open for news, and when it ends. */
  onStream?: (kind: 'websocket' | 'events', change: 1 | -1) => void;
  onMistake: (mistake: unknown) => void;
  /** What every answer bears, as `headersOf` has it. Without them: as where it is only tried. */
  headers?: Readonly<Record<string, string>>;
  patience?: Partial<Patience>;
};

const TRIED = { isProduction: false, publicUrl: undefined };

/** In milliseconds: how long is waited for whoever asks, or takes what they asked for. */
export type Patience = { headers: number; request: number; silence: number; look: number };

/** In bytes: room for the longest text, and then some. */
const LARGEST_BODY = 128 * 1_024;
/** On a slow telephone the largest body takes twenty seconds. Nothing that we answer is silent for long. */
const PATIENCE: Patience = { headers: 10_000, request: 30_000, silence: 120_000, look: 5_000 };
/** In milliseconds. A proxy lets go of a connection after a minute; were it we, a request could meet the closing. */
const KEPT = 65_000;
/** Node has room for 16 kB of them in all, and would leave out the last of too many, which may be a proxy's. */
const MOST_HEADERS = 100;
/** Then a proxy opens another, perhaps to an instance that is new. */
const MOST_REQUESTS = 10_000;
/** Ten thousand students, each with a stream and what is asked beside it. */
const MOST_CONNECTIONS = 20_000;
/** A name or an address, and a port: it is said again in links and policies, so it is nothing else. */
const HOST = /^[\w.:[\]-]{1,255}$/;

export async function createServer(world: ServerWorld): Promise<Server> {
  const { content, mounts, isHealthy, onMistake, headers = headersOf(TRIED), patience } = world;
  const server = createRestifyServer({ name: 'kortlotsen', maxParamLength: 400, onceNext: true });
  harden(server, headers, { ...PATIENCE, ...patience });
  const everyHeader = Object.entries(headers);
  server.pre((req: Request, res: Response, next: Next) => {
    res.removeHeader('Server');
    watch(req, res, world);
    for (const [name, value] of everyHeader) res.setHeader(name, value);
    const { 'content-encoding': encoding = 'identity', accept } = req.headers;
    if (isDraining(server)) {
      res.setHeader('Connection', 'close');
      if (accept?.includes('text/event-stream')) {
        res.sendRaw(503, '', { 'Retry-After': '1' });
        next(false);
        return;
      }
    }
    if (req.rawHeaders.length > 2 * MOST_HEADERS) next(refusal(431, 'There are too many headers'));
    else if (!isForSomebody(req)) {
      // Whoever tells of it asks for its address, which throws where there is none.
      Object.assign(req, { url: '/' });
      req.headers.host = 'localhost';
      next(refusal(400, 'Nobody is called so'));
    }
    // What reads bodies unpacks gzip without a limit, and what is no gzip would end the process.
    else next(encoding === 'identity' ? undefined : refusal(415, 'Nobody unpacks it'));
  });
  server.use(plugins.bodyReader({ maxBodySize: LARGEST_BODY }));
  server.use(plugins.jsonBodyParser({ mapParams: false }));
  server.use(plugins.urlEncodedBodyParser({ mapParams: false }));

  server.on('restifyError', (_req: Request, res: Response, problem: Problem, done: () => void) => {
    const { statusCode = 500 } = problem;
    const isOurs = statusCode >= 500;
    if (isOurs) onMistake(problem);
    const code = isOurs ? 'ServiceError' : (problem.body?.code ?? 'BadRequest');
    const message = isOurs ? 'Something went wrong here.' : 'The request cannot be read.';
    if (!res.headersSent) res.send(statusCode, { error: { code, message } });
    done();
  });

  server.get('/health', async (_req: Request, res: Response) => {
    const parts = await isHealthy();
    const isWell = Object.values(parts).every(Boolean);
    const status = isDraining(server) ? 'draining' : isWell ? 'ok' : 'failing';
    res.send(status === 'ok' ? 200 : 503, { status, ...parts });
  });
  const listening = server.server.listenerCount('upgrade');
  for (const mount of mounts) await mount(server);
  const { onStream } = world;
  if (onStream && server.server.listenerCount('upgrade') > listening) {
    server.server.on('upgrade', (_req: IncomingMessage, socket: Duplex) => {
      onStream('websocket', 1);
      socket.once('close', () => {
        onStream('websocket', -1);
      });
    });
  }
  // Once it is let go of by HTTP nothing else would ever close it.
  if (server.server.listenerCount('upgrade') === listening) {
    server.server.on('upgrade', (_req: IncomingMessage, socket: Duplex) => socket.destroy());
  }
  server.get('/*', (_req: Request, res: Response, next: Next) => {
    const [title, link] = [content.label('web-chat/notFound'), content.label('web-chat/toChat')];
    sendPage(res, { title, status: 404, body: `<h1>${escaped(title)}</h1>\n<p><a href="/">${escaped(link)}</a></p>` });
    next();
  });
  return server;
}

type Problem = Error & { statusCode?: number; body?: { code?: string } };

/** Tells of an answer when it is over, whoever ends it. */
function watch(req: Request, res: Response, { onAnswer, onStream }: Pick<ServerWorld, 'onAnswer' | 'onStream'>): void {
  if (!onAnswer) return;
  const begun = performance.now();
  const isStream = req.headers.accept?.includes('text/event-stream') ?? false;
  if (isStream) onStream?.('events', 1);
  res.once('close', () => {
    if (isStream) onStream?.('events', -1);
    const { method = '' } = req;
    onAnswer({
      method: METHODS.includes(method) ? method : 'other',
      route: routeOf(req),
      status: res.statusCode,
      took: performance.now() - begun,
    });
  });
}

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** As it is mounted, with the names of its parameters. */
function routeOf(req: Request): string {
  // A request that no route was found for has none, whatever the types say.
  const route: unknown = req.getRoute();
  const isFound = typeof route === 'object' && route !== null && 'path' in route;
  return isFound && typeof route.path === 'string' ? route.path : 'none';
}

const refusal = (statusCode: number, message: string): Problem => Object.assign(new Error(message), { statusCode });

/** By one name, which may be left out only as long ago as it was, and at an address that can be read. */
function isForSomebody({ rawHeaders, httpVersion, url = '' }: IncomingMessage): boolean {
  const hosts = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'host');
  if (hosts.length > 1 || (hosts.length === 0 && httpVersion !== '1.0')) return false;
  const [host = 'localhost'] = hosts;
  const base = `http://${host}`;
  return HOST.test(host) && URL.canParse(url.startsWith('/') ? base + url : url, base);
}

/** What Node can say of a request that never became one. */
const UNREADABLE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Limits of what comes over HTTP, and answers to what Node refuses before any of us has heard of it. */
function harden({ server }: Server, headers: Readonly<Record<string, string>>, patience: Patience): void {
  Object.assign(server, {
    headersTimeout: patience.headers,
    requestTimeout: patience.request,
    // How often the two above are looked at. It is not in Node's types.
    connectionsCheckingInterval: patience.look,
    keepAliveTimeout: KEPT,
    timeout: patience.silence,
    maxRequestsPerSocket: MOST_REQUESTS,
    maxConnections: MOST_CONNECTIONS,
    // Whoever names no host is refused here, with our headers.
    requireHostHeader: false,
  });
  const lines = linesOf(headers);
  const answering = new WeakMap<Duplex, ServerResponse>();
  for (const event of ['request', 'checkContinue']) {
    server.on(event, (req: IncomingMessage, res: ServerResponse) => answering.set(req.socket, res));
  }
  server.on('checkExpectation', (_req: IncomingMessage, res: ServerResponse) => {
    res.writeHead(417, headers);
    res.end();
  });
  server.on('clientError', (problem: Error & { code?: string }, socket: Duplex) => {
    const answer = answering.get(socket);
    // In the middle of another answer, it would be read as a part of that one.
    if (!socket.writable || (answer?.headersSent && !answer.writableFinished)) {
      socket.destroy();
      return;
    }
    const status = UNREADABLE[problem.code ?? ''] ?? '400 Bad Request';
    socket.once('finish', () => socket.destroy());
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n${lines}\r\n`);
  });
}

/** Connections that nothing was asked on yet: browsers open some beforehand, and Node holds them for busy. */
const unused = new WeakMap<Server, Set<Socket>>();

/** Listens, and says where it is reached from this machine. */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<string> {
  const waiting = new Set<Socket>();
  unused.set(server, waiting);
  server.server.on('connection', (socket: Socket) => {
    waiting.add(socket);
    socket.once('close', () => waiting.delete(socket));
  });
  for (const event of ['request', 'upgrade']) {
    server.server.on(event, ({ socket }: IncomingMessage) => waiting.delete(socket));
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      // restify would hand it PostgreSQL's errors too, since they are called that, and wait for its answer.
      server.removeListener('error', reject);
      resolve();
    });
  }).catch((mistake: unknown) => {
    throw asStartupProblem(mistake, host, port);
  });
  const address = server.server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

/** In milliseconds: how long what has been begun may take, and how often connections that are done are looked for. */
const STOPPING = 10_000;
const BETWEEN_LOOKS = 50;

/** Those that are going away. */
const draining = new WeakSet<Server>();

/** Whether it goes away soon: whatever lasts is better begun elsewhere. */
export const isDraining = (server: Server): boolean => draining.has(server);

/**
 * Goes on answering for so many seconds, while `/health` tells whoever leads requests here to lead them elsewhere.
 * What lasts is not begun any more, and every connection ends with its next answer.
 */
export async function drain(server: Server, seconds: number): Promise<void> {
  draining.add(server);
  if (seconds > 0) await wait(seconds * 1_000);
}

/**
 * Takes no more connections, and ends when the requests it has, and then `work`, are over; or when that takes too long,
 * and the rest is left to others. Says whether all was finished.
 */
export async function closeServer(server: Server, work = (): Promise<unknown> => Promise.resolve()): Promise<boolean> {
  draining.add(server);
  const closed = new Promise<void>((resolve) => {
    server.close(resolve);
  });
  const closeIdle = () => {
    server.server.closeIdleConnections();
    for (const socket of unused.get(server) ?? []) socket.destroy();
  };
  closeIdle();
  // Node leaves open what was being answered just then, for its client to ask more.
  const closing = setInterval(closeIdle, BETWEEN_LOOKS);
  const over = closed.then(work).then(() => true);
  const isFinished = await Promise.race([over, wait(STOPPING, false, { ref: false })]);
  clearInterval(closing);
  server.server.closeAllConnections();
  return isFinished;
}

function asStartupProblem(mistake: unknown, host: string, port: number): unknown {
  const code = mistake instanceof Error && 'code' in mistake ? mistake.code : undefined;
  if (code === 'EADDRINUSE') {
    return new StartupProblem(
      'portIsTaken',
      `Port ${port} at ${host} is taken; stop what uses it, or set PORT to another.`,
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new StartupProblem(
      'portIsTaken',
      `${host}:${port} cannot be listened on here (${code}); set HOST and PORT to another.`,
    );
  }
  return mistake;
}
