/** Many students at once, at several processes of the product, some of which are killed meanwhile. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { AMBUSHES, type Executioner, layAmbushes, type Moment } from './ambushes.ts';
import type { Product } from './built-product.ts';
import { type Chance, createChance } from './chance.ts';
import type { Testimony } from './checker.ts';
import { untilQuiet } from './database-server.ts';
import { type Chat, type Counts, noCounts, openChat } from './direct-line-chat.ts';
import { writeScript } from './script.ts';
import { converse } from './student.ts';

export type Blows = {
  /** Decides everything that is left to chance. */
  seed: number;
  /** Conversations begun at each process. */
  conversations: number;
  /** Messages in each conversation. */
  messages: number;
  /** How many times a process is killed, one or another: in ambushes, and the rest spread over the messages. */
  kills: number;
};

export type Aftermath = {
  testimonies: Testimony[];
  tally: Counts & { kills: number; seconds: number };
  /** How many conversations were left behind in ambushes. */
  caught: Record<Moment, number>;
  /** What somebody was still to do when patience ended. */
  undone: string[];
};

/** In milliseconds: how long after an acknowledgement a kill may come. */
const LONGEST_DELAY = 40;
/** In milliseconds: how long a student waits for an answer. */
const PATIENCE = 60_000;
/** In milliseconds. Requests of a process that was killed are left alone for a while. */
const QUIETENING = 60_000;

export async function hammer(product: Product, rows: Client, url: string, blows: Blows): Promise<Aftermath> {
  const { origins } = product;
  const { seed, conversations, messages, kills } = blows;
  const counts = noCounts();
  const total = origins.length * conversations * messages;
  const begun = performance.now();
  const avoided = new Map<string, number>();
  const progress = createProgress();
  let onAcknowledged: (origin: string) => void = () => undefined;

  let killed = 0;
  const running = new Set(origins.keys());
  /** Two kill side by side, in ambushes and elsewhere, so that one process is left to go on. */
  const executionerBy = (chance: Chance): Executioner => ({
    alone: (work) => work(),
    aim() {
      const victim = chance.oneOf([...running]);
      running.delete(victim);
      return victim;
    },
    async kill(nth) {
      killed += 1;
      await product.kill(nth);
    },
    async restart(nth) {
      await product.restart(nth);
      running.add(nth);
    },
  });
  const hasAmbushes = kills >= AMBUSHES;
  const ambushes = layAmbushes(product, { product: url, ledger: url }, executionerBy(createChance(seed + 1)));

  const students = origins.flatMap((home, process) =>
    Array.from({ length: conversations }, async (_, index): Promise<Chat> => {
      const nth = process * conversations + index;
      const chance = createChance(seed + nth);
      const script = writeScript(chance, nth, messages);
      const chat = await openChat(`s${nth}`, home, {
        origins,
        chance,
        counts,
        avoided,
        patience: PATIENCE,
        onAcknowledged: (origin) => {
          onAcknowledged(origin);
        },
      });
      const gather = hasAmbushes ? ambushes.gather : () => Promise.resolve(undefined);
      await converse(chat, script, chance, { onMessages: progress.add, gather }).catch((mistake: unknown) => {
        chat.testimony.complaints.push(String(mistake));
      });
      return chat;
    }),
  );

  /** Kills just when a message was acknowledged and is not answered, or a little later. */
  const killing = async (): Promise<void> => {
    const chance = createChance(seed);
    const { aim, kill, restart } = executionerBy(chance);
    const times = hasAmbushes ? kills - AMBUSHES : kills;
    for (let nth = 0; nth < times; nth++) {
      await progress.reaches(Math.floor((total * nth) / (times + 2)));
      const victim = aim();
      const delay = chance.happens(0.5) ? 0 : chance.below(LONGEST_DELAY);
      const acknowledged = new Promise<void>((resolve) => {
        onAcknowledged = (origin) => {
          if (origin === origins[victim]) resolve();
        };
      });
      await Promise.race([acknowledged, progress.reaches(Infinity)]);
      if (delay > 0) await wait(delay);
      await kill(victim);
      await restart(victim);
    }
  };
  const talking = Promise.all(students).finally(progress.end);
  const killedAll = killing();
  // Nobody is left at work, also when one of them has failed.
  await Promise.allSettled([...students, killedAll]);
  const [chats] = await Promise.all([talking, killedAll, ambushes.over()]);

  const undone = await untilQuiet(rows, QUIETENING);
  await Promise.all(chats.map((chat) => chat.look()));
  const seconds = Math.round((performance.now() - begun) / 1_000);
  return {
    testimonies: chats.map(({ testimony }) => testimony),
    tally: { ...counts, kills: killed, seconds },
    caught: ambushes.caught,
    undone,
  };
}

/** How many messages have been acknowledged, and who waits for so many. */
function createProgress() {
  let count = 0;
  let waiting: { until: number; go: () => void }[] = [];
  const add = (more: number): void => {
    count += more;
    for (const { go } of waiting.filter(({ until }) => until <= count)) go();
    waiting = waiting.filter(({ until }) => until > count);
  };
  return {
    add,
    /** There will be no more, and nobody is to wait in vain. */
    end: () => {
      add(Infinity);
    },
    reaches: (until: number): Promise<void> =>
      new Promise((resolve) => {
        if (until <= count) resolve();
        else waiting.push({ until, go: resolve });
      }),
  };
}
