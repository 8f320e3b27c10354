/**
 * What pages that are open are told by themselves, as Server-Sent Events: the
 * queue when it is another, and which cases may not be what they were. News of
 * other processes may be lost, so it is also looked at by the clock: then it is
 * the queue that tells which cases are others.
 *
 * A stream shows that we are there, and nothing of whether anybody still is at
 * the other end: one that has lost its network takes a quarter of an hour to
 * be found out. So a page answers each beat, and it is the answer that counts
 * as being seen.
 */
import type { Response } from 'restify';
import type { CaseInQueue, Desk } from './desk.ts';

export type StreamsWorld = {
  desk: Pick<Desk, 'queue' | 'subscribe'>;
  show: (queue: readonly CaseInQueue[]) => object;
  onMistake: (mistake: unknown) => void;
};

export type Streams = {
  /** The queue as JSON, as it was at most a tenth of a second ago. */
  queue: () => Promise<string>;
  /** Goes on until the page leaves, or whoever has it open is no agent any more. */
  open: (res: Response, isAgent: () => Promise<boolean>) => Promise<void>;
  close: () => void;
};

/** In milliseconds. */
const TOGETHER = 100;
const LOOK = 3_000;
const BEAT = 15_000;
/** In bytes: a page that leaves more than this unread is let go, and comes back for what is true then. */
const UNREAD = 4_000_000;

/** `reading` tells which of two is the later. */
type Queue = { reading: number; text: string; cases: string; all: readonly CaseInQueue[] };
type Stream = { res: Response; isAgent: () => Promise<boolean>; shown: { reading: number; cases: string } };

export function createStreams({ desk, show, onMistake }: StreamsWorld): Streams {
  const streams = new Set<Stream>();
  const changed = new Set<string>();
  let shared: Promise<Queue> | undefined;
  let telling: NodeJS.Timeout | undefined;

  let readings = 0;
  const read = async (): Promise<Queue> => {
    const reading = ++readings;
    const queue = await desk.queue();
    const cases = JSON.stringify(queue);
    return { reading, text: JSON.stringify(show(queue)), cases, all: queue };
  };
  const queue = (): Promise<Queue> => {
    if (shared) return shared;
    const reading = read();
    shared = reading;
    const letGo = () => {
      shared = undefined;
    };
    setTimeout(letGo, TOGETHER).unref();
    reading.catch(letGo);
    return reading;
  };

  const write = (stream: Stream, event: string, data: string): void => {
    if (stream.res.writableLength > UNREAD) stream.res.destroy();
    else stream.res.write(`event: ${event}\ndata: ${data}\n\n`);
  };
  const showTo = (stream: Stream, { reading, text, cases }: Queue): void => {
    if (reading < stream.shown.reading || cases === stream.shown.cases) return;
    stream.shown = { reading, cases };
    write(stream, 'queue', text);
  };

  let told = new Map<string, string>();
  const tell = async (): Promise<void> => {
    const news = new Set(changed);
    changed.clear();
    const now = await queue();
    const before = told;
    told = new Map(now.all.map((each) => [each.id, JSON.stringify(each)]));
    const others = now.all.filter((each) => news.has(each.conversation) || before.get(each.id) !== told.get(each.id));
    const ids = JSON.stringify(others.map(({ id }) => id));
    for (const stream of streams) {
      showTo(stream, now);
      if (ids !== '[]') write(stream, 'changed', ids);
    }
  };
  /** What changes while it is told, is told after it. */
  const tellSoon = (): void => {
    telling ??= setTimeout(() => {
      tell()
        .catch(onMistake)
        .finally(() => {
          telling = undefined;
          if (changed.size > 0 && streams.size > 0) tellSoon();
        });
    }, TOGETHER);
  };

  const leaveOff = desk.subscribe((conversation) => {
    if (streams.size === 0) return;
    changed.add(conversation);
    tellSoon();
  });

  const looking = setInterval(() => {
    if (streams.size > 0) tellSoon();
  }, LOOK);
  looking.unref();

  const beat = async (stream: Stream): Promise<void> => {
    if (await stream.isAgent()) {
      write(stream, 'beat', '{}');
      return;
    }
    write(stream, 'ended', '{}');
    stream.res.end();
  };
  const beating = setInterval(() => {
    for (const stream of streams) beat(stream).catch(onMistake);
  }, BEAT);
  beating.unref();

  return {
    queue: async () => (await queue()).text,
    async open(res, isAgent) {
      const stream: Stream = { res, isAgent, shown: { reading: 0, cases: '' } };
      res.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'X-Accel-Buffering': 'no',
      });
      res.on('close', () => streams.delete(stream));
      res.write('retry: 2000\n\n');
      streams.add(stream);
      showTo(stream, await queue());
    },
    close() {
      leaveOff();
      clearInterval(looking);
      clearInterval(beating);
      clearTimeout(telling);
      for (const { res } of streams) res.end();
    },
  };
}
