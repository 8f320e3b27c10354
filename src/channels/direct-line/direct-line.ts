/**
 * Direct Line 3.0 of our own: the protocol that Web Chat and other clients of
 * the Bot Framework speak, so that no message leaves the region's servers.
 *
 * What a client gets are the rows of its conversation. A watermark is the place
 * of the last row it has seen, so nothing is lost or doubled however often it
 * comes back, by WebSocket or by asking.
 */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import type { Conversations } from '../../conversations/conversations.ts';
import type { Logged } from '../../conversations/store.ts';
import { type Rules, toWebChatActivity } from '../activities.ts';
import { createStreams } from './streams.ts';
import type { Hub } from '../../settings.ts';
import type { Claims, Tokens, Use } from './tokens.ts';

export type DirectLine = {
  mount: (server: Server) => void;
  /** Other processes' turns: the log of this conversation may have grown. */
  refresh: (conversation: string) => void;
  close: () => void;
};

export type DirectLineWorld = {
  conversations: Conversations;
  rules: Rules;
  tokens: Tokens;
  /** The servers of somebody else's that may start conversations. */
  hubs: readonly Hub[];
  onMistake: (mistake: unknown) => void;
};

const BASE = '/v3/directline';
/** A long e-mail is welcome, a book is not. In characters. */
const LONGEST_TEXT = 10_000;

const Id = z.string().regex(/^[^\p{C}]{1,200}$/u);
const ChannelData = z.object({ clientActivityID: Id.optional() }).optional().catch(undefined);
const Posted = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message'),
    text: z.string().max(LONGEST_TEXT).optional(),
    localTimestamp: z.string().max(60).optional().catch(undefined),
    channelData: ChannelData,
  }),
  z.object({ type: z.literal('event'), name: Id.catch(''), channelData: ChannelData }),
  z.object({ type: z.enum(['typing', 'endOfConversation', 'messageReaction', 'conversationUpdate']) }),
]);
const Watermark = z.coerce.number().int().nonnegative().catch(0);

export function createDirectLine({ conversations, rules, tokens, hubs, onMistake }: DirectLineWorld): DirectLine {
  const streams = createStreams({
    after: async (id, seq) => (await conversations.log(ours(id), seq)).map((entry) => shown(id, entry)),
    lengths: async (ids) => {
      const lengths = await conversations.lengths(ids.map(ours));
      return new Map(ids.map((id) => [id, lengths.get(ours(id)) ?? 0]));
    },
    onMistake,
  });

  const shown = (id: string, entry: Logged) => ({
    seq: entry.seq,
    activity: toDirectLineActivity(id, entry, rules),
  });

  /** Whose token came with a request. The answer has been sent, if it is nobody's. */
  const claimsOf = async (req: Request, res: Response, id?: string): Promise<Claims | undefined> => {
    const token = bearerOf(req);
    const claims = token === undefined ? 'missing' : await tokens.read('chat', token);
    if (typeof claims !== 'string' && (id === undefined || claims.conversation === id)) return claims;
    // Clients take 403, and nothing else, to mean that a new token is needed.
    if (claims === 'missing') refuse(res, 401, 'Unauthorized', 'A token is needed.');
    else if (claims === 'expired') refuse(res, 403, 'TokenExpired', 'The token has expired.');
    else refuse(res, 403, 'BadArgument', 'The token is not valid here.');
    return undefined;
  };

  const opened = async (req: Request, claims: Claims, watermark: string) => {
    const [chat, stream] = await Promise.all(
      (['chat', 'stream'] as const).map((use: Use) => tokens.issue(use, claims)),
    );
    const { conversation: id } = claims;
    const query = new URLSearchParams({ watermark, t: stream?.token ?? '' });
    return {
      conversationId: id,
      token: chat?.token,
      expires_in: chat?.expiresIn,
      streamUrl: `${streamOrigin(req)}${BASE}/conversations/${id}/stream?${query.toString()}`,
      referenceGrammarId: id,
    };
  };

  const isSecret = (token: string | undefined): boolean =>
    token !== undefined &&
    hubs.some(({ secretHash }) => timingSafeEqual(digest(token), Buffer.from(secretHash, 'hex')));

  const mount = (server: Server): void => {
    server.post(`${BASE}/tokens/generate`, async (req, res) => {
      if (!isSecret(bearerOf(req))) {
        refuse(res, 403, 'BadArgument', 'The secret is not right.');
        return;
      }
      const claims = newcomer();
      const { token, expiresIn } = await tokens.issue('chat', claims);
      res.send(200, { conversationId: claims.conversation, token, expires_in: expiresIn });
    });

    server.post(`${BASE}/tokens/refresh`, async (req, res) => {
      const claims = await claimsOf(req, res);
      if (!claims) return;
      const { token, expiresIn } = await tokens.issue('chat', claims);
      res.send(200, { conversationId: claims.conversation, token, expires_in: expiresIn });
    });

    server.post(`${BASE}/conversations`, async (req, res) => {
      const claims = isSecret(bearerOf(req)) ? newcomer() : await claimsOf(req, res);
      if (!claims) return;
      const isKnown = await conversations.has(ours(claims.conversation));
      if (!isKnown) await conversations.open(placeOf(claims.conversation));
      res.send(isKnown ? 200 : 201, await opened(req, claims, '0'));
    });

    server.get(`${BASE}/conversations/:id`, async (req, res) => {
      const claims = await claimsOf(req, res, paramsOf(req).id);
      if (claims) res.send(200, await opened(req, claims, String(watermarkOf(req))));
    });

    server.get(`${BASE}/conversations/:id/activities`, async (req, res) => {
      const claims = await claimsOf(req, res, paramsOf(req).id);
      if (!claims) return;
      const watermark = watermarkOf(req);
      const id = claims.conversation;
      const entries = (await conversations.log(ours(id), watermark)).map((entry) => shown(id, entry));
      res.send(200, {
        activities: entries.map(({ activity }) => activity),
        watermark: String(entries.at(-1)?.seq ?? watermark),
      });
    });

    server.post(`${BASE}/conversations/:id/activities`, async (req, res) => {
      const claims = await claimsOf(req, res, paramsOf(req).id);
      if (!claims) return;
      const { data: posted } = Posted.safeParse(req.body);
      if (!posted) {
        refuse(res, 400, 'BadArgument', `The activity cannot be read, or its text is over ${LONGEST_TEXT} characters.`);
        return;
      }
      res.send(200, { id: await received(claims, posted) });
    });

    server.post(`${BASE}/conversations/:id/upload`, (_req, res, next) => {
      refuse(res, 415, 'UploadsAreRefused', 'Files cannot be sent here.');
      next(false);
    });

    server.server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      upgrade(req, socket, head).catch((mistake: unknown) => {
        onMistake(mistake);
        socket.destroy();
      });
    });
  };

  /** Everything that is posted comes back in the log under its client's own id, or the client waits for it in vain. */
  const received = async ({ conversation: id, user }: Claims, posted: z.infer<typeof Posted>): Promise<string> => {
    if (posted.type === 'message') {
      const { text = '', localTimestamp, channelData } = posted;
      const { seq } = await conversations.accept({
        ...placeOf(id),
        id: channelData?.clientActivityID ?? randomUUID(),
        text,
        ...(localTimestamp && { sentBy: user, sentAt: localTimestamp }),
      });
      return nameOf(id, seq);
    }
    if (posted.type === 'event') {
      const event = { id: posted.channelData?.clientActivityID ?? randomUUID(), name: posted.name };
      const seq = await conversations.note(ours(id), event);
      return nameOf(id, seq ?? 0);
    }
    return randomUUID();
  };

  const upgrade = async (req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'ws://localhost');
    const id = /^\/v3\/directline\/conversations\/([^/]+)\/stream$/.exec(pathname)?.[1];
    // A browser lets any page open a WebSocket to us, and tells which page it was.
    const { origin, host } = req.headers;
    const isOurs = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
    const claims = await tokens.read('stream', searchParams.get('t') ?? '');
    if (!isOurs || typeof claims === 'string' || claims.conversation !== id) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    streams.open(req, socket, head, { id, after: Watermark.parse(searchParams.get('watermark')) });
  };

  conversations.subscribe((conversation) => {
    refresh(conversation);
  });
  const refresh = (conversation: string) => {
    if (conversation.startsWith(PREFIX)) streams.refresh(conversation.slice(PREFIX.length));
  };
  return { mount, refresh, close: streams.close };
}

const CHANNEL = 'web';
const PREFIX = `${CHANNEL}/`;
const ours = (id: string): string => `${PREFIX}${id}`;
/** Where a conversation of the web chat is. */
export const placeOf = (id: string) => ({ conversation: ours(id), channel: CHANNEL, isPushed: false });

/** Somebody new, in a conversation of their own. Its id is a secret that cannot be guessed. */
export const newcomer = (): Claims => ({
  conversation: randomBytes(18).toString('base64url'),
  user: `dl_${randomUUID()}`,
});

/** Ids sort as their rows do. */
const nameOf = (id: string, seq: number): string => `${id}|${String(seq).padStart(7, '0')}`;

const BOT = { id: 'kortlotsen', name: 'Kortlotsen', role: 'bot' } as const;
const STUDENT = { id: 'student', role: 'user' } as const;

/** What a client is shown of an entry of the log. */
export const toDirectLineActivity = (id: string, entry: Logged, rules: Rules) => ({
  ...bodyOf(entry, rules),
  id: nameOf(id, entry.seq),
  timestamp: entry.at.toISOString(),
  channelId: 'directline',
  conversation: { id },
});

function bodyOf(entry: Logged, rules: Rules): object {
  if (entry.author === 'bot') {
    const { clears } = entry.said;
    return { ...toWebChatActivity(entry.said, rules), from: BOT, ...(clears && { channelData: { clears } }) };
  }
  const channelData = { clientActivityID: entry.id };
  if ('event' in entry) return { type: 'event', name: entry.event, from: STUDENT, channelData };
  return { type: 'message', text: entry.text, textFormat: 'plain', locale: 'sv-SE', from: STUDENT, channelData };
}

function refuse(res: Response, status: number, code: string, message: string): void {
  res.send(status, { error: { code, message } });
}

const bearerOf = (req: Request): string | undefined => /^Bearer (\S+)$/i.exec(req.header('authorization', ''))?.[1];
const paramsOf = (req: Request): { id: string } => z.object({ id: Id }).parse(req.params);
const watermarkOf = (req: Request): number => Watermark.parse(new URLSearchParams(req.getQuery()).get('watermark'));

/** Behind a proxy that ends TLS, the scheme is in the header that every such proxy sets. */
function streamOrigin(req: Request): string {
  const isSecure = req.header('x-forwarded-proto', '').startsWith('https');
  return `${isSecure ? 'wss' : 'ws'}://${req.header('host', '')}`;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
