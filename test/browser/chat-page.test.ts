/** The page as a student meets it: in a browser, with the built product behind it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { createDatabase } from '../database/database.ts';
import { content } from '../product.ts';
import { type Serving, startServing } from '../serving.ts';
import { barriersOn, isTooWide, openBrowser, tabTo, visit, type Visiting } from './browser.ts';

const MONDAY = '2026-11-23T08:00';
const QUIET = { policy: [], elsewhere: [], errors: [] };
const label = (name: string) => content.label(`chat/${name}`);

let browser: Browser;
let serving: Serving;
let url: string;

beforeAll(async () => {
  url = await createDatabase();
  [browser, serving] = await Promise.all([openBrowser(), startServing({ DATABASE_URL: url }, '--at', MONDAY)]);
});
afterAll(async () => {
  await browser.close();
  await serving.stop();
});

const visiting = (options?: Visiting) => visit(browser, serving.origin, options);

/** With scripts and without them the page is the same, and so is what can be done on it. */
describe.each([
  ['with scripts', {}, 'active'],
  ['without scripts', { javaScriptEnabled: false }, 'expiring'],
])('a student on the page, %s', (_how, options, holder) => {
  it('loses a card, signs in, says yes to that card, gets a receipt and is told what now', async () => {
    const visited = await visiting(options);
    const { page } = visited;
    await say(page, 'jag har tappat kortet');
    await answered(page, 'Är kortet borta, eller har du glömt det hemma?');
    await suggestion(page, 'Det är borta').click();
    await signIn(page, holder);
    await answered(page, 'Jag hittade ditt ordinarie kort som slutar på 4711');
    await suggestion(page, 'Ja').click();
    await answered(
      page,
      /är spärrat sedan 23 november 2026 klockan 08\.00\. Ditt kvitto har nummer S(-[0-9A-F]{4}){3}/,
    );
    await page.getByText('Kvitto på spärrat kort').waitFor();
    await say(page, 'vad gör jag nu?');
    await answered(page, 'Nu behöver du ett nytt');
    await say(page, 'kan jag uppgradera mitt kort?');
    await answered(page, /fram till (den )?4 maj 2022/);
    expect(await visited.complaints()).toEqual(QUIET);
    await visited.close();
  });

  it('is led through a pin, a photo and a reserve card, by words and by buttons', async () => {
    const { page, complaints, close } = await visiting(options);
    await say(page, 'jag har slagit fel kod tre gånger');
    await answered(page, 'Har du kvar pukkoden');
    await suggestion(page, 'Nej').click();
    await answered(page, 'ett nytt PUK-kodbrev');
    await say(page, 'var tar jag kortet?');
    await say(page, 'är kortet klart att hämta?');
    await answered(page, /fotografera/);
    await say(page, 'behöver reservkort');
    await answered(page, /reservkort/);
    expect(await complaints()).toEqual(QUIET);
    await close();
  });

  it('is told at once that it is a robot, and reads the rule a claim is founded on, in its own words', async () => {
    const { page, complaints, close } = await visiting(options);
    expect(await page.getByRole('banner').innerText()).toContain(label('robot'));
    await page.getByText(label('about')).click();
    await page.getByText(/22 mars 2022.*11 oktober 2020/s).waitFor();
    await say(page, 'när är sös öppet på onsdag?');
    await answered(page, 'Hus 48');
    await page.getByText('R25, R26').click();
    const rule = content.rules.get('R25')?.text ?? 'R25 is missing';
    await page.locator('dd', { hasText: rule }).waitFor();
    expect(await page.locator('.message[data-from="bot"] .who').allInnerTexts()).toContain(label('bot'));
    expect(await complaints()).toEqual(QUIET);
    await close();
  });

  it('is forgotten, also on the screen', async () => {
    const { page, close } = await visiting(options);
    await say(page, 'jag har slagit fel kod tre gånger');
    await answered(page, 'Har du kvar pukkoden');
    await menu(page, 'forgetMe');
    await answered(page, 'Vill du att jag glömmer dig?');
    await suggestion(page, 'Ja').click();
    await answered(page, /Jag har tagit bort det som skrevs/);
    expect(await page.getByText('jag har slagit fel kod tre gånger').count()).toBe(0);
    await close();
  });

  it('takes the conversation along as a text file, with what it was founded on', async () => {
    const { page, close } = await visiting(options);
    await say(page, 'när är sös öppet på onsdag?');
    await answered(page, 'Hus 48');
    const downloading = page.waitForEvent('download');
    await menu(page, 'download');
    const download = await downloading;
    expect(download.suggestedFilename()).toBe('kortlotsen.txt');
    const text = await textOf(await download.createReadStream());
    expect(text).toMatch(/Du, 2026-11-23 08:00\r\n\r\nnär är sös öppet på onsdag\?/);
    expect(text).toContain(`[1] R25: ${content.rules.get('R25')?.text ?? ''}`);
    await close();
  });

  it('begins a new conversation, and leaves nothing of the old one in the tab', async () => {
    const { page, close } = await visiting(options);
    await say(page, 'jag har slagit fel kod tre gånger');
    await answered(page, 'Har du kvar pukkoden');
    await menu(page, 'startOver');
    await page.getByText('jag har slagit fel kod tre gånger').waitFor({ state: 'detached' });
    await page.reload();
    expect(await page.locator('.message').count()).toBe(2);
    await close();
  });
});

const sizes = [
  { width: 320, height: 640 },
  { width: 1280, height: 800 },
  // As a screen of 1280 by 1024 is, when everything is four times as large.
  { width: 320, height: 256 },
];

describe.each(sizes)('on a screen of $width by $height', (viewport) => {
  it.each([
    ['light', 'without its script'],
    ['dark', 'with its script'],
  ] as const)('a machine finds no barrier in the %s, %s, and nothing is too wide', async (colorScheme, how) => {
    const { page, close } = await visiting({ viewport, colorScheme });
    if (how === 'without its script') {
      await page.route('**/assets/**', (route) => route.abort());
      await page.reload();
    }
    expect(await barriersOn(page)).toEqual([]);
    await say(page, 'när är sös öppet på onsdag?');
    await answered(page, 'Hus 48');
    await page.locator('.source summary').click();
    await say(page, 'någon har snott mitt kort');
    await answered(page, 'Logga in med knappen');
    await page.getByText(label('menu'), { exact: true }).click();
    expect(await barriersOn(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
    await close();
  });
});

describe('in every state', () => {
  it('a machine finds no barrier: cards, a receipt, rules, what is in the way, and what is not sent', async () => {
    const { page, close } = await visiting({ viewport: { width: 390, height: 800 } });
    const found: Record<string, string[]> = {};
    await page.getByText(label('about')).click();
    await say(page, 'var fotar jag mig?');
    await page.locator('.ac-adaptiveCard').nth(1).waitFor();
    found.visits = await barriersOn(page);
    await say(page, 'någon har snott mitt kort');
    await signIn(page, 'loa2');
    await answered(page, /Jag hittade ditt/);
    await suggestion(page, 'Ja').click();
    await page.locator('.ac-adaptiveCard', { hasText: 'Kvitto' }).waitFor();
    found.receipt = await barriersOn(page);
    await page.context().setOffline(true);
    await say(page, 'var hämtar jag?');
    await page.getByRole('status').getByText(label('unsent')).waitFor();
    found.offline = await barriersOn(page);
    expect(found).toEqual({ visits: [], receipt: [], offline: [] });
    await close();
  });
});

describe('by keyboard alone', () => {
  it('one has a card revoked, from the first word to the receipt', async () => {
    const { page, close } = await visiting();
    const write = async (text: string) => {
      await tabTo(page, 'TEXTAREA');
      await page.keyboard.type(text);
      await page.keyboard.press('Enter');
    };
    const choose = async (title: string) => {
      await suggestion(page, title).waitFor();
      await tabTo(page, title, 'Shift+Tab');
      await page.keyboard.press('Enter');
    };
    await write('mitt kort är stulet');
    await page.getByRole('link', { name: 'Logga in' }).waitFor();
    const opening = page.context().waitForEvent('page');
    await tabTo(page, `Logga in ${label('newTab')}`, 'Shift+Tab');
    await page.keyboard.press('Enter');
    const tab = await opening;
    await tab.getByRole('button', { name: 'reserve', exact: true }).waitFor();
    await tabTo(tab, 'reserve');
    await tab.keyboard.press('Enter');
    const code = await tab.getByText(/^[B-Z]{4}-[B-Z]{4}$/).innerText();
    await tab.close();
    await write(code);
    await choose('Ja');
    await answered(page, /är spärrat sedan 23 november 2026/);
    await close();
  });

  it('one writes, chooses an answer and comes back to the box', async () => {
    const { page, close } = await visiting();
    await tabTo(page, 'TEXTAREA');
    await page.keyboard.type('jag har tappat kortet');
    await page.keyboard.press('Enter');
    await suggestion(page, 'Det är borta').waitFor();
    await tabTo(page, 'Det är borta', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await answered(page, 'Innan jag kan spärra ett kort');
    expect(await page.evaluate('document.activeElement.id')).toBe('text');
    await close();
  });

  it('the menu opens, closes with Escape and gives the focus back', async () => {
    const { page, close } = await visiting();
    await tabTo(page, label('menu'));
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: label('contact') }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('button', { name: label('contact') }).isVisible()).toBe(false);
    expect(await page.evaluate('document.activeElement.textContent')).toBe(label('menu'));
    await close();
  });

  it('a line is broken by Shift and Enter, and what is written by several lines is sent as it is', async () => {
    const { page, close } = await visiting();
    await page.getByRole('textbox').focus();
    await page.keyboard.type('hej');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('jag har tappat kortet');
    await page.keyboard.press('Enter');
    await answered(page, 'glömt det hemma');
    expect(await page.locator('.message.own .said').innerText()).toBe('hej\njag har tappat kortet');
    await close();
  });
});

describe('every message', () => {
  it('is put before a screen reader once, whoever wrote it', async () => {
    const { page, close } = await visiting();
    await page.evaluate(`
      globalThis.announced = [];
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes) for (const node of addedNodes) announced.push(node.textContent);
      }).observe(document.querySelector('[role=log]'), { childList: true, characterData: true, subtree: true });
    `);
    await say(page, 'jag har slagit fel kod tre gånger');
    await answered(page, 'Har du kvar pukkoden');
    await say(page, 'nej');
    await answered(page, 'ett nytt PUK-kodbrev');
    const announced = await page.evaluate<string[]>('announced');
    for (const said of ['jag har slagit fel kod tre gånger', 'Har du kvar pukkoden', 'ett nytt PUK-kodbrev']) {
      expect(announced.filter((each) => each.includes(said))).toHaveLength(1);
    }
    await close();
  });

  it('is shown as it was written, markup and script among it', async () => {
    const { page, complaints, close } = await visiting();
    const text = '<img src=x onerror=alert(1)><script>alert(1)</script> [a](javascript:alert(1)) **b** &lt;';
    await say(page, text);
    await page.locator('.message.own .said').waitFor();
    await page.locator('[data-from=bot]').nth(2).waitFor();
    expect(await page.locator('.message.own .said').innerText()).toBe(text);
    expect(await complaints()).toEqual(QUIET);
    await close();
  });
});

describe('without scripts', () => {
  it('a page that is sent again says nothing twice', async () => {
    const { page, close } = await visiting({ javaScriptEnabled: false });
    await say(page, 'jag har slagit fel kod tre gånger');
    await answered(page, 'Har du kvar pukkoden');
    await page.reload();
    await answered(page, 'Har du kvar pukkoden');
    expect(await page.locator('.message.own').count()).toBe(1);
    expect(await page.locator('.message').count()).toBe(4);
    await close();
  });

  it('two tabs have two conversations', async () => {
    const { page, close } = await visiting({ javaScriptEnabled: false });
    await say(page, 'jag har slagit fel kod tre gånger');
    await answered(page, 'Har du kvar pukkoden');
    const other = await page.context().newPage();
    await other.goto(serving.origin);
    expect(await other.locator('.message').count()).toBe(2);
    await say(other, 'jag har tappat kortet');
    await answered(other, 'glömt det hemma');
    expect(await other.getByText('Har du kvar pukkoden').count()).toBe(0);
    await close();
  });
});

describe('a page that is only looked at', () => {
  it('begins no conversation, and sets no cookie', async () => {
    const { page, close } = await visiting();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.reload({ waitUntil: 'networkidle' });
    expect(asked.filter((each) => each.includes('directline') || each.includes('token'))).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
    await close();
  });
});

/** By the button, so that it is sent also where no script hears Enter. */
async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox').fill(text);
  await page.getByRole('button', { name: label('send') }).click();
}

/** Waits for it to be said by the assistant. */
async function answered(page: Page, text: string | RegExp, timeout = 15_000): Promise<void> {
  await page.locator('[data-from="bot"] .said', { hasText: text }).last().waitFor({ timeout });
}

const suggestion = (page: Page, title: string) =>
  page.getByRole('group', { name: label('suggestions') }).getByRole('button', { name: title, exact: true });

async function menu(page: Page, item: string): Promise<void> {
  await page.getByText(label('menu'), { exact: true }).click();
  await page.getByRole('button', { name: label(item), exact: true }).click();
}

/** Follows the link to sign in, in its new tab, and types back the code that is shown there. */
async function signIn(page: Page, holder: string): Promise<void> {
  const opening = page.context().waitForEvent('page');
  await page.getByRole('link', { name: 'Logga in' }).last().click();
  const tab = await opening;
  await tab.getByRole('button', { name: holder, exact: true }).last().click();
  const code = await tab.getByText(/^[B-Z]{4}-[B-Z]{4}$/).innerText();
  await tab.close();
  await say(page, code);
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}
