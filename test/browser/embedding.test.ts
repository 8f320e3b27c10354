/** The chat on somebody else's page: another origin, whose policy trusts us with a script and a frame at most. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Locator, Page, Route } from 'playwright-core';
import { createDatabase } from '../database/database.ts';
import { content } from '../product.ts';
import { type Serving, startServing } from '../serving.ts';
import { barriersOn, openBrowser, type Visit, visit } from './browser.ts';

const MONDAY = '2026-11-23T08:00';
/** How long a frame that shows nothing is waited for, and then some. In milliseconds. */
const GIVING_UP = 10_000;

const text = (name: string): string => content.label(`embedding/${name}`);
const [open, close, dialog] = [text('open'), text('close'), text('chat')];

type Host = {
  /** Of the <script>, where it stands, and what stands around it. */
  script?: string;
  inHead?: boolean;
  body?: string;
  policy?: string;
};

let browser: Browser;
let serving: Serving;
let host: Server;
/** One server by two names: we may be shown on the pages of the first. */
let listed: string;
let unlisted: string;
const pages = new Map<string, Host>();

beforeAll(async () => {
  host = createServer((req, res) => {
    const page = pages.get(req.url ?? '');
    res.writeHead(page ? 200 : 404, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy':
        page?.policy ?? `default-src 'none'; script-src ${serving.origin}; frame-src ${serving.origin}`,
    });
    res.end(page && htmlOf(page));
  });
  host.listen(0, '127.0.0.1');
  await once(host, 'listening');
  const { port } = host.address() as AddressInfo;
  [listed, unlisted] = [`http://localhost:${port}`, `http://127.0.0.1:${port}`];
  const environment = { DATABASE_URL: await createDatabase(), KORTLOTSEN_EMBED_ORIGINS: listed };
  [browser, serving] = await Promise.all([openBrowser(), startServing(environment, '--at', MONDAY)]);
});
afterAll(async () => {
  await browser.close();
  await serving.stop();
  host.closeAllConnections();
  host.close();
});

describe('the button on somebody else’s page', () => {
  it('is there when nothing of ours but the script has been loaded', async () => {
    const visited = await visitHost({});
    await opener(visited.page).waitFor();
    expect(visited.ours()).toEqual(['/embed.js']);
    expect(await visited.page.locator('iframe').count()).toBe(0);
    await visited.close();
  });

  it.each<[string, Host]>([
    ['async, first in the head', { inHead: true, script: 'async' }],
    ['defer, in the head', { inHead: true, script: 'defer' }],
    ['neither, in the head', { inHead: true, script: '' }],
    ['last on the page', { script: '' }],
  ])('is the last on the page with a script that is %s', async (_where, page) => {
    const visited = await visitHost(page);
    await opener(visited.page).waitFor();
    expect(await visited.page.evaluate('document.body.lastElementChild.localName')).toBe('kortlotsen-chat');
    await visited.close();
  });

  it('is one, though the script is there twice', async () => {
    const { origin } = serving;
    const visited = await visitHost({ inHead: true, body: `<script src="${origin}/embed.js" defer></script>` });
    await opener(visited.page).waitFor();
    await visited.page.waitForLoadState();
    expect(await visited.page.locator('kortlotsen-chat').count()).toBe(1);
    await visited.close();
  });

  it('is put back by the script on a page that has replaced all it had', async () => {
    const visited = await visitHost({});
    const { page } = visited;
    await opener(page).waitFor();
    await page.evaluate(`{
      document.body = document.createElement('body');
      document.body.append(Object.assign(document.createElement('script'), { src: '${serving.origin}/embed.js' }));
    }`);
    await opener(page).click();
    await panel(page).waitFor();
    expect((await visited.complaints()).errors).toEqual([]);
    await visited.close();
  });

  it('says what the page wants it to, where the page wants it', async () => {
    const visited = await visitHost({ script: 'async data-label="Hjälp med <b>kortet</b>" data-position="left"' });
    const button = visited.page.getByRole('button', { name: 'Hjälp med <b>kortet</b>', exact: true });
    expect((await boxOf(button)).x).toBe(16);
    await visited.close();
  });

  it('is large enough to hit, and can be scrolled past on a small screen', async () => {
    const visited = await visitHost(
      { body: `${'<p>Om kortet.</p>'.repeat(80)}<a href="/">Sist på sidan</a>` },
      [320, 256],
    );
    const { page } = visited;
    const button = await boxOf(opener(page));
    expect(Math.min(button.width, button.height)).toBeGreaterThanOrEqual(44);
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    const last = await boxOf(page.getByText('Sist på sidan'));
    expect(last.y + last.height).toBeLessThanOrEqual(button.y);
    await visited.close();
  });

  it('looks the same on a page with strong opinions on everything', async () => {
    const plain = await visitHost({});
    const opinionated = await visitHost({
      policy: "default-src * 'unsafe-inline'",
      body: `<style>
        html { font-size: 62.5% } body { direction: rtl; line-height: 4 }
        * { all: unset; display: none !important; font-size: 40px !important; letter-spacing: 1em }
        body * { transform: scale(2); position: static !important; height: 4px !important; filter: blur(1px) }
        html, body { display: block !important }
      </style>`,
    });
    expect(await boxOf(opener(opinionated.page))).toEqual(await boxOf(opener(plain.page)));
    await Promise.all([plain.close(), opinionated.close()]);
  });

  it('leaves one symbol in the page, and nothing else', async () => {
    const names = (page: Page) => page.evaluate<string[]>('Reflect.ownKeys(globalThis).map(String)');
    const without = await visitHost({ script: 'type="none"' });
    const before = await names(without.page);
    const visited = await visitHost({});
    await opener(visited.page).waitFor();
    expect((await names(visited.page)).filter((name) => !before.includes(name))).toEqual(['Symbol(kortlotsen)']);
    await Promise.all([without.close(), visited.close()]);
  });

  it('is a plain link where the browser is too old for its looks', async () => {
    const visited = await visitHost({}, [1024, 800], 'delete Document.prototype.adoptedStyleSheets');
    const link = visited.page.getByRole('link', { name: open });
    expect(await link.getAttribute('href')).toBe(`${serving.origin}/`);
    await visited.close();
  });
});

describe('the chat on somebody else’s page', () => {
  it.each<[string, (page: Page) => Promise<void>]>([
    ['by mouse', (page) => opener(page).click()],
    ['with Enter', (page) => press(page, 'Enter')],
    ['with space', (page) => press(page, ' ')],
  ])('opens %s, and has the focus', async (_how, openIt) => {
    const visited = await visitHost({});
    const { page } = visited;
    await openIt(page);
    expect(await opener(page).getAttribute('aria-expanded')).toBe('true');
    await isReady(page);
    await chatHasFocus(page);
    expect(await boxOf(panel(page))).toMatchObject({ width: 400, height: 640 });
    expect(await visited.complaints()).toEqual({ policy: [], errors: [], logged: [] });
    await visited.close();
  });

  it('closes with Escape in it, gives the focus back, and goes on where it was', async () => {
    const visited = await visitHost({});
    const { page } = visited;
    await opener(page).click();
    await isReady(page);
    await chatHasFocus(page);
    await page.keyboard.press('Escape');
    await panel(page).waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe(open);
    await page.keyboard.press('Enter');
    await chatHasFocus(page);
    expect(visited.ours().filter((path) => path === '/')).toEqual(['/']);
    await visited.close();
  });

  it('closes with its own button', async () => {
    const visited = await visitHost({});
    const { page } = visited;
    await opener(page).click();
    await isReady(page);
    expect(await closer(page).isVisible()).toBe(false);
    await chatOf(page)
      .getByRole('button', { name: /^Stäng/ })
      .click();
    await panel(page).waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe(open);
    await visited.close();
  });

  it('closes with Escape on the button, and leaves every other Escape to the page', async () => {
    const visited = await visitHost({ body: '<input aria-label="Sök">' });
    const { page } = visited;
    await page.evaluate(() => {
      const heard: boolean[] = [];
      Object.assign(globalThis, { heard });
      addEventListener('keydown', (event) => heard.push(event.defaultPrevented));
    });
    await opener(page).click();
    await chatHasFocus(page);
    await opener(page).focus();
    await page.keyboard.press('Escape');
    await panel(page).waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe(open);
    expect(await page.evaluate('heard')).toEqual([]);
    await page.keyboard.press('Escape');
    await opener(page).click();
    await chatHasFocus(page);
    await page.getByLabel('Sök').focus();
    await page.keyboard.press('Escape');
    expect(await page.evaluate('heard')).toEqual([false, false]);
    expect(await panel(page).isVisible()).toBe(true);
    await visited.close();
  });

  it('can be closed before it is there, and does not take the focus when it comes', async () => {
    const visited = await visitHost({ body: '<input aria-label="Sök">' });
    const { page } = visited;
    const arrive = await hold(page);
    await opener(page).click();
    await page.getByText(text('opening')).waitFor();
    await closer(page).click();
    await panel(page).waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe(open);
    await opener(page).click();
    await page.keyboard.press('Escape');
    await panel(page).waitFor({ state: 'hidden' });
    await opener(page).click();
    await page.getByLabel('Sök').focus();
    await arrive();
    await isReady(page);
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Sök');
    await visited.close();
  });

  it('is open on the next page too, where the student is left to read, until it is closed', async () => {
    const visited = await visitHost({ body: '<a href="/next">Nästa</a>' });
    const { page } = visited;
    pages.set('/next', { body: '<input aria-label="Sök" autofocus><a href="/last">Sista</a>' });
    pages.set('/last', {});
    await opener(page).click();
    await page.getByText('Nästa').click();
    await isReady(page);
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Sök');
    await opener(page).click();
    await page.getByText('Sista').click();
    await page.waitForURL('**/last');
    await opener(page).waitFor();
    expect(await page.locator('iframe').count()).toBe(0);
    await visited.close();
  });

  it('is remembered by one tab, and only that it is open', async () => {
    const visited = await visitHost({});
    const { page } = visited;
    await opener(page).click();
    expect(await page.evaluate('({ ...sessionStorage })')).toEqual({ 'kortlotsen-open': 'yes' });
    expect(await page.evaluate('({ ...localStorage })')).toEqual({});
    await visited.close();
  });

  it('opens where the browser keeps nothing', async () => {
    const forbidden = "Object.defineProperty(globalThis, 'sessionStorage', { get() { throw new Error('No') } })";
    const visited = await visitHost({}, [1024, 800], forbidden);
    await opener(visited.page).click();
    await panel(visited.page).waitFor();
    expect((await visited.complaints()).errors).toEqual([]);
    await visited.close();
  });

  it.each<[number, number]>([
    [320, 640],
    [320, 256],
    [960, 360],
  ])('is the whole screen of %d × %d, with no sideways scrolling', async (width, height) => {
    const visited = await visitHost({ body: '<a href="/">Bakom</a>' }, [width, height]);
    const { page } = visited;
    await opener(page).click();
    await isReady(page);
    expect(await boxOf(panel(page))).toEqual({ x: 0, y: 0, width, height });
    expect(await boxOf(page.locator('iframe'))).toEqual({ x: 0, y: 0, width, height });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    await visited.close();
  });

  it('does not cover what has the focus: a student who tabs out of the whole screen is back on the page', async () => {
    const visited = await visitHost({ body: '<a href="/">Bakom</a>' }, [320, 640]);
    const { page } = visited;
    await hold(page);
    await opener(page).click();
    await panel(page).waitFor();
    await page.keyboard.press('Shift+Tab');
    await panel(page).waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Bakom');
    await visited.close();
  });

  it.each([
    ['light', [1024, 800]],
    ['dark', [1024, 800]],
    ['light', [320, 640]],
    ['dark', [320, 640]],
  ] as const)(
    'meets no barrier that can be found by a machine, closed or open, %s, on %j',
    async (colorScheme, size) => {
      const visited = await visitHost({}, size);
      const { page } = visited;
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await opener(page).waitFor();
      expect(await barriersOn(page)).toEqual([]);
      const arrive = await hold(page);
      await opener(page).click();
      await panel(page).waitFor();
      expect(await barriersOn(page)).toEqual([]);
      await arrive();
      await isReady(page);
      expect(await barriersOn(page)).toEqual([]);
      await visited.close();
    },
  );

  it('works where the page demands Trusted Types', async () => {
    const { origin } = serving;
    const policy = `default-src 'none'; script-src ${origin}; frame-src ${origin}; require-trusted-types-for 'script'; trusted-types 'none'`;
    const visited = await visitHost({ policy });
    await opener(visited.page).click();
    await isReady(visited.page);
    expect(await visited.complaints()).toEqual({ policy: [], errors: [], logged: [] });
    await visited.close();
  });

  it('works on the page to try it on', async () => {
    const visited = await visit(browser, `${serving.origin}/embed-example`);
    await opener(visited.page).click();
    await isReady(visited.page);
    expect(await visited.complaints()).toEqual({ policy: [], elsewhere: [], errors: [] });
    await visited.close();
  });
});

describe('an answer that comes while the chat is closed', () => {
  it('is told of once, and no more when the chat is opened', async () => {
    const visited = await visitHost({});
    const { page } = visited;
    const news = page.getByText(text('answered'));
    const unread = page.getByRole('button', { name: `${open}, ${text('unread')}`, exact: true });
    await opener(page).click();
    await isReady(page);
    await say(page, { kortlotsen: 'unread' });
    await say(page, { kortlotsen: 'close' });
    await panel(page).waitFor({ state: 'hidden' });
    expect(await news.count()).toBe(0);
    const told = await countingNews(page);
    await say(page, { kortlotsen: 'unread' });
    await unread.waitFor();
    await say(page, { kortlotsen: 'unread' });
    await say(page, { kortlotsen: 'read' });
    await unread.waitFor({ state: 'detached' });
    await say(page, { kortlotsen: 'unread' });
    await unread.click();
    await unread.waitFor({ state: 'detached' });
    expect(await told()).toBe(2);
    await visited.close();
  });
});

describe('a message that is forged', () => {
  it.each([
    ['by the page itself', "postMessage({ kortlotsen: 'close' }, '*')"],
    ['as an event', `dispatchEvent(new MessageEvent('message', { data: { kortlotsen: 'close' }, origin: ORIGIN }))`],
  ])('%s does nothing', async (_how, forge) => {
    const visited = await visitHost({});
    const { page } = visited;
    await opener(page).click();
    await panel(page).waitFor();
    await afterMessages(page, forge.replace('ORIGIN', JSON.stringify(serving.origin)));
    expect(await panel(page).isVisible()).toBe(true);
    await visited.close();
  });

  it('by another frame with a page of ours does nothing', async () => {
    const body = `<iframe name="other" src="${serving.origin}/"></iframe>`;
    const visited = await visitHost({ body });
    const { page } = visited;
    await opener(page).click();
    await panel(page).waitFor();
    const other = page.frames().find((each) => each.name() === 'other');
    expect(await other?.evaluate('origin')).toBe(serving.origin);
    await other?.evaluate("parent.postMessage({ kortlotsen: 'close' }, '*')");
    await afterMessages(page, '');
    expect(await panel(page).isVisible()).toBe(true);
    await visited.close();
  });

  it('from somewhere else that our frame was sent to does nothing', async () => {
    const visited = await visitHost({ policy: 'default-src *' });
    const { page } = visited;
    pages.set('/forger', {});
    await opener(page).click();
    await isReady(page);
    await page.locator('iframe').evaluate((frame) => {
      frame.setAttribute('src', '/forger');
    });
    await page.frameLocator('iframe').getByText('Om kortet').first().waitFor();
    await say(page, { kortlotsen: 'close' });
    await afterMessages(page, '');
    expect(await panel(page).isVisible()).toBe(true);
    await visited.close();
  });

  it.each([
    ['a word', 'close'],
    ['nothing', null],
    ['a list', ['close']],
    ['a word we have not', { kortlotsen: 'closed' }],
    ['a word in a list', { kortlotsen: ['close'] }],
    ['what every object has', { kortlotsen: 'constructor' }],
    ['somebody else’s', { type: 'close' }],
  ])('in another shape, %s, does nothing', async (_what, message) => {
    const visited = await visitHost({});
    const { page } = visited;
    await opener(page).click();
    await isReady(page);
    await say(page, message);
    await afterMessages(page, '');
    expect(await panel(page).isVisible()).toBe(true);
    expect((await visited.complaints()).errors).toEqual([]);
    await visited.close();
  });
});

describe('a chat that does not come', () => {
  it('on a page that may not show it, is said to be missing, with a way to it', async () => {
    const visited = await visitHost({}, [1024, 800], '', unlisted);
    const { page } = visited;
    await opener(page).click();
    await page.getByRole('status').getByText(text('missing')).waitFor({ timeout: GIVING_UP });
    const link = page.getByRole('link', { name: text('newTab') });
    expect([await link.getAttribute('href'), await link.getAttribute('target')]).toEqual([
      `${serving.origin}/`,
      '_blank',
    ]);
    expect(await barriersOn(page)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await focused(page)).toBe(open);
    await visited.close();
  });

  it('since the server is down, comes when it is tried again and the server is back', async () => {
    const visited = await visitHost({});
    const { page } = visited;
    await page.route(`${serving.origin}/`, (route) => route.abort());
    await opener(page).click();
    const again = page.getByRole('button', { name: text('again') });
    await again.waitFor({ timeout: GIVING_UP });
    expect(await closer(page).isVisible()).toBe(true);
    await page.unroute(`${serving.origin}/`);
    await again.click();
    await isReady(page);
    await chatHasFocus(page);
    expect(await page.locator('iframe').count()).toBe(1);
    await visited.close();
  });
});

type HostVisit = Omit<Visit, 'complaints'> & {
  /** What was asked of us, in order. */
  ours: () => string[];
  /** Of the page, and of the frame if there is one. */
  complaints: () => Promise<{ policy: string[]; errors: string[]; logged: string[] }>;
};

async function visitHost(
  page: Host,
  [width, height]: readonly [number, number] = [1024, 800],
  before = '',
  origin = listed,
): Promise<HostVisit> {
  pages.set('/', page);
  const visited = await visit(browser, 'about:blank');
  const logged: string[] = [];
  const asked: string[] = [];
  visited.page.on('console', (message) => {
    if (message.type() === 'error') logged.push(message.text());
  });
  visited.page.on('request', (request) => {
    if (request.url().startsWith(serving.origin)) asked.push(request.url().slice(serving.origin.length));
  });
  await visited.page.setViewportSize({ width, height });
  // What moves has no place yet.
  await visited.page.emulateMedia({ reducedMotion: 'reduce' });
  await visited.page.addInitScript(before);
  await visited.page.goto(origin);
  return {
    ...visited,
    ours: () => asked,
    async complaints() {
      const inFrames = visited.page.frames().map((frame) => frame.evaluate<string[]>('broken'));
      return { policy: (await Promise.all(inFrames)).flat(), errors: (await visited.complaints()).errors, logged };
    },
  };
}

function htmlOf({ script = 'async', inHead = false, body = '' }: Host): string {
  const ours = `<script src="${serving.origin}/embed.js" ${script}></script>`;
  return `<!doctype html><html lang="sv"><head><title>Om kortet</title>${inHead ? ours : ''}</head>
    <body><main><h1>Om kortet</h1>${body}</main>${inHead ? '' : ours}</body></html>`;
}

const opener = (page: Page): Locator => page.locator('kortlotsen-chat .opener');
const panel = (page: Page): Locator => page.getByRole('dialog', { name: dialog, includeHidden: true });
const closer = (page: Page): Locator => panel(page).getByRole('button', { name: close });
const chatOf = (page: Page) => page.frameLocator(`iframe[title="${dialog}"]`);

async function boxOf(locator: Locator) {
  const box = await locator.boundingBox();
  if (!box) throw new Error('It is not shown');
  return box;
}

async function press(page: Page, key: string): Promise<void> {
  await opener(page).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press(key);
}

/** Keeps the chat from coming until it may. */
async function hold(page: Page): Promise<() => Promise<void>> {
  const held: Route[] = [];
  await page.route(`${serving.origin}/`, (route) => {
    held.push(route);
  });
  return async () => {
    await Promise.all(held.map((route) => route.continue()));
    await page.unroute(`${serving.origin}/`);
  };
}

/** That the frame has said so is seen by our own way to close being gone. */
async function isReady(page: Page): Promise<void> {
  await panel(page).waitFor();
  await closer(page).waitFor({ state: 'hidden' });
}

async function chatHasFocus(page: Page): Promise<void> {
  await chatOf(page).locator('input:focus, textarea:focus').waitFor();
}

/** What has the focus within ours. */
const focused = (page: Page) =>
  page.evaluate<string>("document.querySelector('kortlotsen-chat').shadowRoot.activeElement.textContent");

/** As the frame says it. */
async function say(page: Page, message: unknown): Promise<void> {
  const element = await page.locator(`iframe[title="${dialog}"]`).elementHandle();
  const frame = await element.contentFrame();
  await frame?.evaluate(`parent.postMessage(${JSON.stringify(message)}, '*')`);
}

/** Runs it in the page, and waits until every message that was sent by then has been heard. */
async function afterMessages(page: Page, program: string): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    ${program};
    addEventListener('message', ({ data }) => { if (data === 'heard') resolve(); });
    postMessage('heard', '*');
  })`);
}

async function countingNews(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(`{
    const status = document.querySelector('kortlotsen-chat').shadowRoot.querySelector('.place > [role=status]');
    globalThis.told = 0;
    new MutationObserver(() => { if (status.textContent) told++ }).observe(status, { childList: true });
  }`);
  return () => page.evaluate<number>('told');
}
