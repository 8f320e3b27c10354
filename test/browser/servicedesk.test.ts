/** The servicedesk as agents have it, beside a student on the chat page, with the built product behind them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page, Route } from 'playwright-core';
import { caseLink } from '../../src/servicedesk/page.tsx';
import { createDatabase } from '../database/database.ts';
import { content } from '../product.ts';
import { type Serving, startServing } from '../serving.ts';
import { queueOf, sessionOf, studentWhoWaits } from '../src/servicedesk/agents.ts';
import { barriersOn, isTooWide, openBrowser, tabTo, visit, type Visit, type Visiting } from './browser.ts';

const MONDAY = '2026-11-23T08:00';
const WIDE = { viewport: { width: 1280, height: 720 } };
const PHONE = { viewport: { width: 390, height: 844 } };
const label = (name: string) => content.label(`servicedesk/${name}`);

let browser: Browser;
let serving: Serving;
let anna: Visit;
let bashir: Visit;

beforeAll(async () => {
  const url = await createDatabase();
  [browser, serving] = await Promise.all([openBrowser(), startServing({ DATABASE_URL: url }, '--at', MONDAY)]);
  [anna, bashir] = await Promise.all([agent('agent-anna'), agent('agent-bashir')]);
});
afterAll(async () => {
  await browser.close();
  await serving.stop();
});

async function agent(name: string, options: Visiting = WIDE): Promise<Visit> {
  const visited = await visit(browser, `${serving.origin}/servicedesk`, options);
  await visited.page.getByRole('button', { name, exact: true }).last().click();
  await visited.page.getByRole('heading', { name: label('queue') }).waitFor();
  return visited;
}

/** A student on the chat page, who has written this. */
async function student(...texts: string[]): Promise<Visit> {
  const visited = await visit(browser, serving.origin);
  for (const text of texts) await say(visited.page, text);
  return visited;
}
async function say(page: Page, text: string): Promise<void> {
  const answers = await page.locator('.message[data-from="bot"]').count();
  await page.locator('#text').fill(text);
  await page.keyboard.press('Enter');
  await page.locator('.message[data-from="bot"]').nth(answers).waitFor();
}
const inQueue = (page: Page, path: string) => page.locator('.cases button', { hasText: label(`path.${path}`) });
const button = (page: Page, name: string) => page.getByRole('button', { name: label(name), exact: true });
const box = (page: Page) => page.getByRole('textbox', { name: label('write') });
/** That somebody else was first is answered with an error, which the browser tells of as one. */
async function mistakesOn({ complaints }: Visit): Promise<string[]> {
  const { policy, errors } = await complaints();
  return [...policy, ...errors.filter((error) => !error.startsWith('Failed to load resource'))];
}
const focused = (page: Page) => page.locator(':focus');

describe('a student and two agents at once', () => {
  it('both claim, one wins; they chat, also over a reload; and the bot goes on where the agent says', async () => {
    const chatting = await student('är kortet klart att hämta?', 'jag vill prata med en människa');
    await Promise.all([anna, bashir].map(({ page }) => inQueue(page, 'photo-and-pickup').click()));
    await claimAtOnce([anna.page, bashir.page]);

    const taken = /hann före och har ärendet|har det/;
    await Promise.all(
      [anna, bashir].map(({ page }) =>
        box(page)
          .or(page.locator('.foot', { hasText: taken }))
          .waitFor(),
      ),
    );
    const [winner, loser] = (await box(anna.page).isVisible()) ? [anna, bashir] : [bashir, anna];
    const name = winner === anna ? 'Anna' : 'Bashir';
    await loser.page
      .getByText(new RegExp(`${name} (hann före|har det)`))
      .first()
      .waitFor();
    expect(await box(loser.page).isVisible()).toBe(false);
    await chatting.page.getByText(content.label('desk/claimed', { agent: name })).waitFor();

    const { page } = winner;
    expect(await focused(page).getAttribute('id')).toBe('write');
    await page.keyboard.type('Hej, jag tittar.');
    await page.keyboard.press('Enter');
    await chatting.page.getByText('Hej, jag tittar.').waitFor();
    await chatting.page.locator('#text').fill('tack, <b>jag väntar</b>');
    await chatting.page.keyboard.press('Enter');
    await page.locator('.said', { hasText: '<b>jag väntar</b>' }).waitFor();

    await box(page).fill('Ditt kort är');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('klart');
    await page.reload();
    await page.locator('.said', { hasText: '<b>jag väntar</b>' }).waitFor();
    expect(await box(page).inputValue()).toBe('Ditt kort är\nklart');
    expect(await page.locator('.said', { hasText: 'Hej, jag tittar.' }).count()).toBe(1);

    await button(page, 'handBack').click();
    await page.getByLabel(label('onto')).selectOption({ label: 'Är mitt kort klart att hämta?' });
    await page.getByLabel(label('fact.photographed')).selectOption({ label: label('yes') });
    await page.getByLabel(label('fact.photoSite')).selectOption({ label: label('value.photoSite.sodersjukhuset') });
    await page.getByLabel(label('fact.cardReady')).selectOption({ label: label('yes') });
    await page.getByLabel(label('fact.codesArrived')).selectOption({ label: label('yes') });
    await button(page, 'handBackNow').click();
    await chatting.page.getByText('Då kan du hämta kortet på kortkontoret på Södersjukhuset').waitFor();
    await inQueue(page, 'photo-and-pickup').waitFor({ state: 'detached' });
    expect(
      await page.evaluate<number>("Object.keys(localStorage).filter((key) => key.includes('servicedesk')).length"),
    ).toBe(0);
    expect([await mistakesOn(anna), await mistakesOn(bashir)]).toEqual([[], []]);
    await chatting.close();
  });

  it('one who loses the case is told so, and keeps what was written', async () => {
    await studentWhoWaits(serving.origin, 'jag har slagit fel kod tre gånger');
    const { page } = anna;
    await inQueue(page, 'pin-trouble').click();
    await button(page, 'claim').click();
    await box(page).fill('Har du pukkoden');
    // In another tab of theirs it is put back, and another takes it.
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await button(tab, 'release').click();
    await tab.close();
    await inQueue(bashir.page, 'pin-trouble').click();
    await button(bashir.page, 'claim').click();
    await page.getByText('Bashir har det. Det du har skrivit finns kvar').waitFor();
    expect(await box(page).inputValue()).toBe('Har du pukkoden');
    expect(await button(page, 'send').isDisabled()).toBe(true);
    await button(bashir.page, 'close').click();
    await bashir.page.getByLabel(label('outcome.resolved')).check();
    await button(bashir.page, 'closeNow').click();
    await page.getByText(label('gone')).waitFor();
    await page.goto(`${serving.origin}/servicedesk`);
  });
});

describe('an agent', () => {
  it('sees and revokes a card of somebody they are sure of, and the number they typed is nowhere', async () => {
    // The invented holders come with the first who signs in as one.
    const chatting = await student('är mitt kort aktivt?');
    const opening = chatting.page.context().waitForEvent('page');
    await chatting.page.getByRole('link', { name: 'Logga in' }).last().click();
    await (await opening).getByRole('button', { name: 'active', exact: true }).last().click();
    await chatting.close();

    const { page } = anna;
    const number = page.getByLabel(label('identifier'));
    await number.fill('active 2026-11-23');
    const howShown = "getComputedStyle(document.activeElement).getPropertyValue('-webkit-text-security')";
    expect(await page.evaluate(howShown)).toBe('disc');
    await page.getByLabel(label('way.idDocument')).check();
    await button(page, 'showCards').click();
    await page.getByRole('heading', { name: 'Ordinarie kort som slutar på 4711' }).waitFor();
    expect(await page.content()).not.toContain('active 2026-11-23');
    await page
      .locator('aside')
      .getByRole('button', { name: label('revoke') })
      .click();
    await page.getByText('Spärra det ordinarie kortet som slutar på 4711? Det går inte att ångra.').waitFor();
    await page.getByLabel(label('revocation.LOST')).check();
    await button(page, 'revokeNow').click();
    await page.getByText(/Kvitto S(-[0-9A-F]{4}){3}, 23 november 2026/).waitFor();
    await button(page, 'forgetHolder').click();
    expect(await number.inputValue()).toBe('');
    const kept = await page.evaluate<string>('JSON.stringify([localStorage, sessionStorage, location.href])');
    expect(kept + serving.log()).not.toContain('active 2026');
  });

  it('does everything from the keyboard', async () => {
    const { chat, client } = await studentWhoWaits(serving.origin, 'mitt kort fungerar inte');
    await studentWhoWaits(serving.origin, 'jag har tappat kortet');
    const visited = await agent('agent-bashir');
    const { page } = visited;
    await inQueue(page, 'lost-card').waitFor();
    await page.keyboard.press('F2');
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    while (!(await focused(page).innerText()).includes(label('path.malfunction')))
      await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('#case-title:focus').waitFor();
    await tabTo(page, label('claim'));
    await page.keyboard.press('Enter');
    await page.locator('#write:focus').waitFor();
    await page.keyboard.press('F8');
    await page.keyboard.type('samma kortkontor R34');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('#write:focus').waitFor();
    await page.getByText('Bygger på R34').waitFor();
    await page.keyboard.press('End');
    await page.keyboard.type(' Hälsningar Bashir');
    await page.keyboard.press('Enter');
    await client.until(chat, 'Hälsningar Bashir');
    await page.keyboard.press('F9');
    await page.locator('dialog :focus').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.locator('#write:focus').waitFor();
    await page.keyboard.press('F9');
    await tabTo(page, label('handBackNow'));
    await page.keyboard.press('Enter');
    await client.until(chat, content.label('conversation/handedBack'));
    await page.getByText(label('handedBack')).waitFor({ state: 'attached' });
    expect(await mistakesOn(visited)).toEqual([]);
    await visited.close();
  });

  it.each([
    ['wide and light', { ...WIDE, colorScheme: 'light' }],
    ['wide and dark', { ...WIDE, colorScheme: 'dark' }],
    ['on a phone, light', { ...PHONE, colorScheme: 'light' }],
    ['on a phone, dark', { ...PHONE, colorScheme: 'dark' }],
  ] as const)('meets no barrier that a machine finds, %s', async (_how, options) => {
    const { page, close } = await agent('agent-anna', options);
    const look = async (): Promise<void> => {
      expect(await barriersOn(page)).toEqual([]);
      expect(await isTooWide(page)).toBe(false);
    };
    await inQueue(page, 'lost-card').waitFor();
    await look();
    await inQueue(page, 'lost-card').click();
    await page.locator('.said').first().waitFor();
    await box(page).or(button(page, 'claim')).first().waitFor();
    if (await button(page, 'claim').isVisible()) await button(page, 'claim').click();
    await box(page).fill('Hej');
    await look();
    await page.keyboard.press('F8');
    await look();
    await page.keyboard.press('Escape');
    if (options.viewport === PHONE.viewport) {
      // One column at a time, and the browser's own way back leads to the queue.
      await button(page, 'brief').click();
      expect(await box(page).isVisible()).toBe(false);
      await page.getByText(label('tried')).waitFor();
      await look();
      await button(page, 'back').click();
      await inQueue(page, 'lost-card').waitFor();
      expect(await box(page).isVisible()).toBe(false);
    } else {
      await button(page, 'cards').click();
      await look();
    }
    await close();
  });

  it('comes from the card in Teams to the case that it is about, over the sign-in', async () => {
    const session = await sessionOf(serving.origin, 'agent-anna');
    const before = (await queueOf(serving.origin, session)).map(({ id }) => id);
    await studentWhoWaits(serving.origin, 'var ligger södersjukhusets kortkontor');
    let id: string | undefined;
    while (id === undefined)
      id = (await queueOf(serving.origin, session)).find((each) => !before.includes(each.id))?.id;
    const { page: other, close } = await visit(browser, caseLink(serving.origin, id), WIDE);
    await other.getByRole('button', { name: 'agent-bashir', exact: true }).last().click();
    await other.locator('#case-title:focus').waitFor();
    await button(other, 'claim').waitFor();
    expect(new URL(other.url()).hash.slice(1)).toBe(id);
    await tabTo(other, label('claim'));
    await other.keyboard.press('Enter');
    await other.locator('#write:focus').waitFor();
    // The queue is as it was a tenth of a second ago at most.
    const agentNow = async () => (await queueOf(serving.origin, session)).find((each) => each.id === id)?.agent?.name;
    let agent = await agentNow();
    while (agent === undefined) agent = await agentNow();
    expect(agent).toBe('Bashir');
    await close();
  });
});

/** Both have pressed before either is heard, or the button would be gone for the second. */
async function claimAtOnce(pages: readonly Page[]): Promise<void> {
  let pressed = 0;
  let go: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (go = resolve));
  const holding = async (route: Route): Promise<void> => {
    pressed += 1;
    if (pressed === pages.length) go();
    await all;
    await route.continue();
  };
  await Promise.all(pages.map((page) => page.route('**/claim', holding, { times: 1 })));
  await Promise.all(pages.map((page) => button(page, 'claim').click()));
}
