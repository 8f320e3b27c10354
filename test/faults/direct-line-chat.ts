/**
 * A chat over Direct Line, as a client on a bad network has it: it asks any of
 * the processes, asks another when one does not answer, sends again what it is
 * not sure of, and writes down what it did and saw.
 */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { type Answer, type Asked, ask } from './asking.ts';
import type { Chance } from './chance.ts';
import type { Seen, Sent, Testimony } from './checker.ts';
import type { Line } from './script.ts';

/** What was shown, and what may be done about it. */
export type Shown = Seen & { suggests: string[]; link: string | undefined };

/** How often something happened, over all chats. */
export type Counts = {
  messages: number;
  resends: number;
  retries: number;
  looks: number;
  signIns: number;
  /** Messages sent at the same time as another, to whichever process; and, of those, the later of two first. */
  together: number;
  reversed: number;
};
export const noCounts = (): Counts => ({
  ...{ messages: 0, resends: 0, retries: 0, looks: 0, signIns: 0 },
  ...{ together: 0, reversed: 0 },
});

/** Whoever writes several things at once may have the later one come first. */
export function inAnyOrder<Message>(all: readonly Message[], counts: Counts, isReversed: boolean): readonly Message[] {
  if (all.length < 2) return all;
  counts.together += all.length;
  if (!isReversed) return all;
  counts.reversed += all.length - 1;
  return all.toReversed();
}

/** What goes wrong on the way of a student's own, and how often it has. */
export type Troubles = {
  /** Of what is sent, and of the streams that are open whenever somebody looks: how often it is cut off. */
  ofSent: number;
  ofStreams: number;
  counts: { sentCut: number; streamsCut: number };
};

export type Chat = {
  testimony: Omit<Testimony, 'seen'> & { seen: Shown[] };
  /** Writes at once, to the process at an address first if there is one; resolves when everything is acknowledged. */
  write: (lines: readonly Line[], at?: string) => Promise<Sent[]>;
  /** Sends again what was sent. Under a new id it is still the same, by its text and time. */
  resend: (sent: Sent, under: 'the same id' | 'a new id') => Promise<void>;
  /** What the bot has shown since they were written. */
  since: (sent: readonly Sent[]) => Shown[];
  /** The reply to the last of them has come, or one to what came even later. */
  isAnswered: (sent: readonly Sent[]) => boolean;
  /** Looks for more until it has seen what it waits for. False if that never came, which it complains of. */
  until: (isSeen: (seen: readonly Shown[]) => boolean, what: string) => Promise<boolean>;
  /** Fetches what there is to see. */
  look: () => Promise<void>;
  /** Fetches all there is anew, as a tab that is opened later. */
  openTab: () => Promise<void>;
  /** Signs in as somebody, in a browser of their own. Gives the code to type, unless the link is good no longer. */
  signIn: (link: string, who: string) => Promise<string | undefined>;
};

/** In milliseconds: how long to go on trying, and to leave a process that did not answer. */
export const ALL_TRIES = 60_000;
export const AVOIDING = 250;
/** How often to look: often at first, and ever less so. */
const FIRST_LOOK = 120;
/** In milliseconds: so soon after it is sent something is cut off. */
export const LATEST_CUT = 25;
const LONGEST_PAUSE = 800;
const TOO_MUCH = 429;

const Begun = z.object({ conversation: z.string(), token: z.string() });
const Streamed = z.object({ streamUrl: z.string() });
const Acknowledged = z.object({ id: z.string() });
const Activity = z.object({
  id: z.string(),
  from: z.object({ role: z.string() }),
  text: z.string().default(''),
  channelData: z.object({ clientActivityID: z.string().optional() }).optional(),
  suggestedActions: z.object({ actions: z.array(z.object({ value: z.string() })) }).optional(),
  attachments: z
    .array(z.object({ content: z.object({ buttons: z.array(z.object({ value: z.string() })).default([]) }) }))
    .optional(),
});
const Log = z.object({ activities: z.array(Activity), watermark: z.string() });

type Call = { method: 'GET' | 'POST'; path: string; body?: object; at?: string | undefined };

export type ChatWorld = {
  origins: readonly string[];
  chance: Chance;
  counts: Counts;
  /** Which processes did not answer, and until when they are left alone. */
  avoided: Map<string, number>;
  /** Is told of every message that a process has just acknowledged: it may not have been answered yet. */
  onAcknowledged: (origin: string, text: string) => void;
  /** How long an answer is waited for, in milliseconds. */
  patience: number;
  /** Whether it is told by a WebSocket what there is to see, and asks only for what that lacked in the end. */
  isStreamed?: boolean;
  troubles?: Troubles | undefined;
};

/** Out of those who have answered lately, if there are any. */
export function chooseFrom({ avoided, chance }: Pick<ChatWorld, 'avoided' | 'chance'>, all: readonly string[]): string {
  const answering = all.filter((origin) => (avoided.get(origin) ?? 0) < Date.now());
  return chance.oneOf(answering.length > 0 ? answering : all);
}

/** `home` is the process it begins at. */
export async function openChat(name: string, home: string, world: ChatWorld): Promise<Chat> {
  const { origins, chance, counts, avoided, troubles } = world;
  let token: string | undefined = undefined;

  const attempt = async (origin: string, { method, path, body }: Call): Promise<Answer | undefined> => {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    };
    const isCut = method === 'POST' && troubles !== undefined && chance.happens(troubles.ofSent);
    if (isCut) troubles.counts.sentCut += 1;
    return ask(`${origin}${path}`, {
      ...{ method, headers, body: body && JSON.stringify(body) },
      ...(isCut && { cutAfter: chance.below(LATEST_CUT) }),
    });
  };

  /** Asks one process after the other until one answers. */
  const call = async (asked: Call): Promise<Answer & { origin: string }> => {
    let at = asked.at ?? chooseFrom(world, origins);
    let end = Date.now() + ALL_TRIES;
    while (Date.now() < end) {
      const answer = await attempt(at, asked);
      if (answer?.status === TOO_MUCH) {
        // Whoever writes faster than anybody can is told how long to wait, and does.
        const pause = Number(answer.headers['retry-after']) * 1_000;
        end += pause;
        await wait(pause);
        continue;
      }
      if (answer) return { ...answer, origin: at };
      counts.retries += 1;
      avoided.set(at, Date.now() + AVOIDING);
      at = chooseFrom(
        world,
        origins.filter((each) => each !== at),
      );
      await wait(20);
    }
    throw new Error(`${name}: nobody answered ${asked.method} ${asked.path} for ${ALL_TRIES / 1_000} seconds`);
  };

  const succeed = async (asked: Call): Promise<{ told: unknown; origin: string }> => {
    const { status, text, origin } = await call(asked);
    if (!isFine(status)) throw new Error(`${name}: ${asked.method} ${asked.path} was answered by ${status}`);
    return { told: JSON.parse(text), origin };
  };
  const answerOf = async (asked: Call): Promise<unknown> => (await succeed(asked)).told;

  const begun = Begun.parse(await answerOf({ method: 'POST', path: '/chat/token', body: {}, at: home }));
  const { conversation } = begun;
  token = begun.token;
  const path = `/v3/directline/conversations`;
  const activities = `${path}/${conversation}/activities`;
  await answerOf({ method: 'POST', path, body: {}, at: home });

  const seen: Shown[] = [];
  const testimony: Chat['testimony'] = {
    conversation: `web/${conversation}`,
    sent: [],
    seen,
    signedInAs: [],
    saidYes: false,
    tabs: [],
    complaints: [],
  };
  let round = 0;
  let watermark = '';
  let looking: Promise<void> | undefined;

  const post = async (sent: Sent, id: string, at?: string): Promise<void> => {
    const body = {
      type: 'message',
      text: sent.text,
      channelData: { clientActivityID: id },
      // The client's own time of it: the same when it is sent again, and no other message's.
      localTimestamp: `2022-03-22T08:00:00.${sent.ids[0] ?? ''}`,
    };
    const { told, origin } = await succeed({ method: 'POST', path: activities, body, at });
    world.onAcknowledged(origin, sent.text);
    sent.places.push(placeOf(Acknowledged.parse(told).id));
  };

  const lookNow = async (): Promise<void> => {
    const query = new URLSearchParams({ watermark });
    counts.looks += 1;
    const log = Log.parse(await answerOf({ method: 'GET', path: `${activities}?${query.toString()}` }));
    seen.push(...log.activities.map(toShown));
    watermark = log.watermark;
  };
  // One look at a time: two would both see what is new.
  const lookOnce = (): Promise<void> =>
    (looking ??= lookNow().finally(() => {
      looking = undefined;
    }));

  let stream: WebSocket | undefined;
  /** Whoever serves the stream may die: then it is opened anew, from where it was, at any of them. */
  const beStreamed = async (): Promise<void> => {
    if (stream && troubles && chance.happens(troubles.ofStreams)) {
      troubles.counts.streamsCut += 1;
      stream.terminate();
      stream = undefined;
    }
    if (stream) return;
    const asked = `${path}/${conversation}?${new URLSearchParams({ watermark }).toString()}`;
    const { told, origin } = await succeed({ method: 'GET', path: asked });
    const { pathname, search } = new URL(Streamed.parse(told).streamUrl);
    const opened = new WebSocket(`${origin.replace(/^http/, 'ws')}${pathname}${search}`);
    stream = opened;
    const forget = () => {
      if (stream === opened) stream = undefined;
    };
    opened.on('error', forget);
    opened.on('close', forget);
    opened.on('message', (data: Buffer) => {
      // What comes by one that was given up, comes again by the next.
      if (stream !== opened || data.length === 0) return;
      const log = Log.parse(JSON.parse(data.toString()));
      seen.push(...log.activities.map(toShown));
      watermark = log.watermark;
    });
    await Promise.race([once(opened, 'open'), once(opened, 'close'), wait(STREAM_OPENING)]).catch(forget);
  };
  const look = world.isStreamed ? beStreamed : lookOnce;
  const placesOf = (sent: readonly Sent[]): number[] => sent.flatMap(({ places }) => places);
  const shownAfter = (place: number) => seen.filter(({ author, seq }) => author === 'bot' && seq > place);

  return {
    testimony,
    since: (sent) => shownAfter(Math.min(...placesOf(sent))),
    isAnswered: (sent) => shownAfter(Math.max(...placesOf(sent))).length > 0,
    async look() {
      if (!world.isStreamed) return lookOnce();
      // What the stream has not shown by then, is there to be fetched.
      stream?.close();
      stream = undefined;
      return lookOnce();
    },
    async write(lines, at) {
      round += 1;
      const all = lines.map((line): Sent => {
        const sent = { ...line, ids: [`${name}-m${String(testimony.sent.length + 1)}`], round, places: [] };
        testimony.sent.push(sent);
        return sent;
      });
      counts.messages += all.length;
      const isReversed = troubles !== undefined && chance.happens(0.5);
      await Promise.all(inAnyOrder(all, counts, isReversed).map((sent) => post(sent, sent.ids[0] ?? '', at)));
      return all;
    },
    async resend(sent, under) {
      counts.resends += 1;
      const [first = ''] = sent.ids;
      const again = under === 'a new id' ? `${first}-again` : first;
      if (again !== first) sent.ids.push(again);
      await post(sent, again);
    },
    async until(isSeen, what) {
      let pause = FIRST_LOOK;
      for (const end = Date.now() + world.patience; Date.now() < end;) {
        await wait(pause);
        await look();
        if (isSeen(seen)) return true;
        pause = Math.min(pause * 1.6, LONGEST_PAUSE);
      }
      testimony.complaints.push(`the student waited in vain for ${what}`);
      return false;
    },
    async openTab() {
      const log = Log.parse(await answerOf({ method: 'GET', path: activities }));
      testimony.tabs.push(log.activities.map(toShown));
    },
    signIn: (link, who) => signIn(link, who, testimony, world),
  };
}

/** In milliseconds. */
const STREAM_OPENING = 5_000;
/** No more than a link may be used. */
const MOST_SIGN_INS = 18;
const MOST_REDIRECTS = 12;
const CODE = /\b[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}\b/;

/** Signs in as somebody, in a browser of their own. Gives the code to type, unless the link is good no longer. */
export async function signIn(
  link: string,
  who: string,
  testimony: Pick<Testimony, 'signedInAs'>,
  world: Pick<ChatWorld, 'origins' | 'avoided' | 'chance' | 'counts'>,
): Promise<string | undefined> {
  const { origins, avoided, counts } = world;
  counts.signIns += 1;
  if (!testimony.signedInAs.includes(who)) testimony.signedInAs.push(who);
  const { pathname, search } = new URL(link);
  for (let nth = 0; nth < MOST_SIGN_INS; nth++) {
    // Any process serves the link, and one that dies takes the sign-in with it.
    const at = chooseFrom(world, origins);
    const page = await visit(`${at}${pathname}${search}`, who);
    const code = page && CODE.exec(page.text)?.[0];
    if (code !== undefined) return code;
    if (page?.status === 410 && nth > 0) return undefined;
    avoided.set(at, Date.now() + AVOIDING);
    await wait(Math.min(1_000, 100 * 2 ** nth));
  }
  return undefined;
}

/**
 * Goes where it is sent, in a new browser. Where it is asked who it is, it says so in the form; a provider without a
 * form knows it by a cookie. Nothing, if something on the way did not answer.
 */
async function visit(address: string, who: string): Promise<Answer | undefined> {
  const cookies = new Map([['who', who]]);
  let asked: Asked = { method: 'GET' };
  let url = new URL(address);
  for (let nth = 0; nth < MOST_REDIRECTS; nth++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await ask(url.href, { ...asked, headers: { ...asked.headers, cookie } });
    if (!answer) return undefined;
    for (const set of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const { location } = answer.headers;
    const hasForm = answer.text.includes('<form');
    if (location === undefined && !hasForm) return answer;
    url = new URL(location ?? '', url);
    asked =
      location === undefined
        ? {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({ name: who }).toString(),
          }
        : { method: 'GET' };
  }
  return undefined;
}

const isFine = (status: number): boolean => status >= 200 && status < 300;

function toShown({ id, from, text, channelData, suggestedActions, attachments }: z.infer<typeof Activity>): Shown {
  return {
    seq: placeOf(id),
    author: from.role === 'bot' ? 'bot' : 'student',
    id: channelData?.clientActivityID,
    text,
    suggests: suggestedActions?.actions.map(({ value }) => value) ?? [],
    link: attachments?.[0]?.content.buttons[0]?.value,
  };
}

/** Activities are named after their conversation, and their place in it. */
const placeOf = (id: string): number => Number(/\|(\d+)$/.exec(id)?.[1] ?? Number.NaN);
