/** That nobody can tell a protected holder from one that there is not, by what is answered or by how long it takes. */
import { request as send } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Running, startLedger, tokenOf } from './world.ts';

let ledger: Running;
let token: string;
let protectedReceipt = '';
beforeAll(async () => {
  ledger = await startLedger();
  token = await tokenOf();
  // One who became protected after a card was revoked, so that there is a receipt to be kept quiet about.
  const [holder, card] = [ledger.holder('two-cards'), await ledger.card('two-cards')];
  const order = { holder, card, reason: 'LOST', channel: 'chat', client: 'all', key: 'before' } as const;
  const revoked = await ledger.registry.revoke(order);
  if (revoked.outcome === 'revoked') protectedReceipt = revoked.receipt.number;
  await ledger.registry.record([{ type: 'holder.protected', holder }], 'all');
});
afterAll(async () => {
  await ledger.stop();
});

const NOBODY = `h_${'A'.repeat(43)}`;
const NO_CARD = 'c_nobody-has-this-one';
const NO_RECEIPT = 'S-0000-0000-0000';
/** Of which holder one asks, for which card, and for which receipt. */
const cases = async () => {
  const [revoked] = await ledger.registry.cardsOf(ledger.holder('revoked'));
  const { id: card = '', receipt: { number = '' } = {} } = revoked ?? {};
  return {
    'unknown, all of it': [NOBODY, NO_CARD, NO_RECEIPT],
    'an unknown card': [ledger.holder('active'), NO_CARD, NO_RECEIPT],
    'somebody else’s card': [ledger.holder('active'), card, number],
    'an unknown holder, somebody else’s card': [NOBODY, card, number],
    'a protected holder’s card': [ledger.holder('two-cards'), await ledger.card('two-cards'), protectedReceipt],
    'a protected holder, an unknown card': [ledger.holder('two-cards'), NO_CARD, NO_RECEIPT],
  } as const;
};

/** All that comes back, as it comes, but for the date. */
const bytesOf = (method: string, path: string, body = ''): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': path, 'content-type': 'application/json' };
    const sent = send(`${ledger.origin}/ledger/v1${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const said = response.rawHeaders.map((text, at) => (response.rawHeaders[at - 1] === 'Date' ? '' : text));
        resolve([response.statusCode, response.statusMessage, ...said, Buffer.concat(chunks).toString()].join('\n'));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });

it.each([
  ['read', 'GET', (holder: string, card: string, _receipt: string) => `/holders/${holder}/cards/${card}`, ''],
  [
    'revoked',
    'POST',
    (holder: string, card: string, _receipt: string) => `/holders/${holder}/cards/${card}/revocation`,
    '{"reason":"LOST","channel":"chat"}',
  ],
  [
    'asked for a receipt',
    'GET',
    (holder: string, _card: string, receipt: string) => `/holders/${holder}/receipts/${receipt}`,
    '',
  ],
] as const)(
  'every card that is not theirs is answered with the same bytes when it is %s',
  async (_what, method, path, body) => {
    expect(protectedReceipt).toMatch(/^S-/);
    const answers = new Set<string>();
    for (const [holder, card, receipt] of Object.values(await cases()))
      answers.add(await bytesOf(method, path(holder, card, receipt), body));
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toMatch(/^404\n/);
  },
);

it('a list of cards is the same bytes for a protected holder as for an unknown one', async () => {
  const [protectedOne, unknown] = await Promise.all(
    [ledger.holder('protected'), NOBODY].map((holder) => bytesOf('GET', `/holders/${holder}/cards`)),
  );
  expect(protectedOne).toBe(unknown);
});

/** How often a random one of these is larger than a random one of those. */
function chanceOfLarger(these: readonly number[], those: readonly number[]): number {
  const wins = these.map((one) => those.reduce((sum, other) => sum + (one > other ? 1 : one === other ? 0.5 : 0), 0));
  return wins.reduce((sum, won) => sum + won, 0) / (these.length * those.length);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/**
 * With 400 of each, chance alone strays from .5 by .02, so .1 is five times that. Whoever could tell them apart with
 * .6 would need many requests for one holder, and is stopped by the limits; over a network it is less still.
 */
it('a protected holder is answered no slower or faster than an unknown one', async () => {
  const targets = [
    { name: 'unknown', path: `/holders/${NOBODY}/cards/${NO_CARD}` },
    { name: 'protected', path: `/holders/${ledger.holder('protected')}/cards/${await ledger.card('protected')}` },
  ];
  const round = async (size: number): Promise<number> => {
    const times: Record<string, number[]> = { unknown: [], protected: [] };
    for (let nth = 0; nth < size; nth += 1) {
      // In turns, and each as often the first.
      for (const { name, path } of nth % 2 === 0 ? targets : targets.toReversed()) {
        const start = process.hrtime.bigint();
        await bytesOf('GET', path);
        times[name]?.push(Number(process.hrtime.bigint() - start));
      }
    }
    return chanceOfLarger(times.protected ?? [], times.unknown ?? []);
  };
  await round(100);
  const chances: number[] = [];
  for (let nth = 0; nth < 5; nth += 1) chances.push(await round(400));
  expect(median(chances)).toBeGreaterThan(0.4);
  expect(median(chances)).toBeLessThan(0.6);
});
