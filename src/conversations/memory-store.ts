/** Conversations in memory, for a terminal: gone with the process, and with nobody else at them. */
import type { Request, Revocation } from '../../dialogs/vocabulary.ts';
import { doorOf } from '../masking.ts';
import {
  type ConversationStore,
  type Kept,
  type Logged,
  type OpenRequest,
  patienceAfter,
  type Pending,
  type Place,
  type Said,
  type Speaker,
} from './store.ts';

type Row = {
  place: Place;
  turns: number;
  kept: Kept | undefined;
  log: (Logged & { resendKey?: string; isMasked?: boolean; button?: number | undefined })[];
  lastSeq: number;
  answeredSeq: number;
  deliveredSeq: number;
  isBeingDelivered: boolean;
  speaker: Speaker;
  tendedSeq: number;
  counted: readonly string[];
  requests: { id: string; request: Request; state: State; attempts: number; dueAt: number }[];
};
type State = 'open' | 'unsettled' | 'challenged' | 'closed';

export function createMemoryStore(now: () => number = Date.now): ConversationStore {
  const rows = new Map<string, Row>();
  let made = 0;

  const rowOf = (place: Place): Row => {
    const row = rows.get(place.conversation) ?? {
      place,
      turns: 0,
      kept: undefined,
      log: [],
      lastSeq: 0,
      answeredSeq: 0,
      deliveredSeq: 0,
      isBeingDelivered: false,
      speaker: 'bot',
      tendedSeq: 0,
      counted: [],
      requests: [],
    };
    rows.set(place.conversation, row);
    return row;
  };

  const pendingOf = (row: Row, requests: OpenRequest[] = []): Pending => {
    const message = row.log.find((each) => each.seq > row.answeredSeq && 'text' in each);
    return {
      conversation: row.place.conversation,
      turns: row.turns,
      kept: row.kept,
      message:
        message && 'text' in message
          ? { seq: message.seq, text: message.text, isMasked: message.isMasked ?? false, button: message.button }
          : undefined,
      requests,
      account: row.place.account,
      isShared: row.place.isShared ?? false,
      speaker: row.speaker,
      agent: undefined,
      tendedSeq: row.tendedSeq,
      answeredSeq: row.answeredSeq,
      repliedSeq: row.log.findLast(({ author }) => author !== 'student')?.seq ?? 0,
      counted: row.counted,
      isBusy: row.requests.some(({ state }) => state === 'open'),
      delivery: undefined,
    };
  };

  const repliesOf = (row: Row): { seq: number; said: Said }[] =>
    row.log.flatMap((each) => (each.author !== 'student' && each.seq > row.deliveredSeq ? [each] : []));

  return {
    open: (place) => Promise.resolve(pendingOf(rowOf(place))),
    accept(message) {
      const row = rowOf(message);
      const { id, resendKey, text, at, button } = message;
      const kept = row.log.find(
        (each) => ('id' in each && each.id === id) || (resendKey !== undefined && each.resendKey === resendKey),
      );
      if (kept) return Promise.resolve({ seq: kept.seq, isNew: false, pending: undefined });
      const seq = ++row.lastSeq;
      const masked = text[doorOf(row.kept?.asked.fact)];
      row.log.push({
        seq,
        at,
        author: 'student',
        id,
        ...masked,
        button,
        ...(resendKey !== undefined && { resendKey }),
      });
      return Promise.resolve({ seq, isNew: true, pending: undefined });
    },
    unsay(conversation, id, instead) {
      const said = rows.get(conversation)?.log.find((each) => 'id' in each && each.id === id);
      if (said && 'text' in said) said.text = instead;
      return Promise.resolve();
    },
    leave(conversation) {
      const row = rows.get(conversation);
      if (row) Object.assign(row, { deliveredSeq: row.lastSeq });
      return Promise.resolve();
    },
    note(conversation, { id, type, name, at }) {
      const row = rows.get(conversation);
      if (!row) return Promise.resolve(undefined);
      const kept = row.log.find((each) => 'id' in each && each.id === id);
      const seq = kept?.seq ?? ++row.lastSeq;
      if (!kept) row.log.push({ seq, at, author: 'student', id, noted: { type, name } });
      return Promise.resolve(seq);
    },
    pending(conversation) {
      const row = rows.get(conversation);
      return Promise.resolve(row && pendingOf(row));
    },
    commit({ conversation, turns, at, kept, replies, answers, closes, requests, erases, handing, counted }) {
      const row = rows.get(conversation);
      const closed = row?.requests.find(({ id }) => id === closes?.id);
      if (row?.turns !== turns || (closes && (!closed || closed.state === 'closed'))) return Promise.resolve(undefined);

      row.turns++;
      row.kept = kept;
      row.answeredSeq = answers ?? row.answeredSeq;
      row.counted = counted ?? row.counted;
      if (handing?.to === 'bot') row.speaker = 'bot';
      if (handing?.to === 'desk' && handing.isNow) Object.assign(row, { speaker: 'queue', tendedSeq: row.answeredSeq });
      if (closes?.as === 'challenged') {
        for (const each of row.requests) if (each.state === 'challenged') each.state = 'closed';
      }
      if (closes && closed) Object.assign(closed, { state: closes.as, dueAt: now() });
      if (erases) {
        row.log = row.log.filter(({ seq }) => seq > row.answeredSeq);
        row.requests = row.requests.filter(({ state }) => state === 'open' || state === 'unsettled');
      }
      for (const said of replies) {
        row.log.push({ seq: ++row.lastSeq, at, author: 'bot', said, answers, turn: row.turns });
      }
      const asked = requests.map((request) => ({
        id: String(++made),
        request,
        state: 'open' as const,
        attempts: 1,
        dueAt: Infinity,
      }));
      row.requests.push(...asked);
      return Promise.resolve(
        pendingOf(
          row,
          asked.map(({ id, request, attempts }) => ({ id, request, attempt: attempts })),
        ),
      );
    },
    claimUnsettled(conversation) {
      const due = (rows.get(conversation)?.requests ?? []).flatMap((each) =>
        each.state === 'unsettled' && each.dueAt <= now() && isRevocation(each.request)
          ? [{ each, request: each.request }]
          : [],
      );
      return Promise.resolve(
        due.map(({ each, request }) => {
          each.attempts++;
          each.dueAt = Infinity;
          return { id: each.id, request, attempt: each.attempts };
        }),
      );
    },
    postpone({ id, attempt }) {
      const requests = [...rows.values()].flatMap((row) => row.requests);
      const postponed = requests.find((each) => each.id === id);
      if (postponed) postponed.dueAt = now() + patienceAfter(attempt) * 1_000;
      return Promise.resolve();
    },
    has: (conversation) => Promise.resolve(rows.has(conversation)),
    log: (conversation, after) => Promise.resolve((rows.get(conversation)?.log ?? []).filter(({ seq }) => seq > after)),
    lengths: (conversations) =>
      Promise.resolve(new Map(conversations.map((each) => [each, rows.get(each)?.lastSeq ?? 0]))),
    claimDelivery(conversation) {
      const row = rows.get(conversation);
      const replies = row && !row.isBeingDelivered ? repliesOf(row) : [];
      if (!row || replies.length === 0) return Promise.resolve(undefined);
      row.isBeingDelivered = true;
      return Promise.resolve({
        address: row.place.address ?? {},
        replies,
        ...NOT_TRIED,
        lastSeq: row.lastSeq,
        answers: row.answeredSeq,
      });
    },
    delivered(conversation, seq, isLast) {
      const row = rows.get(conversation);
      if (row) Object.assign(row, { deliveredSeq: seq, isBeingDelivered: !isLast });
      return Promise.resolve(row !== undefined && repliesOf(row).length > 0);
    },
    took: () => Promise.resolve(),
    putOff(conversation) {
      const row = rows.get(conversation);
      if (row) row.isBeingDelivered = false;
      return Promise.resolve();
    },
    // One process does one thing at a time, and leaves nothing behind but revocations to ask about.
    unfinished: () =>
      Promise.resolve({
        stalled: [],
        unsettled: [...rows].flatMap(([id, { requests }]) =>
          requests.some(({ state, dueAt }) => state === 'unsettled' && dueAt <= now()) ? [id] : [],
        ),
        undelivered: [],
      }),
  };
}

const NOT_TRIED = { attempts: 0, taken: 0, isUnsure: false };

const isRevocation = (request: Request): request is Revocation => request.request === 'ledger.revoke';
