/**
 * The Bot Framework's door: `/api/messages`, over botbuilder's CloudAdapter.
 *
 * Without an app id botbuilder believes everybody. So it is open without one
 * only where nobody but this machine can reach it, and answers nobody but it.
 */
import {
  type Activity,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type ConversationReference,
  type Request as BotRequest,
} from 'botbuilder';
import { DialogSet, type DialogState } from 'botbuilder-dialogs';
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import type { Conversations } from '../../conversations/conversations.ts';
import type { Rules } from '../activities.ts';
import { createConversationDialog } from './conversation-dialog.ts';

/** As the Bot Framework names them. */
export type BotCredentials = {
  MicrosoftAppId: string;
  MicrosoftAppType: string;
  MicrosoftAppTenantId: string;
  MicrosoftAppPassword: string;
};

export type BotFrameworkWorld = {
  conversations: Conversations;
  rules: Rules;
  credentials: BotCredentials | undefined;
  /** Whether this machine is answered without credentials, to try the assistant. */
  isOpenHere: boolean;
  onMistake: (mistake: unknown) => void;
};

export type BotFramework = { mount: (server: Server) => void; deliver: (conversation: string) => Promise<void> };

/** In characters. Teams sends no longer ones. */
const LONGEST_TEXT = 30_000;
const Address = z.object({ channelId: z.string(), serviceUrl: z.url(), conversation: z.object({ id: z.string() }) });
const Id = z.string().regex(/^[^\p{C}]{1,1000}$/u);
const Incoming = z.looseObject({
  type: z.string(),
  id: Id.optional(),
  channelId: Id,
  serviceUrl: z.url(),
  conversation: z.looseObject({ id: Id }),
  from: z.looseObject({ id: Id }),
  text: z.string().max(LONGEST_TEXT).optional(),
});

export function createBotFramework(world: BotFrameworkWorld): BotFramework {
  const { conversations, rules, credentials, isOpenHere, onMistake } = world;
  const authentication = new ConfigurationBotFrameworkAuthentication(credentials ? { ...credentials } : {});
  const adapter = new CloudAdapter(authentication);
  adapter.onTurnError = (_context, mistake) => {
    onMistake(mistake);
    return Promise.reject(mistake);
  };

  const isProved = credentials !== undefined;
  const reach = async (address: object, activity: Partial<Activity>) => {
    // As it came with the student's last message, from a channel that was believed.
    const reference = Address.parse(address) as Partial<ConversationReference>;
    await adapter.continueConversationAsync(credentials?.MicrosoftAppId ?? '', reference, async (context) => {
      await context.sendActivity(activity);
    });
  };
  const { dialog, deliver } = createConversationDialog({ conversations, rules, isProved, reach });

  const dialogs = new DialogSet(nothingKept).add(dialog);

  const mount = (server: Server): void => {
    server.post('/api/messages', async (req: Request, res: Response) => {
      if (!credentials && !isOpenHere) {
        res.send(403, { error: { code: 'Forbidden', message: 'This door is closed: there is no app id.' } });
        return;
      }
      const { data: incoming } = Incoming.safeParse(req.body);
      if (!incoming) {
        res.send(400, { error: { code: 'BadArgument', message: 'That is no activity.' } });
        return;
      }
      if (!credentials && !isOfThisMachine(incoming.serviceUrl)) {
        res.send(403, { error: { code: 'Forbidden', message: 'Without an app id, only this machine is answered.' } });
        return;
      }
      // restify's own types of request and response are looser than botbuilder's.
      await adapter.process(req as BotRequest, res, async (context) => {
        const turn = await dialogs.createContext(context);
        await turn.beginDialog(dialog.id);
      });
    });
  };
  return { mount, deliver };
}

/** The stack holds one Dialog, which keeps nothing: each turn begins it. */
const nothingKept = {
  get: () => Promise.resolve<DialogState>({ dialogStack: [] }),
  set: () => Promise.resolve(),
  delete: () => Promise.resolve(),
};

const isOfThisMachine = (url: string): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
