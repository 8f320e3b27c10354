/**
 * Everything at once: students on every path, over Direct Line and in Teams, at
 * two processes of the product with clocks of their own, while those, PostgreSQL
 * and the ledger are killed, connections are cut, and what is sent is doubled,
 * late, lost or the other way round.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { ambushes as allAmbushes, layAmbushes, type Moment as Ambushed } from './ambushes.ts';
import type { Product } from './built-product.ts';
import { type Chance, createChance } from './chance.ts';
import type { Testimony } from './checker.ts';
import { type MortalDatabaseServer, untilQuiet, withClient } from './database-server.ts';
import { type Chat, type ChatWorld, type Counts, noCounts, openChat, type Troubles } from './direct-line-chat.ts';
import type { FaultCounts, FaultyLink } from './faulty-link.ts';
import { createGate, createMeeting, type Hub, type Moment } from './revocation.ts';
import { revokeOwnCard, YES } from './revoking-student.ts';
import { plain, writePath } from './script.ts';
import { converse } from './student.ts';
import { openTeamsChat } from './teams-chat.ts';
import type { ConnectorFaults, TeamsService } from './teams-service.ts';

export type Storm = {
  seed: number;
  students: number;
  /** How many are at it at the same time. */
  together: number;
  /** Messages of each, besides what a revocation takes. */
  messages: number;
  /** Who come first, before anything fails. */
  calm: number;
  /** How long a student waits for an answer, in milliseconds. */
  patience: number;
  /** How many of the ambushes are laid. */
  ambushes: number;
  /** How often each of these happens: the assistant's processes are killed in ambushes besides. */
  blows: Record<'assistant' | 'ledger' | 'postgres' | 'connections' | 'clock', number>;
};

export type Stage = {
  assistant: Product;
  ledger: Product;
  server: MortalDatabaseServer;
  databases: Record<'product' | 'ledger', string>;
  links: readonly FaultyLink[];
  hub: Hub;
  teams: TeamsService;
  /** By process: the file that tells it how wrong its clock is. */
  clocks: readonly string[];
  /** What the links and the connector count. */
  counts: { link: FaultCounts; connector: ConnectorFaults };
  /** Whether links and the connector are to fail. */
  weather: { isFaulty: boolean };
};

/** Faults, by where and of which kind. */
export type Tally = Record<string, Record<string, number>>;

export type Aftermath = {
  testimonies: Testimony[];
  tally: Tally;
  caught: Record<Ambushed, number>;
  counts: Counts;
  /** What was logged before anything failed. */
  loggedInCalm: string[];
  undone: string[];
  seconds: number;
};

/** The `nth` of those who revoke, by name. */
export const personOf = (nth: number): string => `person-${nth}`;
/** Every third revokes a card of their own. */
const REVOKES = 3;
/** And every fourth of those has the question open in another chat as well. */
const IN_TWO = 12;

/** In milliseconds. */
const DELAYS = [0, 0, 5, 20, 80, 300] as const;
const WAITING = 2_500;
const TRYING_AGAIN = 300;
const QUIETENING = 180_000;
const BETWEEN_LINES = 10_000;
/** The Bot Framework allows that clocks differ by five minutes. */
const MOST_WRONG = 240_000;
const OF_SENT = 0.04;
const OF_STREAMS = 0.06;

export async function brave(stage: Stage, storm: Storm, tell: (progress: string) => void): Promise<Aftermath> {
  const { assistant, ledger, server, databases, links, hub, teams, weather } = stage;
  const { origins, names } = assistant;
  const { seed, students, together, patience, blows } = storm;
  const begun = performance.now();
  const counts = noCounts();
  const avoided = new Map<string, number>();
  const troubles: Troubles = { ofSent: OF_SENT, ofStreams: OF_STREAMS, counts: { sentCut: 0, streamsCut: 0 } };
  const killed: Record<Moment | 'anyTime', number> = {
    yes: 0,
    asked: 0,
    decided: 0,
    answered: 0,
    taken: 0,
    anyTime: 0,
  };
  const elsewhere = {
    ledger: { killed: 0, stoppedForAWhile: 0 },
    postgres: { killed: 0, stoppedAtOnce: 0, oneOfItsProcessesKilled: 0, connectionsCut: 0 },
    clock: { forwards: 0, backwards: 0 },
  };
  const ambushed = { inAmbush: 0 };
  const total = Object.values(blows).reduce((one, another) => one + another);
  let struck = 0;
  const allStruck = createGate();
  const strike = () => {
    allStruck.opens(++struck);
  };
  const tally = (): Tally => ({
    'a process of the assistant, killed': { ...killed, ...ambushed },
    PostgreSQL: elsewhere.postgres,
    'the ledger': elsewhere.ledger,
    'the way to the ledger': stage.counts.link,
    'the connector of Teams': stage.counts.connector,
    'a student’s own connection': troubles.counts,
    'sent again': { byDirectLineOrTeams: counts.resends },
    'at the same time as another': { sent: counts.together, laterOneFirst: counts.reversed },
    'the clock of a process': elsewhere.clock,
  });

  // The students

  let done = 0;
  const isCalm = (nth: number) => nth < storm.calm;
  const ambushing = createQueue();
  const killing = createQueue();
  const running = new Set(origins.keys());
  /** Until it serves: whatever it needs may be dying, too. */
  const restartAssistant = async (nth: number): Promise<void> => {
    await insist(() => assistant.restart(nth));
    running.add(nth);
  };
  const aimAt = (chance: Chance): number => {
    const victim = chance.oneOf([...running]);
    running.delete(victim);
    return victim;
  };
  const chanceOfAmbushes = createChance(seed + 1);
  const ambushes = layAmbushes(
    assistant,
    databases,
    {
      // PostgreSQL is to stay, and the other process.
      alone: (work) => ambushing(() => killing(work)),
      aim: () => aimAt(chanceOfAmbushes),
      async kill(nth) {
        await assistant.kill(nth);
        ambushed.inAmbush += 1;
      },
      restart: restartAssistant,
    },
    allAmbushes.slice(0, storm.ambushes),
  );

  const talk = async (nth: number): Promise<Chat[]> => {
    const chance = createChance(seed + 1_000 + nth);
    const world: ChatWorld = {
      ...{ origins, chance, counts, avoided, patience },
      isStreamed: nth % 4 === 0,
      troubles: isCalm(nth) ? undefined : troubles,
      onAcknowledged(origin, text) {
        if (text === YES) hub.tell(origins.indexOf(origin), 'yes');
      },
    };
    const open = (inTeams: boolean, tab: string): Promise<Chat> =>
      inTeams
        ? openTeamsChat(`s${nth}${tab}`, chance.oneOf(origins), teams, world)
        : openChat(`s${nth}${tab}`, chance.oneOf(origins), world);
    const inTeams = nth % 2 === 1;
    const chat = await open(inTeams, 'a');
    const isInTwo = nth % IN_TWO === 0;
    const chats = isInTwo ? [chat, await open(!inTeams, 'b')] : [chat];
    const meet = createMeeting(chats.length);
    const who = nth % REVOKES === 0 ? personOf(nth / REVOKES) : undefined;
    // Whoever is in Teams would be sent again by it, so nobody there only waits.
    const gather = inTeams || isInTwo || isCalm(nth) ? () => Promise.resolve(undefined) : ambushes.gather;
    const aim = () => (isCalm(nth) ? undefined : origins[[...hub.aims][0] ?? -1]);

    const revoke = async (each: Chat, person: string): Promise<void> => {
      // What was told before, such as another reason, is forgotten.
      const sent = await each.write([plain('börja om')]);
      await each.until(() => each.isAnswered(sent), 'an answer to börja om');
      try {
        await revokeOwnCard(each, chance, person, { meet, aim, gather });
      } finally {
        await meet();
      }
    };
    const [, other] = chats;
    const script = writePath(chance, nth, storm.messages, who);
    const surroundings = { onMessages: ignored, gather, revokeOwn: (person: string) => revoke(chat, person) };
    const talkThrough = async (): Promise<void> => {
      try {
        await converse(chat, script, chance, surroundings);
      } finally {
        await meet();
      }
    };
    const results = await Promise.allSettled([
      talkThrough(),
      other && who !== undefined ? revoke(other, who) : undefined,
    ]);
    results.forEach((result, index) => {
      if (result.status === 'rejected') chats[index]?.testimony.complaints.push(String(result.reason));
    });
    done += 1;
    return chats;
  };
  const talkAll = async (from: number, to: number): Promise<Chat[]> => {
    const chats: Chat[] = [];
    let next = from;
    const one = async (): Promise<void> => {
      for (let nth = next++; nth < to; nth = next++) {
        // So that there are students until the last blow.
        await allStruck.reaches(Math.floor((total * Math.max(0, nth - together)) / students));
        chats.push(...(await talk(nth)));
      }
    };
    await Promise.all(Array.from({ length: together }, one));
    return chats;
  };

  // What strikes them

  const untilMoment = (processes: readonly number[], moment: Moment, then: () => void): Promise<boolean> =>
    new Promise((resolve) => {
      const offs = processes.map((process) =>
        hub.once(process, moment, () => {
          over(true);
        }),
      );
      const late = setTimeout(() => {
        over(false);
      }, WAITING);
      function over(inTime: boolean) {
        for (const off of offs) off();
        clearTimeout(late);
        if (inTime) then();
        resolve(inTime);
      }
    });

  const killAssistant = (chance: Chance): Promise<void> =>
    killing(async () => {
      const victim = aimAt(chance);
      const moment = chance.oneOf(['yes', 'asked', 'decided', 'answered', 'taken', 'taken'] as const);
      const delay = chance.oneOf(DELAYS);
      let dying: Promise<void> | undefined;
      hub.aims.add(victim);
      // Without a delay it is dead before whoever told us goes on.
      const inTime = await untilMoment([victim], moment, () => {
        if (delay === 0) dying = assistant.kill(victim);
      });
      hub.aims.delete(victim);
      if (delay > 0) await wait(delay);
      await (dying ?? assistant.kill(victim));
      killed[inTime ? moment : 'anyTime'] += 1;
      await restartAssistant(victim);
    });

  const strikeLedger = async (chance: Chance): Promise<void> => {
    await untilMoment([...origins.keys()], chance.oneOf(['asked', 'decided'] as const), ignored);
    if (chance.happens(0.5)) await wait(chance.below(20));
    if (chance.happens(0.3)) {
      elsewhere.ledger.stoppedForAWhile += 1;
      ledger.signal(0, 'SIGSTOP');
      await wait(500 + chance.below(8_000));
      ledger.signal(0, 'SIGCONT');
      return;
    }
    const isKilled = ledger.kill(0).then(() => insist(() => ledger.restart(0)));
    elsewhere.ledger.killed += 1;
    // Sometimes it is seen at once that nobody is there, and sometimes only after one has asked.
    if (chance.happens(0.5)) await Promise.all(links.map((link) => link.refuseUntil(isKilled)));
    await isKilled;
  };

  let strokes = 0;
  const ways = ['killed', 'stoppedAtOnce', 'oneOfItsProcessesKilled'] as const;
  const strikePostgres = (chance: Chance): Promise<void> =>
    ambushing(async () => {
      // Each of them in turn.
      const way = ways[strokes++ % ways.length] ?? 'killed';
      elsewhere.postgres[way] += 1;
      if (way === 'oneOfItsProcessesKilled') {
        const [victim] = await connectionsOf(names, 1);
        if (victim !== undefined) process.kill(victim, 'SIGKILL');
        await insist(() => withClient(databases.product, (client) => client.query('select')));
        return;
      }
      await server.kill(way === 'killed' ? 'SIGKILL' : 'SIGQUIT');
      if (chance.happens(0.4)) await wait(chance.below(1_500));
      await server.restart();
    });

  const connectionsOf = (of: readonly string[], most: number): Promise<number[]> =>
    withClient(databases.product, async (client) => {
      const { rows } = await client.query<{ pid: number }>(CONNECTIONS, [of, most]);
      return rows.map(({ pid }) => pid);
    });

  const cutConnections = async (chance: Chance): Promise<void> => {
    const cut = await withClient(databases.product, (client) =>
      client.query(`select pg_terminate_backend(pid) from (${CONNECTIONS}) as chosen`, [names, 1 + chance.below(8)]),
    ).catch(() => undefined);
    elsewhere.postgres.connectionsCut += cut?.rowCount ?? 0;
  };

  const offBy = new Map<number, number>();
  const setClock = (chance: Chance): Promise<void> => {
    const nth = chance.below(origins.length);
    const now = chance.below(2 * MOST_WRONG) - MOST_WRONG;
    elsewhere.clock[now > (offBy.get(nth) ?? 0) ? 'forwards' : 'backwards'] += 1;
    offBy.set(nth, now);
    writeFileSync(stage.clocks[nth] ?? '', String(now));
    assistant.signal(nth, 'SIGUSR2');
    return Promise.resolve();
  };

  const strikeAll = async (
    what: keyof Storm['blows'],
    once: (chance: Chance) => Promise<void>,
    most: number,
  ): Promise<void> => {
    const chance = createChance(seed + what.length);
    for (let nth = 0; nth < blows[what]; nth++) {
      await wait(chance.below(most));
      await once(chance);
      strike();
    }
  };

  // And all of it

  const telling = setInterval(() => {
    tell(
      `${secondsSince(begun)} s: ${sumOf(tally())} faults, ${done} of ${students} students, ${counts.messages} messages`,
    );
  }, BETWEEN_LINES);
  const early = await talkAll(0, storm.calm);
  const loggedInCalm = assistant.logged().filter((line) => !line.includes('"level":30'));
  weather.isFaulty = true;
  const striking = Promise.all([
    strikeAll('assistant', killAssistant, 300),
    strikeAll('ledger', strikeLedger, 2_000),
    strikeAll('postgres', strikePostgres, 3_000),
    strikeAll('connections', cutConnections, 1_500),
    strikeAll('clock', setClock, 3_000),
  ]).finally(() => {
    allStruck.opens(Infinity);
  });
  const [talked, over] = await Promise.allSettled([talkAll(storm.calm, students), striking]);
  await ambushes.over();
  weather.isFaulty = false;
  troubles.ofSent = 0;
  troubles.ofStreams = 0;
  clearInterval(telling);
  for (const each of [talked, over]) if (each.status === 'rejected') throw each.reason;
  const chats = [...early, ...(talked.status === 'fulfilled' ? talked.value : [])];

  tell(`${secondsSince(begun)} s: all have spoken; waiting until nobody is at work`);
  const undone = await withClient(databases.product, (rows) => untilQuiet(rows, QUIETENING));
  for (const [nth, chat] of chats.entries()) {
    await chat.look();
    if (nth % 5 === 0) await chat.openTab();
  }
  return {
    testimonies: chats.map(({ testimony }) => testimony),
    tally: tally(),
    caught: ambushes.caught,
    ...{ counts, loggedInCalm, undone },
    seconds: secondsSince(begun),
  };
}

const CONNECTIONS = `
  select pid from pg_stat_activity where application_name = any ($1) order by random() limit $2`;

export const sumOf = (tally: Tally): number =>
  Object.values(tally)
    .flatMap((kinds) => Object.values(kinds))
    .reduce((one, another) => one + another, 0);

/** As it is read by people. */
export function tableOf(tally: Tally): string {
  const rows = Object.entries(tally).flatMap(([where, kinds]) =>
    Object.entries(kinds).map(([kind, count], index) => [index === 0 ? where : '', inWords(kind), String(count)]),
  );
  const all = [...rows, ['', 'altogether', String(sumOf(tally))]];
  const widthOf = (column: number) => Math.max(...all.map((row) => row[column]?.length ?? 0));
  const [first, second, third] = [widthOf(0), widthOf(1), widthOf(2)];
  return all
    .map(
      ([where = '', kind = '', count = '']) =>
        `  ${where.padEnd(first)}  ${kind.padEnd(second)}  ${count.padStart(third)}`,
    )
    .join('\n');
}

const inWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
const secondsSince = (begun: number): number => Math.round((performance.now() - begun) / 1_000);
const ignored = (): void => undefined;

/** Until it succeeds. Whoever supervises a process starts it again, too. */
async function insist<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch {
      await wait(TRYING_AGAIN);
    }
  }
}

/** One after the other, also when the one before has failed. */
function createQueue(): (work: () => Promise<void>) => Promise<void> {
  let last = Promise.resolve();
  return (work) => {
    const now = last.then(work);
    last = now.catch(ignored);
    return now;
  };
}
