/** The instructions for whoever administers Teams, as they are opened from a disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { writeTeamsPackage } from '../../src/cli/teams-package.ts';
import { readPackageSettings } from '../../src/settings.ts';
import { content, root } from '../product.ts';
import { barriersOn, isTooWide, openBrowser, visit } from './browser.ts';

let browser: Browser;
let folder: string;
let address: string;

beforeAll(async () => {
  [browser, folder] = await Promise.all([openBrowser(), mkdtemp(join(tmpdir(), 'teams-'))]);
  const settings = readPackageSettings({
    MicrosoftAppId: '7c1f9a52-6f0e-4c3e-9f0a-5a1b2c3d4e5f',
    MicrosoftAppTenantId: '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d',
    KORTLOTSEN_PUBLIC_URL: 'https://kortlotsen.example.se',
    TEAMS_DEVELOPER_NAME: 'Regionen',
    TEAMS_DEVELOPER_URL: 'https://region.example.se',
    TEAMS_TERMS_URL: 'https://region.example.se/villkor',
  });
  const icons = join(root, 'src/cli/teams-package-icons');
  const [, page = ''] = await writeTeamsPackage(folder, { settings, content, version: '1.2.3', icons });
  address = pathToFileURL(page).href;
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

describe('the instructions for Teams', () => {
  it.each(['light', 'dark'] as const)(
    'are read without a barrier on a narrow phone in the %s, and ask nobody for anything',
    async (colorScheme) => {
      const { page, complaints, close } = await visit(browser, address, {
        viewport: { width: 320, height: 640 },
        colorScheme,
      });
      expect(await page.title()).toBe('Kortlotsen i Teams');
      expect(await barriersOn(page)).toEqual([]);
      expect(await isTooWide(page)).toBe(false);
      expect(await complaints()).toEqual({ policy: [], elsewhere: [], errors: [] });
      await close();
    },
  );
});
