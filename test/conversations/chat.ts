/**
 * A chat as a student has one: messages in, what is shown out.
 *
 * All of it is real but the clock: the content, the understanding, the embedded
 * ledger with its demonstration holders, and the Dialog that channels run. What
 * passes between the Dialog and the conversations is written down on the way.
 */
import type { Activity } from 'botbuilder';
import { DialogTestClient } from 'botbuilder-testing';
import type { Day } from '../../dialogs/card-validity.ts';
import { instantOf, timeOf } from '../../src/calendar.ts';
import { createConversationDialog } from '../../src/channels/bot-framework/conversation-dialog.ts';
import { type Conversations, createConversations, type Exchange } from '../../src/conversations.ts';
import { type DemonstrationName, demonstrationHolders } from '../../src/ledger/demonstration-holders.ts';
import { createEmbeddedLedger } from '../../src/ledger/embedded-ledger.ts';
import { inCondition, type LedgerCondition, withDeadline } from '../../src/ledger/faults.ts';
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
  requests: Exchange['requests'];
};

export type Chat = {
  /** What the last of the messages led to. Before the first of a chat is answered, the student is welcomed. */
  say(...messages: string[]): Promise<Answered>;
  /** Everything that has been requested so far, by name. */
  requested(): string[];
};

const understanding = readUnderstanding();

/** Short, for a ledger in the same process, and long enough for a busy machine. In milliseconds. */
const LEDGER_DEADLINE = 250;

export function conversationsIn({ at, as, ledger: condition = 'up' }: Situation): Conversations {
  const time = timeOf(at);
  if (!time) throw new Error(`${at} is no time`);
  const now = () => time;
  const holders = demonstrationHolders(instantOf(time).slice(0, 10) as Day);
  const ledger = inCondition(createEmbeddedLedger(holders, now), condition, LEDGER_DEADLINE);
  return createConversations({
    content,
    understanding,
    calendar,
    ledger: withDeadline(ledger, LEDGER_DEADLINE),
    identify: () => Promise.resolve(as),
    now,
    onMistake: (mistake) => {
      throw mistake;
    },
  });
}

const unanswered: Answered = { said: null, heard: [], state: '', texts: [], cites: [], suggests: [], requests: [] };

export function chat(situation: Situation): Chat {
  const exchanges: Exchange[] = [];
  const conversations = writingDown(conversationsIn(situation), exchanges);
  const client = new DialogTestClient('test', createConversationDialog(conversations, content.rules));

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
      requests: caused.flatMap(({ requests }) => requests),
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
    open: async (id, person) => written(await conversations.open(id, person)),
    send: async (id, text) => written(await conversations.send(id, text)),
  };
}
