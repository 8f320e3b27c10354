import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'restify';
import { closeServer, createServer, listen } from '../../../src/server.ts';
import { createReceiptFiles } from '../../../src/web/receipt.ts';
import { content } from '../../product.ts';

const receipt = {
  title: 'Kvitto på spärrat kort',
  rows: [
    { name: 'Kvittots nummer', value: 'S-0000-1111-2222' },
    { name: 'Kortet slutar på', value: '4711' },
  ],
};

let at = new Date('2026-11-23T08:00:00+01:00');
let server: Server;
let origin = '';
const world = { content, publicOrigin: () => origin, now: () => at };
const files = createReceiptFiles({ ...world, key: 'a key of the tests' });

beforeAll(async () => {
  const isHealthy = () => Promise.resolve({});
  server = await createServer({ content, mounts: [files.mount], isHealthy, onMistake: () => undefined });
  origin = await listen(server, { host: '127.0.0.1', port: 0 });
});
afterAll(() => closeServer(server));

describe('a receipt to save', () => {
  it('is a text file with what the chat has told, called after its number', async () => {
    const response = await fetch(files.linkTo(receipt));
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="kvitto-S-0000-1111-2222.txt"');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const text = await response.text();
    expect(text).toContain('Kvittots nummer: S-0000-1111-2222');
    expect(text).toContain('Kortet slutar på: 4711');
  });

  it.each<[string, (link: URL) => void]>([
    [
      'was changed',
      (link) => {
        link.searchParams.set('r', Buffer.from('{"rows":[],"title":"","until":9e15}').toString('base64url'));
      },
    ],
    [
      'has another signature',
      (link) => {
        link.searchParams.set('s', 'a'.repeat(43));
      },
    ],
    [
      'has none',
      (link) => {
        link.searchParams.delete('s');
      },
    ],
    [
      'was signed elsewhere',
      (link) => (link.search = new URL(createReceiptFiles({ ...world, key: 'another' }).linkTo(receipt)).search),
    ],
  ])('is not given by a link that %s', async (_how, change) => {
    const link = new URL(files.linkTo(receipt));
    change(link);
    const response = await fetch(link);
    expect(response.status).toBe(410);
    expect(await response.text()).not.toContain('4711');
  });

  it('is given for a day', async () => {
    const link = files.linkTo(receipt);
    at = new Date(at.getTime() + 86_399_000);
    expect((await fetch(link)).status).toBe(200);
    at = new Date(at.getTime() + 2_000);
    expect((await fetch(link)).status).toBe(410);
  });
});
