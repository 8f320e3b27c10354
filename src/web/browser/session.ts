/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * A conversation over Direct Line, as one browser tab holds it.
 *
 * What is written is kept until it has come back in the log, and is sent again
 * under the same id for as long as that takes; so nothing is lost, and nothing
 * is doubled. What is shown is the log: whatever was missed, by sleep, by a
 * lost network, by a server that was away, is asked for from the last entry
 * that was seen. All of it happens by itself.
 */
import * as z from 'zod/mini';
import { Activity, isOwn, LONGEST_TEXT, placeIn } from '../chat/activity.ts';
import { atRest, type Chat, type Unsent } from '../chat/chat-view.tsx';

export type Session = {
  /** Is told of every change, and of what it is now. */
  subscribe: (hear: (chat: Chat, returnToken: string) => void) => void;
  /** Begins the conversation, if it has not begun. Nothing is begun for somebody who only looks. */
  begin: () => void;
  say: (text: string) => void;
  /** Ends the conversation for this tab. */
  leave: () => Promise<void>;
};

export type Beginning = {
  /** What the page shows already. */
  activities: readonly Activity[];
  /** Of the conversation the page was rendered from, if it was. */
  returnToken: string | undefined;
};

const Credentials = z.object({
  conversation: z.string(),
  token: z.string(),
  returnToken: z.string(),
  isKnown: z.boolean(),
});
const Opened = z.object({ streamUrl: z.string() });
const ActivitySet = z.object({ activities: z.array(z.unknown()), watermark: z.string() });
const Remembered = z.object({
  returnToken: z.string(),
  unsent: z.array(z.object({ id: z.string(), text: z.string() })),
});

const BASE = '/v3/directline';
const KEY = 'kortlotsen';
/** In milliseconds. */
const DEADLINE = 15_000;
const AGAIN = [500, 1_000, 2_000, 4_000, 8_000, 15_000];
/** The server says something at least every 20 seconds. */
const SILENCE = 45_000;
/** What was sent comes back at once, if the stream is alive. */
const ECHO = 4_000;
const SLOW = 8_000;
const TOLD = 6_000;
/** Where the network lets no WebSocket through. */
const POLLING = 2_000;
const STREAM_AGAIN = 60_000;

type Outcome<Body> =
  | { outcome: 'ok'; body: Body }
  | { outcome: 'refused' }
  /** The token, or its conversation, is not known any more. */
  | { outcome: 'expired' }
  /** Nobody answered, or asked to wait for so many milliseconds. */
  | { outcome: 'later'; after: number };

export function createSession({ activities, returnToken }: Beginning): Session {
  const remembered = recall();
  const shown = new Map(activities.map((activity) => [placeIn(activity), activity]));
  let chat: Chat = {
    ...atRest(activities),
    unsent: (remembered?.unsent ?? []).map((each) => ({ ...each, problem: undefined })),
  };
  let hear: (chat: Chat, returnToken: string) => void = () => undefined;
  let back = returnToken ?? remembered?.returnToken;
  let credentials: z.infer<typeof Credentials> | undefined;
  /** Up to where everything has been seen. What the page was rendered with is asked for again: it may be gone. */
  let seen = 0;
  let stream: WebSocket | undefined;
  let streamsFailed = 0;
  let attempts = 0;
  let isOver = false;
  /** Posted over the stream that is open, so that it comes back there. */
  const sent = new Set<string>();
  let [connecting, flushing]: (Promise<void> | undefined)[] = [];
  const timers: Partial<Record<'again' | 'silence' | 'echo' | 'slow' | 'told' | 'poll', number>> = {};

  const after = (name: keyof typeof timers, milliseconds: number, act: () => void) => {
    clearTimeout(timers[name]);
    timers[name] = window.setTimeout(act, milliseconds);
  };
  const cancel = (name: keyof typeof timers) => {
    clearTimeout(timers[name]);
  };

  const change = (changed: Partial<Chat>) => {
    if (isOver) return;
    chat = { ...chat, ...changed };
    remember(
      back === undefined ? undefined : { returnToken: back, unsent: chat.unsent.filter(({ problem }) => !problem) },
    );
    hear(chat, back ?? '');
  };

  const request = async <Body>(shape: z.ZodMiniType<Body>, path: string, init: RequestInit): Promise<Outcome<Body>> => {
    try {
      const response = await fetch(path, { ...init, signal: AbortSignal.timeout(DEADLINE) });
      if (response.ok) return { outcome: 'ok', body: z.parse(shape, await response.json()) };
      const wait = Number(response.headers.get('Retry-After')) * 1_000;
      if (response.status === 429) return { outcome: 'later', after: Math.max(wait, 1_000) };
      if ([401, 403, 404].includes(response.status)) return { outcome: 'expired' };
      if (response.status === 400 || response.status === 413) return { outcome: 'refused' };
    } catch {
      // The network is away, or what came was no answer of ours: a page of the network's own to log in at, say.
    }
    return { outcome: 'later', after: 0 };
  };
  /** One that is posted when the tab is left is still sent. */
  const asked = (method: string, token: string, body?: object): RequestInit => ({
    method,
    keepalive: method === 'POST',
    headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const pathTo = (what: string) => `${BASE}/conversations/${credentials?.conversation ?? ''}${what}`;

  // Being connected

  const connect = (): Promise<void> =>
    (connecting ??= attempt()
      .catch(() => {
        lost();
      })
      .finally(() => {
        connecting = undefined;
      }));

  /** Comes to a conversation and opens its stream. Fails, if it has to be tried again. */
  const attempt = async (): Promise<void> => {
    cancel('again');
    sent.clear();
    const { conversation, token, isKnown } = (credentials ??= await obtain());
    const opened = isKnown
      ? await request(Opened, `${BASE}/conversations/${conversation}`, asked('GET', token))
      : await request(Opened, `${BASE}/conversations`, asked('POST', token));
    if (opened.outcome !== 'ok') {
      if (opened.outcome !== 'later') credentials = undefined;
      throw new Error(`The conversation could not be opened: ${opened.outcome}`);
    }
    credentials = { ...credentials, isKnown: true };
    // What waits need not wait for the stream: it comes back there, if the stream is late as well.
    void flush();
    if (streamsFailed < 2) listen(opened.body.streamUrl);
    else poll();
  };

  const obtain = async (): Promise<z.infer<typeof Credentials>> => {
    const body = JSON.stringify({ returnToken: back });
    const headers = { 'Content-Type': 'application/json' };
    const given = await request(Credentials, '/chat/token', { method: 'POST', headers, body });
    if (given.outcome !== 'ok') throw new Error(`There is no token: ${given.outcome}`);
    if (back !== undefined && !given.body.isKnown) {
      // A page that has just come has nothing of the old one, and its welcome stays.
      if (seen > 0) shown.clear();
      seen = 0;
      change({ activities: [...shown.values()], isBegunAnew: true });
    }
    back = given.body.returnToken;
    return given.body;
  };

  const listen = (url: string) => {
    // At the origin that the page came from, whatever the server behind it believes that is.
    const { pathname, search } = new URL(url);
    const address = new URL(pathname + search, location.href.replace(/^http/, 'ws'));
    address.searchParams.set('watermark', String(seen));
    const opened = new WebSocket(address);
    stream?.close();
    stream = opened;
    let hasOpened = false;
    opened.onopen = () => {
      hasOpened = true;
      streamsFailed = 0;
      connected();
      watch();
    };
    opened.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (stream !== opened) return;
      watch();
      if (typeof data === 'string' && data !== '') take(z.parse(ActivitySet, JSON.parse(data)));
    };
    opened.onclose = () => {
      if (stream !== opened) return;
      stream = undefined;
      if (!hasOpened) streamsFailed++;
      lost();
    };
  };

  const watch = () => {
    after('silence', SILENCE, restart);
  };

  /** Gives up a stream that may be dead, and does not know it. */
  const restart = () => {
    hangUp();
    void connect();
  };

  const hangUp = () => {
    const old = stream;
    stream = undefined;
    old?.close();
  };

  const connected = () => {
    // Not before what waits is through: a server that is there, and takes nothing, is left alone ever longer.
    if (!firstUnsent()) attempts = 0;
    if (chat.connection === 'offline') {
      change({ connection: 'back' });
      after('told', TOLD, () => {
        if (chat.connection === 'back') change({ connection: 'online' });
      });
    } else if (chat.connection !== 'back') change({ connection: 'online' });
  };

  const lost = () => {
    cancel('silence');
    if (isOver) return;
    // A stream that only ends is made again before anybody needs to know.
    if (attempts > 0 || !navigator.onLine) change({ connection: 'offline' });
    const wait = AGAIN[Math.min(attempts, AGAIN.length - 1)] ?? 0;
    attempts++;
    after('again', wait * (0.75 + Math.random() / 2), () => void connect());
  };

  const poll = () => {
    const began = Date.now();
    const ask = async () => {
      if (isOver || stream) return;
      if (!(await sync())) {
        lost();
        return;
      }
      connected();
      if (Date.now() - began > STREAM_AGAIN) {
        streamsFailed = 1;
        void connect();
      } else after('poll', document.hidden ? 4 * POLLING : POLLING, () => void ask());
    };
    void ask();
  };

  /** Asks for what came after the last that was seen. */
  const sync = async (): Promise<boolean> => {
    if (!credentials) return false;
    const got = await request(ActivitySet, pathTo(`/activities?watermark=${seen}`), asked('GET', credentials.token));
    if (got.outcome === 'ok') take(got.body);
    if (got.outcome === 'expired') credentials = undefined;
    return got.outcome === 'ok';
  };

  // What comes

  const take = (set: z.infer<typeof ActivitySet>) => {
    const came = set.activities.flatMap((each) => z.safeParse(Activity, each).data ?? []);
    // What the page was rendered with before the conversation was come back to, may not be in it any more.
    if (seen === 0) shown.clear();
    for (const activity of came) {
      if (activity.channelData?.clears) shown.clear();
      shown.set(placeIn(activity), activity);
    }
    seen = Math.max(seen, Number(set.watermark) || 0);
    const echoed = new Set(came.map(({ channelData }) => channelData?.clientActivityID));
    const unsent = chat.unsent.filter(({ id }) => !echoed.has(id));
    const sorted = [...shown].sort(([one], [other]) => one - other).map(([, activity]) => activity);
    const last = sorted.findLast(({ type }) => type === 'message');
    const isWaiting = unsent.length > 0 || (last !== undefined && isOwn(last));
    if (!isWaiting) cancel('slow');
    change({ activities: sorted, unsent, ...(!isWaiting && { isSlow: false }) });
  };

  // What goes

  const flush = (): Promise<void> =>
    (flushing ??= sendAll().finally(() => {
      flushing = undefined;
    }));

  const sendAll = async (): Promise<void> => {
    for (let next = firstUnsent(); next && credentials; next = firstUnsent()) {
      const { id, text } = next;
      const activity = { type: 'message', text, locale: 'sv-SE', channelData: { clientActivityID: id } };
      const posted = await request(z.unknown(), pathTo('/activities'), asked('POST', credentials.token, activity));
      if (posted.outcome === 'ok') {
        sent.add(id);
        attempts = 0;
        change({ isBusy: false });
        after('echo', ECHO, () => void recover());
      } else if (posted.outcome === 'refused') {
        change({ unsent: chat.unsent.map((each) => (each.id === id ? { ...each, problem: 'tooLong' } : each)) });
      } else if (posted.outcome === 'later' && posted.after > 0) {
        change({ isBusy: true });
        await new Promise((resolve) => setTimeout(resolve, posted.after));
      } else {
        if (posted.outcome === 'expired') credentials = undefined;
        hangUp();
        lost();
        return;
      }
    }
  };

  const firstUnsent = (): Unsent | undefined => chat.unsent.find(({ id, problem }) => !problem && !sent.has(id));

  /** What was sent has not come back: the stream is dead, or the server lost it. */
  const recover = async () => {
    if (isOver || chat.unsent.every(({ problem }) => problem)) return;
    await sync();
    restart();
  };

  /** A stream that was open before a sleep may only look so. */
  const check = async () => {
    if (!(await sync())) restart();
  };

  const wake = () => {
    if (!document.hidden && chat.connection !== 'resting') {
      attempts = 0;
      if (stream?.readyState === WebSocket.OPEN) void check();
      else void connect();
    }
  };
  window.addEventListener('online', wake);
  document.addEventListener('visibilitychange', wake);
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) wake();
  });
  window.addEventListener('offline', () => {
    if (chat.connection !== 'resting') change({ connection: 'offline' });
  });
  if (back !== undefined) void connect();

  return {
    subscribe(listener) {
      hear = listener;
    },
    begin() {
      if (chat.connection === 'resting') void connect();
    },
    say(text) {
      const id = newId();
      const problem = text.length > LONGEST_TEXT ? ('tooLong' as const) : undefined;
      change({ unsent: [...chat.unsent, { id, text, problem }], isSlow: false });
      after('slow', SLOW, () => {
        change({ isSlow: true });
      });
      if (stream ?? streamsFailed >= 2) void flush();
      else void connect();
    },
    async leave() {
      const { token } = credentials ?? {};
      isOver = true;
      stream?.close();
      remember(undefined);
      if (token !== undefined)
        await request(z.unknown(), pathTo('/activities'), asked('POST', token, { type: 'endOfConversation' }));
    },
  };
}

/** `randomUUID` is kept from pages that did not come over https. */
const newId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** In a frame on another page the browser may keep nothing for us; then a reload begins anew. */
function recall(): z.infer<typeof Remembered> | undefined {
  try {
    return z.safeParse(Remembered, JSON.parse(sessionStorage.getItem(KEY) ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/** As long as the tab, and no longer: computers on a ward are shared. */
function remember(what: z.infer<typeof Remembered> | undefined): void {
  try {
    if (what) sessionStorage.setItem(KEY, JSON.stringify(what));
    else sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}
