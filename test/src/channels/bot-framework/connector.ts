/** The Bot Connector service, as a bot sees it: takes what is sent, or fails as it is told to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Activity } from 'botbuilder';
import type { Microsoft } from './microsoft.ts';

export type Connector = {
  url: string;
  /** What has been taken, in order; what only shows that somebody is at it is left out. */
  taken: Partial<Activity>[];
  /** Of each of those, how and where it was sent. */
  requests: string[];
  /** How often it was shown that somebody is at it. */
  typed: number;
  /** While it is, the connection ends whenever that is to be shown. */
  isTypingLost: boolean;
  /** How it fails the next requests. */
  faults: Fault[];
  /** How it fails requests of one conversation, for as long as it is here. */
  faultsIn: Map<string, Fault>;
  /** Resolves once so many have been taken. */
  until: (count: number) => Promise<Partial<Activity>[]>;
  close: () => void;
};

export type Fault =
  | number
  | { status: number; code?: string; retryAfter?: string; until?: Promise<unknown> }
  /** The connection ends before it is taken, when it has been, or in the middle of saying so. */
  | 'cutBefore'
  | 'cutAfter'
  | 'cutInTheMiddle'
  /** It is taken, and said so only then. */
  | { until: Promise<unknown> };

/** One that is told of Microsoft takes nothing but from the bot, by its token. */
export async function openConnector(microsoft?: Microsoft): Promise<Connector> {
  const waiting: { count: number; resolve: () => void }[] = [];

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse(await text(request)) as Partial<Activity>;
    const path = request.url ?? '';
    const end = (status: number, json: object, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
      response.end(JSON.stringify(json));
    };
    if (microsoft && !(await microsoft.isBots(request.headers.authorization))) {
      end(401, { error: { code: 'Unauthorized' } });
      return;
    }
    if (body.type === 'typing') {
      connector.typed++;
      if (connector.isTypingLost) {
        request.socket.destroy();
        return;
      }
      end(201, { id: 't' });
      return;
    }
    const of = [...connector.faultsIn].find(([conversation]) => decodeURIComponent(path).includes(conversation))?.[1];
    const fault = of ?? connector.faults.shift();
    if (typeof fault === 'number') end(fault, {});
    else if (fault === 'cutBefore') request.socket.destroy();
    else if (typeof fault === 'object' && 'status' in fault) {
      const { status, code, retryAfter, until } = fault;
      await until;
      const headers: Record<string, string> = retryAfter === undefined ? {} : { 'Retry-After': retryAfter };
      end(status, code === undefined ? {} : { error: { code, message: 'No' } }, headers);
    } else {
      connector.taken.push(body);
      connector.requests.push(`${request.method ?? ''} ${path}`);
      for (const { count, resolve } of waiting) if (connector.taken.length >= count) resolve();
      if (fault === 'cutAfter') request.socket.destroy();
      else if (fault === 'cutInTheMiddle') {
        response.writeHead(201, { 'Content-Type': 'application/json', 'Content-Length': '100' });
        response.write('{"id":');
        setImmediate(() => request.socket.destroy());
      } else {
        if (fault) await fault.until;
        const id = String(connector.taken.length);
        // Whoever begins a thread is told of its first message.
        const made = { id: `19:channel@thread.tacv2;messageid=${id}`, activityId: id };
        end(201, path === '/v3/conversations' ? made : { id: `r-${id}` });
      }
    }
  };
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connector: Connector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: [],
    requests: [],
    typed: 0,
    isTypingLost: false,
    faults: [],
    faultsIn: new Map(),
    until: async (count) => {
      if (connector.taken.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }));
      return connector.taken;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return connector;
}
