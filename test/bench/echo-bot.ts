/** A program of its own: botbuilder's EchoBot, on the server, body parsers and connector that Kortlotsen has. */
import type { AddressInfo } from 'node:net';
import {
  ActivityHandler,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type Request as BotRequest,
} from 'botbuilder';
import { createServer, plugins, type Request, type Response } from 'restify';

const bot = new ActivityHandler();
bot.onMessage(async (context, next) => {
  await context.sendActivity(`Echo: ${context.activity.text}`);
  await next();
});
const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication({}));

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
