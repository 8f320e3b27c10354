/** The pages around the chat, as a student or a data protection officer sees them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { createDatabase } from '../database/database.ts';
import { type Serving, startServing } from '../serving.ts';
import { clientOf } from '../src/channels/direct-line/client.ts';
import { barriersOn, isTooWide, openBrowser, tabTo, visit } from './browser.ts';

const PHONE = { viewport: { width: 320, height: 640 } };

let browser: Browser;
let serving: Serving;

beforeAll(async () => {
  const url = await createDatabase();
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
