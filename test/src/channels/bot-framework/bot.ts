/** The bot alone, from HTTP to HTTP, on a database that others may share: as many of them as one likes, and whatever is told of what they deliver. */
import { type BotFramework, createBotFramework } from '../../../../src/channels/bot-framework/adapter.ts';
import type { DeliveryTold } from '../../../../src/channels/bot-framework/conversation-dialog.ts';
import { toTeamsActivities } from '../../../../src/channels/bot-framework/outgoing.ts';
import { type Conversations, createConversations, type World } from '../../../../src/conversations/conversations.ts';
import { createPostgresStore } from '../../../../src/conversations/postgres-store.ts';
import type { ConversationStore } from '../../../../src/conversations/store.ts';
import { closeServer, createServer, listen } from '../../../../src/server.ts';
import { readSettings } from '../../../../src/settings.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { content, production } from '../../../product.ts';
import { worldOf } from '../../conversations/world.ts';
import type { Connector } from './connector.ts';
import type { Microsoft } from './microsoft.ts';
import type { Chat } from './shapes.ts';

export type Bot = Pick<BotFramework, 'idle'> & {
  origin: string;
  told: DeliveryTold[];
  /** Our own mistakes, and what somebody here has to mend. */
  mistakes: unknown[];
  conversations: Conversations;
  /** Looks once for what was left, and begins with it. */
  look: () => Promise<void>;
  stop: () => Promise<void>;
};

export async function openBot(microsoft: Microsoft, database: Database, changes: Partial<World> = {}): Promise<Bot> {
  const settings = readSettings({ ...production, DATABASE_URL: 'postgresql://unused', ...microsoft.environment });
  const [told, mistakes]: [DeliveryTold[], unknown[]] = [[], []];
  const onMistake = (mistake: unknown) => void mistakes.push(mistake);
  const conversations = createConversations(worldOf(createPostgresStore(database), { onMistake, ...changes }));
  const bot = createBotFramework({
    conversations,
    content,
    bot: settings.bot,
    isOpenHere: false,
    onDelivery: (each) => void told.push(each),
    onMistake,
  });
  const isHealthy = () => Promise.resolve({});
  const server = await createServer({ content, mounts: [bot.mount], isHealthy, onMistake });
  return {
    origin: await listen(server, { host: '127.0.0.1', port: 0 }),
    told,
    mistakes,
    conversations,
    idle: bot.idle,
    async look() {
      bot.catchUp(await conversations.resume());
    },
    async stop() {
      await closeServer(server, () => Promise.all([conversations.idle(), bot.idle()]));
    },
  };
}

export const nameOf = ({ conversation }: Chat): string => `bot/msteams/${conversation.id}`;

/** As if a minute had gone by there since anybody was at it. */
export async function passTime(database: Database, chat: Chat): Promise<void> {
  const text = `update conversations set delivering_until = delivering_until - interval '1 minute',
    changed_at = changed_at - interval '1 minute' where id = $1`;
  await database.run({ text }, [nameOf(chat)]);
}

/** In seconds: for how long nothing is to be tried there. */
export async function patienceIn(database: Database, chat: Chat): Promise<number> {
  const text = `select coalesce(extract(epoch from delivering_until - now()), 0)::float as seconds
    from conversations where id = $1`;
  return (await database.run<{ seconds: number }>({ text }, [nameOf(chat)]))[0]?.seconds ?? 0;
}

type Part = { text?: unknown; attachments?: unknown };
const asPart = ({ text, attachments }: Part): string => JSON.stringify({ text, attachments });

/** What the connector has taken of a conversation, in order. */
export const takenIn = ({ taken }: Connector, chat: Chat): string[] =>
  taken.flatMap((each) => (each.conversation?.id === chat.conversation.id ? [asPart(each)] : []));

/** What was decided there, by the rows: each reply in its parts. */
export async function decidedIn(store: ConversationStore, chat: Chat): Promise<string[][]> {
  const log = await store.log(nameOf(chat), 0);
  return log.flatMap((each) =>
    each.author === 'student' ? [] : [toTeamsActivities(each.said, each.seq, false, content.rules).map(asPart)],
  );
}

/** How many messages of the student's there are, and in how many turns they were answered. */
export async function answeredIn(store: ConversationStore, chat: Chat): Promise<{ messages: number; turns: number }> {
  const log = await store.log(nameOf(chat), 0);
  const turns = log.flatMap((each) => (each.author === 'bot' && each.answers !== undefined ? [each.turn] : []));
  return { messages: log.filter(({ author }) => author === 'student').length, turns: new Set(turns).size };
}
