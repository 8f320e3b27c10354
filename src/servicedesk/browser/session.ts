/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The desk as one agent has it open: the queue, one case, and what is written
 * in it. It hears of changes over a stream or, where there is none, asks every
 * few seconds; and sends what is written until it is known to have come.
 */
import * as z from 'zod/mini';
import {
  type CardShown,
  type CaseShown,
  Changed,
  Confirmed,
  Done,
  FileShown,
  Opened,
  QueueShown,
  type ReceiptShown,
  Revoked,
} from '../shown.ts';
import { createDrafts, type Draft, NOTHING_WRITTEN } from './drafts.ts';

export type Open = {
  id: string;
  /** Nothing, until it has come. */
  file: FileShown | undefined;
  draft: Draft;
  /** What the agent is to know of the case: that another has it, that it was lost, or that it is over. */
  notice: Notice | undefined;
};
export type Notice = {
  kind: 'taken' | 'busy' | 'gone' | 'lost' | 'notSaid' | 'tooLong' | 'failed';
  by?: string | undefined;
};

/** What has happened, to be told to those who do not see it. Each is another, also where it says the same. */
export type News = { kind: 'cases'; count: number } | { kind: 'message' | 'released' | 'handedBack' | 'closed' };

export type State = {
  cases: readonly CaseShown[];
  /** How far the server's clock is ahead of ours, in milliseconds. */
  ahead: number;
  isLoaded: boolean;
  connection: 'live' | 'polling' | 'offline' | 'ended';
  open: Open | undefined;
  news: News | undefined;
};

export type Confirming = { identifier: string; way: string; note?: string; case?: string };
export type Holder =
  | { outcome: 'confirmed'; confirmation: string; cards: CardShown[] }
  | { outcome: 'malformed' | 'unreachable' | 'failed' };
export type Revocation =
  | { outcome: 'revoked'; receipt: ReceiptShown }
  | { outcome: 'refused' | 'unreachable' | 'unanswered' | 'expired' | 'failed' };

export type Session = {
  state: () => State;
  subscribe: (hear: () => void) => void;
  open: (id: string | undefined) => void;
  claim: () => Promise<void>;
  write: (text: string, cites: string[]) => void;
  say: () => void;
  release: () => Promise<void>;
  handBack: (onto: object) => Promise<boolean>;
  close: (outcome: string) => Promise<boolean>;
  openForPhone: () => Promise<Opened | undefined>;
  confirm: (confirming: Confirming) => Promise<Holder>;
  revoke: (revoking: { confirmation: string; card: string; reason: string }) => Promise<Revocation>;
  forgetDrafts: () => void;
};

/** In milliseconds. */
const BETWEEN_POLLS = 5_000;
const BEFORE_RESENDING = 2_000;

type Answer = { status: number; body: unknown };

/** `longest` is how much may be written at once, in characters. */
export function createSession(agent: string, longest: number): Session {
  const drafts = createDrafts(agent);
  const hearers = new Set<() => void>();
  let state: State = { cases: [], ahead: 0, isLoaded: false, connection: 'live', open: undefined, news: undefined };
  let polling: number | undefined;
  const sending = new Set<string>();

  const change = (changed: Partial<State>): void => {
    state = { ...state, ...changed };
    for (const hear of hearers) hear();
  };
  const changeOpen = (id: string, changed: Partial<Open>): void => {
    if (state.open?.id === id) change({ open: { ...state.open, ...changed } });
  };

  /** Nothing, if nobody answers. Whoever is no agent any more is told so once, and for good. */
  const ask = async (path: string, sent?: object): Promise<Answer | undefined> => {
    const posting = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(sent) };
    try {
      const response = await fetch(`/servicedesk/${path}`, sent === undefined ? {} : posting);
      if (response.status === 401 || response.status === 403) change({ connection: 'ended' });
      const body: unknown = await response.json();
      return { status: response.status, body };
    } catch {
      return undefined;
    }
  };
  const outcomeOf = (answer: Answer | undefined): Done => Done.safeParse(answer?.body).data ?? { outcome: 'failed' };

  const showQueue = ({ at, cases }: QueueShown): void => {
    const known = new Set(state.cases.map(({ id }) => id));
    const isFirst = !state.isLoaded;
    const fresh = cases.filter(({ id, state: each }) => !known.has(id) && each !== 'claimed').length;
    change({
      cases,
      ahead: Date.parse(at) - Date.now(),
      isLoaded: true,
      ...(!isFirst && fresh > 0 && { news: { kind: 'cases', count: fresh } }),
    });
    if (isFirst) letGo(cases);
    const { open } = state;
    const now = open && cases.find(({ id }) => id === open.id);
    if (open?.file && JSON.stringify(now) !== JSON.stringify(open.file.case)) void load(open.id);
  };

  /** What was written in a case that is over, is of no more use, and stays on no computer. */
  const letGo = (cases: readonly CaseShown[]): void => {
    const over = drafts.kept().filter((id) => id !== state.open?.id && !cases.some((each) => each.id === id));
    for (const id of over) drafts.keep(id, NOTHING_WRITTEN);
  };

  const load = async (id: string): Promise<void> => {
    const answer = await ask(`cases/${id}`);
    const { open } = state;
    if (open?.id !== id || !answer) return;
    if (answer.status === 404) {
      const isNews = open.notice?.kind !== 'gone';
      if (isNews) changeOpen(id, { notice: { kind: 'gone' } });
      if (open.file?.isYours) changeOpen(id, { file: { ...open.file, isYours: false } });
      return;
    }
    const { data: file } = FileShown.safeParse(answer.body);
    if (!file || (open.file && file.seen < open.file.seen)) return;
    const isLost = open.file?.isYours === true && !file.isYours;
    const hasWritten =
      open.file && file.log.some(({ seq, from }) => from === 'student' && seq > (open.file?.seen ?? 0));
    const stillLost = isLost || open.notice?.kind === 'lost';
    const lost = stillLost ? ({ kind: 'lost', by: file.case.agent?.name } as const) : open.notice;
    const notice = file.isYours ? undefined : lost;
    changeOpen(id, { file, notice });
    if (hasWritten) change({ news: { kind: 'message' } });
  };

  const poll = async (): Promise<void> => {
    const answer = await ask('queue');
    const { data: queue } = QueueShown.safeParse(answer?.body);
    if (state.connection === 'ended') return;
    change({ connection: queue ? 'polling' : 'offline' });
    if (queue) showQueue(queue);
    if (state.open) await load(state.open.id);
  };
  const startPolling = (): void => {
    if (polling !== undefined || state.connection === 'ended') return;
    void poll();
    polling = window.setInterval(() => void poll(), BETWEEN_POLLS);
  };
  const stopPolling = (): void => {
    window.clearInterval(polling);
    polling = undefined;
  };

  const listen = (): void => {
    const stream = new EventSource('/servicedesk/events');
    const on = (name: string, hear: (told: unknown) => void) => {
      stream.addEventListener(name, ({ data }: MessageEvent<string>) => {
        hear(JSON.parse(data));
      });
    };
    on('queue', (told) => {
      const { data: queue } = QueueShown.safeParse(told);
      if (queue) showQueue(queue);
    });
    on('changed', (told) => {
      const { open } = state;
      if (open && Changed.safeParse(told).data?.includes(open.id)) void load(open.id);
    });
    on('beat', () => void ask('seen', {}));
    on('ended', () => {
      change({ connection: 'ended' });
      stream.close();
    });
    stream.addEventListener('open', () => {
      stopPolling();
      change({ connection: 'live' });
      if (state.open) void load(state.open.id);
    });
    stream.addEventListener('error', () => {
      startPolling();
      // A stream that was refused does not come back by itself.
      if (stream.readyState === EventSource.CLOSED && state.connection !== 'ended') setTimeout(listen, BETWEEN_POLLS);
    });
  };
  listen();

  const keep = (id: string, draft: Draft): void => {
    drafts.keep(id, draft);
    changeOpen(id, { draft });
  };

  /** In order, each until it is known to have come. What did not, because the case is another’s, is a draft again. */
  const sendAll = async (id: string): Promise<void> => {
    if (sending.has(id)) return;
    sending.add(id);
    for (;;) {
      const [first, ...others] = drafts.read(id).sending;
      if (!first || state.connection === 'ended') break;
      const { key, text, cites, seen } = first;
      const answer = await ask(`cases/${id}/say`, { key, text, seen, cites });
      const { outcome, by } = outcomeOf(answer);
      if (outcome === 'said') {
        keep(id, { ...drafts.read(id), sending: others });
        await load(id);
      } else if (
        answer &&
        answer.status >= 400 &&
        answer.status < 500 &&
        answer.status !== 401 &&
        answer.status !== 429
      ) {
        const { text: begun } = drafts.read(id);
        const unsaid = [first, ...others];
        keep(id, {
          text: [...unsaid.map((each) => each.text), begun].filter((each) => each !== '').join('\n'),
          cites: [...new Set(unsaid.flatMap((each) => each.cites))],
          sending: [],
        });
        await load(id);
        const kind = outcome === 'notYours' ? 'notSaid' : outcome === 'gone' ? 'gone' : 'failed';
        changeOpen(id, { notice: { kind, by } });
      } else {
        await new Promise((resolve) => setTimeout(resolve, BEFORE_RESENDING));
      }
    }
    sending.delete(id);
  };

  /** The case leaves the agent’s hands, and with it what was begun to be written. */
  const leave = async (how: string, sent: object, news: News['kind'] & ('released' | 'handedBack' | 'closed')) => {
    const { open } = state;
    if (!open) return false;
    const { outcome, by } = outcomeOf(await ask(`cases/${open.id}/${how}`, sent));
    if (outcome !== news) {
      await load(open.id);
      changeOpen(open.id, {
        notice: outcome === 'notYours' ? { kind: 'lost', by } : { kind: outcome === 'gone' ? 'gone' : 'failed' },
      });
      return false;
    }
    drafts.keep(open.id, NOTHING_WRITTEN);
    change({ open: undefined, news: { kind: news } });
    return true;
  };

  return {
    state: () => state,
    subscribe: (hear) => hearers.add(hear),
    open(id) {
      if (state.open?.id === id) return;
      change({
        open: id === undefined ? undefined : { id, file: undefined, draft: drafts.read(id), notice: undefined },
      });
      if (id === undefined) return;
      void load(id);
      void sendAll(id);
    },
    async claim() {
      const { open } = state;
      if (!open) return;
      const { outcome, by } = outcomeOf(await ask(`cases/${open.id}/claim`, {}));
      await load(open.id);
      if (outcome === 'claimed') changeOpen(open.id, { notice: undefined });
      else if (outcome === 'taken' || outcome === 'busy' || outcome === 'gone')
        changeOpen(open.id, { notice: { kind: outcome, by } });
      else changeOpen(open.id, { notice: { kind: 'failed' } });
    },
    write(text, cites) {
      const { open } = state;
      if (open) keep(open.id, { ...open.draft, text, cites: text === '' ? [] : cites });
    },
    say() {
      const { open } = state;
      const text = open?.draft.text.trim() ?? '';
      if (!open?.file?.isYours || text === '') return;
      const { draft, file, id } = open;
      if (text.length > longest) {
        changeOpen(id, { notice: { kind: 'tooLong' } });
        return;
      }
      const message = { key: crypto.randomUUID(), text, cites: draft.cites, seen: file.seen };
      keep(id, { text: '', cites: [], sending: [...draft.sending, message] });
      void sendAll(id);
    },
    async release() {
      await leave('release', {}, 'released');
    },
    handBack: (onto) => leave('hand-back', onto, 'handedBack'),
    close: (outcome) => leave('close', { outcome }, 'closed'),
    async openForPhone() {
      return Opened.safeParse((await ask('cases', {}))?.body).data;
    },
    async confirm(confirming) {
      const answer = await ask('cards/confirm', confirming);
      const { data: confirmed } = Confirmed.safeParse(answer?.body);
      if (confirmed) return confirmed;
      const { outcome } = outcomeOf(answer);
      return { outcome: outcome === 'malformed' || outcome === 'unreachable' ? outcome : 'failed' };
    },
    async revoke(revoking) {
      const answer = await ask('cards/revoke', revoking);
      const { data: revoked } = Revoked.safeParse(answer?.body);
      if (revoked) return revoked;
      const Outcome = z.enum(['refused', 'unreachable', 'unanswered', 'expired']);
      const { data: outcome } = Outcome.safeParse(outcomeOf(answer).outcome);
      if (outcome) return { outcome };
      // Where nobody has answered, nobody knows whether it was done.
      return { outcome: !answer || answer.status >= 500 ? 'unanswered' : 'failed' };
    },
    forgetDrafts: drafts.clear,
  };
}
