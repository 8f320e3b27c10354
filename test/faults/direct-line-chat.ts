/**
 * A chat over Direct Line, as a client on a bad network has it: it asks any of
 * the processes, asks another when one does not answer, sends again what it is
 * not sure of, and writes down what it did and saw.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Chance } from './chance.ts';
import type { Seen, Sent, Testimony } from './checker.ts';

/** What was shown, and what may be done about it. */
export type Shown = Seen & { suggests: string[]; link: string | undefined };

/** How often something happened, over all chats. */
export type Counts = { messages: number; resends: number; retries: number; looks: number; signIns: number };

export type Chat = {
  testimony: Omit<Testimony, 'seen'> & { seen: Shown[] };
  /** Writes at once; resolves when everything is acknowledged. */
  write: (lines: readonly { text: string; hasSecret: boolean }[]) => Promise<Sent[]>;
  /** Sends again what was sent. Under a new id it is still the same, by its text and time. */
  resend: (sent: Sent, under: 'the same id' | 'a new id') => Promise<void>;
  /** Looks for more until it has seen what it waits for. False if that never came, which it complains of. */
  until: (isSeen: (seen: readonly Shown[]) => boolean, what: string) => Promise<boolean>;
  /** Fetches what there is to see. */
  look: () => Promise<void>;
  signIn: (link: string, holder: string) => Promise<void>;
};

/** In milliseconds: how long one try may take, how long to go on trying, and how long to wait for an answer. */
const ONE_TRY = 10_000;
const ALL_TRIES = 60_000;
const ANSWERING = 90_000;
/** How often to look: often at first, and ever less so. */
const FIRST_LOOK = 120;
const LONGEST_PAUSE = 800;

const Begun = z.object({ conversation: z.string(), token: z.string() });
const Acknowledged = z.object({ id: z.string() });
const Activity = z.object({
  id: z.string(),
  from: z.object({ role: z.string() }),
  text: z.string().default(''),
  channelData: z.object({ clientActivityID: z.string().optional() }).optional(),
  suggestedActions: z.object({ actions: z.array(z.object({ value: z.string() })) }).optional(),
  attachments: z
    .array(z.object({ content: z.object({ buttons: z.array(z.object({ value: z.string() })) }) }))
    .optional(),
});
const Log = z.object({ activities: z.array(Activity), watermark: z.string() });

type Call = { method: 'GET' | 'POST'; path: string; body?: object | URLSearchParams; at?: string };

export type ChatWorld = {
  origins: readonly string[];
  chance: Chance;
  counts: Counts;
  /** Is told of every message that a process has just acknowledged: it may not have been answered yet. */
  onAcknowledged: (origin: string) => void;
};

/** `home` is the process it begins at. */
export async function openChat(name: string, home: string, world: ChatWorld): Promise<Chat> {
  const { origins, chance, counts } = world;
  let token: string | undefined = undefined;

  const attempt = async (origin: string, { method, path, body }: Call): Promise<Response | undefined> => {
    const isForm = body instanceof URLSearchParams;
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' }),
    };
    const sent = body && { body: isForm ? body.toString() : JSON.stringify(body) };
    try {
      const response = await fetch(`${origin}${path}`, {
        method,
        headers,
        ...sent,
        signal: AbortSignal.timeout(ONE_TRY),
      });
      // Read before anything is believed: it may break off.
      const text = await response.text();
      return response.status < 500 ? new Response(text, { status: response.status }) : undefined;
    } catch {
      return undefined;
    }
  };

  /** Asks one process after the other until one answers. */
  const call = async (asked: Call): Promise<Response & { tries: number; origin: string }> => {
    let at = asked.at ?? chance.oneOf(origins);
    let tries = 0;
    for (const end = Date.now() + ALL_TRIES; Date.now() < end;) {
      tries += 1;
      const response = await attempt(at, asked);
      if (response) return Object.assign(response, { tries, origin: at });
      counts.retries += 1;
      at = chance.oneOf(origins.filter((each) => each !== at));
      await wait(20);
    }
    throw new Error(`${name}: nobody answered ${asked.method} ${asked.path} for ${ALL_TRIES / 1_000} seconds`);
  };

  const succeed = async (asked: Call): Promise<Response & { origin: string }> => {
    const response = await call(asked);
    if (!response.ok) throw new Error(`${name}: ${asked.method} ${asked.path} was answered by ${response.status}`);
    return response;
  };
  const answerOf = async (asked: Call): Promise<unknown> => (await succeed(asked)).json();

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
    complaints: [],
  };
  let round = 0;
  let watermark = '';
  let looking: Promise<void> | undefined;

  const post = async (sent: Sent, id: string): Promise<void> => {
    const body = {
      type: 'message',
      text: sent.text,
      channelData: { clientActivityID: id },
      // The client's own time of it: the same when it is sent again, and no other message's.
      localTimestamp: `2022-03-22T08:00:00.${sent.ids[0] ?? ''}`,
    };
    const response = await succeed({ method: 'POST', path: activities, body });
    world.onAcknowledged(response.origin);
    sent.places.push(placeOf(Acknowledged.parse(await response.json()).id));
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
    async write(lines) {
      round += 1;
      const all = lines.map((line): Sent => {
        const sent = { ...line, ids: [`${name}-m${String(testimony.sent.length + 1)}`], round, places: [] };
        testimony.sent.push(sent);
        return sent;
      });
      counts.messages += all.length;
      await Promise.all(all.map((sent) => post(sent, sent.ids[0] ?? '')));
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
      for (const end = Date.now() + ANSWERING; Date.now() < end;) {
        await wait(pause);
        await look();
        if (isSeen(seen)) return true;
        pause = Math.min(pause * 1.6, LONGEST_PAUSE);
      }
      testimony.complaints.push(`the student waited in vain for ${what}`);
      return false;
    },
    async signIn(link, holder) {
      counts.signIns += 1;
      testimony.signedInAs.push(holder);
      const body = new URLSearchParams({ challenge: new URL(link).searchParams.get('challenge') ?? '', holder });
      const response = await call({ method: 'POST', path: '/sign-in', body });
      // A link can be used once, and the answer to the first try may have been lost.
      const wasDoneBefore = response.status === 410 && response.tries > 1;
      if (!response.ok && !wasDoneBefore) {
        testimony.complaints.push(`the student could not sign in: ${response.status}`);
      }
    },
  };
}

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
