/** The page with the stock Web Chat as a student meets it: in a browser, with the built product behind it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { createDatabase } from '../database/database.ts';
import { content } from '../product.ts';
import { freePort, hub, type Serving, startServing } from '../serving.ts';
import { barriersOn, isTooWide, openBrowser, tabTo, visit } from './browser.ts';

const MONDAY = '2026-11-23T08:00';
/** Web Chat comes back by itself after at most 15 seconds. In milliseconds. */
const COMING_BACK = 30_000;

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

const chat = () => `${serving.origin}/web-chat`;

describe('a student on the page', () => {
  it('loses a card, signs in, says yes to that card, gets a receipt and is told what now', async () => {
    const visited = await visit(browser, chat());
    const { page } = visited;
    await say(page, 'jag har tappat kortet');
    await shows(page, 'Är kortet borta, eller har du glömt det hemma?');
    await suggestion(page, 'Det är borta').click();
    await signIn(page, 'active');
    await shows(page, 'Jag hittade ditt ordinarie kort som slutar på 4711');
    await suggestion(page, 'Ja').click();
    await shows(page, /är spärrat sedan 23 november 2026 klockan 08\.00\. Ditt kvitto har nummer S(-[0-9A-F]{4}){3}/);
    await shows(page, 'Kvitto på spärrat kort');
    expect(await barriersOn(page)).toEqual([]);
    await say(page, 'vad gör jag nu?');
    await shows(page, 'Nu behöver du ett nytt');
    await say(page, 'kan jag uppgradera mitt kort?');
    await shows(page, /fram till (den )?4 maj 2022/);
    expect(await visited.complaints()).toEqual({ policy: [], elsewhere: [], errors: [] });
    await visited.close();
  });

  it('is told that it is a robot, and reads the rule a claim is founded on, also on the narrowest screen', async () => {
    const visited = await visit(browser, chat(), { viewport: { width: 320, height: 640 } });
    const { page } = visited;
    const header = await page.getByRole('banner').innerText();
    expect(header).toMatch(/robot/);
    expect(header).toMatch(/22 mars 2022.*11 oktober 2020/s);
    await shows(page, 'Jag är Kortlotsen, en robot');
    await say(page, 'när är sös öppet på onsdag?');
    await shows(page, 'Enligt Vårdgivarguiden, uppdaterad 22 mars 2022');
    expect(await isTooWide(page)).toBe(false);
    const dialog = page.getByRole('dialog', { name: 'R25' });
    await pressUntil(dialog, page.getByRole('button', { name: /R25: / }));
    const rule = content.rules.get('R25')?.text ?? 'R25 is missing';
    expect(await dialog.innerText()).toContain(rule);
    await page.keyboard.press('Escape');
    await say(page, 'någon har snott mitt kort');
    await shows(page, 'Logga in med knappen');
    expect(await barriersOn(page)).toEqual([]);
    expect((await visited.complaints()).policy).toEqual([]);
    await visited.close();
  });

  it('manages by keyboard alone', async () => {
    const visited = await visit(browser, chat());
    const { page } = visited;
    await shows(page, 'Vad vill du ha hjälp med?');
    await tabTo(page, 'TEXTAREA');
    await page.keyboard.type('jag har tappat kortet');
    await page.keyboard.press('Enter');
    await suggestion(page, 'Det är borta').waitFor();
    await tabTo(page, 'Det är borta', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await shows(page, 'Innan jag kan spärra ett kort');
    await visited.close();
  });
});

describe('a conversation', () => {
  it('is there after a reload, with no second welcome, until the student leaves it; and in no other tab', async () => {
    const visited = await visit(browser, chat());
    const { page } = visited;
    await say(page, 'jag har slagit fel kod tre gånger');
    await shows(page, 'Har du kvar pukkoden');
    await page.reload();
    await shows(page, 'Har du kvar pukkoden');
    expect(await welcomes(page)).toBe(1);
    await say(page, 'nej');
    await shows(page, 'ett nytt PUK-kodbrev');
    const other = await page.context().newPage();
    await other.goto(chat());
    await shows(other, 'Vad vill du ha hjälp med?');
    expect(await other.getByText('jag har slagit fel kod tre gånger').count()).toBe(0);
    await page.getByRole('button', { name: 'Avsluta chatten' }).click();
    await page.getByText('Har du kvar pukkoden').first().waitFor({ state: 'detached' });
    await shows(page, 'Vad vill du ha hjälp med?');
    await visited.close();
  });

  it('goes on after the server was away, with no reload, and nothing lost or doubled', async () => {
    const visited = await visit(browser, chat(), { hasOwnClock: true });
    const { page } = visited;
    await say(page, 'jag har slagit fel kod tre gånger');
    await shows(page, 'Har du kvar pukkoden');
    const { port } = new URL(serving.origin);
    expect(await serving.stop()).toBe(0);
    serving = await startServing({ DATABASE_URL: url, PORT: port }, '--at', MONDAY);
    await page.clock.fastForward(COMING_BACK);
    await say(page, 'nej');
    await shows(page, 'ett nytt PUK-kodbrev', COMING_BACK);
    expect(await welcomes(page)).toBe(1);
    await page.reload();
    await shows(page, 'ett nytt PUK-kodbrev');
    expect(await welcomes(page)).toBe(1);
    await visited.close();
  }, 90_000);

  it('goes on when its token has run out', async () => {
    const visited = await visit(browser, chat());
    const { page } = visited;
    await say(page, 'jag har slagit fel kod tre gånger');
    await shows(page, 'Har du kvar pukkoden');
    const expired = JSON.stringify({ error: { code: 'TokenExpired', message: 'The token has expired.' } });
    await page.route('**/v3/directline/**', (route) => route.fulfill({ status: 403, body: expired }), { times: 2 });
    await page.reload();
    await shows(page, 'Har du kvar pukkoden', COMING_BACK);
    await say(page, 'nej');
    await shows(page, 'ett nytt PUK-kodbrev');
    await visited.close();
  }, 90_000);
});

describe('over Azure’s Direct Line', () => {
  const SECRET = 'a-secret-of-azures-that-nobody-may-see';
  /** Ours speaks the same protocol, with a secret as Azure's. */
  let azure: Serving | undefined;
  let here: Serving;
  let [azurePort, herePort] = [0, 0];
  let azureDatabase: string;

  const startAzure = async (secret = SECRET) => {
    azure = await startServing(
      {
        DATABASE_URL: azureDatabase,
        PORT: String(azurePort),
        DIRECT_LINE_HUBS: hub('azure', secret, `http://127.0.0.1:${herePort}`),
      },
      '--at',
      MONDAY,
    );
  };
  const stopAzure = async () => {
    await azure?.stop();
    azure = undefined;
  };

  beforeAll(async () => {
    [azurePort, herePort, azureDatabase] = [await freePort(), await freePort(), await createDatabase()];
    here = await startServing({
      DATABASE_URL: await createDatabase(),
      PORT: String(herePort),
      AZURE_DIRECT_LINE_URL: `http://127.0.0.1:${azurePort}/v3/directline`,
      AZURE_DIRECT_LINE_SECRET: SECRET,
    });
  });
  afterEach(stopAzure);
  afterAll(() => here.stop());

  it('a student chats, and goes on after a reload, under the policy of the page', async () => {
    await startAzure();
    const visited = await visit(browser, `${here.origin}/web-chat`);
    const { page } = visited;
    await say(page, 'jag har slagit fel kod tre gånger');
    await shows(page, 'Har du kvar pukkoden');
    await page.reload();
    await shows(page, 'Har du kvar pukkoden');
    expect(await welcomes(page)).toBe(1);
    await say(page, 'nej');
    await shows(page, 'ett nytt PUK-kodbrev');
    const { policy, errors, elsewhere } = await visited.complaints();
    expect({ policy, errors }).toEqual({ policy: [], errors: [] });
    expect(new Set(elsewhere.map((address) => new URL(address).origin))).toEqual(new Set([azure?.origin]));
    expect(await page.content()).not.toContain(SECRET);
    await visited.close();
  });

  it('a student is told when it cannot be reached, and goes on by themselves when it can', async () => {
    const { page, close } = await visit(browser, `${here.origin}/web-chat`, { hasOwnClock: true });
    await away(page);
    expect(await barriersOn(page)).toEqual([]);
    await startAzure('another-secret-than-the-one-we-have-been-given');
    await away(page);
    expect(await page.getByRole('feed').count()).toBe(0);
    await stopAzure();
    await startAzure();
    await page.clock.fastForward(COMING_BACK);
    await say(page, 'jag har slagit fel kod tre gånger', COMING_BACK);
    await shows(page, 'Har du kvar pukkoden');
    await stopAzure();
    await startAzure();
    await page.clock.fastForward(COMING_BACK);
    await say(page, 'nej');
    await shows(page, 'ett nytt PUK-kodbrev', COMING_BACK);
    expect(await welcomes(page)).toBe(1);
    expect(here.log()).not.toContain(SECRET);
    await close();
  }, 120_000);

  const unreachable = (page: Page) => page.getByRole('status').getByText('Chatten går inte att nå just nu');
  /** Waits until it has been asked for in vain once more. */
  const away = async (page: Page) => {
    const inVain = page.waitForResponse((response) => response.status() === 503);
    await page.clock.fastForward(COMING_BACK);
    await inVain;
    await unreachable(page).waitFor();
  };
});

async function say(page: Page, text: string, timeout?: number): Promise<void> {
  await shows(page, 'Vad vill du ha hjälp med?', timeout);
  await page.getByRole('textbox').fill(text);
  await page.keyboard.press('Enter');
}

/** Waits for it. What is said is also announced, elsewhere in the page and unseen. */
async function shows(page: Page, text: string | RegExp, timeout = 15_000): Promise<void> {
  await page.getByRole('feed').or(page.getByRole('main')).getByText(text).last().waitFor({ timeout });
}

/** Web Chat draws a message anew while others come, and a press just then is lost; a person presses again. */
async function pressUntil(shown: Locator, button: Locator): Promise<void> {
  for (let isShown = false; !isShown;) {
    await button.click();
    isShown = await shown.waitFor({ timeout: 5_000 }).then(
      () => true,
      () => false,
    );
  }
}

/** A button with an answer on it. It is announced as well, as a button that nobody reaches. */
const suggestion = (page: Page, title: string) =>
  page.getByRole('toolbar').getByRole('button', { name: title, exact: true });

/** Follows the link to sign in, in its new tab, and types back the code that is shown there. Gives where that was. */
async function signIn(page: Page, holder: string): Promise<string> {
  const opening = page.context().waitForEvent('page');
  await page.locator('button.ac-pushButton', { hasText: 'Logga in' }).last().click();
  const tab = await opening;
  await tab.getByText('Det här är ingen riktig inloggning').waitFor();
  await tab.getByRole('button', { name: holder, exact: true }).last().click();
  const code = await tab.getByText(/^[B-Z]{4}-[B-Z]{4}$/).innerText();
  const address = tab.url();
  await tab.close();
  await page.getByRole('textbox').fill(code);
  await page.keyboard.press('Enter');
  return address;
}

async function welcomes(page: Page): Promise<number> {
  return page.locator('.webchat__bubble__content', { hasText: 'Jag är Kortlotsen, en robot' }).count();
}
