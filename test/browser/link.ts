/** The way from a browser to the product, and what happens on it: it leads elsewhere, is cut, or goes silent. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Link = {
  origin: string;
  /** From now on it leads there. What is connected stays where it is. */
  leadTo: (origin: string) => void;
  /** Everything that is connected is cut off, and nobody is let in until it is mended. */
  cut: () => void;
  /** Nothing comes through any more on what is connected, and neither end is told. */
  silence: () => void;
  mend: () => void;
  stop: () => Promise<void>;
};

export async function createLink(origin: string): Promise<Link> {
  let target = new URL(origin);
  let isCut = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(next) {
      target = new URL(next);
    },
    cut() {
      isCut = true;
      destroyAll();
    },
    silence() {
      for (const socket of sockets) socket.unpipe();
    },
    mend() {
      isCut = false;
    },
    async stop() {
      destroyAll();
      server.close();
      await once(server, 'close');
    },
  };
}
