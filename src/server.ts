/**
 * The web server, assembled and not yet listening.
 *
 * A handler that throws has met a mistake of ours, or a neighbour's: it is told
 * of here, and the client learns no more than that.
 */
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
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
import { escaped, sendPage } from './web/page.ts';

export type ServerWorld = {
  content: Content;
  /** Whatever puts its own addresses on the server. */
  mounts: readonly ((server: Server) => void | Promise<void>)[];
  /** What `/health` reports: whether each of our neighbours answers. */
  isHealthy: () => Promise<Record<string, boolean>>;
  onMistake: (mistake: unknown) => void;
};

/** In bytes: room for the longest text, and then some. */
const LARGEST_BODY = 128 * 1_024;

export async function createServer({ content, mounts, isHealthy, onMistake }: ServerWorld): Promise<Server> {
  const server = createRestifyServer({ name: 'kortlotsen', maxParamLength: 400, onceNext: true });
  server.pre((req: Request, res: Response, next: Next) => {
    res.removeHeader('Server');
    // What reads bodies unpacks gzip without a limit, and what is no gzip would end the process.
    const { 'content-encoding': encoding = 'identity', accept } = req.headers;
    if (isDraining(server)) {
      res.setHeader('Connection', 'close');
      if (accept?.includes('text/event-stream')) {
        res.sendRaw(503, '', { 'Retry-After': '1' });
        next(false);
        return;
      }
    }
    next(encoding === 'identity' ? undefined : Object.assign(new Error('Nobody unpacks it'), { statusCode: 415 }));
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
  for (const mount of mounts) await mount(server);
  server.get('/*', (_req: Request, res: Response, next: Next) => {
    const [title, link] = [content.label('web-chat/notFound'), content.label('web-chat/toChat')];
    sendPage(res, { title, status: 404, body: `<h1>${escaped(title)}</h1>\n<p><a href="/">${escaped(link)}</a></p>` });
    next();
  });
  return server;
}

type Problem = Error & { statusCode?: number; body?: { code?: string } };

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
