/**
 * What it costs a student to open our page and to be answered there, next to
 * the page with the stock Web Chat: in a real Chromium with nothing in its
 * cache, as it is and as on a slow phone in a hospital's basement. Never a
 * test, for a figure depends on the machine; but it fails if somebody was not
 * answered. Run from the project's folder.
 */
import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { openBrowser } from '../browser/browser.ts';
import { startKortlotsen } from './bots.ts';
import { startDatabase } from './database.ts';
import { figure, percentile, table } from './statistics.ts';

/** Can be said on the command line. */
const RUNS = Number(process.argv[2] ?? 5);
const QUESTION = 'jag har slagit fel kod tre gånger';
const ANSWER = 'Har du kvar pukkoden';
/** Of our page on the slow phone: seconds to the first message of the bot, and kB altogether. */
const AIM = { seconds: 2, kilobytes: 120 };
/** In milliseconds: how long one visit may take, and how soon a box that took no message is written in again. */
const PATIENCE = 60_000;
const AGAIN = 250;
const LOOK = 20;

/** `said` finds what the bot has said, and `box` where one writes. */
type Chat = { name: string; path: string; said: string; box: string };
const chats: Chat[] = [
  { name: 'our page', path: '/', said: '[role=log] li[data-from="bot"]', box: 'textarea[name=text]' },
  { name: 'stock Web Chat', path: '/web-chat', said: '.webchat__bubble__content', box: '#chat textarea' },
];

/** As Chromium is told: bytes a second, and milliseconds. */
type Condition = { name: string; cpu: number; network?: { down: number; up: number; latency: number } };
const conditions: Condition[] = [
  { name: 'as it is', cpu: 1 },
  { name: 'slow', cpu: 4, network: { down: 1_600_000 / 8, up: 750_000 / 8, latency: 150 } },
];

/** `first` is from the address to the first message, `answer` from there to the answer, in milliseconds. */
type Measured = { bytes: number; requests: number; first: number; answer: number };
type Candidate = { chat: Chat; condition: Condition; visits: Measured[] };

const database = await startDatabase();
try {
  const product = await startKortlotsen(database.url);
  const browser = await openBrowser();
  try {
    await bench(browser, product.url);
  } finally {
    await browser.close();
    await product.stop();
  }
} finally {
  await database.stop();
}

async function bench(browser: Browser, origin: string): Promise<void> {
  const candidates = conditions.flatMap((condition) =>
    chats.map((chat): Candidate => ({ chat, condition, visits: [] })),
  );
  const format = '{bar} {percentage} %  {value}/{total}  {what}';
  const bar = new SingleBar(
    { format, stream: process.stderr, noTTYOutput: true, notTTYSchedule: 30_000 },
    Presets.shades_classic,
  );
  bar.start(RUNS * candidates.length, 0, { what: 'warming up' });
  // What is compressed at the first request, and compiled, is so for all of them.
  for (const chat of chats) await visit(browser, origin, chat, { name: 'warm', cpu: 1 });
  // They take turns, so that what disturbs the machine disturbs them alike.
  for (let run = 0; run < RUNS; run++) {
    for (const { chat, condition, visits } of candidates) {
      bar.update({ what: `${chat.name}, ${condition.name}` });
      visits.push(await visit(browser, origin, chat, condition));
      bar.increment();
    }
  }
  bar.stop();
  process.stdout.write(`\n${reportOf(browser.version(), candidates)}\n`);
}

/** Opens the page, writes as soon as there is a first message, and is answered. */
async function visit(browser: Browser, origin: string, chat: Chat, condition: Condition): Promise<Measured> {
  const context = await browser.newContext({ locale: 'sv-SE', viewport: { width: 390, height: 800 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const session = await context.newCDPSession(page);
    const spent = await spentBy(session);
    await slowDown(session, condition);
    await page.addInitScript(watch, { said: chat.said, answer: ANSWER });
    await page.goto(`${origin}${chat.path}`, { waitUntil: 'commit' });
    const first = await seen(page, 'first');
    await send(page, chat.box);
    const answered = await seen(page, 'answered');
    return { ...spent, first, answer: answered - first };
  } finally {
    await context.close();
  }
}

/** Counts what comes over the network, compressed as it comes, until the visit ends. */
async function spentBy(session: CDPSession): Promise<Pick<Measured, 'bytes' | 'requests'>> {
  const spent = { bytes: 0, requests: 0 };
  session.on('Network.requestWillBeSent', ({ request }) => {
    if (request.url.startsWith('http')) spent.requests++;
  });
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (spent.bytes += encodedDataLength));
  session.on('Network.webSocketCreated', () => spent.requests++);
  session.on('Network.webSocketFrameReceived', ({ response }) => {
    spent.bytes += Buffer.byteLength(response.payloadData);
  });
  await session.send('Network.enable');
  return spent;
}

async function slowDown(session: CDPSession, { cpu, network }: Condition): Promise<void> {
  await session.send('Emulation.setCPUThrottlingRate', { rate: cpu });
  if (!network) return;
  const { down, up, latency } = network;
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    downloadThroughput: down,
    uploadThroughput: up,
    latency,
  });
}

type Seen = { first?: number; answered?: number };

/** Runs in the page: notes when the bot has first said something that can be seen, and when it has answered. */
function watch({ said, answer }: { said: string; answer: string }): void {
  const noted: Seen = {};
  Object.assign(globalThis, { noted });
  const look = () => {
    const visible = [...document.querySelectorAll(said)].filter((each) => each.checkVisibility());
    if (visible.length > 0) noted.first ??= performance.now();
    if (visible.some((each) => each.textContent.includes(answer))) noted.answered ??= performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** When it was, in milliseconds after the page was asked for. Waits for it. */
async function seen(page: Page, what: keyof Seen): Promise<number> {
  for (const end = performance.now() + PATIENCE; performance.now() < end;) {
    const at = await page.evaluate<number | null>(`globalThis.noted?.${what} ?? null`);
    if (at !== null) return at;
    await wait(LOOK);
  }
  throw new Error(`Nothing was ${what === 'first' ? 'said' : 'answered'} at ${page.url()}`);
}

/** Again, while the script that is to take it is not there yet: whoever is that quick has to wait for it. */
async function send(page: Page, box: string): Promise<void> {
  const textarea = page.locator(box);
  for (const end = performance.now() + PATIENCE; performance.now() < end;) {
    await textarea.fill(QUESTION);
    await textarea.press('Enter');
    for (const until = performance.now() + AGAIN; performance.now() < until;) {
      if ((await textarea.inputValue()) === '') return;
      await wait(LOOK);
    }
  }
  throw new Error(`The message was not taken at ${page.url()}`);
}

function reportOf(version: string, candidates: readonly Candidate[]): string {
  const [cpu] = cpus();
  const median = ({ visits }: Candidate, of: (visit: Measured) => number) => percentile(visits.map(of), 0.5);
  const row = (name: string, of: (visit: Measured) => number, digits: number) => [
    name,
    ...candidates.map((candidate) => figure(median(candidate, of), digits)),
  ];
  const [ours] = candidates.filter(({ chat, condition }) => chat === chats[0] && condition.network);
  const seconds = ours && median(ours, ({ first }) => first / 1_000);
  const kilobytes = ours && median(ours, ({ bytes }) => bytes / 1_000);
  const isWithin = (seconds ?? Infinity) <= AIM.seconds && (kilobytes ?? Infinity) <= AIM.kilobytes;
  return [
    `Node ${process.version}, Chromium ${version}, ${cpus().length} × ${cpu?.model ?? 'CPU'}`,
    table([
      ['', ...candidates.map(({ chat }) => chat.name)],
      [`median of ${RUNS} visits`, ...candidates.map(({ condition }) => condition.name)],
      row('transferred, kB', ({ bytes }) => bytes / 1_000, 1),
      row('requests', ({ requests }) => requests, 0),
      row('first message of the bot, ms', ({ first }) => first, 0),
      row('from there to an answer, ms', ({ answer }) => answer, 0),
    ]),
    'slow: CPU at a quarter, 1.6 Mbit/s down, 750 kbit/s up, 150 ms latency; nothing in the cache, and everything counted until the answer',
    `our page when slow: ${figure(seconds, 2)} s of ${AIM.seconds}, ${figure(kilobytes, 1)} kB of ${AIM.kilobytes}: ` +
      (isWithin ? 'within what we aim at' : 'NOT within what we aim at'),
  ].join('\n\n');
}
