/** Whatever comes between the page and the server, the conversation goes on by itself, and nothing is lost or doubled. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { createDatabase } from '../database/database.ts';
import { content } from '../product.ts';
import { type Serving, startServing } from '../serving.ts';
import { openBrowser, type Visit, visit } from './browser.ts';
import { createLink, type Link } from './link.ts';

const MONDAY = '2026-11-23T08:00';
const label = (name: string) => content.label(`chat/${name}`);
/** In milliseconds. */
const COMING_BACK = 30_000;
const ROUTES = '**/v3/directline/**';

let browser: Browser;
let [here, there]: Serving[] = [];
let url: string;
let link: Link;

beforeAll(async () => {
  url = await createDatabase();
  browser = await openBrowser();
  here = await startServing({ DATABASE_URL: url }, '--at', MONDAY);
  there = await startServing({ DATABASE_URL: url }, '--at', MONDAY);
  link = await createLink(here.origin);
});
afterAll(async () => {
  await browser.close();
  await Promise.all([link.stop(), here?.stop(), there?.stop()]);
});

/** A student who has been asked whether they have their puk. */
async function asked(): Promise<Visit> {
  const visited = await visit(browser, link.origin);
  await say(visited.page, 'jag har slagit fel kod tre gånger');
  await says(visited.page, 'Har du kvar pukkoden');
  return visited;
}

/** They answer, and are answered; here and after a reload each message is there once, in order. */
async function goesOn(page: Page): Promise<void> {
  await say(page, 'nej');
  await isAnswered(page);
}

async function isAnswered(page: Page): Promise<void> {
  await says(page, 'ett nytt PUK-kodbrev');
  expect(await conversationOn(page)).toEqual(WHOLE);
  await page.reload();
  await says(page, 'ett nytt PUK-kodbrev');
  expect(await conversationOn(page)).toEqual(WHOLE);
}

const WHOLE = ['bot', 'bot', 'jag har slagit fel kod tre gånger', 'bot', 'nej', 'bot'];

describe('a conversation goes on', () => {
  it('after a reload', async () => {
    const { page, close } = await asked();
    await page.reload();
    await says(page, 'Har du kvar pukkoden');
    await goesOn(page);
    await close();
  });

  it('after a reload in the middle of a message that was not sent yet', async () => {
    const { page, close } = await asked();
    await page.route(`${ROUTES}/activities`, (route) => route.abort());
    await say(page, 'nej');
    await page.locator('[data-unsent]').waitFor();
    await page.unroute(`${ROUTES}/activities`);
    await page.reload();
    await isAnswered(page);
    await close();
  });

  it('when the network is away for a while, with what was written meanwhile', async () => {
    const { page, close } = await asked();
    await page.context().setOffline(true);
    // A stream that was just being opened may still open, and the page then be right that it is connected.
    await say(page, 'nej');
    await page.getByRole('status').getByText(label('offline')).waitFor();
    await page.getByRole('status').getByText(label('unsent')).waitFor();
    await page.context().setOffline(false);
    await page.getByRole('status').getByText(label('online')).waitFor({ timeout: COMING_BACK });
    await isAnswered(page);
    await close();
  });

  it('when a message came through and its receipt did not', async () => {
    const { page, close } = await asked();
    await page.route(
      `${ROUTES}/activities`,
      async (route) => {
        await route.fetch();
        await route.abort();
      },
      { times: 1 },
    );
    await goesOn(page);
    await close();
  });

  it('when the connection is cut in the middle of everything', async () => {
    const { page, close } = await asked();
    link.cut();
    await say(page, 'nej');
    await page.getByRole('status').getByText(label('offline')).waitFor({ timeout: COMING_BACK });
    link.mend();
    await isAnswered(page);
    await close();
  });

  it('when the connection is dead and does not know it, as after a closed laptop', async () => {
    const { page, close } = await asked();
    link.silence();
    await say(page, 'nej');
    await isAnswered(page);
    await close();
  });

  it('when the token has run out', async () => {
    const { page, close } = await asked();
    const expired = JSON.stringify({ error: { code: 'TokenExpired', message: 'The token has expired.' } });
    await page.route(ROUTES, (route) => route.fulfill({ status: 403, body: expired }), { times: 2 });
    await goesOn(page);
    await close();
  });

  it('when too many messages were sent, and the next has to wait', async () => {
    const { page, close } = await asked();
    const headers = { 'Retry-After': '1' };
    await page.route(`${ROUTES}/activities`, (route) => route.fulfill({ status: 429, headers }), { times: 1 });
    await goesOn(page);
    await close();
  });

  it('when something in between shows a page of its own, as networks for guests do', async () => {
    const { page, close } = await asked();
    const body = '<h1>Välkommen till gästnätet</h1>';
    await page.route(ROUTES, (route) => route.fulfill({ status: 200, contentType: 'text/html', body }), { times: 3 });
    link.silence();
    await goesOn(page);
    await close();
  });

  it('where no WebSocket is let through', async () => {
    const visited = await visit(browser, 'about:blank');
    const { page, close } = visited;
    await page.routeWebSocket('**', (socket) => socket.close());
    await page.goto(link.origin);
    await say(page, 'jag har slagit fel kod tre gånger');
    await says(page, 'Har du kvar pukkoden');
    await goesOn(page);
    await close();
  });

  it('at another process, which takes over in the middle', async () => {
    const { page, close } = await asked();
    link.leadTo(there?.origin ?? '');
    link.cut();
    link.mend();
    await goesOn(page);
    link.leadTo(here?.origin ?? '');
    await close();
  });

  it('when the message is taken by one process and the stream is at another', async () => {
    const { page, close } = await asked();
    link.leadTo(there?.origin ?? '');
    await goesOn(page);
    link.leadTo(here?.origin ?? '');
    await close();
  });

  it('when the server is started anew, with what was written meanwhile', async () => {
    const { page, close } = await asked();
    expect(await here?.stop()).toBe(0);
    await say(page, 'nej');
    here = await startServing({ DATABASE_URL: url }, '--at', MONDAY);
    link.leadTo(here.origin);
    await isAnswered(page);
    await close();
  });

  it('when the page is come back to by the browser’s own button', async () => {
    const { page, close } = await asked();
    await page.goto('about:blank');
    await page.goBack();
    await says(page, 'Har du kvar pukkoden');
    await goesOn(page);
    await close();
  });

  it('in a page that was sent as a form before its script had come', async () => {
    const { page, close } = await visit(browser, link.origin);
    await page.route('**/assets/**', (route) => route.abort(), { times: 1 });
    await page.reload();
    await say(page, 'jag har slagit fel kod tre gånger');
    await says(page, 'Har du kvar pukkoden');
    await goesOn(page);
    await close();
  });
});

describe('a server that takes nothing', () => {
  it('is tried again ever more seldom, and gets what was written when it does', async () => {
    const { page, close } = await asked();
    const tried: number[] = [];
    await page.route(`${ROUTES}/activities`, (route) => {
      tried.push(performance.now());
      return route.fulfill({ status: 500 });
    });
    await say(page, 'nej');
    while (tried.length < 4) await page.waitForRequest(`${ROUTES}/activities`);
    await page.unroute(`${ROUTES}/activities`);
    await isAnswered(page);
    const [first = 0, second = 0, third = 0, fourth = 0] = tried;
    expect(second - first).toBeGreaterThan(300);
    expect(fourth - third).toBeGreaterThan(2 * (second - first));
    await close();
  });
});

describe('a conversation that is not there any more', () => {
  it('is said to be so, and another is begun with what was written', async () => {
    const { page, close } = await visit(browser, 'about:blank');
    await page.addInitScript(`sessionStorage.setItem('kortlotsen', '{"returnToken":"old","unsent":[]}')`);
    await page.goto(link.origin);
    await page.getByText(label('begunAnew')).waitFor();
    expect(await conversationOn(page)).toEqual(['bot', 'bot']);
    await say(page, 'jag har slagit fel kod tre gånger');
    await says(page, 'Har du kvar pukkoden');
    await close();
  });
});

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox').fill(text);
  await page.getByRole('button', { name: label('send') }).click();
}

async function says(page: Page, text: string): Promise<void> {
  await page.locator('[data-from="bot"]', { hasText: text }).waitFor({ timeout: COMING_BACK });
}

/** Who said something, and of the student also what. */
async function conversationOn(page: Page): Promise<string[]> {
  return page
    .locator('.message')
    .evaluateAll((messages) =>
      messages.map((message) =>
        message.dataset.from === 'bot' ? 'bot' : (message.querySelector('.said')?.textContent ?? ''),
      ),
    );
}
