/** A stand-in for the Bot Connector service: takes every reply, and keeps none. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** `answers` is the id of the message that it answers, where the bot says so. */
export type Reply = { conversation: string; answers: string | undefined; text: string };
export type Connector = { url: string; close: () => void };

const PLACE = /^\/v3\/conversations\/([^/]+)\/activities(?:\/([^/?]+))?/;

export async function openConnector(hear: (reply: Reply) => void): Promise<Connector> {
  let taken = 0;
  const server = createServer((request, response) => {
    const [, conversation, answers] = PLACE.exec(request.url ?? '') ?? [];
    if (request.method !== 'POST' || !conversation) {
      response.writeHead(404).end();
      return;
    }
    void read(request).then(({ type, text }) => {
      // A sign that somebody is at it is no reply.
      if (type !== 'typing') {
        hear({
          conversation: decodeURIComponent(conversation),
          answers: answers && decodeURIComponent(answers),
          text,
        });
      }
      response.writeHead(201, { 'content-type': 'application/json' }).end(`{"id":"reply-${++taken}"}`);
    });
  });
  // Longer than any pause of the bots, so that none of them meets a connection that is just closing.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function read(request: IncomingMessage): Promise<{ type: string; text: string }> {
  const { type, text: said = '' } = JSON.parse(await text(request)) as { type: string; text?: string };
  return { type, text: said };
}
