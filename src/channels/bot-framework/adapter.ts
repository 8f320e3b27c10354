/**
 * The Bot Framework's door: `/api/messages`, over botbuilder's CloudAdapter.
 *
 * Without an app id nobody can be believed. So it is open without one only
 * where nobody but this machine can reach it, and answers nobody but it.
 */
import {
  type Activity,
  CallerIdConstants,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type ConversationReference,
} from 'botbuilder';
// Each from its own file: the package's index loads five megabytes that read dates and numbers for prompts.
import { DialogContextError } from 'botbuilder-dialogs/lib/dialogContextError.js';
import type { DialogState } from 'botbuilder-dialogs/lib/dialogContext.js';
import { DialogSet } from 'botbuilder-dialogs/lib/dialogSet.js';
import { ClaimsIdentity, type ConnectorClient, ConnectorFactory, type UserTokenClient } from 'botframework-connector';
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import type { Content } from '../../content.ts';
import type { Conversations } from '../../conversations/conversations.ts';
import { type Cloud, createDoorkeeper } from './authentication.ts';
import { type Channel, createChannel } from './channel-posts.ts';
import { type ConversationDialog, createConversationDialog, type HearDelivery } from './conversation-dialog.ts';
import { type BotCredentials, createCredentials } from './credentials.ts';
import { sendingOnce } from './delivery.ts';
import { isActivity, tenantOf } from './incoming.ts';
import { isAllowedHost } from './service-hosts.ts';

/** The bot's registration, and whom it is registered with. */
export type BotSettings = BotCredentials &
  Cloud & {
    tenantId: string;
    /** Where replies may be sent: `host`, or `.domain` for all under it. */
    serviceHosts: readonly string[];
  };

export type BotFrameworkWorld = {
  conversations: Conversations;
  content: Pick<Content, 'rules'>;
  bot: BotSettings | undefined;
  /** Whether this machine is answered without an app id, to try the assistant. */
  isOpenHere: boolean;
  onDelivery: HearDelivery;
  onMistake: (mistake: unknown) => void;
};

export type BotFramework = Pick<ConversationDialog, 'catchUp' | 'idle'> & {
  mount: (server: Server) => void;
  /** The channel of Teams that goes by this name, `19:…@thread.tacv2`, where the bot has been added to it. */
  channel: (name: string, serviceUrl: string) => Channel;
};

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const Address = z.object({ channelId: z.string(), serviceUrl: z.url(), conversation: z.object({ id: z.string() }) });

export function createBotFramework(world: BotFrameworkWorld): BotFramework {
  const { conversations, content, bot, isOpenHere, onDelivery, onMistake } = world;
  const authentication = new FewClients(
    bot ? { ToChannelFromBotOAuthScope: bot.audience } : {},
    bot && createCredentials(bot),
    undefined,
    undefined,
    { httpClient: sendingOnce },
  );
  const adapter = new CloudAdapter(authentication);
  const tellSeldom = atMostOnceAMinute(onMistake);
  const doorkeeper = bot && createDoorkeeper(bot.appId, bot);
  const isReachable = (serviceUrl: string): boolean => isAllowed(new URL(serviceUrl), bot?.serviceHosts ?? LOOPBACK);

  const reach = async (address: object, activity: Partial<Activity>) => {
    // As it came with the student's last message, from a channel that was believed; the settings may have changed since.
    const reference = Address.parse(address);
    if (!isReachable(reference.serviceUrl)) throw new Error('The settings let no reply be sent there.');
    await adapter.continueConversationAsync(
      bot?.appId ?? '',
      reference as Partial<ConversationReference>,
      bot?.audience ?? '',
      async (context) => {
        await context.sendActivity(activity);
      },
    );
  };
  const { dialog, catchUp, idle } = createConversationDialog({
    conversations,
    content,
    isProved: bot !== undefined,
    reach,
    onDelivery,
    onMistake,
  });
  const dialogs = new DialogSet(nothingKept).add(dialog);

  /** Whoever sends it, as botbuilder wants to be told. Nothing, if that is proved by nobody. */
  const prove = async (activity: Activity, header: string | undefined) => {
    if (!bot || !doorkeeper)
      return { outcome: 'proved' as const, as: await authentication.authenticateRequest(activity, '') };
    const checked = await doorkeeper.check(header, activity);
    if (checked.outcome !== 'proved') return checked;
    const claimsIdentity = new ClaimsIdentity([{ type: 'aud', value: bot.appId }], true);
    const connectorFactory = authentication.createConnectorFactory(claimsIdentity);
    const { audience } = bot;
    return {
      outcome: 'proved' as const,
      as: { audience, callerId: CallerIdConstants.PublicAzureChannel, claimsIdentity, connectorFactory },
    };
  };

  const mount = (server: Server): void => {
    server.post('/api/messages', async (req: Request, res: Response) => {
      const refuse = (status: number, code: string, message: string) => {
        res.send(status, { error: { code, message } });
      };
      if (!bot && !isOpenHere) {
        refuse(403, 'Forbidden', 'This door is closed: there is no app id.');
        return;
      }
      const activity: unknown = req.body;
      if (!isActivity(activity)) {
        refuse(400, 'BadArgument', 'That is no activity.');
        return;
      }
      const proved = await prove(activity, req.headers.authorization);
      if (proved.outcome === 'unreachable') {
        tellSeldom(new Error('The keys of the Bot Connector service cannot be had.'));
        res.header('Retry-After', '5');
        refuse(503, 'ServiceUnavailable', 'Nobody can be believed just now.');
      } else if (proved.outcome === 'refused') refuse(401, 'Unauthorized', 'That is not proved.');
      else if (!isReachable(activity.serviceUrl)) {
        const whom = bot
          ? 'The settings let no reply be sent there.'
          : 'Without an app id, only this machine is answered.';
        refuse(403, 'Forbidden', whom);
      } else if (bot && !isOfTenant(activity, bot.tenantId)) refuse(403, 'Forbidden', 'That is another tenant’s.');
      else if (activity.type === 'invoke' || activity.deliveryMode === 'expectReplies')
        refuse(501, 'NotImplemented', 'Nothing is answered in the response itself.');
      else {
        let mistake: unknown;
        // Caught before botbuilder makes a text of it, which may hold anything.
        await adapter.processActivityDirect(proved.as, activity, async (context) => {
          const turn = await dialogs.createContext(context);
          await turn.beginDialog(dialog.id).catch((caught: unknown) => {
            mistake = causeOf(caught);
          });
        });
        if (mistake === undefined) res.send(200);
        else {
          onMistake(mistake);
          refuse(500, 'ServiceError', 'That went wrong here. Send it again.');
        }
      }
    });
  };
  const channel = (name: string, serviceUrl: string): Channel => {
    const identity = new ClaimsIdentity([{ type: 'aud', value: bot?.appId ?? '' }], true);
    return createChannel({
      channel: name,
      serviceUrl,
      appId: bot?.appId ?? '',
      tenantId: bot?.tenantId ?? '',
      audience: bot?.audience ?? '',
      connectors: authentication.createConnectorFactory(identity),
      onMistake,
    });
  };
  return { mount, catchUp, idle, channel };
}

/**
 * botbuilder makes a client of the connector, and one of its token service, for
 * every message, which costs more than to send one. Neither keeps anything of a
 * turn, so one serves all that go to the same address.
 */
class FewClients extends ConfigurationBotFrameworkAuthentication {
  readonly #connectors = new Map<string, Promise<ConnectorClient>>();
  #tokens: Promise<UserTokenClient> | undefined;

  /** The identity is always our own app’s, or nobody’s. */
  override createConnectorFactory(identity: ClaimsIdentity): ConnectorFactory {
    const factory = super.createConnectorFactory(identity);
    const connectors = this.#connectors;
    return new (class extends ConnectorFactory {
      create(serviceUrl: string, audience: string): Promise<ConnectorClient> {
        const kept = connectors.get(serviceUrl);
        if (kept) return kept;
        const made = factory.create(serviceUrl, audience);
        if (connectors.size >= MOST_CONNECTORS) connectors.clear();
        connectors.set(serviceUrl, made);
        made.catch(() => connectors.delete(serviceUrl));
        return made;
      }
    })();
  }

  override createUserTokenClient(identity: ClaimsIdentity): Promise<UserTokenClient> {
    return (this.#tokens ??= super.createUserTokenClient(identity));
  }
}

/** Teams has one for each part of the world and tenant. */
const MOST_CONNECTORS = 100;

/** The stack holds one Dialog, which keeps nothing: each turn begins it. */
const nothingKept = {
  get: () => Promise.resolve<DialogState>({ dialogStack: [] }),
  set: () => Promise.resolve(),
  delete: () => Promise.resolve(),
};

/** botbuilder wraps what a dialog throws. */
const causeOf = (mistake: unknown): unknown => (mistake instanceof DialogContextError ? mistake.error : mistake);

/** Whoever asks for it may come ten times a second. */
function atMostOnceAMinute(tell: (mistake: unknown) => void): (mistake: unknown) => void {
  let next = 0;
  return (mistake) => {
    if (performance.now() < next) return;
    next = performance.now() + 60_000;
    tell(mistake);
  };
}

/** By https alone, unless it is on this machine. */
const isAllowed = ({ protocol, hostname }: URL, hosts: readonly string[]): boolean =>
  (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname))) && isAllowedHost(hostname, hosts);

/** Teams names the tenant; a bot that is registered in one answers in no other. */
const isOfTenant = (activity: Activity, tenantId: string): boolean =>
  activity.channelId !== 'msteams' || tenantOf(activity) === tenantId;
