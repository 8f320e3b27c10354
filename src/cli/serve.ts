/**
 * `kortlotsen serve`: the whole product, on a database, until it is stopped.
 *
 * Any number of these may run on one database. Each answers whoever comes to
 * it, tells the others whose log has grown, and goes on from where any of them
 * has left off.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { dayOf } from '../../dialogs/vocabulary.ts';
import { createCalendar, instantOf } from '../calendar.ts';
import { createBotFramework } from '../channels/bot-framework/adapter.ts';
import { privateChatWith } from '../channels/bot-framework/outgoing.ts';
import { createDirectLine, hubOf } from '../channels/direct-line/direct-line.ts';
import { createLimits, type Rates } from '../channels/direct-line/limits.ts';
import { createTokens } from '../channels/direct-line/tokens.ts';
import type { Content } from '../content.ts';
import { createConversations, type Proving, type TurnName } from '../conversations/conversations.ts';
import { createPostgresStore } from '../conversations/postgres-store.ts';
import {
  DEMONSTRATION_ACR,
  DEMONSTRATION_CLAIM,
  type DevelopmentProvider,
  startDevelopmentProvider,
} from '../identity/development-provider.ts';
import { createProvider } from '../identity/provider.ts';
import { mountSignIn, signInCallback, signInLink } from '../identity/sign-in.ts';
import { createSignIns, type SignIns } from '../identity/sign-ins.ts';
import { demonstrationNames } from '../ledger/demonstration-holders.ts';
import { createHealth, expiring } from '../health.ts';
import { described, type Log, namingTurns } from '../log.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { mountRecords } from '../privacy/records.ts';
import { createRetention } from '../privacy/retention.ts';
import { closeServer, createServer, drain, listen } from '../server.ts';
import { createCardDesk } from '../servicedesk/cards.ts';
import { createChannelCards } from '../servicedesk/channel-cards.ts';
import { createDesk } from '../servicedesk/desk.ts';
import { createDeskHours } from '../servicedesk/hours.ts';
import { createHubDesk, servicedeskWith } from '../servicedesk/hub-desk.ts';
import { createInvitations } from '../servicedesk/invitations.ts';
import { addUpTallies } from '../servicedesk/figures.ts';
import { mountFigures } from '../servicedesk/figures-page.tsx';
import { mountLessons } from '../servicedesk/lessons-page.tsx';
import { mountServicedesk } from '../servicedesk/routes.ts';
import { caseLink } from '../servicedesk/page.tsx';
import { createSessions, deskSignInCallback } from '../servicedesk/sessions.ts';
import type { IdentitySettings, ServicedeskIdentity, Settings } from '../settings.ts';
import { type Database, openDatabase } from '../storage/database.ts';
import { startEmbeddedPostgres } from '../storage/embedded-postgres.ts';
import { startJobs } from '../storage/jobs.ts';
import { keyFor } from '../storage/keys.ts';
import type { Migrations } from '../storage/migration.ts';
import type { Understanding } from '../understanding/understanding.ts';
import { mountAccessibility } from '../web/accessibility.tsx';
import { mountChatPage } from '../web/chat-page.tsx';
import { mountEmbedding } from '../web/embedding.ts';
import { headersOf } from '../web/headers.ts';
import { createAddresses } from '../web/requests.ts';
import { mountStockPage } from '../web/stock-page.ts';
import { createReceiptFiles } from '../web/receipt.ts';
import { mountVisits, visitLink } from '../web/visits.ts';
import { openLedger } from './ledger-parts.ts';

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
  migrations: readonly Migrations[];
  scripts: string;
  /** How much one visitor may ask for, where that is to be tried. */
  rates?: Partial<Rates>;
};

/** In milliseconds. */
const BETWEEN_LOOKS = 1_000;
const TELLING = 20;

export async function serve({
  settings,
  content,
  understanding,
  now,
  log,
  ...folders
}: ServiceWorld): Promise<Service> {
  let metrics: Metrics | undefined;
  let turnIn: ((of: TurnName) => string) | undefined;
  const tell = (mistake: unknown, of?: TurnName) => {
    metrics?.onMistake();
    log.error({ ...(of && turnIn && { turn: turnIn(of) }), ...described(mistake) }, 'mistake');
  };
  let isOver = false;
  // What was not finished in time finds its database closed, and is gone on with elsewhere.
  const onMistakeIn = (mistake: unknown, of: TurnName | undefined) => {
    if (!isOver) tell(mistake, of);
  };
  // Some who tell of a mistake tell more with it, and none of that is for the log.
  const onMistake = (mistake: unknown) => {
    onMistakeIn(mistake, undefined);
  };
  const embedded = settings.databaseUrl ? undefined : await startEmbeddedPostgres(settings.dataFolder);
  const url = settings.databaseUrl ?? embedded?.url ?? '';
  /** What is open, the last of it last. */
  const open: (() => Promise<unknown> | undefined)[] = [() => embedded?.stop()];
  const closeAll = async (): Promise<void> => {
    for (const close of open.reverse()) {
      await close()?.catch((mistake: unknown) => {
        tell(mistake);
      });
    }
  };
  try {
    return await start();
  } catch (problem) {
    // Left open, it would keep a process running that serves nobody, and nobody would start it again.
    await closeAll();
    throw problem;
  }

  async function start(): Promise<Service> {
    const database = await openDatabase(url, folders.migrations, onMistake);
    open.push(() => database.close());
    const turnNamed = namingTurns(await keyFor(database, 'log'));
    turnIn = turnNamed;
    const { metricsToken: token, secretsExpire } = settings;
    const isOpenHere = !settings.isProduction;
    const measured = createMetrics({
      database,
      content: () => content,
      secretsExpire,
      token,
      isOpenHere,
      now,
      onMistake,
    });
    metrics = measured;
    const retention = createRetention({ database, days: settings.retention.days, now });
    const { migrations } = folders;
    const health = createHealth({ database, migrations, retention, secretsExpire, now });
    for (const { name, day } of expiring(secretsExpire, now())) log.warn({ secret: name, day }, 'A secret ends soon');
    let origin = '';
    const publicOrigin = () => settings.publicUrl ?? origin;
    const { scripts } = folders;
    const onBreaker = (isOpen: boolean) => {
      measured.onBreaker(isOpen);
      health.onBreaker(isOpen);
    };
    const opened = await openLedger({ database, settings, now, scripts, onBreaker, onMistake });
    const ledger = { ...opened, port: measured.watched(opened.port) };
    const development =
      settings.isProduction || (settings.identity && settings.servicedesk?.identity)
        ? undefined
        : await startDevelopmentProvider({
            isProduction: settings.isProduction,
            host: settings.host,
            names: demonstrationNames,
            identifierOf: ledger.identifierOf,
            content,
            redirectUris: () => [signInCallback(publicOrigin())],
            deskRedirectUris: () => [deskSignInCallback(publicOrigin())],
          });
    open.push(() => development?.stop());
    const identity = settings.identity ?? (development && demonstrationIdentity(development));
    const signIns = createSignIns(database, await keyFor(database, 'sign-in'));
    const receipts = createReceiptFiles({ content, key: await keyFor(database, 'receipt'), publicOrigin, now });
    const calendar = createCalendar(content.offices);
    const conversations = createConversations({
      content,
      understanding,
      calendar,
      store: createPostgresStore(database),
      ledger: ledger.port,
      proving: identity && provingBy(signIns, (challenge) => signInLink(publicOrigin(), challenge)),
      proofLasts: settings.proofLasts,
      servicedesk: servicedeskWith(
        settings.servicedesk && createDeskHours(settings.servicedesk.hours),
        settings.deskHubs,
        hubOf,
      ),
      receiptLink: receipts.linkTo,
      privateChatLink: settings.bot && privateChatWith(settings.bot.appId),
      visitLink: (visit, opening) => visitLink(publicOrigin(), visit, opening),
      now,
      onTurn: (told) => {
        measured.onTurn(told);
        const { state, heard, requests, handsOver } = told;
        log.info({ turn: turnNamed(told), state, heard, requests, ...(handsOver && { handsOver }) }, 'turn');
      },
      onStage: (stage, took, of, told) => {
        measured.onStage(stage, took);
        if (told) log.info({ turn: turnNamed(of), ...told, ms: Math.round(took) }, 'request');
        else if (log.isLevelEnabled('debug')) log.debug({ turn: turnNamed(of), stage, ms: Math.round(took) }, 'stage');
      },
      onMistake: onMistakeIn,
    });
    const { rules } = content;
    const desk = createDesk({ database, conversations, content, now });
    const deskIdentity = settings.servicedesk?.identity ?? (development && demonstrationDesk(development));
    const sessions =
      settings.servicedesk && deskIdentity
        ? createSessions({
            content,
            database,
            key: await keyFor(database, 'servicedesk'),
            provider: createProvider({ ...deskIdentity, allowInsecure: !settings.isProduction }),
            identity: deskIdentity,
            publicOrigin,
            onMistake,
            now,
          })
        : undefined;
    const invitations = createInvitations(database, publicOrigin);
    let closePages = (): void => undefined;
    const signingIn = ({ holderClaim, acr, ...provider }: IdentitySettings) => ({
      provider: createProvider({ ...provider, allowInsecure: !settings.isProduction }),
      holderFor: (identifier: string) => ledger.port.holderFor(identifier),
      holderClaim,
      acr,
    });
    if (!identity) log.warn('OIDC_ISSUER is not set, so nobody can prove who they are');
    const tokens = createTokens(await keyFor(database, 'direct-line'));
    const limits = createLimits({ database, key: await keyFor(database, 'limits'), rates: folders.rates, onMistake });
    const addressOf = createAddresses(settings.trustedProxies);
    const { hubs, publicUrl, embedOrigins, accent, isProduction } = settings;
    const headers = headersOf(settings);
    const signOutWish = content.label('chat/signOutWish');
    const directLine = createDirectLine({
      conversations,
      hubDesk: createHubDesk({ database, conversations, content, now }),
      rules,
      tokens,
      hubs,
      limits,
      addressOf,
      publicUrl,
      signOutWish,
      headers,
      onMistake,
    });
    const bot = createBotFramework({
      conversations,
      rules,
      bot: settings.bot,
      isOpenHere,
      onDelivery: (told, of) => {
        measured.onDelivery(told);
        log.info({ turn: turnNamed(of), ...told }, 'delivery');
      },
      onMistake,
    });
    if (!settings.bot && !isOpenHere) log.warn('MicrosoftAppId is not set, so /api/messages is closed');

    const deskChannel = settings.servicedesk?.channel;
    const channelCards =
      deskChannel &&
      createChannelCards({
        database,
        content,
        channel: bot.channel(deskChannel.name, deskChannel.serviceUrl),
        linkTo: (id) => caseLink(publicOrigin(), id),
        onMistake,
      });

    const server = await createServer({
      content,
      headers,
      mounts: [
        directLine.mount,
        bot.mount,
        (each) =>
          mountChatPage(each, {
            content,
            conversations,
            tokens,
            limits,
            addressOf,
            publicOrigin,
            scripts,
            now,
            embedOrigins,
            accent,
            invited: sessions && invitations.take,
          }),
        (each) =>
          mountStockPage(each, {
            content,
            conversations,
            tokens,
            scripts,
            publicOrigin,
            azure: settings.azureDirectLine,
            limits,
            addressOf,
            onMistake,
          }),
        (each) => mountEmbedding(each, { content, accent, isProduction, scripts }),
        receipts.mount,
        async (each) => {
          if (!sessions) return;
          sessions.mount(each);
          const cards = createCardDesk({ database, ledger: ledger.port, now, onMistake });
          const { linkTo } = invitations;
          const world = { desk, sessions, cards, content, scripts, publicOrigin, linkTo, now, onMistake };
          ({ close: closePages } = await mountServicedesk(each, world));
          mountLessons(each, { ...world, database, understanding });
          mountFigures(each, { ...world, database });
        },
        (each) => {
          mountAccessibility(each, content);
          mountVisits(each, { content, calendar, now });
        },
        (each) => {
          mountRecords(each, { content, database, retention, ...settings.retention });
          ledger.mount(each);
          if (!identity) return;
          const { onSignIn: onOutcome } = measured;
          const { onProvider } = health;
          const world = {
            ...signingIn(identity),
            content,
            signIns,
            publicOrigin,
            onOutcome,
            onProvider,
            onMistake,
            now,
          };
          mountSignIn(each, world);
        },
        health.mount,
        measured.mount,
      ],
      isHealthy: health.isHealthy,
      onAnswer: ({ method, route, status, took }) => {
        measured.onAnswer({ route, status, took });
        if (log.isLevelEnabled('debug')) log.debug({ method, route, status, ms: Math.round(took) }, 'answer');
      },
      onStream: measured.onStream,
      onMistake,
    });
    const hear = (conversation: string) => {
      directLine.refresh(conversation);
      desk.refresh(conversation);
    };
    const news = await shareNews(database, hear, onMistake);
    conversations.subscribe(news.tell);

    origin = await listen(server, settings);

    const jobs = startJobs(
      database,
      [
        { name: 'retention', at: '7 * * * *', run: retention.run },
        {
          name: 'purges',
          at: '17 * * * *',
          run: async () => {
            await Promise.all([signIns.purge(), sessions?.purge(), invitations.purge(), limits.purge()]);
          },
        },
        { name: 'tallies', at: '27 0 * * *', run: () => addUpTallies(database, dayOf({ at: instantOf(now()) })) },
      ].map((job) => ({
        ...job,
        run: async (signal: AbortSignal) => {
          await job.run(signal);
          measured.onJob(job.name);
        },
      })),
      onMistake,
    );
    const stopping = new AbortController();
    const looking = (async () => {
      while (!stopping.signal.aborted) {
        try {
          await desk.lapse();
          bot.catchUp(await conversations.resume());
          channelCards?.run().catch(onMistake);
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
        await drain(server, settings.drainSeconds);
        stopping.abort();
        directLine.close();
        closePages();
        const rest = async () => Promise.all([looking, conversations.idle(), bot.idle()]);
        const [isFinished] = await Promise.all([closeServer(server, rest), jobs.stop()]);
        if (!isFinished) log.warn('What could not be finished in time is left to others');
        await news.stop();
        isOver = true;
        await closeAll();
      },
    };
  }
}

const demonstrationIdentity = ({ issuer, clientId, clientSecret }: DevelopmentProvider): IdentitySettings => ({
  issuer,
  clientId,
  clientSecret,
  scope: 'openid',
  holderClaim: DEMONSTRATION_CLAIM,
  acr: [DEMONSTRATION_ACR],
});

const demonstrationDesk = ({ issuer, desk }: DevelopmentProvider): ServicedeskIdentity => ({
  issuer,
  ...desk,
  scope: 'openid profile',
  roleClaim: 'roles',
  agentRole: 'agent',
  editorRole: 'editor',
  acr: [DEMONSTRATION_ACR],
});

const provingBy = (signIns: SignIns, linkFor: (challenge: string) => string): Proving => ({
  way: 'signIn',
  linkFor,
  redeem: signIns.redeem,
  linkedTo: signIns.linkedTo,
  link: (account, { person, provedAt }) => signIns.link(account, person, provedAt),
});

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
