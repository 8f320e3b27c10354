/**
 * A simulated student who revokes their own card: signs in, reads it back, says
 * yes, and does not give up before there is a receipt.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import type { Chat, Shown } from './direct-line-chat.ts';
import { plain } from './script.ts';

export const YES = 'ja';
const WISH = 'kortet är stulet';
const STATUS = 'är mitt kort spärrat?';

/** How often the same is wished for, while the ledger does not answer, and how long is waited in between at most. */
const MOST_WISHES = 40;
const LONGEST_PAUSE = 5_000;
const pause = (nth: number): Promise<void> => wait(Math.min(LONGEST_PAUSE, 250 * nth));

/** Or that it is revoked, and that only whoever signs in again is shown the receipt. */
const RECEIPT = /\bS(-[0-9A-F]{4}){3}\b|är spärrat\. Du är inte inloggad längre/;
/** There is no card to say yes to, for the ledger does not answer. */
const NO_CARD = /når inte kortregistret|Kortregistret svarar inte/i;
const DENIED = /Jag kunde inte spärra kortet|har jag inte spärrat kortet|så jag har inte spärrat kortet/i;

const READ_BACK = 'Jag hittade ditt';
const REVOKING = 'Jag spärrar kortet nu';

export type Surroundings = {
  /** Waits for whoever says yes to the same card elsewhere. */
  meet: () => Promise<void>;
  /** The process to say yes to, if it matters. */
  aim: () => string | undefined;
  /** Waits for others who are about to do the same. Says which process they all turn to, if they do. */
  gather?: (moment: 'code' | 'yes', conversation: string) => Promise<string | undefined>;
};

type Found = 'readBack' | 'receipt' | 'noCard' | 'denied';

/** What is shown, read from the end. */
function outcomeOf(seen: readonly Shown[]): Found | undefined {
  for (const { author, text, suggests } of seen.toReversed()) {
    if (author !== 'bot') continue;
    if (RECEIPT.test(text)) return 'receipt';
    if (text.startsWith(READ_BACK) && suggests.join() === 'Ja,Nej') return 'readBack';
    if (NO_CARD.test(text)) return 'noCard';
    if (DENIED.test(text)) return 'denied';
  }
  return undefined;
}

export async function revokeOwnCard(chat: Chat, chance: Chance, who: string, surroundings: Surroundings) {
  const { testimony } = chat;
  const { meet, aim } = surroundings;
  const gather = (moment: 'code' | 'yes') =>
    surroundings.gather?.(moment, testimony.conversation) ?? Promise.resolve(undefined);
  for (let nth = 0; nth < MOST_WISHES && testimony.complaints.length === 0; nth++) {
    let found = await wish(chat, who, WISH, gather);
    if (found === 'readBack') {
      await meet();
      testimony.saidYes = true;
      found = await sayYes(chat, chance, aim() ?? (await gather('yes')));
    }
    if (found === 'receipt') break;
    await pause(nth);
  }
  if (testimony.complaints.length === 0 && outcomeOf(testimony.seen) !== 'receipt') {
    testimony.complaints.push('the student gave up before there was a receipt');
  }
  if (chance.happens(0.3)) await askAgain(chat, who);
}

/** Says what is wanted, and signs in as often as that is asked for, until there is something to go on with. */
async function wish(
  chat: Chat,
  who: string,
  text: string,
  gather?: (moment: 'code') => Promise<string | undefined>,
): Promise<Found | undefined> {
  const since = await write(chat, [text]);
  // What came twice is one.
  const linksNow = () => [...new Set(since().flatMap(({ link }) => link ?? []))];
  for (let nth = 0; ; nth++) {
    const isThere = await chat.until(
      () => outcomeOf(since()) !== undefined || linksNow().length > nth,
      'a card or a link',
    );
    const found = outcomeOf(since());
    const link = linksNow()[nth];
    if (!isThere || found || link === undefined) return found;
    const code = await chat.signIn(link, who);
    // Whoever could not sign in by that link asks for another.
    if (code === undefined) return undefined;
    await write(chat, [code], await gather?.('code'));
  }
}

/** In two tabs at once, and again by a client that is not sure. */
async function sayYes(chat: Chat, chance: Chance, at: string | undefined): Promise<Found | undefined> {
  const before = chat.testimony.sent.length;
  const writing = write(chat, [YES, YES], at);
  const again = (under: 'the same id' | 'a new id') =>
    Promise.all(chat.testimony.sent.slice(before).map((sent) => chat.resend(sent, under)));
  if (chance.happens(0.5)) await again('the same id');
  const since = await writing;
  if (chance.happens(0.5)) await again('a new id');
  // In Teams a question may come twice, and be over when it comes again; then both yeses have other answers.
  const isInVain = () => {
    const texts = since().map(({ text }) => text);
    return texts.length > 1 && !texts.some((text) => text.startsWith(REVOKING));
  };
  const isOver = () => ['receipt', 'denied'].includes(outcomeOf(since()) ?? '') || isInVain();
  await chat.until(isOver, 'a receipt');
  return isInVain() ? undefined : outcomeOf(since());
}

/** Whoever asks once more is told the same receipt. */
async function askAgain(chat: Chat, who: string): Promise<void> {
  for (let nth = 0; nth < MOST_WISHES && chat.testimony.complaints.length === 0; nth++) {
    if ((await wish(chat, who, STATUS)) === 'receipt') return;
    await pause(nth);
  }
}

/** Gives what has been shown since. */
async function write(chat: Chat, texts: readonly string[], at?: string): Promise<() => Shown[]> {
  const sent = await chat.write(texts.map(plain), at);
  return () => chat.since(sent);
}
