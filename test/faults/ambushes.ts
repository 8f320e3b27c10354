/**
 * Kills where nobody but the product itself can go on: its students have done
 * what they had to, and only wait.
 *
 * By itself that lasts a millisecond or two. So several students gather, and
 * while they turn to one process together, a lock keeps the database from what
 * would come next. Then the process is killed, and the lock let go of.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Product } from './built-product.ts';
import { withClient } from './database-server.ts';

/** When somebody types the code of a sign-in, says yes to a card, or writes for the last time. */
export type Moment = 'code' | 'yes' | 'lastMessage';

export type Ambush = {
  moment: Moment;
  /** How many students gather, at least and at most. */
  size: number;
  most: number;
  lock: string;
  /** Whose rows it keeps away. */
  of: 'product' | 'ledger';
  /** What is then left behind, of the conversations $1. */
  caught: string;
  /** What the process has just told the database is lost with it, as when its machine is cut off. */
  isCutOff: boolean;
};

const CAUGHT_ASKING = `
  select count(distinct conversation) from requests
  where conversation = any ($1) and state = 'open' and request ->> 'request' like 'ledger.%'`;

const code: Ambush = {
  moment: 'code',
  size: 4,
  most: 4,
  // The ledger is asked for cards, and does not answer.
  lock: 'ledger_events in access exclusive mode',
  of: 'ledger',
  caught: CAUGHT_ASKING,
  isCutOff: false,
};
const yes: Ambush = {
  moment: 'yes',
  size: 3,
  // Cards are few and revoked once, so nobody is let past.
  most: 30,
  // The ledger finds the card, and revokes it when nobody is left to hear of it.
  lock: 'ledger_head in share mode',
  of: 'ledger',
  caught: CAUGHT_ASKING,
  isCutOff: false,
};
const lastMessage: Ambush = {
  moment: 'lastMessage',
  size: 8,
  most: 8,
  // Messages are kept and acknowledged, and no turn is committed.
  lock: 'requests in share mode',
  of: 'product',
  caught: 'select count(*) from conversations where id = any ($1) and waiting > 0',
  isCutOff: true,
};
/** Of those who write for the last time there are most. */
export const ambushes: readonly Ambush[] = [code, yes, lastMessage, lastMessage, lastMessage];

/** How many kills they are. */
export const AMBUSHES = ambushes.length;

/**
 * In milliseconds: how long to gather, to wait until all are caught, and for acknowledgements to arrive. A lock is not
 * to outlast the deadlines of the product.
 */
const GATHERING = 60_000;
const CATCHING = 5_000;
const ARRIVING = 100;

export type Ambushes = {
  /** Waits for others who are at the same moment. Says where they all turn to, unless there is no ambush. */
  gather: (moment: Moment, conversation: string) => Promise<string | undefined>;
  /** How many conversations were left behind at each moment. */
  caught: Record<Moment, number>;
  /** Resolves when every ambush that was sprung is over. */
  over: () => Promise<void>;
};

/** Kills and starts again. `aim` chooses a process that runs; `alone` waits until nobody else is to be disturbed by it. */
export type Executioner = Pick<Product, 'kill' | 'restart'> & {
  aim: () => number;
  alone: (work: () => Promise<void>) => Promise<void>;
};

/** Where the rows are, of the product and of its ledger. */
export type Databases = Record<Ambush['of'], string>;

export function layAmbushes(
  { origins, names }: Product,
  databases: Databases,
  executioner: Executioner,
  some: readonly Ambush[] = ambushes,
): Ambushes {
  const caught = { code: 0, yes: 0, lastMessage: 0 };
  const laid = some.map((ambush) => ({ ambush, gathered: [] as string[], isSprung: false, ...createSignal() }));
  let springing: Promise<void> = Promise.resolve();

  const spring = async (each: (typeof laid)[number]): Promise<void> => {
    const { ambush, gathered, go } = each;
    const victim = executioner.aim();
    try {
      await withClient(databases.product, (rows) =>
        withClient(databases[ambush.of], async (locked) => {
          const count = async () =>
            Number((await rows.query<{ count: string }>(ambush.caught, [gathered])).rows[0]?.count);
          await locked.query('begin');
          await locked.query(`lock table ${ambush.lock}`);
          each.isSprung = true;
          go(origins[victim]);
          for (const end = Date.now() + CATCHING; Date.now() < end && (await count()) < gathered.length;) await wait(5);
          await wait(ARRIVING);
          await executioner.kill(victim);
          if (ambush.isCutOff) await rows.query(CUT_OFF, [names[victim]]);
          caught[ambush.moment] += await count();
          await locked.query('rollback');
        }),
      );
    } finally {
      go(undefined);
    }
    await executioner.restart(victim);
  };

  return {
    async gather(moment, conversation) {
      const open = laid.find(
        ({ ambush, gathered, isSprung }) => ambush.moment === moment && !isSprung && gathered.length < ambush.most,
      );
      if (!open) return undefined;
      const { gathered, ambush, gone, go } = open;
      gathered.push(conversation);
      if (gathered.length === 1) setTimeout(go, GATHERING, undefined).unref();
      if (gathered.length === ambush.size) {
        springing = springing.then(() => executioner.alone(() => spring(open)));
        springing.catch(() => undefined);
      }
      return gone;
    },
    caught,
    over: () => springing,
  };
}

const CUT_OFF = 'select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = $1';

function createSignal() {
  let go: (where: string | undefined) => void = () => undefined;
  const gone = new Promise<string | undefined>((resolve) => {
    go = resolve;
  });
  return { go, gone };
}
