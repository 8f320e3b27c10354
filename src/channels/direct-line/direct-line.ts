/**
 * Direct Line 3.0 of our own: the protocol that Web Chat and other clients of
 * the Bot Framework speak, so that no message leaves the region's servers.
 *
 * What a client gets are the rows of its conversation. A watermark is the place
 * of the last row it has seen, so nothing is lost or doubled however often it
 * comes back, by WebSocket or by asking.
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import type { Content } from '../../content.ts';
import type { Conversations } from '../../conversations/conversations.ts';
import type { Handoff, Logged } from '../../conversations/store.ts';
import { isDraining } from '../../server.ts';
import type { HubDesk } from '../../servicedesk/hub-desk.ts';
import type { Hub } from '../../settings.ts';
import { LONGEST_TEXT } from '../../web/chat/activity.ts';
import { linesOf } from '../../web/headers.ts';
import type { AddressOf } from '../../web/requests.ts';
import { type Rules, toWebChatActivity } from '../activities.ts';
import { type Caller, claimsIn, createAccess, hubNameOf, newcomer } from './access.ts';
import {
  clientsOwn,
  isHandoff,
  isInitiate,
  isOfAgent,
  readAgentMessage,
  readHandoff,
  toHandoffEvent,
} from './handoff.ts';
import type { Limited, Limits } from './limits.ts';
import { createStreams } from './streams.ts';
import type { Claims, Tokens } from './tokens.ts';

// Our pages give their visitors a conversation, as hubs do theirs.
export { newcomer };

/** Somebody who is let in to a conversation of the web chat; nobody is, to one that is held elsewhere. */
export const comingTo = (conversation: string): Claims | undefined =>
  conversation.startsWith(PREFIX) ? { ...newcomer(), conversation: theirs(conversation) } : undefined;

export type DirectLine = {
  mount: (server: Server) => void;
  /** Other processes' turns: the log of this conversation may have grown. */
  refresh: (conversation: string) => void;
  close: () => void;
};

export type DirectLineWorld = {
  conversations: Conversations;
  /** What hubs whose humans take over tell of it. */
  hubDesk: HubDesk;
  content: Pick<Content, 'rules' | 'label'>;
  tokens: Tokens;
  /** The servers of somebody else's that may start conversations. */
  hubs: readonly Hub[];
  limits: Limits;
  addressOf: AddressOf;
  /** Where students reach us, if that is another place than where we listen: behind a proxy only it knows the scheme. */
  publicUrl: string | undefined;
  /** What every answer bears, also one that is written to a socket. */
  headers: Readonly<Record<string, string>>;
  onMistake: (mistake: unknown) => void;
};

const BASE = '/v3/directline';
/** In milliseconds: how long somebody may take to send us a request. */
const SENDING = 10_000;

const Id = z.string().regex(/^[^\p{C}]{1,200}$/u);
const ChannelData = z.object({ clientActivityID: Id.optional() }).optional().catch(undefined);
const Text = z.string().max(LONGEST_TEXT);
/** Whatever a client says of who sends it, to whom, where and when, is not read: we know. */
const Message = z.object({
  type: z.literal('message'),
  text: Text.nullish(),
  /** A button's, of a client that has sent no text with it. */
  value: Text.optional().catch(undefined),
  attachments: z.array(z.unknown()).optional().catch(undefined),
  localTimestamp: z.string().max(60).optional().catch(undefined),
  channelData: ChannelData,
});
const Posted = z.discriminatedUnion('type', [
  Message,
  z.object({ type: z.literal('endOfConversation'), channelData: ChannelData }),
  z.object({
    type: z.enum(['event', 'typing', 'messageReaction', 'conversationUpdate']),
    name: z
      .string()
      .regex(/^[\w./:-]{1,100}$/)
      .catch(''),
    channelData: ChannelData,
  }),
]);
type Posted = z.infer<typeof Posted>;

/** Who is to begin a conversation, as a hub says it; the protocol keeps ids that begin so for whoever has a secret. */
const Beginning = z
  .object({
    user: z.object({ id: z.string().regex(/^dl_[^\p{C}]{1,200}$/u) }).optional(),
    trustedOrigins: z.array(z.string().max(300)).max(100).optional(),
  })
  .nullish();
const Watermark = z.coerce.number().int().nonnegative().catch(0);

export function createDirectLine(world: DirectLineWorld): DirectLine {
  const { conversations, hubDesk, content, tokens, hubs, limits, addressOf, publicUrl, headers, onMistake } = world;
  const publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
  const access = createAccess({ tokens, hubs, publicOrigin });
  const lines = linesOf(headers);

  const streams = createStreams({
    after: async (id, seq, isHubs) =>
      shown({ conversation: id, ...(isHubs && { isHubs }) }, await conversations.log(ours(id), seq)),
    lengths: async (ids) => {
      const lengths = await conversations.lengths(ids.map(ours));
      return new Map([...lengths].map(([id, length]) => [theirs(id), length]));
    },
    onMistake,
  });

  /** What goes along with a handoff is for the hub alone, and is told by all that was said before it. */
  const shown = async ({ conversation: id, isHubs }: Pick<Claims, 'conversation' | 'isHubs'>, entries: Logged[]) => {
    const isWhole = isHubs && entries.some((entry) => 'said' in entry && entry.said.handoff !== undefined);
    const log = isWhole ? await conversations.log(ours(id), 0) : undefined;
    return entries.map((entry) => ({ seq: entry.seq, activity: toDirectLineActivity(id, entry, content.rules, log) }));
  };

  /** Who asks. The answer has been sent, if it is nobody, or from a page that may not. */
  const callerOf = async (req: Request, res: Response): Promise<Caller | undefined> => {
    const caller = await access.callerOf(bearerOf(req));
    // Clients take 403, and nothing else, to mean that a new token is needed.
    if (caller === 'missing') refuse(res, 401, 'Unauthorized', 'A token is needed.');
    else if (caller === 'expired') refuse(res, ...EXPIRED);
    else if (caller === 'invalid') refuse(res, ...NOT_VALID);
    else if (!access.isPageOf(req, caller)) refuse(res, ...WRONG_PAGE);
    else return caller;
    return undefined;
  };

  /** The same, of one conversation. */
  const claimsOf = async (req: Request, res: Response): Promise<Claims | undefined> => {
    const caller = await callerOf(req, res);
    const claims = caller && claimsIn(conversationOf(req), caller);
    if (caller && !claims) refuse(res, ...NOT_VALID);
    return claims;
  };

  /** How far the log of a conversation goes. Nothing, if there is none. */
  const lengthOf = async (id: string): Promise<number | undefined> =>
    (await conversations.lengths([ours(id)])).get(ours(id));

  const isWithin = async (res: Response, what: Limited, whose: string): Promise<boolean> => {
    const seconds = await limits.secondsToWait(what, whose);
    if (seconds === undefined) return true;
    res.header('Retry-After', String(seconds));
    refuse(res, 429, 'TooManyRequests', `Too much is asked at once. Wait ${seconds} seconds.`);
    return false;
  };

  /** Counts one more, and tells how far the log goes. The answer has been sent, if it is too much, or there is no log. */
  const countedIn = async (res: Response, id: string, what: Limited): Promise<number | undefined> => {
    const [isFine, length] = await Promise.all([isWithin(res, what, id), lengthOf(id)]);
    if (isFine && length === undefined) refuse(res, 404, 'BadArgument', 'There is no such conversation any more.');
    return isFine ? length : undefined;
  };

  /** Somebody new, as a hub says. */
  const invited = (req: Request, res: Response, hub: Hub): Claims | undefined => {
    const { data, success } = Beginning.safeParse(req.body === '' ? undefined : req.body);
    const { user, trustedOrigins } = data ?? {};
    if (!success || trustedOrigins?.some((origin) => !hub.origins.includes(origin))) {
      const message = 'The id of the user has to begin with dl_, and the origins to be among those of the secret.';
      refuse(res, 400, 'BadArgument', message);
      return undefined;
    }
    return { ...newcomer(hub), ...(user && { user: user.id }), ...(trustedOrigins && { origins: trustedOrigins }) };
  };

  const opened = async (req: Request, claims: Claims, watermark: number) => {
    const { isHubs: _, ...students } = claims;
    const [chat, stream] = await Promise.all([tokens.issue('chat', students), tokens.issue('stream', claims)]);
    const { conversation: id } = claims;
    const query = new URLSearchParams({ watermark: String(watermark), t: stream.token });
    const base = publicUrl ?? `http://${req.header('host', '')}`;
    return {
      conversationId: id,
      token: chat.token,
      expires_in: chat.expiresIn,
      streamUrl: `${base.replace(/^http/, 'ws')}${BASE}/conversations/${id}/stream?${query.toString()}`,
      referenceGrammarId: id,
    };
  };

  const sendToken = async (res: Response, claims: Claims): Promise<void> => {
    const { token, expiresIn } = await tokens.issue('chat', claims);
    send(res, 200, { conversationId: claims.conversation, token, expires_in: expiresIn });
  };

  /** What is decided before a request is read: whether its page may ask at all, and that it ends. */
  const before = (req: Request, res: Response, next: (goesOn?: false) => void): void => {
    if (!req.getPath().startsWith(`${BASE}/`)) {
      next();
      return;
    }
    const { origin } = req.headers;
    res.header('Vary', 'Origin');
    if (!access.isKnownPage(req)) {
      refuse(res, ...WRONG_PAGE);
      next(false);
      return;
    }
    if (origin !== undefined) {
      res.header('Access-Control-Allow-Origin', origin);
      res.header('Access-Control-Expose-Headers', 'Retry-After');
    }
    if (req.getPath().endsWith('/upload')) {
      refuse(res, 415, 'UploadsAreRefused', 'Files cannot be sent here.');
      next(false);
      return;
    }
    const late = setTimeout(() => {
      res.header('Connection', 'close');
      res.once('finish', () => req.socket.destroy());
      refuse(res, 408, 'RequestTimeout', 'The request did not come to its end.');
    }, SENDING);
    for (const end of ['end', 'close']) {
      req.once(end, () => {
        clearTimeout(late);
      });
    }
    next();
  };

  const mount = (server: Server): void => {
    server.pre(before);

    server.opts(`${BASE}/*`, (_req: Request, res: Response, next: (goesOn?: false) => void) => {
      res.header('Access-Control-Allow-Methods', 'GET, POST');
      res.header('Access-Control-Allow-Headers', 'Authorization, Content-Type, X-Requested-With, x-ms-bot-agent');
      res.header('Access-Control-Max-Age', '600');
      res.sendRaw(204, '');
      next(false);
    });

    server.post(`${BASE}/tokens/generate`, async (req, res) => {
      const caller = await access.callerOf(bearerOf(req));
      if (typeof caller === 'string' || caller.by !== 'secret' || !access.isPageOf(req, caller)) {
        refuse(res, 403, 'BadArgument', 'The secret is not right.');
        return;
      }
      const claims = invited(req, res, caller.hub);
      if (claims && (await isWithin(res, 'beginnings', `hub ${caller.hub.name}`))) await sendToken(res, claims);
    });

    server.post(`${BASE}/tokens/refresh`, async (req, res) => {
      const caller = await callerOf(req, res);
      if (caller?.by === 'secret') refuse(res, 403, 'BadArgument', 'A secret lasts; only a token is made new.');
      if (caller?.by !== 'token') return;
      const { claims } = caller;
      if (await isWithin(res, 'requests', claims.conversation)) await sendToken(res, claims);
    });

    server.post(`${BASE}/conversations`, async (req, res) => {
      const caller = await callerOf(req, res);
      const claims = caller?.by === 'secret' ? invited(req, res, caller.hub) : caller?.claims;
      if (!caller || !claims) return;
      const { conversation: id } = claims;
      const isKnown = (await lengthOf(id)) !== undefined;
      const whose = caller.by === 'secret' ? `hub ${caller.hub.name}` : addressOf(req);
      if (!(await (isKnown ? isWithin(res, 'requests', id) : isWithin(res, 'beginnings', whose)))) return;
      if (!isKnown) await conversations.open(placeOf(id));
      send(res, isKnown ? 200 : 201, await opened(req, claims, 0));
    });

    server.get(`${BASE}/conversations/:id`, async (req, res) => {
      const claims = await claimsOf(req, res);
      const length = claims && (await countedIn(res, claims.conversation, 'requests'));
      if (claims && length !== undefined) send(res, 200, await opened(req, claims, watermarkOf(req, length)));
    });

    server.get(`${BASE}/conversations/:id/activities`, async (req, res) => {
      const claims = await claimsOf(req, res);
      const length = claims && (await countedIn(res, claims.conversation, 'requests'));
      if (!claims || length === undefined) return;
      const { conversation: id } = claims;
      const watermark = watermarkOf(req, length);
      const entries = watermark === length ? [] : await conversations.log(ours(id), watermark);
      send(res, 200, {
        activities: (await shown(claims, entries)).map(({ activity }) => activity),
        watermark: String(entries.at(-1)?.seq ?? watermark),
      });
    });

    server.post(`${BASE}/conversations/:id/activities`, async (req, res) => {
      const claims = await claimsOf(req, res);
      if (!claims) return;
      if (isHandoff(req.body) || (claims.isHubs && isOfAgent(req.body))) {
        await handedOff(req, res, claims);
        return;
      }
      const { data: posted } = Posted.safeParse(req.body);
      const problem = posted ? problemOf(posted) : `It cannot be read, or its text is over ${LONGEST_TEXT} characters.`;
      if (!posted || problem !== undefined) {
        refuse(res, 400, 'BadArgument', problem ?? '');
        return;
      }
      const isAnswered = posted.type === 'message' || posted.type === 'endOfConversation';
      const length = await countedIn(res, claims.conversation, isAnswered ? 'messages' : 'requests');
      if (length !== undefined) send(res, 200, { id: await received(claims, posted) });
    });

    server.get(`${BASE}/*`, (_req: Request, res: Response, next: (goesOn?: false) => void) => {
      refuse(res, 404, 'BadArgument', 'There is nothing here.');
      next(false);
    });

    server.server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Nobody else listens to it yet, and an error that nobody hears ends the process.
      socket.on('error', () => socket.destroy());
      if (isDraining(server)) {
        refuseUpgrade(socket, `${lines}Retry-After: 1\r\n`, ...GOING_AWAY);
        return;
      }
      upgrade(req, socket, head).catch((mistake: unknown) => {
        onMistake(mistake);
        socket.destroy();
      });
    });
  };

  /** A hub says who answers now, or has its agent speak. A student's token is no hub's secret. */
  const handedOff = async (req: Request, res: Response, { conversation: id, isHubs }: Claims): Promise<void> => {
    const hub = hubNameOf(id);
    if (!isHubs || hub === undefined) {
      refuse(res, ...NOT_A_HUB);
      return;
    }
    if ((await countedIn(res, id, 'messages')) === undefined) return;
    const at = { hub, conversation: ours(id) };
    const read = isHandoff(req.body) ? readHandoff(req.body) : readAgentMessage(req.body);
    if ('problem' in read) {
      if (isInitiate(req.body)) await hubDesk.refuse(at, read.problem);
      refuse(res, 400, 'BadArgument', read.problem);
      return;
    }
    const seq = await hubDesk.hear(at, read);
    if (seq !== undefined) {
      send(res, 200, { id: nameOf(id, seq) });
      return;
    }
    const problem = 'Not now: see who answers the conversation, in its events.';
    if (read.type === 'initiate') await hubDesk.refuse(at, problem);
    refuse(res, 409, 'Conflict', problem);
  };

  /** Everything that is posted comes back in the log under its client's own id, or the client waits for it in vain. */
  const received = async ({ conversation: id, user }: Claims, posted: Posted): Promise<string> => {
    const own = posted.channelData?.clientActivityID ?? randomUUID();
    if (posted.type === 'message' || posted.type === 'endOfConversation') {
      const { text, sentAt } =
        posted.type === 'message'
          ? { text: posted.text ?? posted.value ?? '', sentAt: posted.localTimestamp }
          : // A client that ends a conversation is taken to have written it.
            { text: content.label('chat/signOutWish'), sentAt: undefined };
      const { seq } = await conversations.accept({
        ...placeOf(id),
        id: own,
        text,
        ...(sentAt && { sentBy: user, sentAt }),
      });
      return nameOf(id, seq);
    }
    const seq = await conversations.note(ours(id), { id: own, type: posted.type, name: posted.name });
    return nameOf(id, seq ?? 0);
  };

  const upgrade = async (req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const { url = '' } = req;
    const address = URL.canParse(url, 'ws://localhost') ? new URL(url, 'ws://localhost') : undefined;
    const id = /^\/v3\/directline\/conversations\/([\w-]+)\/stream$/.exec(address?.pathname ?? '')?.[1];
    const claims = await access.read('stream', address?.searchParams.get('t') ?? '');
    if (claims === 'expired') {
      refuseUpgrade(socket, lines, ...EXPIRED);
      return;
    }
    if (claims === 'invalid' || claims.conversation !== id) {
      refuseUpgrade(socket, lines, ...NOT_VALID);
      return;
    }
    // A browser lets any page open a WebSocket to us, and tells which page it was.
    if (!access.isPageOf(req, { by: 'token', claims })) {
      refuseUpgrade(socket, lines, ...WRONG_PAGE);
      return;
    }
    const [seconds, length] = await Promise.all([limits.secondsToWait('requests', id), lengthOf(id)]);
    if (seconds !== undefined) {
      const wait = `${lines}Retry-After: ${seconds}\r\n`;
      refuseUpgrade(socket, wait, 429, 'TooManyRequests', 'Too much is asked at once.');
    } else if (length === undefined) {
      refuseUpgrade(socket, lines, 404, 'BadArgument', 'There is no such conversation any more.');
    } else {
      const after = placeIn(length, address?.searchParams.get('watermark'));
      streams.open(req, socket, head, { id, after, isHubs: claims.isHubs === true });
    }
  };

  conversations.subscribe((conversation) => {
    refresh(conversation);
  });
  const refresh = (conversation: string) => {
    if (conversation.startsWith(PREFIX)) streams.refresh(theirs(conversation));
  };
  return { mount, refresh, close: streams.close };
}

type Refusal = readonly [status: number, code: string, message: string];
const EXPIRED: Refusal = [403, 'TokenExpired', 'The token has expired.'];
const NOT_VALID: Refusal = [403, 'BadArgument', 'The token is not valid here.'];
const NOT_A_HUB: Refusal = [403, 'BadArgument', 'Only the hub itself hands over, with its secret.'];
const GOING_AWAY: Refusal = [503, 'ServiceUnavailable', 'Come back at once.'];
const WRONG_PAGE: Refusal = [403, 'OriginIsRefused', 'It is not had from this page.'];

const CHANNEL = 'web';
const PREFIX = `${CHANNEL}/`;
const ours = (id: string): string => `${PREFIX}${id}`;
const theirs = (conversation: string): string => conversation.slice(PREFIX.length);
/** Whose servers began a conversation, if it was not our own page. */
export const hubOf = (conversation: string): string | undefined =>
  conversation.startsWith(PREFIX) ? hubNameOf(theirs(conversation)) : undefined;
/** Where a conversation of the web chat is. */
export const placeOf = (id: string) => ({ conversation: ours(id), channel: CHANNEL, isPushed: false });

/** Ids sort as their rows do. */
const nameOf = (id: string, seq: number): string => `${id}|${String(seq).padStart(7, '0')}`;

const BOT = { id: 'kortlotsen', name: 'Kortlotsen', role: 'bot' } as const;
/** What the desk lets the student know is nobody's answer. */
const DESK = { id: 'servicedesk', role: 'bot' } as const;
/** Whoever takes over in its humans’ name. */
const HUB = { id: 'hub', role: 'user' } as const;
const STUDENT = { id: 'student', role: 'user' } as const;

/** What a client is shown of an entry of the log. With the whole `log`, also what goes along with a handoff. */
export const toDirectLineActivity = (id: string, entry: Logged, rules: Rules, log?: readonly Logged[]) => ({
  ...('said' in entry && entry.said.handoff
    ? handoffBody(id, entry.seq, entry.said.handoff, rules, log)
    : bodyOf(entry, rules)),
  id: nameOf(id, entry.seq),
  timestamp: entry.at.toISOString(),
  channelId: 'directline',
  conversation: { id },
});

/** Events of handing over are not in a transcript: it is what was said. */
function handoffBody(id: string, seq: number, handoff: Handoff, rules: Rules, whole?: readonly Logged[]): object {
  const log = whole?.filter((each) => each.seq < seq && ('text' in each || ('said' in each && !each.said.handoff)));
  const before = log && { log, activities: log.map((each) => toDirectLineActivity(id, each, rules)) };
  return { ...toHandoffEvent(handoff, before), from: handoff.key === undefined ? BOT : HUB };
}

function bodyOf(entry: Logged, rules: Rules): object {
  if (entry.author !== 'student') {
    const { clears, now } = entry.said;
    const clientActivityID = entry.author === 'agent' ? clientsOwn(entry.id) : undefined;
    const channelData = {
      ...(clears && { clears }),
      ...(now && { now }),
      ...(clientActivityID !== undefined && { clientActivityID }),
    };
    const hasData = Object.keys(channelData).length > 0;
    return { ...toWebChatActivity(entry.said, rules), from: senderOf(entry), ...(hasData && { channelData }) };
  }
  const channelData = { clientActivityID: entry.id };
  if ('noted' in entry) {
    const { type, name } = entry.noted;
    return { type, ...(name !== '' && { name }), from: STUDENT, channelData };
  }
  return { type: 'message', text: entry.text, textFormat: 'plain', locale: 'sv-SE', from: STUDENT, channelData };
}

/** Clients tell bots and users apart, and nothing else; that it is a human is told by their name. */
function senderOf(entry: Exclude<Logged, { author: 'student' }>) {
  switch (entry.author) {
    case 'bot':
      return BOT;
    case 'agent':
      return { id: 'agent', name: entry.agent.name, role: 'bot' };
    case 'desk':
      return DESK;
  }
}

/** Why something that can be read is not taken. */
function problemOf(posted: Posted): string | undefined {
  if (posted.type !== 'message' || !posted.attachments?.length || posted.text?.trim()) return undefined;
  return 'Attachments cannot be sent here. Send a text.';
}

function refuse(res: Response, ...[status, code, message]: Refusal): void {
  send(res, status, { error: { code, message } });
}

/** As it is: formatted by restify, a client's Accept would decide the type. */
function send(res: Response, status: number, body: object): void {
  if (res.headersSent) return;
  res.sendRaw(status, JSON.stringify(body), {
    'Content-Type': 'application/json; charset=utf-8',
  });
}

function refuseUpgrade(socket: Duplex, lines: string, ...[status, code, message]: Refusal): void {
  const body = JSON.stringify({ error: { code, message } });
  const type = `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  // Whoever does not close their end is not waited for.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n${type}${lines}\r\n${body}`);
}

const bearerOf = (req: Request): string | undefined => /^Bearer (\S+)$/i.exec(req.header('authorization', ''))?.[1];
const conversationOf = (req: Request): string => z.object({ id: z.string() }).parse(req.params).id;
const watermarkOf = (req: Request, length: number): number =>
  placeIn(length, new URLSearchParams(req.getQuery()).get('watermark'));

/** A place that the log has not come to is nobody's watermark, and so the log is read from its beginning. */
function placeIn(length: number, watermark: string | null | undefined): number {
  const place = Watermark.parse(watermark);
  return place > length ? 0 : place;
}
