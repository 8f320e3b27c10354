/** The records page: true to the database, whole, and for everybody to read. */
import type { AddressInfo } from 'node:net';
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { mountRecords, privacyLabels, readSchema, recordsPage } from '../../../src/privacy/records.ts';
import { createRetention } from '../../../src/privacy/retention.ts';
import { createServer } from '../../../src/server.ts';
import { createCache } from '../../../src/storage/cache.ts';
import type { Database } from '../../../src/storage/database.ts';
import { openBrowser, visit } from '../../browser/browser.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { content } from '../../product.ts';

const NOW = new Date('2026-11-23T08:00:00Z');
const DECISION = 'RS <2026> & 17/Informationshanteringsplan/gallringsutredning/handlingar';

const throwing = (mistake: unknown): never => {
  throw mistake;
};

let database: Database;
let server: Awaited<ReturnType<typeof createServer>>;
let origin: string;

beforeAll(async () => {
  database = await openTestDatabase(await createDatabase());
  // Its table is made when it is first used.
  await createCache(database, 'records', throwing).get('nothing');
  const retention = createRetention({ database, days: 90, now: () => NOW });
  await retention.run();
  server = await createServer({
    content,
    mounts: [
      (each) => {
        mountRecords(each, { content, database, retention, days: 90, decision: DECISION });
      },
    ],
    isHealthy: () => Promise.resolve({}),
    onMistake: throwing,
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise<void>((resolve) => {
    server.close(resolve);
  });
  await database.close();
});

const records = async (changes: Partial<Parameters<typeof recordsPage>[1]> = {}) => ({
  schema: await readSchema(database),
  days: 90,
  decision: DECISION,
  lastSuccess: NOW,
  isOverdue: false,
  ...changes,
});
const text = (name: string) => content.label(`privacy/${name}`, { count: '90', days: '90 dagar', decision: DECISION });

describe('the texts', () => {
  it('are of every table and column there is, and of no other', async () => {
    const schema = await readSchema(database);
    const technical = ['migrations', 'ledger_migrations'];
    const expected = [...schema].flatMap(([table, columns]) => [
      `privacy/${table}-purpose`,
      ...(technical.includes(table)
        ? []
        : [`privacy/${table}-kept`, ...columns.map(({ name }) => `privacy/${table}.${name}`)]),
    ]);
    expect(privacyLabels.filter((label) => /[-.]/.test(label)).sort()).toEqual(expected.sort());
  });

  it('are written, all of them', () => {
    expect(privacyLabels.filter((label) => !content.lines.has(label))).toEqual([]);
    const written = [...content.lines.keys()].filter((name) => name.startsWith('privacy/'));
    expect(written.filter((name) => !privacyLabels.includes(name))).toEqual([]);
  });
});

describe('the page', () => {
  it('says of every column what it holds, and lacks no text', async () => {
    const { body } = recordsPage(content, await records());
    for (const [table, columns] of await readSchema(database)) {
      expect(body).toContain(`<code>${table}</code>`);
      if (!table.endsWith('migrations')) for (const { name } of columns) expect(body).toContain(`<code>${name}</code>`);
    }
    expect(body).not.toContain('class="warning"');
    expect(body).not.toContain('{{');
  });

  it('says so where a table or a column has no text', async () => {
    const schema = new Map([
      ...(await readSchema(database)),
      ['messages', [{ name: 'mood', type: 'text' }]] as const,
      ['diary', [{ name: 'id', type: 'text' }]] as const,
    ]);
    const { body } = recordsPage(content, await records({ schema }));
    for (const name of ['messages.mood', 'diary-purpose', 'diary-kept', 'diary.id']) {
      expect(body).toContain(`class="warning">${content.label('privacy/notWritten', { name })}`);
    }
  });

  it('says for how long, on whose decision, and when that was last seen to', async () => {
    const { body } = recordsPage(content, await records());
    expect(body).toContain('<dd>90 dagar');
    expect(body).toContain('<dd>RS &lt;2026&gt; &amp; 17');
    expect(body).toContain('enligt gallringsbeslutet: RS &lt;2026&gt; &amp; 17');
    expect(body).toContain('<dd>23 november 2026 kl. 09:00');
  });

  it('warns when nothing is removed, or has not been for too long', async () => {
    const { body } = recordsPage(content, await records({ days: undefined, decision: undefined, isOverdue: true }));
    expect(body).toContain(text('noDaysWarning'));
    expect(body).toContain(text('overdue'));
    expect(body).toContain(text('noDecision'));
    expect(recordsPage(content, await records({ lastSuccess: undefined })).body).toContain(text('neverYet'));
  });

  it('is in Swedish, without a script, and can load nothing', async () => {
    const response = await fetch(`${origin}/records`);
    const html = await response.text();
    expect(response.status).toBe(200);
    expect(html).toContain('<html lang="sv">');
    expect(html).not.toContain('<script');
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    expect(response.headers.get('content-security-policy')).not.toContain('script-src');
  });
});

describe('whoever reads the page', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it.each([320, 1024])('meets no barrier that a machine can find, on a screen %d wide', async (width) => {
    const visited = await visit(browser, `${origin}/records`, { viewport: { width, height: 800 } });
    const { violations } = await new AxeBuilder({ page: visited.page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
      .analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)).toEqual([]);
    const overflow = await visited.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    expect(overflow).toBe(0);
    expect(await visited.complaints()).toEqual({ policy: [], elsewhere: [], errors: [] });
    await visited.close();
  });

  it('finds each column by the headers of its row and table', async () => {
    const visited = await visit(browser, `${origin}/records`);
    const table = visited.page.getByRole('table', { name: 'Kolumnerna i messages' });
    expect(await table.getByRole('columnheader').allInnerTexts()).toEqual(['Kolumn', 'Vad som står där']);
    expect(await table.getByRole('rowheader', { name: /^said/ }).count()).toBe(1);
    await visited.close();
  });
});
