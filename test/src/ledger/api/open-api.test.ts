/** The document as others read it: by a validator, and by people in a browser. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { openApiDocument } from '../../../../src/ledger/api/open-api.ts';
import { openBrowser, visit } from '../../../browser/browser.ts';
import { document, type Running, startLedger } from './world.ts';

const docs = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

let ledger: Running;
let browser: Browser;
beforeAll(async () => {
  [ledger, browser] = await Promise.all([startLedger({ docs }), openBrowser()]);
});
afterAll(async () => {
  await Promise.all([ledger.stop(), browser.close()]);
});

it('is OpenAPI 3.1, and is given to anybody', async () => {
  const response = await fetch(`${ledger.origin}/ledger/v1/openapi.json`);
  const served = (await response.json()) as Record<string, unknown>;
  expect(served).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  const validator = new Validator();
  expect(await validator.validate(served)).toMatchObject({ valid: true });
  expect(validator.version).toBe('3.1');
});

it('has a description of every parameter', () => {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const parameters = operations.flatMap(({ parameters: each }) => each);
  expect(parameters.length).toBeGreaterThan(5);
  expect(parameters.filter(({ description }) => typeof description !== 'string')).toEqual([]);
});

it('can be read on a page that asks nobody else, breaks no policy and sends nothing', async () => {
  const { page, complaints, close } = await visit(browser, `${ledger.origin}/ledger/v1/docs`);
  await page.waitForSelector('.opblock');
  expect(await page.locator('.opblock').count()).toBe(Object.keys(document.paths).length);
  await page.locator('.opblock-summary-control', { hasText: 'Revoke a card' }).click();
  await page.waitForSelector('.opblock-body .responses-table');
  expect(await page.locator('.try-out').count()).toBe(0);
  expect(await complaints()).toEqual({ policy: [], elsewhere: [], errors: [] });
  await close();
});
