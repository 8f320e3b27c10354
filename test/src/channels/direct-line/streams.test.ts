/** What a stream does by the clock, with a quicker one. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { createStreams, type Streams } from '../../../../src/channels/direct-line/streams.ts';
import { openStream } from './client.ts';

let server: Server;
let streams: Streams;
let url = '';
const mistakes: unknown[] = [];

beforeAll(async () => {
  streams = createStreams({
    after: (_id, seq) => Promise.resolve(seq < 1 ? [{ seq: 1, activity: { type: 'message', text: 'Hej' } }] : []),
    lengths: (ids) => Promise.resolve(new Map(ids.map((id) => [id, 1]))),
    onMistake: (mistake) => mistakes.push(mistake),
    beat: 400,
  });
  server = createServer();
  server.on('upgrade', (req, socket, head) => {
    streams.open(req, socket, head, { id: req.url, after: 0 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  streams.close();
  server.close();
  expect(mistakes).toEqual([]);
});

describe('a stream', () => {
  it('gives a sign of life that a page can see, and a client heeds not', async () => {
    const socket = new WebSocket(`${url}/alive`);
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        seen.push(data.toString());
        if (seen.length === 4) resolve();
      });
    });
    expect(JSON.parse(seen[0] ?? '')).toMatchObject({ watermark: '1' });
    expect(seen.slice(1)).toEqual(['', '', '']);
    socket.close();
  });

  it('of a client that gives none is closed', async () => {
    const socket = new WebSocket(`${url}/dead`, { autoPong: false });
    expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(1_006);
  });

  it('is the oldest of ten that is closed for an eleventh, and no other conversation’s', async () => {
    const neighbour = await openStream(`${url}/neighbour`);
    const opened = [];
    for (let nth = 0; nth < 11; nth++) opened.push(await openStream(`${url}/crowded`));
    expect(await opened[0]?.closed).toBe(4_008);
    for (const each of [...opened.slice(1), neighbour]) expect((await each.next()).activities).toHaveLength(1);
    for (const each of [...opened, neighbour]) each.close();
  });
});
