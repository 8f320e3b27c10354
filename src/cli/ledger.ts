/**
 * `kortlotsen ledger`: verify the chain, where it is kept or as it was
 * exported; export it; and record what has happened, from a file.
 *
 * Each gives the status the program is to end with: 0, or 1 if the chain is
 * broken or nothing was recorded.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Presets, SingleBar } from 'cli-progress';
import { Happening, type Registry } from '../ledger/cards.ts';
import { type Head, lineOf, type Link, linkOf, type Verdict, verifyChain } from '../ledger/chain.ts';
import { createEventStore, pagesOf } from '../ledger/event-store.ts';
import type { Database } from '../storage/database.ts';

type Write = (text: string) => void | Promise<void>;
type Terminal = { write: Write; progress: NodeJS.WritableStream };

/** Reads a head as it is printed, `POSITION:HASH`. */
export function headOf(written: string): Head | undefined {
  const [, position, hash] = /^(\d{1,9}):([0-9a-f]{64})$/.exec(written) ?? [];
  return position === undefined || hash === undefined ? undefined : { position: Number(position), hash };
}

/** `expect` is a head that was noted before. Without one, nobody can see whether the end was cut off. */
export async function verifyLedger(
  source: { database: Database } | { file: string },
  expect: Head | undefined,
  { write, progress }: Terminal,
): Promise<number> {
  const noted = expect ? [expect] : [];
  const verdict = await ('file' in source
    ? verifyFile(source.file, noted, progress)
    : verifyDatabase(source.database, noted, progress));
  if (verdict.outcome === 'broken') {
    await write(`The chain is broken at position ${verdict.position}. ${verdict.problem}\n`);
    return 1;
  }
  const { events, head } = verdict;
  await write(`The chain is whole, and has ${events} events. Its head is ${head.position}:${head.hash}\n`);
  return 0;
}

/** Up to the head as it is at the beginning: the ledger may be added to meanwhile. */
async function verifyDatabase(database: Database, noted: readonly Head[], progress: NodeJS.WritableStream) {
  const store = createEventStore(database);
  const { last, ...head } = await store.head();
  const bar = startBar(head.position, progress);
  const verdict = await verifyChain(counted(pagesOf(store, head.position), bar), { noted: [head, ...noted] });
  bar.stop();
  if (verdict.outcome === 'broken' || last <= head.position) return verdict;
  const problem = 'There is an event after the last one.';
  return { outcome: 'broken', position: head.position + 1, problem } satisfies Verdict;
}

async function verifyFile(file: string, noted: readonly Head[], progress: NodeJS.WritableStream): Promise<Verdict> {
  const { size } = await stat(file);
  const bar = startBar(size, progress);
  const verdict = await verifyChain(linksIn(file, bar), { noted });
  bar.stop();
  return verdict;
}

/** Lines end with a line feed, and with nothing else. */
async function* linksIn(file: string, bar: SingleBar): AsyncGenerator<Link[]> {
  let begun = '';
  for await (const chunk of createReadStream(file, 'utf8') as AsyncIterable<string>) {
    const lines = (begun + chunk).split('\n');
    begun = lines.pop() ?? '';
    yield lines.map(linkOf);
    bar.increment(Buffer.byteLength(chunk));
  }
  if (begun !== '') yield [linkOf(begun)];
}

async function* counted(pages: AsyncIterable<Link[]>, bar: SingleBar): AsyncGenerator<Link[]> {
  for await (const page of pages) {
    yield page;
    bar.increment(page.length);
  }
}

function startBar(total: number, progress: NodeJS.WritableStream): SingleBar {
  const bar = new SingleBar({ stream: progress, format: 'Verifying {bar} {percentage} %' }, Presets.shades_classic);
  bar.start(total, 0);
  return bar;
}

/** One line of canonical JSON an event, each with its hash. */
export async function exportLedger(database: Database, write: Write): Promise<void> {
  const store = createEventStore(database);
  const { position } = await store.head();
  for await (const page of pagesOf(store, position)) await write(page.map((link) => `${lineOf(link)}\n`).join(''));
}

/** One happening a line, as JSON. All of them are recorded or, if anything is wrong with any of them, none. */
export async function recordHappenings(
  registry: Registry,
  lines: AsyncIterable<string>,
  client: string,
  write: Write,
): Promise<number> {
  const happenings: Happening[] = [];
  const unreadable: string[] = [];
  let place = 0;
  for await (const line of lines) {
    const read = readHappening(line);
    place++;
    if (read.success) happenings.push(read.data);
    else unreadable.push(`${place}: ${problemOf(read.error)}.`);
  }
  const problems = unreadable.length > 0 ? unreadable : (await registry.record(happenings, client)).problems;
  for (const problem of problems) await write(`Line ${problem}\n`);
  await write(problems.length > 0 ? 'Nothing was recorded.\n' : `${happenings.length} happenings were recorded.\n`);
  return problems.length > 0 ? 1 : 0;
}

function readHappening(line: string): ReturnType<typeof Happening.safeParse> {
  try {
    return Happening.safeParse(JSON.parse(line));
  } catch {
    return Happening.safeParse(undefined);
  }
}

/** Says what is wrong and where, and never what was written there. */
const problemOf = ({ issues }: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string =>
  issues
    .map(({ path, message }) =>
      path.length === 0 ? 'it is no happening written as JSON' : `${path.map(String).join('.')} is wrong (${message})`,
    )
    .join('; ');
