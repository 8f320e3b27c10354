/**
 * `kortlotsen serve`: the whole product, on a database, until it is stopped.
 *
 * Any number of these may run on one database. Each answers whoever comes to
 * it, tells the others whose log has grown, and goes on from where any of them
 * has left off.
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Server } from 'restify';
import type { Day } from '../../dialogs/card-validity.ts';
import { createCalendar } from '../calendar.ts';
import { createBotFramework } from '../channels/bot-framework/adapter.ts';
import { createDirectLine } from '../channels/direct-line/direct-line.ts';
import { createTokens } from '../channels/direct-line/tokens.ts';
import type { Content } from '../content.ts';
import { createConversations } from '../conversations/conversations.ts';
import { createPostgresStore } from '../conversations/postgres-store.ts';
import { mountDevelopmentSignIn, signInLink } from '../identity/development-sign-in.ts';
import { demonstrationHolders, demonstrationNames } from '../ledger/demonstration-holders.ts';
import { createEmbeddedLedger } from '../ledger/embedded-ledger.ts';
import { withDeadline } from '../ledger/faults.ts';
import { createReceipts } from '../ledger/receipts.ts';
import { described, type Log } from '../log.ts';
import { createServer } from '../server.ts';
import type { Settings } from '../settings.ts';
import { StartupProblem } from '../startup-problem.ts';
import { createCache } from '../storage/cache.ts';
import { type Database, openDatabase } from '../storage/database.ts';
import { startEmbeddedPostgres } from '../storage/embedded-postgres.ts';
import { keyFor } from '../storage/keys.ts';
import type { Understanding } from '../understanding/understanding.ts';
import { mountChatPage } from '../web/chat-page.ts';

export type Service = {
  /** Where it is reached from this machine. */
  origin: string;
  /** Where the data are, if the database is our own. */
  dataFolder: string | undefined;
  /** Finishes what is being answered, and leaves the rest to whoever comes next. */
  stop: () => Promise<void>;
};

export type ServiceWorld = {
  settings: Settings;
  content: Content;
  understanding: Understanding;
  now: () => Date;
  log: Log;
  migrations: string;
  scripts: string;
};

/** In milliseconds. */
const LEDGER_DEADLINE = 8_000;
const BETWEEN_LOOKS = 1_000;
const TELLING = 20;
const STOPPING = 10_000;
const PURGING = 3_600_000;

export async function serve({
  settings,
  content,
  understanding,
  now,
  log,
  ...folders
}: ServiceWorld): Promise<Service> {
  const onMistake = (mistake: unknown) => {
    log.error(described(mistake), 'mistake');
  };
  const isDemonstration = !settings.isProduction;
  const embedded = settings.databaseUrl ? undefined : await startEmbeddedPostgres(settings.dataFolder);
  const url = settings.databaseUrl ?? embedded?.url ?? '';
  try {
    return await start();
  } catch (problem) {
    await embedded?.stop();
    throw problem;
  }

  async function start(): Promise<Service> {
    const database = await openDatabase(url, folders.migrations, onMistake);
    const holdersOn = (day: Day) => (isDemonstration ? demonstrationHolders(day) : []);
    let origin = '';
    const conversations = createConversations({
      content,
      understanding,
      calendar: createCalendar(content.offices),
      store: createPostgresStore(database),
      ledger: withDeadline(createEmbeddedLedger(holdersOn, now, createReceipts(database)), LEDGER_DEADLINE),
      proving: isDemonstration
        ? { way: 'link', linkFor: (challenge) => signInLink(settings.publicUrl ?? origin, challenge) }
        : undefined,
      now,
      onTurn: (turn) => {
        log.info(turn, 'turn');
      },
      onMistake,
    });
    const { rules } = content;
    const tokens = createTokens(await keyFor(database, 'direct-line'));
    const sessions = createCache(database, 'sign-in', onMistake);
    const secret = settings.directLineSecret;
    const directLine = createDirectLine({ conversations, rules, tokens, secret, onMistake });
    const isOpenHere = !settings.isProduction;
    const bot = createBotFramework({ conversations, rules, credentials: settings.bot, isOpenHere, onMistake });
    if (!settings.bot && !isOpenHere) log.warn('MicrosoftAppId is not set, so /api/messages is closed');

    const server = await createServer({
      content,
      mounts: [
        directLine.mount,
        bot.mount,
        (each) => mountChatPage(each, { content, conversations, tokens, scripts: folders.scripts }),
        ...(isDemonstration
          ? [
              (each: Server) => {
                mountDevelopmentSignIn(each, { content, conversations, holders: demonstrationNames, sessions });
              },
            ]
          : []),
      ],
      isHealthy: async () => ({ database: await answers(database) }),
      onMistake,
    });
    const news = await shareNews(database, directLine.refresh, onMistake);
    conversations.subscribe(news.tell);

    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(settings.port, settings.host, () => {
        // restify would hand it PostgreSQL's errors too, since they are called that, and wait for its answer.
        server.removeListener('error', reject);
        resolve();
      });
    }).catch(async (mistake: unknown) => {
      directLine.close();
      await database.close();
      throw asStartupProblem(mistake, settings);
    });
    const { port } = server.server.address() as AddressInfo;
    origin = `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`;

    const purging = setInterval(() => void sessions.purge().catch(onMistake), PURGING);
    const stopping = new AbortController();
    const looking = (async () => {
      while (!stopping.signal.aborted) {
        try {
          const undelivered = await conversations.resume();
          await Promise.all(undelivered.map((conversation) => bot.deliver(conversation)));
        } catch (mistake) {
          onMistake(mistake);
        }
        await wait(BETWEEN_LOOKS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    })();

    return {
      origin,
      dataFolder: embedded?.folder,
      async stop() {
        stopping.abort();
        clearInterval(purging);
        directLine.close();
        const closed = new Promise<void>((resolve) => {
          server.close(resolve);
        });
        server.server.closeIdleConnections();
        await Promise.race([
          Promise.all([closed, looking, conversations.idle()]),
          wait(STOPPING, undefined, { ref: false }),
        ]);
        server.server.closeAllConnections();
        await news.stop();
        await database.close();
        await embedded?.stop();
      },
    };
  }
}

/** Tells other processes whose log has grown here, several in one message, and hears it from them. */
async function shareNews(
  database: Database,
  hear: (conversation: string) => void,
  onMistake: (mistake: unknown) => void,
) {
  const self = randomUUID();
  const untold = new Set<string>();
  let telling: Promise<void> | undefined;
  await database.listen('kortlotsen', (message) => {
    const [sender, ...conversations] = message.split('\n');
    if (sender !== self) conversations.forEach(hear);
  });
  const tellAll = async (): Promise<void> => {
    await wait(TELLING);
    telling = undefined;
    const all = [...untold];
    untold.clear();
    // PostgreSQL takes 8000 bytes in one message.
    for (let from = 0; from < all.length; from += 50) {
      await database.tell('kortlotsen', [self, ...all.slice(from, from + 50)].join('\n')).catch(onMistake);
    }
  };
  return {
    tell: (conversation: string) => {
      untold.add(conversation);
      telling ??= tellAll();
    },
    stop: async () => {
      await telling;
    },
  };
}

const PING = { name: 'ping', text: 'select 1' };

async function answers(database: Database): Promise<boolean> {
  try {
    await database.run(PING, []);
    return true;
  } catch {
    return false;
  }
}

function asStartupProblem(mistake: unknown, { host, port }: Settings): unknown {
  const code = mistake instanceof Error && 'code' in mistake ? mistake.code : undefined;
  if (code === 'EADDRINUSE') {
    return new StartupProblem(
      'portIsTaken',
      `Port ${port} at ${host} is taken; stop what uses it, or set PORT to another.`,
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new StartupProblem(
      'portIsTaken',
      `${host}:${port} cannot be listened on here (${code}); set HOST and PORT to another.`,
    );
  }
  return mistake;
}
