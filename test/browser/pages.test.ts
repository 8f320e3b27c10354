/** The pages around the chat, as a student or a data protection officer sees them. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { admin, createDatabase } from '../database/database.ts';
import { content } from '../product.ts';
import { type Serving, startServing } from '../serving.ts';
import { contactFile } from '../../src/web/contact-page.ts';
import { clientOf } from '../src/channels/direct-line/client.ts';
import { barriersOn, isTooWide, openBrowser, tabTo, type Visit, visit, type Visiting } from './browser.ts';

const PHONE = { viewport: { width: 320, height: 640 } };

let browser: Browser;
let serving: Serving;
let url: string;

beforeAll(async () => {
  url = await createDatabase();
  [browser, serving] = await Promise.all([openBrowser(), startServing({ DATABASE_URL: url })]);
});
afterAll(async () => {
  await browser.close();
  await serving.stop();
});

/** A link to sign in by, as the chat gives it. */
async function signInLink(): Promise<string> {
  const client = clientOf(serving.origin);
  const chat = await client.begin();
  await client.send(chat, { type: 'message', text: 'är mitt kort aktivt?' });
  const activities = await client.until(chat, 'Logga in med knappen');
  return activities.flatMap(({ attachments = [] }) => attachments)[0]?.content.buttons[0]?.value ?? '';
}

describe('the pages around the chat', () => {
  it('lead through signing in by keyboard, without a barrier, also on a narrow phone', async () => {
    const { page, complaints, close } = await visit(browser, await signInLink(), PHONE);
    expect(await barriersOn(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText(/^[B-Z]{4}-[B-Z]{4}$/).waitFor();
    expect(await barriersOn(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
    // Whoever comes after at the same computer is not shown it again.
    await page.reload();
    await page.getByText(/gäller inte längre/).waitFor();
    const { policy, errors } = await complaints();
    expect({ policy, errors }).toEqual({ policy: [], errors: [] });
    await close();
  });

  it.each([
    ['what is kept, and for how long', '/records'],
    ['what has been done for accessibility, and what has been tested', '/accessibility'],
    ['that a link has had its time', '/sign-in?challenge=old'],
    ['that the link to a receipt has had its time', '/receipt?r=old&s=old'],
    ['that a visit is at no such time', '/visits/photo-at-booth/2026-11-28/8:00'],
  ])('tell %s without a barrier', async (_what, path) => {
    const { page, complaints, close } = await visit(browser, `${serving.origin}${path}`, PHONE);
    expect(await barriersOn(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
    const { policy, elsewhere, errors } = await complaints();
    expect({ policy, elsewhere, errors }).toEqual({ policy: [], elsewhere: [], errors: [] });
    await close();
  });

  it('describe the ledger’s API, under the policy of our own pages', async () => {
    const { page, complaints, close } = await visit(browser, `${serving.origin}/ledger/v1/docs`);
    await page.getByText('/ledger/v1/holders/{holder}/cards', { exact: true }).first().waitFor();
    expect(await complaints()).toEqual({ policy: [], elsewhere: [], errors: [] });
    await close();
  });
});

describe('the servicedesk’s pages without scripts', () => {
  const DESK = { viewport: { width: 1280, height: 720 } };
  const UNKNOWN = 'vad blir det för väder imorgon';

  /** Signs in as somebody who is an agent and an editor, and comes back to the page. */
  const visitDesk = async (path: string, how: typeof PHONE) => {
    const visited = await visit(browser, `${serving.origin}${path}`, how);
    await visited.page.getByRole('button', { name: 'agent-and-editor-disa' }).click();
    await visited.page.waitForURL(`${serving.origin}/servicedesk/**`);
    return visited;
  };

  beforeAll(async () => {
    const client = clientOf(serving.origin);
    const chat = await client.begin();
    for (const text of ['vilken id-handling gäller', UNKNOWN, `${UNKNOWN} <b>nu</b> ${'x'.repeat(200)}`])
      await client.send(chat, { type: 'message', text });
    await client.until(chat, 'Det kan jag inte svara på');
  });

  it.each([PHONE, DESK])('are in nobody’s way: %j', async (how) => {
    const { page, complaints, close } = await visitDesk('/servicedesk/lessons', how);
    for (const path of ['lessons?state=all', 'lessons?state=decided', 'figures?days=90']) {
      await page.goto(`${serving.origin}/servicedesk/${path}`);
      for (const closed of await page.locator('summary').all()) await closed.click();
      expect(await barriersOn(page)).toEqual([]);
      expect(await isTooWide(page)).toBe(false);
    }
    const { policy, errors } = await complaints();
    expect({ policy, errors }).toEqual({ policy: [], errors: [] });
    await close();
  });

  it('take a decision by keyboard alone', async () => {
    const { page, close } = await visitDesk('/servicedesk/lessons', DESK);
    const lesson = page.getByRole('article', { name: UNKNOWN, exact: true });
    await lesson.getByLabel('Det betyder').focus();
    await page.keyboard.type('Det gäller');
    await tabTo(page, 'Spara');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('Sparat').waitFor();
    expect(await lesson.count()).toBe(0);
    await page.getByLabel('Beslut').selectOption('Med beslut');
    await page.getByRole('button', { name: 'Visa' }).press('Enter');
    await lesson.getByText(/^Det gäller något annat, av Disa, /).waitFor();
    await close();
  });
});

/** What is read on a page, and whether its style has been let through. */
const lookOf = async (page: Page): Promise<object> => ({
  text: await page.locator('main').innerText(),
  padding: await page.evaluate<string>("getComputedStyle(document.querySelector('main')).padding"),
});

/** One after the other: everything is taken away, and given back in the last. */
describe('with every neighbour down', () => {
  const label = (name: string) => content.label(`contact-page/${name}`);
  const name = () => new URL(url).pathname.slice(1);
  const write = async (page: Page, text: string) => {
    await page.getByRole('textbox').fill(text);
    await page.getByRole('button', { name: content.label('chat/send') }).click();
  };
  const says = (page: Page, text: string) => page.locator('[data-from="bot"]', { hasText: text }).waitFor();
  /** Until whoever comes is told so, which takes a second. */
  const untilTold = async (text: string): Promise<void> => {
    for (const end = performance.now() + 20_000; performance.now() < end;) {
      if ((await (await fetch(serving.origin)).text()).includes(text)) return;
      await wait(100);
    }
    throw new Error(`Whoever comes is not told ${text}`);
  };
  /** Somebody in the middle of a conversation. */
  const asked = async (how: Visiting): Promise<Visit> => {
    const visited = await visit(browser, serving.origin, how);
    await write(visited.page, 'jag har slagit fel kod tre gånger');
    await says(visited.page, 'Har du kvar pukkoden');
    return visited;
  };
  let [byForm, byScript, newcomer]: Visit[] = [];

  beforeAll(async () => {
    [byForm, byScript] = await Promise.all([asked({ javaScriptEnabled: false }), asked({})]);
    // Nobody is let in, and whoever was there is cut off.
    await admin(`alter database ${name()} allow_connections false`);
    await admin(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name()}'`);
    await untilTold(label('title'));
  });
  afterAll(async () => {
    await admin(`alter database ${name()} allow_connections true`);
    for (const each of [byForm, byScript, newcomer]) await each?.close();
  });

  it('whoever comes is told whom to contact, in a page without a script and without a barrier', async () => {
    const response = await fetch(serving.origin);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'self'");
    expect((await fetch(`${serving.origin}/health`)).status).toBe(503);
    newcomer = await visit(browser, serving.origin, { ...PHONE, colorScheme: 'dark' });
    const { page, complaints } = newcomer;
    await page.getByRole('heading', { name: label('title') }).waitFor();
    await page.getByText(label('urgent')).waitFor();
    expect(await page.locator('script').count()).toBe(0);
    expect(await barriersOn(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
    expect(await complaints()).toEqual({ policy: [], elsewhere: [], errors: [] });
  });

  it('a proxy can show the same page from a file, as it looks here', async () => {
    const { page, close } = await visit(browser, serving.origin, PHONE);
    const shown = await lookOf(page);
    await page.goto(`data:text/html;charset=utf-8,${encodeURIComponent(contactFile(content))}`);
    expect(await lookOf(page)).toEqual(shown);
    expect(shown).toMatchObject({ padding: '24px 16px' });
    await close();
  });

  it('whoever writes by a form is told that it may not have come through', async () => {
    if (!byForm) throw new Error('Nobody writes by a form');
    await write(byForm.page, 'nej');
    await byForm.page.getByRole('heading', { name: label('title') }).waitFor();
    expect(await byForm.page.getByRole('button', { name: label('send') }).count()).toBe(1);
  });

  it('whoever has the chat open is told whom to contact', async () => {
    if (!byScript) throw new Error('Nobody has the chat open');
    await write(byScript.page, 'nej');
    await byScript.page.getByRole('status').getByText(content.label('chat/offlineContact')).waitFor();
  });

  it('nothing more is needed of anybody than a reload, or to send it again, when it is back', async () => {
    if (!byForm || !byScript || !newcomer) throw new Error('Nobody is there');
    await admin(`alter database ${name()} allow_connections true`);
    await untilTold(content.label('conversation/listening'));
    await newcomer.page.reload();
    await says(newcomer.page, content.label('conversation/listening'));
    await byForm.page.getByRole('button', { name: label('send') }).click();
    for (const { page } of [byForm, byScript]) {
      await says(page, 'ett nytt PUK-kodbrev');
      expect(await page.locator('.message.own').count()).toBe(2);
    }
  });
});
