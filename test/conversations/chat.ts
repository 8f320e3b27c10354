/**
 * A chat as a student has one: messages in, what is shown out.
 *
 * All of it is real but the clock: the content, the understanding, the embedded
 * ledger with its demonstration holders, and the Dialog that channels run. What
 * passes between the Dialog and the conversations is written down on the way.
 */
import { join } from 'node:path';
import type { Activity } from 'botbuilder';
import { DialogTestClient } from 'botbuilder-testing';
import type { Day } from '../../dialogs/card-validity.ts';
import { createCalendar, instantOf, timeOf } from '../../src/calendar.ts';
import { createConversationDialog } from '../../src/channels/bot-framework/conversation-dialog.ts';
import { createContent, readFiles } from '../../src/content.ts';
import { type Conversations, createConversations, type Exchange } from '../../src/conversations.ts';
import { type DemonstrationName, demonstrationHolders } from '../../src/ledger/demonstration-holders.ts';
import { createEmbeddedLedger } from '../../src/ledger/embedded-ledger.ts';
import { inCondition, type LedgerCondition, withDeadline } from '../../src/ledger/faults.ts';
import { modelFor } from '../../src/understanding/model-file.ts';
import { createUnderstanding, lessonsOf } from '../../src/understanding/understanding.ts';

/** When it is, as Swedish time, who can prove to be who, and how the ledger is. */
export type Situation = { at: string; as?: DemonstrationName; ledger?: LedgerCondition };

export type Answered = {
  said: string | null;
  texts: string[];
  state: string;
  heard: string[];
  cites: string[];
  suggests: string[];
  requests: Exchange['requests'];
};

export type Chat = {
  /** What the last of these messages is answered with. The first message of a chat is answered after the welcome. */
  say(...messages: [string, ...string[]]): Promise<Answered>;
  /** The names of everything that was requested so far. */
  requested(): string[];
};

const { examples, evidence } = lessonsOf(readContent());
const model = modelFor(join(import.meta.dirname, '../../dist/model.bin'), examples, evidence);
export const content = readContent();
export const understanding = createUnderstanding(content, model);

/** Short, for a ledger in the same process, and long enough for a busy machine. In milliseconds. */
const LEDGER_DEADLINE = 200;

export function chat({ at, as, ledger: condition = 'up' }: Situation): Chat {
  const time = timeOf(at);
  if (!time) throw new Error(`${at} is no time`);
  const now = () => time;
  const holders = demonstrationHolders(instantOf(time).slice(0, 10) as Day);
  const ledger = inCondition(createEmbeddedLedger(holders, now), condition, LEDGER_DEADLINE);
  const mistakes: unknown[] = [];
  const conversations = createConversations({
    content,
    understanding,
    calendar: createCalendar(content.offices),
    ledger: withDeadline(ledger, LEDGER_DEADLINE),
    identify: () => Promise.resolve(as),
    now,
    onMistake: (mistake) => mistakes.push(mistake),
  });
  const exchanges: Exchange[] = [];
  const dialog = createConversationDialog(writingDown(conversations, exchanges), content.rules);
  const client = new DialogTestClient('test', dialog);

  const sayOne = async (message: string): Promise<Answered> => {
    const before = exchanges.length;
    const shown = await activitiesAfter(client, message);
    if (mistakes.length > 0) throw mistakes[0];
    const all = exchanges.slice(before);
    return {
      said: all.at(-1)?.said ?? null,
      texts: shown.map(({ text = '' }) => text),
      state: all.at(-1)?.state ?? '',
      heard: all.flatMap(({ heard }) => heard),
      cites: [...new Set(all.flatMap(({ replies }) => replies.flatMap(({ cites }) => cites)))],
      suggests: (shown.at(-1)?.suggestedActions?.actions ?? []).map(({ title }) => title),
      requests: all.flatMap(({ requests }) => requests),
    };
  };

  return {
    async say(first, ...others) {
      let answered = await sayOne(first);
      for (const message of others) answered = await sayOne(message);
      return answered;
    },
    requested: () => exchanges.flatMap(({ requests }) => requests.map(({ request }) => request)),
  };
}

function readContent() {
  const { reading } = readFiles(join(import.meta.dirname, '../../content'));
  return createContent(reading);
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

async function activitiesAfter(client: DialogTestClient, message: string): Promise<Partial<Activity>[]> {
  // An activity of its own, for a bare text that is empty would not be sent as a message.
  const first = (await client.sendActivity({ type: 'message', text: message })) as Partial<Activity> | undefined;
  const shown: Partial<Activity>[] = [];
  for (let next = first; next; next = client.getNextReply()) shown.push(next);
  return shown;
}
