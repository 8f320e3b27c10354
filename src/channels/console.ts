/** The conversation in a terminal: for people as text, for programs as one JSON object a line. */
import { createInterface } from 'node:readline/promises';
import { setInterval } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { Content, Spoken } from '../content.ts';
import { randomUUID } from 'node:crypto';
import type { Conversations, Exchange } from '../conversations/conversations.ts';

export const consoleLabels = ['intro', 'prompt', 'bot', 'cites', 'training', 'unkept', 'goodbye'].map(
  (name) => `terminal/${name}`,
);

export type Terminal = {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  hasColour: boolean;
};

type Chat = { conversations: Conversations; content: Content; id: string; person: string | undefined };

/** One message a line in; one exchange a line out, and before the first the welcome. */
export async function converseInJson({ input, output }: Terminal, chat: Chat): Promise<void> {
  const print = (exchange: Exchange) => output.write(`${JSON.stringify(inContract(exchange))}\n`);
  print(await chat.conversations.open(placeOf(chat), chat.person));
  for await (const line of createInterface({ input })) print(await say(chat, line));
}

/** What the ledger has answered meanwhile is told first. */
async function say({ conversations, ...chat }: Omit<Chat, 'content'>, text: string): Promise<Exchange> {
  const place = placeOf(chat);
  const news = await conversations.settle(place.conversation);
  const { answered } = await conversations.accept({ ...place, id: randomUUID(), text });
  const exchange = await answered;
  const { replies, requests } = exchange;
  return { ...exchange, replies: [...news.replies, ...replies], requests: [...news.requests, ...requests] };
}

const placeOf = ({ id }: Pick<Chat, 'id'>) => ({ conversation: id, channel: 'terminal', isPushed: false });

const LONGEST_LINE = 88;
/** How often a revocation that was not answered for is asked about again, in milliseconds. */
const SETTLING = 2_000;

export async function converseInText(terminal: Terminal, chat: Chat): Promise<void> {
  const { conversations, content, id, person } = chat;
  const { input, output, hasColour } = terminal;
  const isPerson = input.isTTY === true && output.isTTY === true;
  const width = Math.min(output.columns ?? LONGEST_LINE, LONGEST_LINE);
  const dim = (text: string) => (hasColour && output.isTTY ? styleText('dim', text) : text);
  const bold = (text: string) => (hasColour && output.isTTY ? styleText('bold', text) : text);
  const print = (text = '') => output.write(`${text}\n`);
  let suggests: string[] = [];

  const printReply = ({ text, cites, source }: Spoken) => {
    print(wrapped(text, width));
    if (source) print(dim(wrapped(`${source} ${content.label('terminal/cites', { rules: cites.join(', ') })}`, width)));
    print();
  };
  const show = ({ replies }: Exchange) => {
    print();
    print(bold(content.label('terminal/bot')));
    replies.forEach(printReply);
    suggests = [...new Set(replies.flatMap((reply) => reply.suggests))];
    suggests.forEach((suggestion, index) => print(dim(`  ${index + 1}  ${suggestion}`)));
    if (suggests.length > 0) print();
  };

  if (isPerson) print(dim(content.label('terminal/intro')));
  show(await conversations.open(placeOf(chat), person));

  const prompt = `${bold(content.label('terminal/prompt'))} `;
  const lines = createInterface({ input, output, terminal: isPerson, prompt });
  let isClosed = false;
  lines.once('close', () => (isClosed = true));
  // The input may have ended while an answer was on its way; Node 24 refuses to prompt for more.
  const ask = () => {
    if (!isPerson) output.write(prompt);
    else if (!isClosed) lines.prompt();
  };
  const done = new AbortController();
  const news = isPerson ? showNews() : Promise.resolve();
  ask();
  for await (const line of lines) {
    if (!isPerson) print(line);
    show(await say(chat, suggests[Number(line.trim()) - 1] ?? line));
    ask();
  }
  done.abort();
  await news;
  print();
  print(content.label('terminal/goodbye'));

  /** Tells what the ledger has answered meanwhile, also to someone who writes nothing. */
  async function showNews(): Promise<void> {
    const ticks = setInterval(SETTLING, undefined, { signal: done.signal });
    try {
      for await (const _ of ticks) {
        const exchange = await conversations.settle(id);
        if (exchange.replies.length === 0) continue;
        show(exchange);
        ask();
      }
    } catch (stopped) {
      if (!done.signal.aborted) throw stopped;
    }
  }
}

/** The fields and their names are a contract, which programs measure us by. */
function inContract({ said, heard, state, replies, requests }: Exchange) {
  return {
    said,
    heard,
    state,
    replies: replies.map(({ text, source, cites, suggests }) => ({
      text: source ? `${text}\n\n${source}` : text,
      cites,
      suggests,
    })),
    requests,
  };
}

/** Breaks lines between words; what belongs to a list item stands in under it. */
export function wrapped(text: string, width: number): string {
  return text
    .split('\n')
    .map((paragraph) => {
      const indent = ' '.repeat(/^(- |\d+\. )?/.exec(paragraph)?.[0].length ?? 0);
      const lines = [''];
      for (const word of paragraph.split(' ')) {
        const line = lines.at(-1) ?? '';
        if (line.length > indent.length && line.length + 1 + word.length > width) lines.push(`${indent}${word}`);
        else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
      }
      return lines.join('\n');
    })
    .join('\n');
}
