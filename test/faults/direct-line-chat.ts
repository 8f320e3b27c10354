/**
 * A chat over Direct Line, as a client on a bad network has it: it asks any of
 * the processes, asks another when one does not answer, sends again what it is
 * not sure of, and writes down what it did and saw.
 */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Chance } from './chance.ts';
import type { Seen, Sent, Testimony } from './checker.ts';
import type { Line } from './script.ts';

/** What was shown, and what may be done about it. */
export type Shown = Seen & { suggests: string[]; link: string | undefined };

/** How often something happened, over all chats. */
export type Counts = { messages: number; resends: number; retries: number; looks: number; signIns: number };

export type Chat = {
  testimony: Omit<Testimony, 'seen'> & { seen: Shown[] };
  /** Writes at once, to the process at an address first if there is one; resolves when everything is acknowledged. */
  write: (lines: readonly Line[], at?: string) => Promise<Sent[]>;
  /** Sends again what was sent. Under a new id it is still the same, by its text and time. */
  resend: (sent: Sent, under: 'the same id' | 'a new id') => Promise<void>;
  /** Looks for more until it has seen what it waits for. False if that never came, which it complains of. */
  until: (isSeen: (seen: readonly Shown[]) => boolean, what: string) => Promise<boolean>;
  /** Fetches what there is to see. */
  look: () => Promise<void>;
  /** Fetches all there is anew, as a tab that is opened later. */
  openTab: () => Promise<void>;
  /** Signs in as somebody, in a browser of their own. Gives the code to type, unless the link is good no longer. */
  signIn: (link: string, who: string) => Promise<string | undefined>;
};

/** In milliseconds: how long one try may take, how long to go on trying, and to leave a process that did not answer. */
const ONE_TRY = 10_000;
const ALL_TRIES = 60_000;
const AVOIDING = 250;
/** How often to look: often at first, and ever less so. */
const FIRST_LOOK = 120;
const LONGEST_PAUSE = 800;
const TOO_MUCH = 429;

const Begun = z.object({ conversation: z.string(), token: z.string() });
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
type Answer = { status: number; text: string; headers: IncomingHttpHeaders };

/** `fetch` takes twice the time, which the processes would miss. */
const agent = new Agent({ keepAlive: true });

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
};

/** `home` is the process it begins at. */
export async function openChat(name: string, home: string, world: ChatWorld): Promise<Chat> {
  const { origins, chance, counts, avoided } = world;
  let token: string | undefined = undefined;

  const attempt = async (origin: string, { method, path, body }: Call): Promise<Answer | undefined> => {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    };
    return ask(`${origin}${path}`, { method, headers, body: body && JSON.stringify(body) });
  };

  const chooseFrom = (all: readonly string[]): string => {
    const answering = all.filter((origin) => (avoided.get(origin) ?? 0) < Date.now());
    return chance.oneOf(answering.length > 0 ? answering : all);
  };

  /** Asks one process after the other until one answers. */
  const call = async (asked: Call): Promise<Answer & { origin: string }> => {
    let at = asked.at ?? chooseFrom(origins);
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
      at = chooseFrom(origins.filter((each) => each !== at));
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
  const look = (): Promise<void> =>
    (looking ??= lookNow().finally(() => {
      looking = undefined;
    }));

  return {
    testimony,
    look,
    async write(lines, at) {
      round += 1;
      const all = lines.map((line): Sent => {
        const sent = { ...line, ids: [`${name}-m${String(testimony.sent.length + 1)}`], round, places: [] };
        testimony.sent.push(sent);
        return sent;
      });
      counts.messages += all.length;
      await Promise.all(all.map((sent) => post(sent, sent.ids[0] ?? '', at)));
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
    async signIn(link, who) {
      counts.signIns += 1;
      if (!testimony.signedInAs.includes(who)) testimony.signedInAs.push(who);
      const { pathname, search } = new URL(link);
      for (let nth = 0; nth < MOST_SIGN_INS; nth++) {
        // Any process serves the link, and one that dies takes the sign-in with it.
        const at = chooseFrom(origins);
        const page = await visit(`${at}${pathname}${search}`, who);
        const code = page && CODE.exec(page.text)?.[0];
        if (code !== undefined) return code;
        if (page?.status === 410 && nth > 0) return undefined;
        avoided.set(at, Date.now() + AVOIDING);
        await wait(Math.min(1_000, 100 * 2 ** nth));
      }
      return undefined;
    },
  };
}

/** No more than a link may be used. */
const MOST_SIGN_INS = 18;
const MOST_REDIRECTS = 12;
const CODE = /\b[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}\b/;

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

type Asked = { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: string | undefined };

/** Nothing, if there is no answer, or only that it went wrong. */
async function ask(url: string, { method, headers = {}, body }: Asked): Promise<Answer | undefined> {
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const asking = request(url, { agent, method, headers, timeout: ONE_TRY }, (response) => {
        // Read before anything is believed: it may break off.
        textOf(response).then((text) => {
          resolve({ status: response.statusCode ?? 500, text, headers: response.headers });
        }, reject);
      });
      asking.on('error', reject);
      asking.on('timeout', () => {
        asking.destroy(new Error('There was no answer'));
      });
      asking.end(body);
    });
    return answer.status < 500 ? answer : undefined;
  } catch {
    return undefined;
  }
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
