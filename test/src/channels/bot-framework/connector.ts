/** The Bot Connector service, as a bot sees it: takes what is sent, or fails as it is told to. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Activity } from 'botbuilder';
import type { Microsoft } from './microsoft.ts';

export type Connector = {
  url: string;
  /** What has been taken, in order. */
  taken: Partial<Activity>[];
  /** Of each of those, how and where it was sent. */
  requests: string[];
  /** The statuses it fails the next requests with. */
  failures: number[];
  /** Resolves once so many have been taken. */
  until: (count: number) => Promise<Partial<Activity>[]>;
  close: () => void;
};

/** One that is told of Microsoft takes nothing but from the bot, by its token. */
export async function openConnector(microsoft?: Microsoft): Promise<Connector> {
  const taken: Partial<Activity>[] = [];
  const requests: string[] = [];
  const failures: number[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const isKnown = !microsoft || (await microsoft.isBots(request.headers.authorization));
      const failure = isKnown ? failures.shift() : 401;
      response.writeHead(failure ?? 201, { 'Content-Type': 'application/json' });
      if (failure === undefined) {
        taken.push(JSON.parse(body) as Partial<Activity>);
        requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
      }
      response.end(JSON.stringify(failure === undefined ? { id: `r-${taken.length}` } : { error: { code: 'No' } }));
      for (const { count, resolve } of waiting) if (taken.length >= count) resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    requests,
    failures,
    until: async (count) => {
      if (taken.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }));
      return taken;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
