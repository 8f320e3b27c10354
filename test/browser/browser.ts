/** A real Chromium, from npm, on machines that have none and none of its libraries. */
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContextOptions, chromium as playwright, type Page } from 'playwright-core';

export async function openBrowser(): Promise<Browser> {
  // Read when the package is loaded: it then unpacks the libraries it needs as well.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs22.x';
  const { default: chromium } = await import('@sparticuz/chromium');
  // Its own arguments switch web security off, and closing a page would close the browser.
  return playwright.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox'] });
}

/** What a page must not do: break its policy, ask anybody else for anything, or fail. */
export type Complaints = { policy: string[]; elsewhere: string[]; errors: string[] };

export type Visit = { page: Page; complaints: () => Promise<Complaints>; close: () => Promise<void> };

/** How the browser is set up, and whose: with scripts or without, wide or narrow, light or dark. */
export type Visiting = BrowserContextOptions & { hasOwnClock?: boolean };

/** `hasOwnClock` where a wait of the page is to be cut short: its clock goes on as any, until it is put forward. */
export async function visit(
  browser: Browser,
  origin: string,
  { hasOwnClock = false, ...options }: Visiting = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1024, height: 800 },
    locale: 'sv-SE',
    timezoneId: 'Europe/Stockholm',
    ...options,
  });
  if (hasOwnClock) await context.clock.install();
  const page = await context.newPage();
  const [elsewhere, errors]: string[][] = [[], []];
  // Of this page alone: a tab that is opened to sign in is somebody else's.
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['blob:', 'data:'].includes(url.protocol) && url.host !== new URL(origin).host) elsewhere?.push(request.url());
  });
  page.on('pageerror', (error) => errors?.push(error.message));
  page.on('console', (message) => {
    // That a page was answered with an error is what it was asked for.
    if (message.type() === 'error' && message.location().url !== page.url()) errors?.push(message.text());
  });
  await page.addInitScript(() => {
    const broken: string[] = [];
    Object.assign(globalThis, { broken });
    globalThis.addEventListener('securitypolicyviolation', (event: Event) => {
      const { effectiveDirective, blockedURI } = event as Event & { effectiveDirective: string; blockedURI: string };
      broken.push(`${effectiveDirective} ${blockedURI}`);
    });
  });
  await page.goto(origin);
  return {
    page,
    complaints: async () => ({
      policy: await page.evaluate<string[]>('globalThis.broken ?? []'),
      elsewhere: elsewhere ?? [],
      errors: errors ?? [],
    }),
    close: () => context.close(),
  };
}

/** What a machine finds in anybody's way, by WCAG 2.1 A and AA. */
export async function barriersOn(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
    // Where there are frames it is asked in each of them, and put together in a tab of its own, which takes long.
    .setLegacyMode(page.frames().length === 1)
    .analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Whether one has to scroll to the side. */
export const isTooWide = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

/** Presses a key until what has the focus is called that, or is that kind of element. */
export async function tabTo(page: Page, wanted: string, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press(key);
    const focused = page.locator(':focus');
    const [tag, text] = await focused.evaluateAll(([element]) => [element?.tagName, element?.textContent.trim()]);
    if (tag === wanted || text === wanted) return;
  }
  throw new Error(`${wanted} cannot be reached by keyboard`);
}
