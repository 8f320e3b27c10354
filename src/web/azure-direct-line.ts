/**
 * Azure's Direct Line, for a deployment that has its web chat there. Our secret
 * of it stays in this module: what a page gets is a token for one conversation.
 *
 * A token of the page's own is renewed first, for only that keeps whose
 * conversation it is: a token for the secret is for anybody in that
 * conversation, and Azure gives none at all where its enhanced authentication
 * is on.
 */
import { z } from 'zod';

export type AzureDirectLine = {
  url: string;
  /** Where a page reaches it, as sources of a Content-Security-Policy. */
  sources: string[];
  /** The conversation come back to if Azure still has it, or else a new one for `newcomer`. Nothing if Azure gives none. */
  open: (newcomer: string, before?: Before) => Promise<Opened | undefined>;
};

/** `token` is the last one the page was given, which may be out of date, or not for this conversation. */
export type Before = { conversation: string; user: string; token: string | undefined };
/** `expiresIn` is in seconds, where Azure tells. */
export type Opened = { conversation: string; user: string; isKnown: boolean; token: string; expiresIn?: number };

export type AzureWorld = {
  url: string;
  secret: string;
  publicOrigin: () => string;
  onMistake: (mistake: unknown) => void;
};

/** In milliseconds, for all that is asked in order to open one conversation. */
const DEADLINE = 5_000;

const Answer = z.object({
  conversationId: z.string().min(1).max(500),
  token: z.string().min(1),
  expires_in: z.number().optional(),
});
type Answer = z.infer<typeof Answer>;

export function createAzureDirectLine({ url, secret, publicOrigin, onMistake }: AzureWorld): AzureDirectLine {
  const { origin } = new URL(url);

  const ask = async (method: string, path: string, bearer: string, signal: AbortSignal, body?: object) => {
    const failed = (how: string) => {
      onMistake(new Error(`Azure Direct Line ${how}`));
      return 'failed' as const;
    };
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { Authorization: `Bearer ${bearer}`, ...(body && { 'Content-Type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'error',
        signal,
      });
      const { status } = response;
      if (status === 429 || status >= 500) return failed(`answers ${status}`);
      if (!response.ok) return { refused: status };
      const { data } = Answer.safeParse(await response.json());
      return data ?? failed('gives an answer that does not fit');
    } catch {
      return failed('does not answer');
    }
  };

  /** The answer for this conversation, or why there is none: it is not to be had any more, or Azure has failed. */
  const returned = async (
    { conversation, token }: Before,
    signal: AbortSignal,
  ): Promise<Answer | 'gone' | 'failed'> => {
    const path = `/conversations/${encodeURIComponent(conversation)}?watermark=0`;
    const tries = [
      ...(token ? [() => ask('POST', '/tokens/refresh', token, signal)] : []),
      () => ask('GET', path, secret, signal),
    ];
    for (const each of tries) {
      const answer = await each();
      if (answer === 'failed') return answer;
      if (!('refused' in answer) && answer.conversationId === conversation) return answer;
    }
    return 'gone';
  };

  const opened = (
    user: string,
    isKnown: boolean,
    { conversationId, token, expires_in: expiresIn }: Answer,
  ): Opened => ({
    conversation: conversationId,
    user,
    isKnown,
    token,
    ...(expiresIn !== undefined && { expiresIn }),
  });

  return {
    url,
    sources: [origin, origin.replace(/^http/, 'ws')],
    async open(newcomer, before) {
      const signal = AbortSignal.timeout(DEADLINE);
      const known = before ? await returned(before, signal) : 'gone';
      if (known === 'failed') return undefined;
      if (before && known !== 'gone') return opened(before.user, true, known);
      const asked = { user: { id: newcomer }, trustedOrigins: [publicOrigin()] };
      const answer = await ask('POST', '/tokens/generate', secret, signal, asked);
      if (answer === 'failed') return undefined;
      if (!('refused' in answer)) return opened(newcomer, false, answer);
      onMistake(new Error(`Azure Direct Line does not take our secret (${answer.refused})`));
      return undefined;
    },
  };
}
