/** What stands ready for the tests of a file, and what they begin on it, which is taken away whatever comes of them. */
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { DatabaseServer } from './database-server.ts';

type Begun = { stop: () => Promise<void> };

export type Stage<Server> = {
  /** From the first test to the last. */
  server: () => Server;
  /** Until its test is over, also when that has failed or has not ended in time. */
  begin: <One extends Begun>(beginning: Promise<One>) => Promise<One>;
};

/** `patience` is in milliseconds. */
export function setStage<Server extends DatabaseServer>(start: () => Promise<Server>, patience: number): Stage<Server> {
  let server: Server | undefined;
  const begun: Begun[] = [];

  beforeAll(async () => {
    server = await start();
  }, patience);
  afterEach(async () => {
    for (const each of begun.splice(0).reverse()) await each.stop();
  }, patience);
  afterAll(async () => {
    await server?.stop();
  }, patience);

  return {
    server() {
      if (!server) throw new Error('The server is there from the first test on');
      return server;
    },
    async begin(beginning) {
      const one = await beginning;
      begun.push(one);
      return one;
    },
  };
}
