/** The page a student chats on. */
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import { newcomer, placeOf } from '../channels/direct-line/direct-line.ts';
import type { Tokens } from '../channels/direct-line/tokens.ts';
import type { Conversations } from '../conversations/conversations.ts';

export type ChatPageWorld = { conversations: Conversations; tokens: Tokens };

const Returning = z.object({ returnToken: z.string().max(2_000).optional() });

export function mountChatPage(server: Server, { conversations, tokens }: ChatPageWorld): void {
  /** A token for the conversation that is come back to, or for a new one. */
  server.post('/chat/token', async (req: Request, res: Response) => {
    const { returnToken = '' } = Returning.safeParse(req.body).data ?? {};
    const before = await tokens.read('return', returnToken);
    const isKnown = typeof before !== 'string' && (await conversations.has(placeOf(before.conversation).conversation));
    const claims = isKnown ? before : newcomer();
    const [chat, back] = await Promise.all([tokens.issue('chat', claims), tokens.issue('return', claims)]);
    res.header('Cache-Control', 'no-store');
    res.send(200, { ...claims, isKnown, token: chat.token, returnToken: back.token });
  });
}
