/**
 * The way from one process of the assistant to the ledger, and all that can go
 * wrong on it: a request or its answer is late, doubled, replaced by an error,
 * or cut off, before or after the ledger has done what it was asked.
 */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { Chance } from './chance.ts';

/** Each with how often it happens to a revocation, of all that do. */
const faults = {
  /** The request comes to the ledger when its sender has given up this attempt, or the whole errand. */
  requestLate: 2,
  requestTooLate: 1,
  /** It is the answer that is late. */
  answerLate: 2,
  answerTooLate: 1,
  /** The ledger gets the request twice. */
  twice: 5,
  /** An error, instead of asking the ledger; or after it has done what it was asked. */
  errorBefore: 4,
  errorAfter: 5,
  cutBefore: 4,
  cutAfter: 5,
  cutInTheMiddle: 4,
  /** Nobody listens for a while. */
  refuses: 2,
} as const;
export type Fault = keyof typeof faults;

const names = Object.keys(faults) as Fault[];
const lots = names.flatMap((name) => Array.from({ length: faults[name] }, () => name));
/** How often a fault happens to a revocation, and to any other request. */
const OF_REVOCATIONS = 0.4;
const OF_OTHERS = 0.04;

/** In milliseconds: longer than an attempt, and than a whole call. */
const LATE = 4_300;
const TOO_LATE = 8_500;
const REFUSING = 700;

/** How far a revocation has come on its way. */
export type Step = 'asked' | 'decided' | 'answered';

/** How often each has happened, on all ways. */
export type FaultCounts = Record<Fault, number>;
export const noFaults = (): FaultCounts => Object.fromEntries(names.map((name) => [name, 0])) as FaultCounts;

export type FaultyLink = {
  url: string;
  /** Nobody listens until the promise is over, and who was connected is no longer. */
  refuseUntil: (over: Promise<unknown>) => Promise<void>;
  stop: () => Promise<void>;
};

export type LinkWorld = {
  /** Where the ledger is. */
  target: string;
  chance: Chance;
  counts: FaultCounts;
  /** No more faults happen, once it says so. */
  isMended: () => boolean;
  onStep: (step: Step) => void;
};

type Answer = { status: number; headers: IncomingMessage['headers']; body: Buffer };

export async function startFaultyLink(world: LinkWorld): Promise<FaultyLink> {
  const { target, chance, counts, isMended, onStep } = world;
  const agent = new Agent({ keepAlive: true });

  const pass = async ({ method, url = '/', headers }: IncomingMessage, body: Buffer): Promise<Answer> => {
    const asking = request(`${target}${url}`, { agent, method, headers });
    asking.end(body);
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 500, headers: response.headers, body: await buffer(response) };
  };

  const chooseFault = (isRevocation: boolean): Fault | undefined => {
    if (isMended() || !chance.happens(isRevocation ? OF_REVOCATIONS : OF_OTHERS)) return undefined;
    const fault = chance.oneOf(lots);
    counts[fault] += 1;
    return fault;
  };

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await buffer(req);
    const isRevocation = req.url?.endsWith('/revocation') ?? false;
    const fault = chooseFault(isRevocation);
    const tell = (step: Step) => {
      if (isRevocation) onStep(step);
    };
    tell('asked');
    switch (fault) {
      case 'refuses':
        void refuseUntil(wait(REFUSING));
        return;
      case 'cutBefore':
        req.socket.destroy();
        return;
      case 'errorBefore':
        res.writeHead(500);
        res.end();
        return;
      case 'requestLate':
      case 'requestTooLate':
        await wait(fault === 'requestLate' ? LATE : TOO_LATE);
        break;
      case 'twice':
        // At the same time, which is harder than one after the other.
        void pass(req, body).catch(() => undefined);
        break;
      case undefined:
      default:
    }
    const answer = await pass(req, body);
    tell('decided');
    switch (fault) {
      case 'cutAfter':
        req.socket.destroy();
        return;
      case 'errorAfter':
        res.writeHead(503);
        res.end();
        return;
      case 'cutInTheMiddle':
        res.writeHead(answer.status, { ...answer.headers, 'content-length': String(answer.body.length) });
        res.write(answer.body.subarray(0, answer.body.length / 2), () => req.socket.destroy());
        return;
      case 'answerLate':
      case 'answerTooLate':
        await wait(fault === 'answerLate' ? LATE : TOO_LATE);
        break;
      case undefined:
      default:
    }
    res.writeHead(answer.status, answer.headers);
    res.end(answer.body, () => {
      tell('answered');
    });
  };

  const server = createServer((req, res) => {
    // Whoever is at the other end may die at any time, and so may the ledger.
    res.on('error', () => undefined);
    handle(req, res).catch(() => req.socket.destroy());
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;

  let refusing: Promise<void> | undefined;
  const refuseUntil = (over: Promise<unknown>): Promise<void> =>
    (refusing ??= (async () => {
      server.close();
      server.closeAllConnections();
      await over;
      await listen(port);
      refusing = undefined;
    })());

  return {
    url: `http://127.0.0.1:${port}`,
    refuseUntil,
    async stop() {
      await refusing;
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}
