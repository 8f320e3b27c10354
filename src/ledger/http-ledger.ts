/**
 * The card ledger by its REST API, wherever that is.
 *
 * Whatever the network does, an answer comes within the deadline and is true:
 * `unreachable` is said only when nothing that was sent can have been acted on.
 * An errand is sent as often as there is time for, always under its own key.
 */
import {
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhenResult,
  retry,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { Agent, DecoratorHandler, type Dispatcher, errors, request } from 'undici';
import { BASE, Cards, HolderFound, Problem, Revocation, TOKEN_PATH, TokenGranted } from './api/operations.ts';
import { CardId, HolderId } from './cards.ts';
import type { Failure, Ledger } from './ledger.ts';
import { errandOf, toDialogCard, toDialogReceipt } from './translation.ts';

export type HttpLedgerWorld = {
  /** Where the API is, without its `/ledger/v1`. */
  url: string;
  /** Nothing: the ledger's own. */
  tokenUrl?: string;
  clientId: string;
  clientSecret: string;
  /** How long a call may last, in milliseconds. */
  deadline: number;
  now?: () => Date;
  /** Is told when the ledger is left alone for a while, and when it is asked again. */
  onBreaker?: (isOpen: boolean) => void;
  onMistake: (mistake: unknown) => void;
};

const RETRIES = 3;
/** After so many attempts in a row that failed the ledger is left alone for a quarter of the time a call may last. */
const FAILURES_TO_BREAK = 5;
/** In bytes. */
const LARGEST_ANSWER = 1_000_000;

export function createHttpLedger(world: HttpLedgerWorld): Ledger {
  const { url, deadline, onBreaker, onMistake } = world;
  const perAttempt = deadline / 2;
  const agent = new Agent({ connect: { timeout: perAttempt }, maxResponseSize: LARGEST_ANSWER });
  const tokens = createTokens(world, agent, perAttempt);

  const inTime = timeout(deadline, TimeoutStrategy.Aggressive);
  const inOneAttempt = timeout(perAttempt, TimeoutStrategy.Aggressive);
  const failed = handleWhenResult((reply) => reply === 'failed');
  const backoff = new ExponentialBackoff({ initialDelay: deadline / 40, maxDelay: deadline / 4 });
  const breaker = circuitBreaker(failed, {
    halfOpenAfter: deadline / 4,
    breaker: new ConsecutiveBreaker(FAILURES_TO_BREAK),
  });
  const persistently = wrap(retry(failed, { maxAttempts: RETRIES, backoff }), breaker);
  breaker.onBreak(() => {
    onBreaker?.(true);
    onMistake(new Error('The ledger has failed several times in a row, and is left alone for a while'));
  });
  breaker.onReset(() => onBreaker?.(false));

  /** One attempt, with a new token if the ledger no longer takes the one we have. */
  const attempt = async (sent: Sent, fate: Fate, signal: AbortSignal): Promise<Reply> => {
    const token = await tokens();
    if (typeof token === 'string') return token;
    const reply = await send(sent, token.value, fate, signal);
    if (reply !== 'unauthenticated') return reply;
    const another = await tokens(token.value);
    if (typeof another === 'string') return another;
    const again = await send(sent, another.value, fate, signal);
    return again === 'unauthenticated' ? 'barred' : again;
  };

  const send = async (
    sent: Sent,
    token: string,
    fate: Fate,
    signal: AbortSignal,
  ): Promise<Reply | 'unauthenticated'> => {
    if (signal.aborted) return 'failed';
    const { method, path, body, headers } = sent;
    const dispatcher = agent.compose(
      telling(() => {
        fate.unsettled += 1;
      }),
    );
    try {
      const { statusCode: status, body: answer } = await request(`${url}${BASE}${path}`, {
        dispatcher,
        method,
        signal,
        headers: {
          ...headers,
          authorization: `Bearer ${token}`,
          accept: 'application/json, application/problem+json',
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (status >= 500) return 'failed';
      if (![401, 403, 429].includes(status)) return { status, body: parsed(text) };
      // Turned away at the door. A limit is no proof of that: it may have met what a proxy sent a second time.
      if (status !== 429) fate.unsettled -= 1;
      return status === 401 ? 'unauthenticated' : 'barred';
    } catch (problem) {
      if (problem instanceof errors.InvalidArgumentError) throw problem;
      return 'failed';
    }
  };

  const attemptInTime = async (sent: Sent, fate: Fate, outer: AbortSignal): Promise<Reply> => {
    // It has waited, for its turn to try again or for another's trial, and nobody waits for it any more.
    if (outer.aborted) throw new TaskCancelledError();
    try {
      return await inOneAttempt.execute(({ signal }) => attempt(sent, fate, signal), outer);
    } catch (problem) {
      if (problem instanceof TaskCancelledError) return 'failed';
      throw problem;
    }
  };

  /** `read` makes an answer of a reply, or nothing of one that does not fit. */
  const call = async <Answer>(sent: Sent, read: (reply: Answered) => Answer | undefined): Promise<Answer | Failure> => {
    const fate: Fate = { unsettled: 0 };
    try {
      const reply = await inTime.execute(({ signal }) =>
        persistently.execute(() => attemptInTime(sent, fate, signal), signal),
      );
      if (reply === 'barred') onMistake(new Error(`The ledger does not let us ${sent.purpose} now`));
      if (typeof reply !== 'string') {
        const answer = read(reply);
        if (answer !== undefined) return answer;
        onMistake(new Error(`The ledger was asked to ${sent.purpose}, and its answer (${reply.status}) does not fit`));
        return { outcome: 'unanswered' };
      }
    } catch (problem) {
      if (!(problem instanceof TaskCancelledError) && !(problem instanceof BrokenCircuitError)) throw problem;
    }
    return { outcome: fate.unsettled > 0 ? 'unanswered' : 'unreachable' };
  };

  return {
    holderFor: (identifier) =>
      call({ purpose: 'name a holder', method: 'POST', path: '/holders', body: { identifier } }, ({ status, body }) => {
        const { data } = HolderFound.safeParse(body);
        return status === 200 && data ? { outcome: 'found', ...data } : undefined;
      }),

    findCards(person) {
      if (!HolderId.safeParse(person).success) return Promise.resolve({ outcome: 'found', cards: [] });
      const sent = { purpose: 'find cards', method: 'GET', path: `/holders/${person}/cards` } as const;
      return call(sent, ({ status, body }) => {
        const { data } = Cards.safeParse(body);
        return status === 200 && data ? { outcome: 'found', cards: data.cards.map(toDialogCard) } : undefined;
      });
    },

    revoke({ person, card, reason, ...errand }) {
      const { key, channel } = errandOf(errand);
      const areNames = HolderId.safeParse(person).success && CardId.safeParse(card).success;
      if (!areNames) return Promise.resolve({ outcome: 'refused' });
      const sent = {
        purpose: 'revoke a card',
        method: 'POST',
        path: `/holders/${person}/cards/${card}/revocation`,
        headers: { 'idempotency-key': key },
        body: { reason, channel },
      } as const;
      return call(sent, ({ status, body }) => {
        if ([404, 409, 422].includes(status)) {
          // A proxy has such statuses too, and knows nothing of cards.
          const isOurs = Problem.safeParse(body).data?.status === status;
          return isOurs ? { outcome: 'refused' } : undefined;
        }
        const { data } = Revocation.safeParse(body);
        if (![200, 201].includes(status) || !data) return undefined;
        if (data.outcome === 'expired') return { outcome: 'refused' };
        const receipt = toDialogReceipt(data.receipt);
        return receipt.card === card ? { outcome: 'revoked', receipt } : undefined;
      });
    },
  };
}

type Sent = {
  /** What it is for, in a message of a mistake. */
  purpose: string;
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: object;
};
type Answered = { status: number; body: unknown };
/** `failed` may go better the next time; `barred` is not let in, and will not be the next time either. */
type Reply = Answered | 'failed' | 'barred';
/** Of a call: how many requests have been written, wholly or in part, that the ledger may have acted on. */
type Fate = { unsettled: number };

/** Tells when a request begins to be written, which is when it has a connection. */
const telling =
  (onWriting: () => void): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) => {
    const decorated: Dispatcher.DispatchHandler = new DecoratorHandler(handler);
    const start = decorated.onRequestStart?.bind(decorated);
    decorated.onRequestStart = (controller, context) => {
      onWriting();
      start?.(controller, context);
    };
    return dispatch(options, decorated);
  };

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Tokens

type Token = { value: string; renewAt: number };

/** A token is got once for all, renewed before it ends, and got anew when the ledger has refused it. */
function createTokens(
  { url, tokenUrl = `${url}${TOKEN_PATH}`, clientId, clientSecret, now = () => new Date(), onMistake }: HttpLedgerWorld,
  agent: Agent,
  patience: number,
): (refused?: string) => Promise<Token | 'failed' | 'barred'> {
  const credentials = [clientId, clientSecret].map(encodeURIComponent).join(':');

  const get = async (): Promise<Token | 'failed' | 'barred'> => {
    const askedAt = now().getTime();
    try {
      const { statusCode: status, body } = await request(tokenUrl, {
        dispatcher: agent,
        method: 'POST',
        signal: AbortSignal.timeout(patience),
        headers: {
          authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
        },
        body: 'grant_type=client_credentials',
      });
      const { data } = TokenGranted.safeParse(parsed(await body.text()));
      if (status >= 500) return 'failed';
      if (status !== 200 || !data) {
        onMistake(new Error(`The ledger gives us no token (${status})`));
        return 'barred';
      }
      // The last tenth is left for requests that are on their way.
      return { value: data.access_token, renewAt: askedAt + data.expires_in * 900 };
    } catch {
      return 'failed';
    }
  };

  let current: ReturnType<typeof get> = Promise.resolve('failed');
  return async (refused) => {
    const before = current;
    const held = await before;
    if (typeof held !== 'string' && held.value !== refused && now().getTime() < held.renewAt) return held;
    // Of many that need one at the same moment, the first gets it for all.
    if (current === before) current = get();
    return current;
  };
}
