/**
 * The content is read anew while the service runs: at a signal, or because
 * somebody has asked all processes on the database.
 *
 * A new edition is prepared beside the service, and put in service only when
 * all of it is good; refused, the old one stays. Reloads are one after the
 * other, and whoever asks while one waits to begin has that one's answer.
 *
 * Who asks writes on a channel of the database, and every process answers there
 * twice: that it has heard, and what came of it.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Editions } from '../editions.ts';
import type { Log } from '../log.ts';
import type { Database } from '../storage/database.ts';
import type { Prepared } from './preparing.ts';

export type Reloaded = { outcome: 'taken' } | { outcome: 'refused'; reasons: string } | { outcome: 'failed' };

export type ReloadingWorld = {
  database: Database;
  editions: Pick<Editions, 'replace'>;
  /** Rejects where nothing came of it, through nobody's words. */
  prepare: (signal: AbortSignal) => Promise<Prepared>;
  log: Log;
  onMistake: (mistake: unknown) => void;
};

export type Reloading = {
  reload: () => Promise<Reloaded>;
  /** What is being prepared is given up. */
  stop: () => Promise<void>;
};

const CHANNEL = 'kortlotsen-content';

const Asked = z.object({ ask: z.uuid() });
/** Reasons come in parts, since PostgreSQL takes 8000 bytes in one message. */
const Answered = z.object({
  to: z.uuid(),
  /** One is told from another by an id: those of two containers may be called the same. */
  id: z.uuid(),
  process: z.string(),
  outcome: z.enum(['heard', 'taken', 'refused', 'failed']),
  part: z.number().default(0),
  parts: z.number().default(1),
  reasons: z.string().default(''),
});
type Answered = z.infer<typeof Answered>;

/** In characters, each of up to four bytes. */
const PART = 1_500;

export async function startReloading(world: ReloadingWorld): Promise<Reloading> {
  const { database, editions, prepare, log, onMistake } = world;
  const stopping = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<Reloaded> | undefined;

  const reloadOnce = async (): Promise<Reloaded> => {
    waiting = undefined;
    try {
      const prepared = await prepare(stopping.signal);
      if (prepared.outcome === 'refused') {
        log.warn({ reasons: prepared.reasons.split('\n') }, 'content is refused');
        return prepared;
      }
      editions.replace(prepared.edition);
      log.info('content is taken');
      return { outcome: 'taken' };
    } catch (mistake) {
      if (!stopping.signal.aborted) onMistake(mistake);
      return { outcome: 'failed' };
    }
  };
  const reload = (): Promise<Reloaded> => {
    waiting ??= last.then(reloadOnce);
    last = waiting;
    return waiting;
  };

  const self = { id: randomUUID(), process: `${hostname()} ${process.pid}` };
  const answer = async (to: string, reloaded: Reloaded | { outcome: 'heard' }): Promise<void> => {
    const texts = reloaded.outcome === 'refused' ? inParts(reloaded.reasons) : [''];
    for (const [part, reasons] of texts.entries()) {
      const { outcome } = reloaded;
      await database.tell(CHANNEL, JSON.stringify({ to, ...self, outcome, part, parts: texts.length, reasons }));
    }
  };
  await database.listen(CHANNEL, (message) => {
    const { data } = Asked.safeParse(read(message));
    if (!data) return;
    (async () => {
      await answer(data.ask, { outcome: 'heard' });
      await answer(data.ask, await reload());
    })().catch((mistake: unknown) => {
      if (!stopping.signal.aborted) onMistake(mistake);
    });
  });

  return {
    reload,
    async stop() {
      stopping.abort();
      await last;
    },
  };
}

/** What came of it in each process. `silent`: it has heard, and has not answered in time. */
export type Answers = {
  processes: { process: string; reloaded: Reloaded | { outcome: 'silent' } }[];
  /** How many more there are, by the database, that have not even said that they have heard. */
  deaf: number;
};

/** Asks all processes on the database, and waits for their answers for so many seconds at most. */
export async function askForReload(
  database: Database,
  seconds: number,
  onHeard: (process: string) => void = () => undefined,
): Promise<Answers> {
  const count = await database.listeners(CHANNEL);
  const heard = new Map<string, Answered[]>();
  const ask = randomUUID();
  let isDone = (): void => undefined;
  const done = new Promise<void>((resolve) => (isDone = resolve));
  const answersOf = (parts: readonly Answered[]) => parts.filter(({ outcome }) => outcome !== 'heard');
  const isWhole = (parts: readonly Answered[]) => {
    const answers = answersOf(parts);
    return answers.length > 0 && answers.length === answers[0]?.parts;
  };
  const stop = await database.listen(CHANNEL, (message) => {
    const { data } = Answered.safeParse(read(message));
    if (data?.to !== ask) return;
    if (data.outcome === 'heard') onHeard(data.process);
    heard.set(data.id, [...(heard.get(data.id) ?? []), data]);
    if (heard.size >= count && [...heard.values()].every(isWhole)) isDone();
  });
  if (count > 0) {
    await database.tell(CHANNEL, JSON.stringify({ ask }));
    const patience = new AbortController();
    await Promise.race([done, wait(seconds * 1_000, undefined, { signal: patience.signal }).catch(() => undefined)]);
    patience.abort();
  }
  await stop();
  const processes = [...heard.values()].map((parts) => ({
    process: parts[0]?.process ?? '',
    reloaded: isWhole(parts) ? whole(answersOf(parts)) : { outcome: 'silent' as const },
  }));
  return {
    processes: processes.sort((one, other) => one.process.localeCompare(other.process)),
    deaf: Math.max(0, count - heard.size),
  };
}

function whole(parts: readonly Answered[]): Reloaded {
  const reasons = [...parts].sort((one, other) => one.part - other.part).map((each) => each.reasons);
  const outcome = parts[0]?.outcome;
  if (outcome === 'refused') return { outcome, reasons: reasons.join('') };
  return { outcome: outcome === 'taken' ? 'taken' : 'failed' };
}

/** Anybody on the database may write there. */
function read(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

const inParts = (text: string): string[] =>
  Array.from({ length: Math.max(1, Math.ceil(text.length / PART)) }, (_, part) =>
    text.slice(part * PART, (part + 1) * PART),
  );
