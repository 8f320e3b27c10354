/** A Direct Line client, as small as one can be. */
import { WebSocket } from 'ws';

export type Activity = {
  id: string;
  type: string;
  text?: string;
  name?: string;
  from: { role: string };
  channelData?: { clientActivityID?: string };
  attachments?: { content: { buttons: { value: string }[] } }[];
};
export type ActivitySet = { activities: Activity[]; watermark: string };
export type Chat = { conversation: string; user: string; isKnown: boolean; token: string; returnToken: string };

/** In milliseconds. */
const PATIENCE = 15_000;

export type Client = {
  request: (path: string, options?: { method?: string; token?: string | undefined; body?: unknown }) => Promise<Answer>;
  token: (returnToken?: string) => Promise<Chat>;
  /** Begins a conversation, and gives it. */
  begin: () => Promise<Chat & { streamUrl: string }>;
  send: (chat: Chat, activity: object) => Promise<Answer>;
  after: (chat: Chat, watermark?: string) => Promise<ActivitySet>;
  /** Asks until there is a reply that says so. */
  until: (chat: Chat, text: string) => Promise<Activity[]>;
};

export type Answer = { status: number; body: Record<string, unknown> };

export function clientOf(origin: string): Client {
  const request: Client['request'] = async (path, { method = 'GET', token, body } = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const token: Client['token'] = async (returnToken) =>
    (await request('/chat/token', { method: 'POST', body: { returnToken } })).body as Chat;
  const after: Client['after'] = async ({ conversation, token }, watermark = '-') => {
    const path = `/v3/directline/conversations/${conversation}/activities?watermark=${watermark}`;
    return (await request(path, { token })).body as ActivitySet;
  };
  return {
    request,
    token,
    async begin() {
      const chat = await token();
      const { body } = await request('/v3/directline/conversations', { method: 'POST', token: chat.token });
      return { ...chat, streamUrl: String(body.streamUrl) };
    },
    send: ({ conversation, token }, body) =>
      request(`/v3/directline/conversations/${conversation}/activities`, { method: 'POST', token, body }),
    after,
    async until(chat, text) {
      for (const end = Date.now() + PATIENCE; Date.now() < end;) {
        const { activities } = await after(chat);
        if (activities.some((each) => each.from.role === 'bot' && each.text?.includes(text))) return activities;
      }
      throw new Error(`Nobody has said “${text}”`);
    },
  };
}

export type Stream = { next: () => Promise<ActivitySet>; close: () => void };

/** Opens a stream; what it sends is read one set at a time. */
export async function openStream(url: string, headers: Record<string, string> = {}): Promise<Stream> {
  const socket = new WebSocket(url, { headers });
  const sets: ActivitySet[] = [];
  const waiting: ((set: ActivitySet) => void)[] = [];
  socket.on('message', (data: Buffer) => {
    const set = JSON.parse(data.toString()) as ActivitySet;
    const first = waiting.shift();
    if (first) first(set);
    else sets.push(set);
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    next: () => {
      const first = sets.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => waiting.push(resolve));
    },
    close: () => {
      socket.close();
    },
  };
}
