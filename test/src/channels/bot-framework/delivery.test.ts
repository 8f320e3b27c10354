/** What is done about a reply that the connector does not take, and what is learned of it when it is sent. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConnectorClient, MicrosoftAppCredentials } from 'botframework-connector';
import { NotTaken, remedyFor, sendingOnce } from '../../../../src/channels/bot-framework/delivery.ts';

const blocked = { code: 'ConversationBlockedByUser' };

describe('what the connector does not take', () => {
  it.each<[string, NotTaken, number]>([
    ['is tried again within a second, when it is busy', new NotTaken(429), 1],
    ['is tried again when the connector says', new NotTaken(429, { retryAfter: 30 }), 30],
    ['is not tried sooner than our own patience says', new NotTaken(429, { retryAfter: 0.2 }), 1],
    ['is tried again within the hour, whatever the connector says', new NotTaken(503, { retryAfter: 86_400 }), 3_600],
    ['is tried again, when another was sent at the same time', new NotTaken(412), 1],
    ['is tried again, when the connector fails', new NotTaken(500), 1],
    ['is tried again, when what is before the connector fails', new NotTaken(502), 1],
    ['is tried again, when there is no answer', new NotTaken(), 1],
    ['is tried again, when we are not believed', new NotTaken(401, { code: 'Unauthorized' }), 1],
    ['is tried again, when a proxy says no', new NotTaken(403), 1],
    ['is tried again, when a proxy finds nothing', new NotTaken(404), 1],
    [
      'is tried again, when only what it answers is gone',
      new NotTaken(404, { code: 'ActivityNotFoundInConversation' }),
      1,
    ],
  ])('%s', (_what, mistake, after) => {
    expect(remedyFor(mistake, 0, 1)).toEqual({ outcome: 'later', after });
  });

  it('is tried ever less often, and at least once a minute', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 7, 1_000].map((attempts) => remedyFor(new NotTaken(503), attempts, 1));
    expect(waits.map((remedy) => 'after' in remedy && remedy.after)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('is tried by each at another time, of those who were turned away together', () => {
    expect(remedyFor(new NotTaken(503), 4, 0)).toEqual({ outcome: 'later', after: 8 });
    expect(remedyFor(new NotTaken(503), 4, 0.5)).toEqual({ outcome: 'later', after: 12 });
  });

  it.each([
    [403, 'ConversationBlockedByUser'],
    [403, 'BotNotInConversationRoster'],
    [404, 'ConversationNotFound'],
  ])('reaches nobody any more, at %d %s', (status, code) => {
    expect(remedyFor(new NotTaken(status, { code }), 0, 1)).toEqual({ outcome: 'gone' });
  });

  it.each([400, 413])('is refused as it is, at %d', (status) => {
    expect(remedyFor(new NotTaken(status, blocked), 0, 1)).toEqual({ outcome: 'refused' });
  });

  it('is given up after about a day', () => {
    expect(remedyFor(new NotTaken(503), 1_499, 1).outcome).toBe('later');
    expect(remedyFor(new NotTaken(503), 1_500, 1).outcome).toBe('refused');
  });

  it('is tried again, when the mistake is our own', () => {
    expect(remedyFor(new TypeError('ours'), 1, 1)).toEqual({ outcome: 'later', after: 2 });
  });
});

describe('what is sent', () => {
  let server: Server;
  let answer: (response: ServerResponse, request: IncomingMessage) => void;
  let asked: number;
  let client: ConnectorClient;

  beforeEach(async () => {
    asked = 0;
    server = createServer((request, response) => {
      asked++;
      request.resume().on('end', () => {
        answer(response, request);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const baseUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = new ConnectorClient(MicrosoftAppCredentials.Empty, { baseUri, httpClient: sendingOnce });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    server.close();
    server.closeAllConnections();
  });

  const send = () => client.conversations.sendToConversation('c', { type: 'message', text: 'hej' });
  const notTaken = async (): Promise<Pick<NotTaken, 'status' | 'retryAfter' | 'code' | 'isUnsure'>> => {
    const mistake = await send().then(
      () => undefined,
      (caught: unknown) => caught,
    );
    if (!(mistake instanceof NotTaken)) throw new Error('It was taken, or failed otherwise', { cause: mistake });
    const { status, retryAfter, code, isUnsure } = mistake;
    return { status, retryAfter, code, isUnsure };
  };
  // What restify does to Node's own responses, in whichever test has loaded it, lets no call follow on another.
  const answering =
    (status: number, headers: Record<string, string> = {}, body = '{}') =>
    (response: ServerResponse) => {
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
      response.end(body);
    };
  const nothing = { status: undefined, retryAfter: undefined, code: undefined, isUnsure: false };

  it('is taken by whom it is sent to', async () => {
    answer = answering(201, {}, '{"id":"1"}');
    expect(await send()).toMatchObject({ id: '1' });
  });

  it.each([
    ['is no JSON', answering(201, {}, '<html>')],
    ['is a page', answering(200, { 'Content-Type': 'text/html' }, '<p>hej</p>')],
    ['is something else', answering(201, {}, '{"id":{"is":"1"}}')],
    ['is nothing', answering(202, {}, '')],
    ['has nothing in it', answering(204, {}, '')],
  ])('is taken, though the receipt %s', async (_what, how) => {
    answer = how;
    await expect(send()).resolves.toBeDefined();
    expect(asked).toBe(1);
  });

  it.each([408, 412, 429, 500, 502, 503, 504])('is tried once, at %d', async (status) => {
    answer = answering(status);
    expect(await notTaken()).toEqual({ ...nothing, status, isUnsure: status >= 500 });
    expect(asked).toBe(1);
  });

  it('is to be tried again after so many seconds', async () => {
    answer = answering(429, { 'Retry-After': '17' });
    expect(await notTaken()).toEqual({ ...nothing, status: 429, retryAfter: 17 });
    expect(asked).toBe(1);
  });

  it('is to be tried again at a time', async () => {
    jest.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-11-23T07:00:00Z'));
    answer = answering(503, { 'Retry-After': 'Mon, 23 Nov 2026 07:01:30 GMT' });
    expect(await notTaken()).toMatchObject({ status: 503, retryAfter: 90 });
  });

  it.each(['soon', '-5', 'Mon, 23 Nov 1998 07:01:30 GMT', '9'.repeat(30)])(
    'is to be tried when we want, where the connector says %s',
    async (written) => {
      answer = answering(429, { 'Retry-After': written });
      expect((await notTaken()).retryAfter).toBeUndefined();
    },
  );

  it('is refused with a word of the connector’s own', async () => {
    answer = answering(403, {}, JSON.stringify({ error: { ...blocked, message: 'No' } }));
    expect(await notTaken()).toEqual({ ...nothing, status: 403, code: 'ConversationBlockedByUser' });
  });

  it.each(['<html>', '', '[]', '{"error":"no"}', `{"error":{"code":"${'x'.repeat(101)}"}}`])(
    'is refused without one, by %s',
    async (body) => {
      answer = answering(404, {}, body);
      expect(await notTaken()).toEqual({ ...nothing, status: 404 });
    },
  );

  it('goes nowhere else, when it is told to', async () => {
    answer = answering(307, { Location: '/elsewhere' });
    expect(await notTaken()).toEqual({ ...nothing, status: 307 });
    expect(asked).toBe(1);
  });

  it('may have been taken, when the connection ends', async () => {
    answer = (_response, request) => request.socket.destroy();
    expect(await notTaken()).toEqual({ ...nothing, isUnsure: true });
    expect(asked).toBe(1);
  });

  it('may have been taken, when the connection ends in the middle of the receipt', async () => {
    answer = (response, request) => {
      response.writeHead(201, { 'Content-Length': '100' });
      response.write('{"id":', () => request.socket.destroy());
    };
    expect(await notTaken()).toEqual({ ...nothing, isUnsure: true });
  });

  it('may have been taken, when the answer is not there in five seconds', async () => {
    const deadline = new AbortController();
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValue(deadline.signal);
    answer = () => {
      deadline.abort();
    };
    expect(await notTaken()).toEqual({ ...nothing, isUnsure: true });
    expect(timeout).toHaveBeenCalledWith(5_000);
  });

  it('fails, when nobody is there', async () => {
    server.close();
    server.closeAllConnections();
    expect(await notTaken()).toMatchObject({ status: undefined });
  });
});
