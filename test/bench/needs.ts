/** What a region needs, worked out from what was measured; the assumptions are those of src/operations/capacity.md. */
import { chats } from './chats.ts';
import { sum } from './statistics.ts';

/** Of one turn, at a moderate rate: CPU in milliseconds, bytes of PostgreSQL's log, and replies to the connector. */
export type Turn = { bot: number; database: number; logged: number; replies: number };

/** In bytes: of one process, of one open web chat, and of one stored conversation with all that was said in it. */
export type Sizes = { process: number; webChat: number; stored: number };

export type Needs = {
  students: number;
  /** A second: in the hour from eight, and in its busiest minute. The rest is of that minute. */
  turns: number;
  turnsAtMost: number;
  beginningsAMinute: number;
  openWebChats: number;
  /** To the connector, a second. */
  replies: number;
  /** Cores that are busy, and what there is to be of each. */
  botCores: number;
  processes: number;
  databaseCores: number;
  connections: number;
  /** In bytes: of all processes with their web chats, of the database, and of its log a second. */
  memory: number;
  disk: number;
  logged: number;
};

/** So many of a hundred come in the hour from eight on Monday, and three times the hour's mean in its busiest minute. */
const AT_EIGHT = 60;
const BUSIEST = 3;
/** In messages, as the chats of the bench are. */
const CHAT = sum(chats.map(({ length }) => length)) / chats.length;
/** In minutes. */
const OPEN = 10;
/** Nothing is to be busier than this. */
const BUSY = 0.6;
/** Of one process: its pool, and the one that listens. */
const CONNECTIONS = 21;

export function needsOf(students: number, turn: Turn, sizes: Sizes): Needs {
  const chatsInTheHour = (students * AT_EIGHT) / 100;
  const turns = (chatsInTheHour * CHAT) / 3_600;
  const turnsAtMost = turns * BUSIEST;
  const openWebChats = (chatsInTheHour / 60) * OPEN * BUSIEST;
  const botCores = (turnsAtMost * turn.bot) / 1_000;
  // One of them may die.
  const processes = Math.ceil(botCores / BUSY) + 1;
  return {
    students,
    turns,
    turnsAtMost,
    beginningsAMinute: (chatsInTheHour / 60) * BUSIEST,
    openWebChats,
    replies: turnsAtMost * turn.replies,
    botCores,
    processes,
    databaseCores: (turnsAtMost * turn.database) / 1_000,
    connections: processes * CONNECTIONS,
    memory: processes * sizes.process + openWebChats * sizes.webChat,
    disk: students * sizes.stored,
    logged: turnsAtMost * turn.logged,
  };
}
