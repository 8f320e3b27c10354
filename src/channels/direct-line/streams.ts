/**
 * Open WebSockets, and what each of them has been sent.
 *
 * A stream is told of nothing but what is in the log: whatever wakes it, it
 * asks what has come after the last it sent. So a wake-up that is lost makes it
 * late, until the next look at the clock, and never wrong.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

export type Entry = { seq: number; activity: object };

/** A hub's is shown what only the hub is. */
export type StreamAt = { id: string | undefined; after: number; isHubs?: boolean };

export type Streams = {
  open: (req: IncomingMessage, socket: Duplex, head: Buffer, at: StreamAt) => void;
  refresh: (id: string) => void;
  close: () => void;
};

export type StreamsWorld = {
  after: (id: string, seq: number, isHubs: boolean) => Promise<Entry[]>;
  /** One that is not there any more has none. */
  lengths: (ids: readonly string[]) => Promise<Map<string, number>>;
  onMistake: (mistake: unknown) => void;
  /** In milliseconds, between two signs of life. */
  beat?: number;
};

type Stream = {
  id: string;
  isHubs: boolean;
  socket: WebSocket;
  sent: number;
  isSending: boolean;
  isStale: boolean;
  isAlive: boolean;
  /** Frames that have come since the last beat. */
  heard: number;
};

/** In milliseconds. */
const LOOK = 3_000;
const BEAT = 20_000;
/** Of one conversation here: tabs that somebody has forgotten. */
const MOST_STREAMS = 10;
/** Why a stream is closed, as WebSockets say it: the server goes away; it does not stop talking; there are too many; the conversation is gone. */
const CLOSED = { leaving: 1_001, talkative: 1_008, crowded: 4_008, gone: 4_004 };
/** Frames between two beats. A client answers one, and may keep itself alive besides. */
const MOST_HEARD = 200;
/** Clients send nothing but keep-alives. */
const LARGEST_PAYLOAD = 4_096;

export function createStreams({ after, lengths, onMistake, beat = BEAT }: StreamsWorld): Streams {
  const server = new WebSocketServer({ noServer: true, maxPayload: LARGEST_PAYLOAD });
  const streams = new Map<string, Set<Stream>>();
  const every = () => [...streams.values()].flatMap((each) => [...each]);

  const send = async (stream: Stream): Promise<void> => {
    stream.isStale = true;
    if (stream.isSending) return;
    stream.isSending = true;
    try {
      while (stream.isStale && stream.socket.readyState === WebSocket.OPEN) {
        stream.isStale = false;
        const entries = await after(stream.id, stream.sent, stream.isHubs);
        const last = entries.at(-1);
        if (!last) continue;
        stream.socket.send(
          JSON.stringify({ activities: entries.map(({ activity }) => activity), watermark: String(last.seq) }),
        );
        stream.sent = last.seq;
      }
    } finally {
      stream.isSending = false;
    }
  };
  const sendSoon = (stream: Stream) => void send(stream).catch(onMistake);

  const look = async (): Promise<void> => {
    const ids = [...streams.keys()];
    if (ids.length === 0) return;
    const found = await lengths(ids);
    for (const stream of every().filter(({ id }) => ids.includes(id))) {
      const length = found.get(stream.id);
      if (length === undefined) stream.socket.close(CLOSED.gone);
      else if (length > stream.sent) sendSoon(stream);
    }
  };
  const looking = setInterval(() => void look().catch(onMistake), LOOK);
  const beating = setInterval(() => {
    for (const stream of every()) {
      if (!stream.isAlive) stream.socket.terminate();
      stream.isAlive = false;
      stream.heard = 0;
      stream.socket.ping();
      // A script in a page is not told of pings. Clients of Direct Line heed no empty message.
      stream.socket.send('');
    }
  }, beat);
  looking.unref();
  beating.unref();

  return {
    open(req, socket, head, { id = '', after: sent, isHubs = false }) {
      server.handleUpgrade(req, socket, head, (opened) => {
        const flags = { isSending: false, isStale: false, isAlive: true, heard: 0 };
        const stream: Stream = { id, isHubs, socket: opened, sent, ...flags };
        const others = streams.get(id) ?? new Set();
        const [oldest] = others;
        if (oldest && others.size >= MOST_STREAMS) {
          others.delete(oldest);
          oldest.socket.close(CLOSED.crowded);
        }
        streams.set(id, others.add(stream));
        const lives = () => {
          stream.isAlive = true;
          if (++stream.heard > MOST_HEARD) opened.close(CLOSED.talkative);
        };
        for (const frame of ['ping', 'pong', 'message']) opened.on(frame, lives);
        opened.on('error', () => {
          opened.terminate();
        });
        opened.on('close', () => {
          others.delete(stream);
          if (others.size === 0 && streams.get(id) === others) streams.delete(id);
        });
        sendSoon(stream);
      });
    },
    refresh(id) {
      for (const stream of streams.get(id) ?? []) sendSoon(stream);
    },
    close() {
      clearInterval(looking);
      clearInterval(beating);
      for (const { socket } of every()) socket.close(CLOSED.leaving);
      server.close();
    },
  };
}
