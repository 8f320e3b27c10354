/** Asks over HTTP as a client on a bad network does: it gives up, or is cut off, and takes no error for an answer. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';

export type Asked = {
  method: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string | undefined;
  /** So many milliseconds after it was asked it is not listened to any more. */
  cutAfter?: number;
};
export type Answer = { status: number; text: string; headers: IncomingHttpHeaders };

/** In milliseconds. */
const ONE_TRY = 12_000;

/** `fetch` takes twice the time, which the processes would miss. */
const agent = new Agent({ keepAlive: true });

/** Nothing, if there is no answer, or only that it went wrong. */
export async function ask(url: string, { method, headers = {}, body, cutAfter }: Asked): Promise<Answer | undefined> {
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
      if (cutAfter !== undefined) setTimeout(() => asking.destroy(new Error('It was cut off')), cutAfter);
    });
    return answer.status < 500 ? answer : undefined;
  } catch {
    return undefined;
  }
}
