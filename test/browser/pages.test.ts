/** The pages around the chat, as a student or a data protection officer sees them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { createDatabase } from '../database/database.ts';
import { type Serving, startServing } from '../serving.ts';
import { clientOf } from '../src/channels/direct-line/client.ts';
import { barriersOn, isTooWide, openBrowser, visit } from './browser.ts';

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
