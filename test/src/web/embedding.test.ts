import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'restify';
import { closeServer, createServer, listen } from '../../../src/server.ts';
import { contrastOf, READABLE } from '../../../src/web/colours.ts';
import { mountEmbedding } from '../../../src/web/embedding.ts';
import { content, root } from '../../product.ts';

const ACCENT = '#7a1f4b';
const scripts = join(root, 'dist/web');

/** In bytes, as it is sent. */
const SMALL = 4_096;

let servers: Server[] = [];
let origin: string;
let inProduction: string;

beforeAll(async () => {
  [origin, inProduction] = await Promise.all([start(false), start(true)]);
});
afterAll(() => Promise.all(servers.map((server) => closeServer(server))));

async function start(isProduction: boolean): Promise<string> {
  const server = await createServer({
    content,
    mounts: [(each) => mountEmbedding(each, { content, accent: ACCENT, isProduction, scripts })],
    isHealthy: () => Promise.resolve({}),
    onMistake: () => undefined,
  });
  servers = [...servers, server];
  return listen(server, { host: '127.0.0.1', port: 0 });
}

const ask = (headers: Record<string, string> = {}) => fetch(`${origin}/embed.js`, { headers });

describe('the script for other people’s pages', () => {
  it('may be run by any page, is nothing but a script, and is asked after every five minutes', async () => {
    const { status, headers } = await ask();
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(headers.get('vary')).toBe('Accept-Encoding');
  });

  it('is not sent again to whoever has it, in whichever encoding', async () => {
    const tag = (await ask({ 'Accept-Encoding': 'br' })).headers.get('etag') ?? '';
    for (const kept of [tag, tag.replace('W/', ''), `"of another", ${tag}`, '*']) {
      const again = await ask({ 'If-None-Match': kept, 'Accept-Encoding': 'gzip' });
      expect([kept, again.status, await again.text()]).toEqual([kept, 304, '']);
      expect(again.headers.get('cache-control')).toBe('public, max-age=300');
    }
    expect((await ask({ 'If-None-Match': '"of another"' })).status).toBe(200);
  });

  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['identity', null],
  ])('is sent to a browser that takes %s as %s', async (taken, encoding) => {
    const response = await ask({ 'Accept-Encoding': taken });
    expect(response.headers.get('content-encoding')).toBe(encoding);
    expect(await response.text()).toBe(await (await ask({ 'Accept-Encoding': 'identity' })).text());
  });

  it('is small', async () => {
    const { headers } = await ask({ 'Accept-Encoding': 'gzip' });
    expect(Number(headers.get('content-length'))).toBeLessThan(SMALL);
  });

  it('has the editors’ words and the deployment’s colour, and one made of it that can be read in the dark', async () => {
    const script = await (await ask()).text();
    expect(script).toContain(content.label('embedding/open'));
    const [, accent, inDark = '', dark = ''] =
      /--accent:(#\w{6});--accent-in-dark:(#\w{6});--dark:(#\w{6})/.exec(script) ?? [];
    expect(accent).toBe(ACCENT);
    expect(contrastOf(inDark, dark)).toBeGreaterThanOrEqual(READABLE);
  });
});

describe('the page to try it on', () => {
  it('trusts us with a script and a frame, and nobody with anything else', async () => {
    const response = await fetch(`${origin}/embed-example`);
    expect(response.headers.get('content-security-policy')?.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "frame-ancestors 'none'",
      "frame-src 'self'",
      "require-trusted-types-for 'script'",
      "script-src 'self'",
    ]);
    expect(await response.text()).toContain('<script src="/embed.js" async></script>');
  });

  it('repeats no rule that has lapsed or may have changed', async () => {
    const shown = await (await fetch(`${origin}/embed-example`)).text();
    const rules = [...content.rules.values()];
    const isShown = ({ text }: { text: string }) => shown.includes(text.slice(0, 60));
    const uncertain = rules.filter(({ until, mayHaveChanged }) => until ?? mayHaveChanged);
    expect(uncertain.length).toBeGreaterThan(0);
    expect(uncertain.filter(isShown)).toEqual([]);
    expect(rules.filter(isShown).length).toBeGreaterThan(10);
  });

  it('is not there in production', async () => {
    expect((await fetch(`${inProduction}/embed-example`)).status).toBe(404);
    expect((await fetch(`${inProduction}/embed.js`)).status).toBe(200);
  });
});
