/**
 * What becomes of a reply that the connector does not take.
 *
 * botbuilder would try again by itself, up to three times within the call, and
 * hold its claim all the while; what it cannot tell, it would send again
 * although it was taken. So it is given a client of ours that tries once,
 * within a deadline, and tells what happened. When it is tried again is kept
 * with the conversation, and any process may do it
 * (learn.microsoft.com, “Rate limiting for bots”, “Status codes from bot
 * conversational APIs”).
 */
import { type RequestPolicy, toHttpHeadersLike } from '@azure/core-http-compat';
import { createHttpHeaders } from '@azure/core-rest-pipeline';
import { Agent, request as send } from 'undici';
import { z } from 'zod';

/** What to do about it. `after` is in seconds. */
export type Remedy =
  | { outcome: 'later'; after: number }
  /** Whoever it was for cannot be reached there any more, until something comes from there. */
  | { outcome: 'gone' }
  /** It will never be taken as it is. */
  | { outcome: 'refused' };

/** How the connector answered, if it did. `isUnsure` where it may have taken it all the same. */
export class NotTaken extends Error {
  readonly status: number | undefined;
  /** In seconds, where it says so. */
  readonly retryAfter: number | undefined;
  readonly code: string | undefined;
  readonly isUnsure: boolean;

  constructor(status?: number, { retryAfter, code }: { retryAfter?: number; code?: string } = {}) {
    super(status === undefined ? 'The connector did not answer.' : `The connector answered ${status}.`);
    this.name = 'NotTaken';
    this.status = status;
    this.retryAfter = retryAfter;
    this.code = code;
    this.isUnsure = status === undefined || status >= 500;
  }
}

/** In milliseconds. Three such calls end before a claim on a delivery does. */
const DEADLINE = 5_000;
/** In seconds. */
const LONGEST_PATIENCE = 60;
const LONGEST_HEEDED = 3_600;
/** After about a day of trying, what was said is no news any more. */
const MOST_ATTEMPTS = 1_500;

/** `chance` is from 0 to 1, so that those who were turned away together do not come back together. */
export function remedyFor(mistake: unknown, attempts: number, chance: number): Remedy {
  const patience = Math.min(LONGEST_PATIENCE, 2 ** Math.min(attempts, 10)) * (0.5 + chance / 2);
  if (attempts >= MOST_ATTEMPTS) return { outcome: 'refused' };
  if (!(mistake instanceof NotTaken)) return { outcome: 'later', after: patience };
  const { status, retryAfter, code } = mistake;
  if (status === 400 || status === 413) return { outcome: 'refused' };
  // Without a word of the connector's own it may be a proxy that says no; and what was answered may be taken back.
  const isGone = code !== undefined && code !== 'ActivityNotFoundInConversation';
  if ((status === 403 || status === 404) && isGone) return { outcome: 'gone' };
  return { outcome: 'later', after: Math.max(patience, Math.min(retryAfter ?? 0, LONGEST_HEEDED)) };
}

const Refusal = z.object({ error: z.object({ code: z.string().max(100) }) });
const Receipt = z.object({ id: z.string().optional(), activityId: z.string().optional() });

/** Kept open between replies. */
const connections = new Agent();

/** Sends once, and fails with `NotTaken`. */
export const sendingOnce: RequestPolicy = {
  async sendRequest(request) {
    const { url, method } = request;
    const body: unknown = request.body;
    const headers: Record<string, string> = {};
    for (const { name, value } of request.headers.headersArray()) headers[name] = value;
    const signal = AbortSignal.timeout(DEADLINE);
    const sent = typeof body === 'string' ? { body } : {};
    // Not by fetch, whose streams cost several times as much.
    const response = await send(url, { method, headers, signal, dispatcher: connections, ...sent }).catch(
      () => undefined,
    );
    const bodyAsText = await response?.body.text().catch(() => undefined);
    const isOk = response !== undefined && response.statusCode >= 200 && response.statusCode < 300;
    if (!response || (isOk && bodyAsText === undefined)) throw new NotTaken();
    if (!isOk) throw new NotTaken(response.statusCode, refusalIn(response.headers['retry-after'], bodyAsText));
    // It is taken, whatever is said of it: botbuilder would fail on what it cannot read, and it would be sent again.
    return {
      request,
      status: 200,
      bodyAsText: JSON.stringify(Receipt.safeParse(jsonIn(bodyAsText)).data ?? {}),
      headers: toHttpHeadersLike(createHttpHeaders({ 'content-type': 'application/json' })),
    };
  },
};

function refusalIn(retryAfter: unknown, body: string | undefined): { retryAfter?: number; code?: string } {
  const seconds = secondsIn(retryAfter);
  const code = codeIn(body);
  return { ...(seconds !== undefined && { retryAfter: seconds }), ...(code !== undefined && { code }) };
}

/** It is written as a number of seconds or as a time (RFC 9110, 10.2.3). */
function secondsIn(written: unknown): number | undefined {
  if (typeof written !== 'string') return undefined;
  const seconds = /^\d{1,9}$/.test(written) ? Number(written) : (Date.parse(written) - Date.now()) / 1_000;
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

const codeIn = (body: string | undefined): string | undefined => Refusal.safeParse(jsonIn(body)).data?.error.code;

function jsonIn(body = ''): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
