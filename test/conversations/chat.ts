/**
 * A chat as a student has one: messages in, what is shown out.
 *
 * All of it is real but the clock: the content, the understanding, the database,
 * the embedded ledger with its demonstration holders, and the Dialog that
 * channels run. What passes between the Dialog and the conversations is written
 * down on the way.
 */
import { randomUUID } from 'node:crypto';
import { afterAll } from '@jest/globals';
import type { Activity } from 'botbuilder';
import { DialogTestClient } from 'botbuilder-testing';
import { timeOf } from '../../src/calendar.ts';
import { createConversationDialog } from '../../src/channels/bot-framework/conversation-dialog.ts';
import { type Conversations, createConversations, type Exchange } from '../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../src/conversations/postgres-store.ts';
import type { DemonstrationName } from '../../src/ledger/demonstration-holders.ts';
import { createDemonstrationLedger } from '../../src/ledger/demonstration-ledger.ts';
import { inCondition, type LedgerCondition, withDeadline } from '../../src/ledger/faults.ts';
import { createReminders } from '../../src/reminders/reminders.ts';
import { openTestDatabase } from '../database/database.ts';
import { calendar, content, readUnderstanding } from '../product.ts';

/** When it is, as Swedish time, who the student can prove to be, and how the ledger is. */
export type Situation = { at: string; as?: DemonstrationName; ledger?: LedgerCondition };

/** What a message led to. */
export type Answered = {
  /** As it is kept. */
  said: string | null;
  heard: string[];
  state: string;
  texts: string[];
  cites: string[];
  suggests: string[];
  /** The visits it was sent on, by their names in the content. */
  visits: string[];
  requests: Exchange['requests'];
};

export type Chat = {
  /** What the last of the messages led to. Before the first of a chat is answered, the student is welcomed. */
  say(...messages: string[]): Promise<Answered>;
  /** Everything that has been requested so far, by name. */
  requested(): string[];
};

const understanding = readUnderstanding();
const database = await openTestDatabase();
const store = createPostgresStore(database);
afterAll(() => database.close());

/** Short, for a ledger in the same process, and long enough for a busy machine. In milliseconds. */
const LEDGER_DEADLINE = 250;

export function conversationsIn({ at, as, ledger: condition = 'up' }: Situation): Conversations {
  const time = timeOf(at);
  if (!time) throw new Error(`${at} is no time`);
  const now = () => time;
  const { ledger: demonstration, personOf } = createDemonstrationLedger(now);
  const ledger = inCondition(demonstration, condition, LEDGER_DEADLINE);
  return createConversations({
    content,
    understanding,
    calendar,
    ledger: withDeadline(ledger, LEDGER_DEADLINE),
    store,
    proving: { way: 'known', person: as && personOf(as) },
    proofLasts: { minutes: 30, idleMinutes: 10 },
    remindersOf: createReminders(database, now).of,
    now,
    onTurn: () => undefined,
    onMistake: (mistake) => {
      throw mistake;
    },
  });
}

const unanswered: Answered = {
  said: null,
  heard: [],
  state: '',
  texts: [],
  cites: [],
  suggests: [],
  visits: [],
  requests: [],
};

export function chat(situation: Situation): Chat {
  const exchanges: Exchange[] = [];
  const conversations = writingDown(conversationsIn(situation), exchanges);
  const client = clientOf(conversations);

  const sayOne = async (message: string): Promise<Answered> => {
    const before = exchanges.length;
    const shown = await activitiesAfter(client, { type: 'message', text: message });
    const caused = exchanges.slice(before);
    return {
      said: caused.at(-1)?.said ?? null,
      heard: caused.flatMap(({ heard }) => heard),
      state: caused.at(-1)?.state ?? '',
      texts: shown.map(({ text = '' }) => text),
      cites: [...new Set(caused.flatMap(({ replies }) => replies.flatMap(({ cites }) => cites)))],
      suggests: (shown.at(-1)?.suggestedActions?.actions ?? []).map(({ title }) => title),
      visits: caused.flatMap(({ replies }) => replies.flatMap(({ visits = [] }) => visits.map(({ name }) => name))),
      requests: caused.flatMap(({ requests }) => requests).map(withoutConversation),
    };
  };

  return {
    async say(...messages) {
      let answered = unanswered;
      for (const message of messages) answered = await sayOne(message);
      return answered;
    },
    requested: () => exchanges.flatMap(({ requests }) => requests.map(({ request }) => request)),
  };
}

/** A channel of its own for each client, so that no two chats are one. */
export function clientOf(conversations: Conversations, channel: string = randomUUID()): DialogTestClient {
  const { dialog } = createConversationDialog({
    conversations,
    content,
    isProved: false,
    reach: () => Promise.reject(new Error('No turn is open to deliver a reply in')),
  });
  return new DialogTestClient(channel, dialog);
}

/** Each chat is a conversation of its own, and its references begin with that one's name. */
const withoutConversation = ({ request, reference }: Exchange['requests'][number]) => ({
  request,
  reference: reference.split('/').slice(3).join('/'),
});

/** What is sent back in answer to an activity, in order. */
export async function activitiesAfter(
  client: DialogTestClient,
  activity: Partial<Activity>,
): Promise<Partial<Activity>[]> {
  const sent: Partial<Activity>[] = [];
  let next = (await client.sendActivity(activity)) as Partial<Activity> | undefined;
  while (next) {
    sent.push(next);
    next = client.getNextReply();
  }
  return sent;
}

function writingDown(conversations: Conversations, exchanges: Exchange[]): Conversations {
  const written = (exchange: Exchange): Exchange => {
    exchanges.push(exchange);
    return exchange;
  };
  return {
    ...conversations,
    open: async (place, person) => written(await conversations.open(place, person)),
    async accept(message) {
      const news = await conversations.settle(message.conversation);
      if (news.replies.length + news.requests.length > 0) written(news);
      const { answered, ...accepted } = await conversations.accept(message);
      return { ...accepted, answered: answered.then(written) };
    },
  };
}
