/**
 * How fast the ledger answers, revokes and verifies as it grows, on a
 * PostgreSQL of its own that forgets nothing. Never a test, for a figure
 * depends on the machine; but it fails if a card that is in use was not
 * revoked, or the chain is broken. Run from the project's folder.
 */
import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Happening, Registry } from '../../src/ledger/cards.ts';
import { type Head, type Link, seal, verifyChain } from '../../src/ledger/chain.ts';
import { createEventStore, type EventStore, pagesOf } from '../../src/ledger/event-store.ts';
import { createRegistry } from '../../src/ledger/registry.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { startDatabase } from './database.ts';
import { figure, percentile, table } from './statistics.ts';

const SIZES = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1_000, 100_000, 1_000_000];
const CALLERS = 8;
/** Seconds of status, and of revocations as long as there are cards. */
const SECONDS = 8;
const WARM = 1;
/** Events that are seeded in one statement. */
const AT_ONCE = 5_000;
const NOW = new Date('2026-11-23T07:00:00.000Z');

type Owned = { holder: string; card: string };
type Measured = { perSecond: number; p50: number; p99: number; count: number };

const server = await startDatabase();
const migrations = [{ folder: join(process.cwd(), 'src/ledger/migrations'), table: 'ledger_migrations' }];
const database = await openDatabase(server.url, migrations, (mistake) => {
  throw mistake;
});
const store = createEventStore(database);
const registry = createRegistry({ events: store, now: () => NOW, key: 'bench' });
const inUse: Owned[] = [];
const columns: string[][] = [];
try {
  for (const size of SIZES) columns.push(await measure(size));
} finally {
  await database.close();
  await server.stop();
}
const names = [
  '',
  'status/s',
  '  p50, ms',
  '  p99, ms',
  'revocations/s',
  '  p50, ms',
  '  p99, ms',
  '  how many',
  'verified events/s',
  '  heap, MB',
];
process.stdout.write(
  [
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}; PostgreSQL on the same machine, fsync on`,
    table(names.map((name, row) => [name, ...columns.map((column) => column[row] ?? '')])),
    `status: ${CALLERS} callers, each asking for the cards of one holder after the other, for ${SECONDS} s`,
    `revocations: ${CALLERS} callers, each revoking one card after the other, until the answer is kept, for ${SECONDS} s or while there are cards`,
    'verified: everything read from the database and reckoned anew, once, with the heap when that is done',
    '',
  ].join('\n'),
);

async function measure(size: number): Promise<string[]> {
  tell(`seeding ${size} events`);
  await seed(store, size);
  await database.run({ text: 'analyze ledger_events' }, []);
  tell('status');
  const holders = inUse.slice(-100_000);
  let asked = 0;
  const ask = async () => {
    // A step that is prime to any number of holders goes through all of them, in no order that a cache likes.
    const owned = holders[(asked++ * 7_919) % holders.length];
    const cards = await registry.cardsOf(owned?.holder ?? '');
    if (cards.length !== 1) throw new Error('A card was not found');
    return true;
  };
  await flood(ask, WARM);
  const status = await flood(ask, SECONDS);
  tell('revocations');
  const revocations = await flood(() => revokeNext(registry), SECONDS);
  tell('verifying');
  const { last, ...head } = await store.head();
  const begun = performance.now();
  const verdict = await verifyChain(pagesOf(store, last), { noted: [head] });
  const seconds = (performance.now() - begun) / 1_000;
  if (verdict.outcome === 'broken') throw new Error(`The chain is broken at ${verdict.position}: ${verdict.problem}`);
  return [
    `${size} events`,
    ...[figure(status.perSecond), figure(status.p50, 2), figure(status.p99, 2)],
    ...[figure(revocations.perSecond), figure(revocations.p50, 2), figure(revocations.p99, 2)],
    figure(revocations.count),
    figure(verdict.events / seconds),
    figure(process.memoryUsage().heapUsed / 1e6),
  ];
}

/** Cards in use, of a holder each, until the ledger has so many events. */
async function seed(events: EventStore, size: number): Promise<void> {
  let head: Head = await events.head();
  while (head.position < size) {
    const [before, links]: [Head, Link[]] = [head, []];
    while (links.length < AT_ONCE && head.position < size) {
      const owned = {
        holder: `h_${randomBytes(32).toString('base64url')}`,
        card: `c_${randomBytes(12).toString('hex')}`,
      };
      for (const event of lifeOf(owned)) {
        const { link } = seal(head, { event, at: '2026-01-20T08:00:00.000Z', client: 'bench' });
        links.push(link);
        head = { position: head.position + 1, hash: link.hash };
      }
      inUse.push(owned);
    }
    if (!(await events.append(before, links))) throw new Error('Somebody else writes to the ledger of the bench');
  }
}

function lifeOf(owned: Owned): Happening[] {
  const certificates = (['HSA_ID', 'PERSON_ID'] as const).flatMap((subjectType) =>
    (['AUTH', 'SIGN'] as const).map((usage) => ({
      ...{ serial: randomBytes(16).toString('hex'), subjectType, usage, loa: 3, notAfter: '2031-01-20' },
      origin: 'INITIAL' as const,
    })),
  ) as Extract<Happening, { type: 'card.dispatched' }>['certificates'];
  return [
    { type: 'holder.registered', holder: owned.holder },
    {
      type: 'card.ordered',
      ...owned,
      order: 'o-1',
      number: '9752260000004711',
      kind: 'ORDINARY',
      orderedOn: '2026-01-07',
    },
    { type: 'card.photographed', ...owned, site: 'LINDHAGEN' },
    { type: 'card.produced', ...owned },
    { type: 'card.dispatched', ...owned, issuedOn: '2026-01-20', expiresOn: '2031-01-20', certificates },
    { type: 'card.handedOver', ...owned },
  ];
}

/** Whether there was one. */
async function revokeNext({ revoke }: Registry): Promise<boolean> {
  const owned = inUse.pop();
  if (!owned) return false;
  const errand = { reason: 'LOST', channel: 'bench', client: 'bench', key: owned.card } as const;
  const revoked = await revoke({ ...owned, ...errand });
  if (revoked.outcome !== 'revoked' || !revoked.isNew) throw new Error('A card in use was not revoked');
  return true;
}

/** As many callers as there are, each calling again as soon as it is answered. */
async function flood(call: () => Promise<boolean>, seconds: number): Promise<Measured> {
  const times: number[] = [];
  const begun = performance.now();
  const end = begun + seconds * 1_000;
  const caller = async () => {
    while (performance.now() < end) {
      const start = performance.now();
      if (!(await call())) return;
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const spent = (performance.now() - begun) / 1_000;
  return {
    perSecond: times.length / spent,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    count: times.length,
  };
}

/** How far it has come. The figures are for standard output. */
function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
