/** Web chats that are open, each with its WebSocket, and silent after the welcome. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';

const Token = z.object({ token: z.string() });
const Conversation = z.object({ streamUrl: z.string() });
const AT_ONCE = 16;

/** Each from an address of its own, which the bot has to take a proxy's word for. */
export async function openWebChats(origin: string, count: number): Promise<{ close: () => void }> {
  const sockets: WebSocket[] = [];
  let left = count;
  const visitor = async () => {
    while (left-- > 0) {
      const from = `10.${Math.floor(left / 62_500)}.${Math.floor(left / 250) % 250}.${(left % 250) + 1}`;
      const { token } = Token.parse(await post(`${origin}/chat/token`, from));
      const { streamUrl } = Conversation.parse(await post(`${origin}/v3/directline/conversations`, from, token));
      const socket = new WebSocket(streamUrl);
      // Those that hang up as the bot stops are no news.
      socket.on('error', () => undefined);
      await once(socket, 'message');
      sockets.push(socket);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitor));
  return {
    close: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
}

async function post(url: string, from: string, token?: string): Promise<unknown> {
  const headers = {
    'content-type': 'application/json',
    'x-forwarded-for': from,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(url, { method: 'POST', headers, body: '{}' });
  if (!response.ok) throw new Error(`A web chat was met with ${response.status}`);
  return response.json();
}
