/**
 * Students who chat with a bot, many at a time.
 *
 * A message is answered once its reply has reached the connector and its POST
 * has returned; not before then does its student write the next. Every reply
 * has to name the message it answers, and the same chat has to be answered the
 * same each time, which tells replies that are lost, doubled or out of order.
 */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { chats } from './chats.ts';
import { openConnector, type Reply } from './connector.ts';

/** Turns that were answered within so many seconds, with how many replies, and how long each took, in milliseconds. */
export type Measured = { turns: number; replies: number; seconds: number; latencies: number[] };

export type Load = {
  /** Everybody writes as soon as they are answered: as much as the bot can take. */
  flood: (seconds: number) => Promise<Measured>;
  /** Somebody writes so many times a second, however slow the answers; the wait counts from when they meant to. */
  stream: (perSecond: number, seconds: number) => Promise<Measured>;
  /** What went wrong, each once. */
  problems: () => string[];
  close: () => void;
};

type Chat = {
  id: string;
  script: number;
  step: number;
  open: { id: string; replies: string[]; onReply: () => void } | undefined;
};

/** In milliseconds. */
const PATIENCE = 15_000;
/** Well before the bot closes a connection that nobody uses. */
const IDLE = 2_000;

export async function createLoad(name: string, url: string, students: number): Promise<Load> {
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

  const begin = (): Chat => {
    const id = `${name}-${run}-${begun}`;
    const chat: Chat = { id, script: begun++ % chats.length, step: 0, open: undefined };
    running.set(id, chat);
    return chat;
  };

  /** Writes what comes next in the chat, and returns it; or, when it has ended, a new one. */
  const goOn = async (chat: Chat): Promise<Chat> => {
    const texts = chats[chat.script] ?? [];
    const text = texts[chat.step] ?? '';
    const id = `${chat.id}-${chat.step}`;
    const place = `${chat.script}/${chat.step}`;
    const { promise: replied, resolve: onReply } = signal();
    const open = { id, replies: [] as string[], onReply };
    chat.open = open;
    try {
      const status = await post(agent, `${url}/api/messages`, activityOf(chat.id, id, text));
      if (status >= 300) throw new Error(`was met with ${status}`);
      if (open.replies.length === 0) await inPatience(replied);
      const said = JSON.stringify(open.replies);
      const usually = usual.get(place) ?? said;
      usual.set(place, usually);
      if (said !== usually) throw new Error(`was answered ${said}, and before ${usually}`);
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
      channelId: 'test',
      serviceUrl: connector.url,
      from: { id: `student-${conversation}`, name: 'Du', role: 'user' },
      recipient: { id: 'bot', name: 'Bot', role: 'bot' },
      conversation: { id: conversation },
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
      const total = Math.floor(perSecond * seconds);
      const write = async (meant: number) => {
        const chat = await goOn(resting.shift() ?? begin());
        latencies.push(performance.now() - meant);
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
      const lasted = (performance.now() - start) / 1_000;
      return { turns: latencies.length, replies: replies - before, seconds: lasted, latencies };
    },

    problems: () => [...problems],
    close: () => {
      agent.destroy();
      connector.close();
    },
  };
}

function post(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
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
