/**
 * Students who chat with a bot, many at a time.
 *
 * A message is answered once its reply has reached the connector and its POST
 * has returned; not before then does its student write the next. Every reply
 * has to name the message it answers, and the same chat has to be answered the
 * same each time, which tells replies that are lost, doubled or out of order.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Microsoft } from '../src/channels/bot-framework/microsoft.ts';
import { chats } from './chats.ts';
import { openConnector, type Reply } from './connector.ts';

/**
 * Turns that were answered, with how many replies, within so many seconds; and how long each took, in milliseconds.
 * Those of a stream that were answered later count in the latencies alone.
 */
export type Measured = { turns: number; replies: number; seconds: number; latencies: number[] };

export type Load = {
  /** Everybody writes as soon as they are answered: as much as the bot can take. */
  flood: (seconds: number) => Promise<Measured>;
  /** Somebody writes so many times a second, however slow the answers; the wait counts from when they meant to. */
  stream: (perSecond: number, seconds: number) => Promise<Measured>;
  /** So many begin a chat each, and leave it open. */
  openChats: (count: number) => Promise<void>;
  /** What went wrong, each once. */
  problems: () => string[];
  close: () => void;
};

type Chat = {
  id: string;
  /** It began before we came, and what it was about last is told again by what is answered. */
  isStored: boolean;
  script: number;
  step: number;
  open: { id: string; replies: string[]; onReply: () => void } | undefined;
};

/** In milliseconds. */
const PATIENCE = 15_000;
/** Well before the bot closes a connection that nobody uses. */
const IDLE = 2_000;

/** So that what is remembered of one of them is of little use for the next message. */
const TOKENS = 64;
/** Conversations that were filled into a database are called so, and numbered from 1. */
export const storedName = (nth: number | string): string => `a:stored-${nth}`;

/** `stored` conversations are there already, and every other chat goes on in one of them. */
export async function createLoad(
  { name, url }: { name: string; url: string },
  microsoft: Microsoft,
  students: number,
  stored = 0,
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, timeout: IDLE });
  const running = new Map<string, Chat>();
  const usual = new Map<string, string>();
  const problems = new Set<string>();
  const run = randomUUID().slice(0, 8);
  const firstMoment = Date.now();
  let begun = 0;
  let written = 0;
  let replies = 0;

  const hear = ({ conversation, answers, text }: Reply) => {
    const open = running.get(conversation)?.open;
    if (!open || answers !== open.id) problems.add(`${name}: a reply in ${conversation} came in wrong order`);
    replies++;
    open?.replies.push(text);
    open?.onReply();
  };
  const connector = await openConnector(hear);
  // Made beforehand, for to sign costs more than to be answered.
  const tokens = await Promise.all(
    Array.from({ length: TOKENS }, (_, nth) => microsoft.sign({ serviceurl: connector.url, jti: String(nth) })),
  );

  const begin = (): Chat => {
    const [nth, old] = [begun++, stored > 0 ? storedName(1 + randomInt(stored)) : ''];
    const isStored = nth % 2 === 1 && old !== '' && !running.has(old);
    const id = isStored ? old : `a:${run}-${nth}`;
    const chat: Chat = { id, isStored, script: nth % chats.length, step: 0, open: undefined };
    running.set(id, chat);
    return chat;
  };

  /** Writes what comes next in the chat, and returns it; or, when it has ended, a new one. */
  const goOn = async (chat: Chat): Promise<Chat> => {
    const texts = chats[chat.script] ?? [];
    const text = texts[chat.step] ?? '';
    const id = `${run}-${written}`;
    const place = `${chat.script}/${chat.step}`;
    const { promise: replied, resolve: onReply } = signal();
    const open = { id, replies: [] as string[], onReply };
    chat.open = open;
    try {
      const token = tokens[written % TOKENS] ?? '';
      const status = await post(agent, `${url}/api/messages`, token, activityOf(chat.id, id, text));
      if (status >= 300) throw new Error(`was met with ${status}`);
      if (open.replies.length === 0) await inPatience(replied);
      const said = JSON.stringify(open.replies);
      const usually = usual.get(place) ?? said;
      if (!chat.isStored) usual.set(place, usually);
      if (said !== usually && !chat.isStored) throw new Error(`was answered ${said}, and before ${usually}`);
    } catch (problem) {
      problems.add(`${name}: “${text}” (${place}) ${problem instanceof Error ? problem.message : String(problem)}`);
      chat.step = texts.length;
    }
    chat.open = undefined;
    if (++chat.step < texts.length) return chat;
    running.delete(chat.id);
    return begin();
  };

  const activityOf = (conversation: string, id: string, text: string): string => {
    const at = new Date(firstMoment + written++).toISOString();
    return JSON.stringify({
      type: 'message',
      id,
      timestamp: at,
      localTimestamp: at,
      channelId: 'msteams',
      serviceUrl: connector.url,
      from: { id: `29:${conversation}`, name: 'Du', aadObjectId: '6fa1e0b5-8d7a-4a5e-9c1d-3b6f0f3b7f11', role: 'user' },
      recipient: { id: '28:bot', name: 'Bot', role: 'bot' },
      conversation: { id: conversation, conversationType: 'personal', tenantId: microsoft.tenantId },
      channelData: { tenant: { id: microsoft.tenantId } },
      locale: 'sv-SE',
      textFormat: 'plain',
      text,
    });
  };

  return {
    async flood(seconds) {
      const before = replies;
      const latencies: number[] = [];
      const start = performance.now();
      const end = start + seconds * 1_000;
      const student = async () => {
        let chat = begin();
        for (let since = start; since < end;) {
          chat = await goOn(chat);
          const now = performance.now();
          if (now < end) latencies.push(now - since);
          since = now;
        }
        running.delete(chat.id);
      };
      await Promise.all(Array.from({ length: students }, student));
      return { turns: latencies.length, replies: replies - before, seconds, latencies };
    },

    async stream(perSecond, seconds) {
      const before = replies;
      const latencies: number[] = [];
      const resting: Chat[] = [];
      const writing = new Set<Promise<void>>();
      const start = performance.now();
      const end = start + seconds * 1_000;
      let turns = 0;
      const total = Math.floor(perSecond * seconds);
      const write = async (meant: number) => {
        const chat = await goOn(resting.shift() ?? begin());
        const now = performance.now();
        latencies.push(now - meant);
        if (now <= end) turns++;
        resting.push(chat);
      };
      for (let nth = 0; nth < total;) {
        const due = Math.min(total, Math.ceil(((performance.now() - start) / 1_000) * perSecond));
        for (; nth < due; nth++) {
          const turn: Promise<void> = write(start + (nth / perSecond) * 1_000).finally(() => writing.delete(turn));
          writing.add(turn);
        }
        await wait(1);
      }
      await Promise.all(writing);
      for (const { id } of resting) running.delete(id);
      return { turns, replies: replies - before, seconds, latencies };
    },

    async openChats(count) {
      let left = count;
      const student = async () => {
        while (left-- > 0) running.delete((await goOn(begin())).id);
      };
      await Promise.all(Array.from({ length: students }, student));
    },

    problems: () => [...problems],
    close: () => {
      agent.destroy();
      connector.close();
    },
  };
}

function post(agent: Agent, url: string, token: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${token}`,
    };
    const sent = request(url, { method: 'POST', agent, headers, timeout: PATIENCE }, (response) => {
      response.resume();
      response.once('end', () => {
        resolve(response.statusCode ?? 0);
      });
      response.once('error', reject);
    });
    sent.once('timeout', () => sent.destroy(new Error(`was not answered in ${PATIENCE / 1_000} seconds`)));
    sent.once('error', reject);
    sent.end(body);
  });
}

function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

async function inPatience(replied: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const late = wait(PATIENCE, undefined, { signal: stop.signal }).then(() => {
    throw new Error('was taken, and never replied to');
  });
  late.catch(() => undefined);
  await Promise.race([replied, late]);
  stop.abort();
}
