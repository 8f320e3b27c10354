/** A simulated student: holds a chat by a script, and is impatient in every way a client can be. */
import type { Chance } from './chance.ts';
import type { Sent } from './checker.ts';
import type { Moment } from './ambushes.ts';
import type { Chat, Shown } from './direct-line-chat.ts';
import { type Line, mayBeMasked, plain, REVOKING, type Round } from './script.ts';

/** How many messages are sent again, and under a new id. */
const RESENT = 0.1;
const RENAMED = 0.4;

export type Surroundings = {
  /** Is told of every message that was acknowledged. */
  onMessages: (count: number) => void;
  /** Waits for others who are at the same moment. Says which process they all turn to, if they do. */
  gather: (moment: Moment, conversation: string) => Promise<string | undefined>;
  /** Revokes somebody's own card, where that is part of the script. */
  revokeOwn?: (who: string) => Promise<void>;
};

/** Who has something to complain of does not go on. */
export async function converse(
  chat: Chat,
  script: readonly Round[],
  chance: Chance,
  surroundings: Surroundings,
): Promise<void> {
  for (const round of script) {
    if (chat.testimony.complaints.length > 0) return;
    switch (round.kind) {
      case 'write':
        await write(chat, chance, round.lines, round.waits);
        surroundings.onMessages(round.lines.length);
        break;
      case 'revoke':
        await revoke(chat, chance, round, surroundings);
        surroundings.onMessages(REVOKING);
        break;
      case 'revokeOwn':
        await surroundings.revokeOwn?.(round.who);
        break;
      case 'last':
        await writeLast(chat, chance, round.line, surroundings);
        surroundings.onMessages(1);
    }
  }
}

/** Whatever was sent again would make a process go on with it. */
async function writeLast(chat: Chat, chance: Chance, line: Line | 'suggested', { gather }: Surroundings) {
  const chosen = line === 'suggested' ? suggestion(chat, chance) : line;
  const at = await gather('lastMessage', chat.testimony.conversation);
  const sent = await chat.write([chosen], at);
  await chat.until(() => chat.isAnswered(sent), `an answer to ${nameOf(sent)}`);
}

async function write(
  chat: Chat,
  chance: Chance,
  lines: readonly (Line | 'suggested')[],
  waits: boolean,
  at?: string,
): Promise<void> {
  const chosen = lines.map((line) => (line === 'suggested' ? suggestion(chat, chance) : line));
  // Decided beforehand, so that chance is asked in the same order whoever is faster.
  const resends = chosen.map(() => ({
    isResent: chance.happens(RESENT),
    under: chance.happens(RENAMED) ? ('a new id' as const) : ('the same id' as const),
    when: chance.oneOf(['meanwhile', 'at once', 'later'] as const),
  }));
  const before = chat.testimony.sent.length;
  const writing = chat.write(chosen, at);
  const again = (when: 'meanwhile' | 'at once' | 'later') =>
    Promise.all(
      chat.testimony.sent.slice(before).map(async (sent, index) => {
        const resend = resends[index];
        if (resend?.isResent && resend.when === when) await chat.resend(sent, resend.under);
      }),
    );
  const [sent] = await Promise.all([writing, again('meanwhile')]);
  await again('at once');
  if (waits) await chat.until(() => chat.isAnswered(sent), `an answer to ${nameOf(sent)}`);
  await again('later');
}

const nameOf = (sent: readonly Sent[]): string => sent.map(({ ids }) => ids[0] ?? '').join(', ');

function suggestion({ testimony }: Chat, chance: Chance): Line {
  const suggested = testimony.seen.filter(({ author }) => author === 'bot').at(-1)?.suggests ?? [];
  // Of whoever is forgotten there is nothing left that could be checked.
  const suggests = suggested.filter((text) => !mayBeMasked(text) && text !== 'Glöm mig');
  return { text: suggests.length > 0 ? chance.oneOf(suggests) : 'Vad kan du?', hasSecret: false };
}

const asksForYes = ({ suggests }: Shown): boolean => suggests.join() === 'Ja,Nej';
const RECEIPT = /\bS(-[0-9A-F]{4}){3}\b/;
const linksIn = (seen: readonly Shown[]): string[] => seen.flatMap(({ link }) => link ?? []);

async function revoke(
  chat: Chat,
  chance: Chance,
  { holder, wish, isHurried }: Round & { kind: 'revoke' },
  { gather }: Surroundings,
): Promise<void> {
  const { testimony } = chat;
  // What was told before, such as another reason, is forgotten.
  await write(chat, chance, [plain('börja om')], true);
  await write(chat, chance, [plain(wish)], true);
  const asked = Math.max(...testimony.sent.flatMap(({ places }) => places));
  const since = (seen: readonly Shown[]) => seen.filter(({ seq }) => seq > asked);
  const greet = () => write(chat, chance, [plain('Hej!')], !isHurried);
  const isOver = (seen: readonly Shown[]) => since(seen).some((shown) => asksForYes(shown) || RECEIPT.test(shown.text));

  let isWaiting = await chat.until((seen) => linksIn(since(seen)).length > 0, 'a link to sign in by');
  for (let nth = 0; isWaiting && !isOver(testimony.seen); nth++) {
    const link = linksIn(since(testimony.seen))[nth] ?? '';
    const signIn = chat.signIn(link, holder);
    if (isHurried && nth === 0) await Promise.all([signIn, greet()]);
    const code = await signIn;
    if (code === undefined) testimony.complaints.push('the student could not sign in');
    const codeAt = await gather('code', testimony.conversation);
    await write(chat, chance, [plain(code ?? 'ingen kod')], false, codeAt);
    // A code that came too late is answered by another link.
    isWaiting = await chat.until(
      (seen) => isOver(seen) || linksIn(since(seen)).length > nth + 1,
      `the card of ${holder} to be read back`,
    );
  }
  if (!isHurried) await greet();

  const isReadBack = since(testimony.seen).some(asksForYes);
  testimony.saidYes ||= isReadBack;
  const yesAt = isReadBack ? await gather('yes', testimony.conversation) : undefined;
  const last = [plain(isReadBack ? 'ja' : 'tack'), plain('tack')];
  if (isHurried) await write(chat, chance, last, false, yesAt);
  else for (const line of last) await write(chat, chance, [line], true, yesAt);
  if (isReadBack) await chat.until((seen) => since(seen).some(({ text }) => RECEIPT.test(text)), 'a receipt');
}
