/**
 * Many students who revoke a card each, while everything between their yes and
 * the receipt fails: the assistant and the ledger are killed and started again,
 * and the way between them loses, doubles and delays what is sent.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Product } from './built-product.ts';
import { type Chance, createChance } from './chance.ts';
import type { Testimony } from './checker.ts';
import { untilQuiet } from './database-server.ts';
import { type Chat, type Counts, noCounts, openChat } from './direct-line-chat.ts';
import type { FaultyLink } from './faulty-link.ts';
import { revokeOwnCard, YES } from './revoking-student.ts';

/** The assistant, and the ledger it reaches by faulty links: one for each of its processes. */
export type Stage = { assistant: Product; ledger: Product; links: readonly FaultyLink[]; hub: Hub };

/** When a process of the assistant is killed: a student has just said yes, or the revocation is so far on its way. */
const moments = ['yes', 'asked', 'decided', 'answered'] as const;
/** Or something that it has said has just been taken by the connector of Teams. */
export type Moment = (typeof moments)[number] | 'taken';

/** Where it is told how far revocations have come, by the process of the assistant they are of. */
export type Hub = {
  tell: (process: number, moment: Moment) => void;
  /** Calls back once, in the very moment; gives how to call that off. */
  once: (process: number, moment: Moment, then: () => void) => () => void;
  /** The processes that somebody waits to kill: a yes is to go there. */
  aims: Set<number>;
};

export type RevocationBlows = {
  seed: number;
  students: number;
  /** How many are at it at the same time. */
  together: number;
  /**
   * How long a student waits for an answer, in milliseconds: longer than all of it lasts. A revocation that is not
   * settled is asked about again, and whoever asks may be killed again.
   */
  patience: number;
  /** How many times a process of the assistant is killed, and the ledger. */
  kills: number;
  ledgerKills: number;
};

export type RevocationAftermath = {
  testimonies: Testimony[];
  /** Kills by the moment they came in; `anyTime` when that moment did not come. */
  kills: Record<Exclude<Moment, 'taken'> | 'anyTime' | 'ofTheLedger', number>;
  counts: Counts;
  seconds: number;
  undone: string[];
};

/** In milliseconds: how long after its moment a kill may come, and how long a moment is waited for. */
const DELAYS = [0, 0, 5, 20, 80, 300] as const;
const WAITING = 4_000;
const QUIETENING = 150_000;

export const createHub = (): Hub => {
  const waiting = new Map<string, Set<() => void>>();
  const at = (process: number, moment: Moment): Set<() => void> => {
    const key = `${process} ${moment}`;
    const those = waiting.get(key) ?? new Set();
    waiting.set(key, those);
    return those;
  };
  return {
    tell(process, moment) {
      for (const then of at(process, moment)) then();
    },
    once(process, moment, then) {
      const those = at(process, moment);
      const tell = () => {
        those.delete(tell);
        then();
      };
      those.add(tell);
      return () => those.delete(tell);
    },
    aims: new Set(),
  };
};

/** `onOver` is called when the last kill has been, after which nothing more is to go wrong. */
export async function revokeUnderFire(
  { assistant, ledger, links, hub }: Stage,
  rows: Client,
  { seed, students, together, patience, kills, ledgerKills }: RevocationBlows,
  onOver: () => void,
): Promise<RevocationAftermath> {
  const { origins } = assistant;
  const counts = noCounts();
  const killed = { yes: 0, asked: 0, decided: 0, answered: 0, anyTime: 0, ofTheLedger: 0 };
  const avoided = new Map<string, number>();
  const begun = performance.now();
  const total = kills + ledgerKills;
  const sum = () => Object.values(killed).reduce((one, other) => one + other);
  const [allKilled, assistantKilled] = [createGate(), createGate()];

  /** A student comes when so many kills have been, so that there are students until the last. */
  const talk = async (nth: number): Promise<Chat[]> => {
    const chance = createChance(seed + nth);
    const open = (tab: string) =>
      openChat(`p${nth}${tab}`, chance.oneOf(origins), {
        ...{ origins, chance, counts, avoided },
        patience,
        onAcknowledged(origin, text) {
          if (text === YES) hub.tell(origins.indexOf(origin), 'yes');
        },
      });
    // Every fourth has the question open in two windows, which are two conversations.
    const chats = await Promise.all((nth % 4 === 0 ? ['a', 'b'] : ['a']).map(open));
    const meet = createMeeting(chats.length);
    await Promise.all(
      chats.map((chat) =>
        revokeOwnCard(chat, chance, `person-${nth}`, { meet, aim: () => origins[[...hub.aims][0] ?? -1] })
          .catch((mistake: unknown) => chat.testimony.complaints.push(String(mistake)))
          .then(meet),
      ),
    );
    return chats;
  };
  const talkAll = async (): Promise<Chat[]> => {
    const chats: Chat[] = [];
    let next = 0;
    const one = async (): Promise<void> => {
      for (let nth = next++; nth < students; nth = next++) {
        await allKilled.reaches(Math.floor((total * Math.max(0, nth - together)) / students));
        chats.push(...(await talk(nth)));
      }
    };
    await Promise.all(Array.from({ length: together }, one));
    return chats;
  };

  const running = new Set(origins.keys());
  let left = kills;
  const killAssistant = async (chance: Chance): Promise<void> => {
    while (left-- > 0) {
      const victim = chance.oneOf([...running]);
      running.delete(victim);
      const moment = chance.oneOf(moments);
      const delay = chance.oneOf(DELAYS);
      let dying: Promise<void> | undefined;
      const inTime = await new Promise<boolean>((resolve) => {
        const strike = () => {
          // Without a delay it is dead before whoever told us goes on.
          if (delay === 0) dying = assistant.kill(victim);
          clearTimeout(late);
          resolve(true);
        };
        const callOff = hub.once(victim, moment, strike);
        const late = setTimeout(() => {
          callOff();
          resolve(false);
        }, WAITING);
        hub.aims.add(victim);
      });
      hub.aims.delete(victim);
      if (delay > 0) await wait(delay);
      await (dying ?? assistant.kill(victim));
      killed[inTime ? moment : 'anyTime'] += 1;
      allKilled.opens(sum());
      assistantKilled.opens(sum() - killed.ofTheLedger);
      await assistant.restart(victim);
      running.add(victim);
    }
  };
  const killLedger = async (chance: Chance): Promise<void> => {
    for (let nth = 0; nth < ledgerKills; nth++) {
      // Spread over the others.
      await assistantKilled.reaches(Math.floor((kills * nth) / ledgerKills));
      const moment = chance.oneOf(['asked', 'decided'] as const);
      await new Promise<void>((resolve) => {
        const offs = origins.map((_, process) => hub.once(process, moment, go));
        const late = setTimeout(go, WAITING);
        function go() {
          for (const off of offs) off();
          clearTimeout(late);
          resolve();
        }
      });
      if (chance.happens(0.5)) await wait(chance.below(20));
      const isKilled = ledger.kill(0).then(() => ledger.restart(0));
      killed.ofTheLedger += 1;
      allKilled.opens(sum());
      // Sometimes it is seen at once that nobody is there, and sometimes only after one has asked.
      if (chance.happens(0.5)) await Promise.all(links.map((link) => link.refuseUntil(isKilled)));
      await isKilled;
    }
  };

  // One of the assistant's processes is left to go on.
  const killers = Array.from({ length: origins.length - 1 }, (_, nth) => killAssistant(createChance(seed - 1 - nth)));
  const killing = Promise.all([...killers, killLedger(createChance(seed - 10))]).finally(() => {
    allKilled.opens(Infinity);
    onOver();
  });
  const [talked, killedAll] = await Promise.allSettled([talkAll(), killing]);
  if (talked.status === 'rejected') throw talked.reason;
  if (killedAll.status === 'rejected') throw killedAll.reason;

  const undone = await untilQuiet(rows, QUIETENING);
  for (const chat of talked.value) {
    await chat.look();
    await chat.openTab();
  }
  return {
    testimonies: talked.value.map(({ testimony }) => testimony),
    kills: killed,
    ...{ counts, undone },
    seconds: Math.round((performance.now() - begun) / 1_000),
  };
}

/** Opens further and further. */
export function createGate() {
  let isOpenTo = 0;
  let waiting: { place: number; go: () => void }[] = [];
  return {
    opens(to: number) {
      isOpenTo = Math.max(isOpenTo, to);
      for (const { go } of waiting.filter(({ place }) => place <= isOpenTo)) go();
      waiting = waiting.filter(({ place }) => place > isOpenTo);
    },
    reaches: (place: number): Promise<void> =>
      new Promise((go) => {
        if (place <= isOpenTo) go();
        else waiting.push({ place, go });
      }),
  };
}

/** Resolves for all when so many have come, or been before. */
export function createMeeting(count: number): () => Promise<void> {
  let come = 0;
  let go: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    go = resolve;
  });
  return () => {
    come += 1;
    if (come >= count) go();
    return all;
  };
}
