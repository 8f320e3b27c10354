/** A Direct Line client, as small as one can be. */
import { createHash } from 'node:crypto';
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

export type Client = {
  request: (path: string, options?: Asked) => Promise<Answer>;
  token: (returnToken?: string) => Promise<Chat>;
  /** Begins a conversation, and gives it. */
  begin: () => Promise<Chat & { streamUrl: string }>;
  send: (chat: Chat, activity: object) => Promise<Answer>;
  after: (chat: Chat, watermark?: string) => Promise<ActivitySet>;
  /** Listens until there is a reply that says so, and gives all there is then. */
  until: (chat: Chat, text: string) => Promise<Activity[]>;
};

export type Asked = {
  method?: string;
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
};
export type Answer = { status: number; body: Record<string, unknown>; headers: Headers };

export function clientOf(origin: string): Client {
  const request: Client['request'] = async (path, { method = 'GET', token, body, headers } = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const told = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: response.status, body: told, headers: response.headers };
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
      const path = `/v3/directline/conversations/${chat.conversation}`;
      const { body } = await request(path, { token: chat.token });
      const { pathname, search } = new URL(String(body.streamUrl));
      const stream = await openStream(`${origin}${pathname}${search}`);
      try {
        for (;;) {
          const { activities } = await stream.next();
          if (activities.some((each) => each.from.role === 'bot' && each.text?.includes(text))) break;
        }
      } finally {
        stream.close();
      }
      return (await after(chat)).activities;
    },
  };
}

/** A hub as it is set in DIRECT_LINE_HUBS. */
export const hubSetting = (name: string, secret: string, origins: readonly string[] = []): string =>
  [name, createHash('sha256').update(secret).digest('hex'), ...(origins.length > 0 ? [origins.join('+')] : [])].join(
    ':',
  );

export type Stream = {
  next: () => Promise<ActivitySet>;
  close: () => void;
  /** How it was closed, once it is. */
  closed: Promise<number>;
};

/** Opens a stream; what it sends is read one set at a time, and signs of life are nothing. One that is refused says how. */
export async function openStream(url: string, headers: Record<string, string> = {}): Promise<Stream> {
  const socket = new WebSocket(url, { headers });
  const sets: ActivitySet[] = [];
  const waiting: { resolve: (set: ActivitySet) => void; reject: (problem: Error) => void }[] = [];
  socket.on('message', (data: Buffer) => {
    if (data.length === 0) return;
    const set = JSON.parse(data.toString()) as ActivitySet;
    const first = waiting.shift();
    if (first) first.resolve(set);
    else sets.push(set);
  });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code: number) => {
      for (const { reject } of waiting) reject(new Error(`The stream was closed with ${code}`));
      resolve(code);
    });
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    next: () => {
      const first = sets.shift();
      if (first) return Promise.resolve(first);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    close: () => {
      socket.close();
    },
    closed,
  };
}
