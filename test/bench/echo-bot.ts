/**
 * A program of its own: botbuilder's EchoBot, with the stock authentication, on
 * the server, body parsers and connector that Kortlotsen has. What it keeps is
 * said on the command line: `nothing`, or `state`, which is how botbuilder's
 * samples keep a conversation's and a user's.
 */
import type { AddressInfo } from 'node:net';
import {
  ActivityHandler,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  ConversationState,
  MemoryStorage,
  type Request as BotRequest,
  type TurnContext,
  UserState,
} from 'botbuilder';
import { createServer, plugins, type Request, type Response } from 'restify';
import { createCredentials } from '../../src/channels/bot-framework/credentials.ts';

const {
  MicrosoftAppId = '',
  MicrosoftAppTenantId = '',
  MicrosoftAppPassword = '',
  ToChannelFromBotLoginUrl = '',
  ToBotFromChannelOpenIdMetadataUrl = '',
} = process.env;
const audience = 'https://api.botframework.com';

const storage = new MemoryStorage();
const conversationState = new ConversationState(storage);
const userState = new UserState(storage);
const turns = conversationState.createProperty<number>('turns');
const seen = userState.createProperty<string>('seen');

const countTurn = async (context: TurnContext) => {
  await turns.set(context, (await turns.get(context, 0)) + 1);
  await seen.set(context, context.activity.id ?? '');
};
const saveState = async (context: TurnContext) => {
  await conversationState.saveChanges(context);
  await userState.saveChanges(context);
};
const keepsState = process.argv[2] === 'state';

const bot = new ActivityHandler();
bot.onMessage(async (context, next) => {
  if (keepsState) await countTurn(context);
  await context.sendActivity(`Echo: ${context.activity.text}`);
  if (keepsState) await saveState(context);
  await next();
});
const adapter = new CloudAdapter(
  new ConfigurationBotFrameworkAuthentication(
    {
      MicrosoftAppId,
      MicrosoftAppType: 'SingleTenant',
      MicrosoftAppTenantId,
      ToChannelFromBotLoginUrl,
      ToChannelFromBotOAuthScope: audience,
      ToBotFromChannelTokenIssuer: audience,
      ToBotFromChannelOpenIdMetadataUrl,
      ToBotFromEmulatorOpenIdMetadataUrl: ToBotFromChannelOpenIdMetadataUrl,
      OAuthUrl: ToChannelFromBotLoginUrl,
      ValidateAuthority: 'false',
    },
    createCredentials({
      appId: MicrosoftAppId,
      password: MicrosoftAppPassword,
      tokenUrl: `${ToChannelFromBotLoginUrl}/${MicrosoftAppTenantId}/oauth2/v2.0/token`,
      audience,
    }),
  ),
);

const server = createServer({ name: 'echo', maxParamLength: 400, onceNext: true });
server.use(plugins.bodyReader({ maxBodySize: 128 * 1_024 }));
server.use(plugins.jsonBodyParser({ mapParams: false }));
server.use(plugins.urlEncodedBodyParser({ mapParams: false }));
server.post('/api/messages', async (req: Request, res: Response) => {
  await adapter.process(req as BotRequest, res, (context) => bot.run(context));
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.server.address() as AddressInfo;
  process.stderr.write(`Echo is at http://127.0.0.1:${port}. Stop it with Ctrl+C.\n`);
});

process.once('SIGTERM', () => {
  server.close();
  server.server.closeAllConnections();
});
