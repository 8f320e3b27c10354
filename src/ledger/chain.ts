/**
 * How events are written, and what chains them together.
 *
 * An event is kept as its canonical text (RFC 8785), which names its position
 * and the hash of the event before; its own hash is SHA-256 of that text.
 * Whoever has the events can reckon it all anew, and find the first that was
 * changed, moved, added or taken away. That the end was cut off shows only next
 * to a head that was noted before.
 */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { Instant } from './cards.ts';
import { CARD_IS_KNOWN, type History, isNewCard, LedgerEvent, next, noHistory } from './history.ts';

const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const Envelope = z.object({
  position: z.int().positive(),
  at: Instant,
  client: z.string().min(1).max(200),
  previous: Hash,
});
/** What of it can be told of something that may be no event. */
const Placed = z.looseObject({ position: z.unknown(), previous: z.unknown() }).partial();
/** An event in its place. */
export const Entry = z.intersection(Envelope, LedgerEvent);
export type Entry = z.infer<typeof Entry>;

/** As it is kept: `event` is the canonical text. */
export type Link = { event: string; hash: string };
export type Head = { position: number; hash: string };
/** An event that has no place yet. */
export type Dated = { event: LedgerEvent; at: string; client: string };

export const noHead: Head = { position: 0, hash: '0'.repeat(64) };

export const entryOf = (text: string): Entry => Entry.parse(JSON.parse(text));

/** Gives an event its place after a head. */
export function seal({ position, hash: previous }: Head, { event, at, client }: Dated): { entry: Entry; link: Link } {
  const entry = Entry.parse({ ...event, at, client, position: position + 1, previous });
  if (!isKeepable(entry)) throw new Error('An event has characters that cannot be kept');
  const text = canonical(entry);
  return { entry, link: { event: text, hash: hashOf(text) } };
}

/**
 * PostgreSQL keeps no NUL, and canonical JSON no half of a character; both would
 * be written as escapes. Two separators are taken for the end of a line by some.
 */
export const isKeepable = (event: LedgerEvent): boolean => !/\\u(0000|d[89a-f])|[\u2028\u2029]/.test(canonical(event));

/** One line for whoever exports the ledger: the canonical JSON of the event with its hash. */
export const lineOf = ({ event, hash }: Link): string => canonical({ ...(JSON.parse(event) as object), hash });

/** What a line was made of. One that was not made so gives something that does not verify. */
export function linkOf(line: string): Link {
  try {
    const parsed = z.looseObject({ hash: Hash }).parse(JSON.parse(line));
    const { hash, ...event } = parsed;
    if (canonical(parsed) === line) return { event: canonical(event), hash };
  } catch {
    // It is told by whoever verifies, who knows its place.
  }
  return { event: line, hash: '' };
}

export type Verdict =
  | { outcome: 'whole'; events: number; head: Head }
  /** The first place where the chain is not as it was made. */
  | { outcome: 'broken'; position: number; problem: string };

/**
 * Reckons everything anew, in order. Of what it has read it keeps no more than
 * how each card stands. `noted` are heads that were seen before: the chain has
 * to go through them.
 */
export async function verifyChain(
  pages: AsyncIterable<readonly Link[]>,
  { noted = [] }: { noted?: readonly Head[] } = {},
): Promise<Verdict> {
  const known = { histories: new Map<string, History>(), cards: new Set<string>() };
  let head = noHead;
  for await (const page of pages) {
    for (const link of page) {
      const problem = problemOf(link, head, known) ?? problemOfHead(link.hash, head.position + 1, noted);
      if (problem) return { outcome: 'broken', position: head.position + 1, problem };
      head = { position: head.position + 1, hash: link.hash };
    }
  }
  if (noted.some(({ position }) => position > head.position))
    return { outcome: 'broken', position: head.position + 1, problem: 'The chain ends before a head that was noted.' };
  return { outcome: 'whole', events: head.position, head };
}

type Known = { histories: Map<string, History>; cards: Set<string> };

function problemOf({ event: text, hash }: Link, head: Head, { histories, cards }: Known): string | undefined {
  const parsed = parse(text);
  if (parsed === undefined || canonical(parsed) !== text) return 'It is not canonical JSON.';
  const placed = Placed.safeParse(parsed).data ?? {};
  if (placed.position !== head.position + 1) return 'Its position is another: an event was moved, added or taken away.';
  if (placed.previous !== head.hash) return 'It does not carry the hash of the event before.';
  if (hashOf(text) !== hash) return 'Its hash is not the hash of its text.';
  const { data: entry } = Entry.safeParse(parsed);
  if (!entry) return 'It is of no known type, or not as events of its type are.';

  if (isNewCard(entry) && cards.has(entry.card)) return `It is impossible: ${CARD_IS_KNOWN}.`;
  const after = next(histories.get(entry.holder) ?? noHistory, entry, entry.at);
  if ('problem' in after) return `It is impossible: ${after.problem}.`;
  histories.set(entry.holder, after);
  if (isNewCard(entry)) cards.add(entry.card);
  return undefined;
}

const problemOfHead = (hash: string, position: number, noted: readonly Head[]): string | undefined =>
  noted.some((head) => head.position === position && head.hash !== hash)
    ? 'It is not the event that was noted as the head.'
    : undefined;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('There is nothing to write');
  return text;
}
