/**
 * A holder's cards, as an agent may see and revoke them who has made sure who
 * it is, and says how.
 *
 * What the holder is looked up by, often a personnummer, goes to the ledger
 * once and is kept nowhere: not in a row, and not in what is told of a mistake.
 * Nothing is shown and nothing is revoked that has no row in the audit first.
 *
 * An errand is a confirmation, a card and a reason. However often it is asked
 * for, by a double click or after a crash, the ledger hears one reference, and
 * so revokes once. While its outcome is unknown it is never called undone.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type Card, type Day, isRevocable, type Receipt } from '../../dialogs/card-validity.ts';
import type { RevocationReason } from '../../dialogs/vocabulary.ts';
import { instantOf } from '../calendar.ts';
import { CardId, HolderId } from '../ledger/cards.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { mask } from '../masking.ts';
import type { Database } from '../storage/database.ts';
import { type Attempt, createAudit, type Way } from './audit.ts';
import type { Agent } from './desk.ts';

/** `identifier` is a personnummer or samordningsnummer, or else what the provider of identity calls the holder. */
export type Confirming = { identifier: string; way: Way; note?: string; case?: string };

export type Confirmed =
  /** Somebody who is unknown, or protected, has no cards, as somebody without any. */
  | { outcome: 'confirmed'; confirmation: string; cards: Card[] }
  /** A number that is nobody’s, or too long a text: nothing was asked, and nothing is kept. */
  | { outcome: 'malformed' }
  | { outcome: 'unreachable' };

export type Revoking = { confirmation: string; card: string; reason: RevocationReason };

export type Revoked =
  | { outcome: 'revoked'; receipt: Receipt }
  /** Not a card of that holder’s that can be revoked. */
  | { outcome: 'refused' }
  /** Nothing was sent. */
  | { outcome: 'unreachable' }
  /** It may have been revoked. The same call again asks the ledger about the same errand. */
  | { outcome: 'unanswered' }
  /** There is no such confirmation, it was too long ago, or it is another agent’s. */
  | { outcome: 'expired' };

export type CardDesk = {
  confirm: (agent: Agent, confirming: Confirming) => Promise<Confirmed>;
  revoke: (agent: Agent, revoking: Revoking) => Promise<Revoked>;
};

export type CardDeskWorld = {
  database: Database;
  /** One that answers within a deadline. */
  ledger: Ledger;
  now?: () => Date;
  onMistake: (mistake: unknown) => void;
};

/** How long a confirmation can be used, in milliseconds. */
export const CONFIRMATION_LASTS = 15 * 60_000;
/** In characters. */
export const LONGEST_NOTE = 200;
const LONGEST_IDENTIFIER = 300;
/** Stands for what was taken out of a note. */
const MASKED = '•••';

export function createCardDesk({ database, ledger, now = () => new Date(), onMistake }: CardDeskWorld): CardDesk {
  const audit = createAudit(database);

  /** A ledger that fails may quote what it was sent, so nothing of what it says is passed on. */
  const holderFor = async (identifier: string): Promise<string | undefined> => {
    try {
      const answer = await ledger.holderFor(identifier);
      if (answer.outcome !== 'found') return undefined;
      const { data: holder } = HolderId.safeParse(answer.holder);
      if (holder !== undefined) return holder;
    } catch {
      // Told of below.
    }
    onMistake(new Error('The ledger failed to name a holder'));
    return undefined;
  };

  const cardsOf = async (holder: string): Promise<Card[] | undefined> => {
    try {
      const answer = await ledger.findCards(holder);
      return answer.outcome === 'found' ? answer.cards : undefined;
    } catch (mistake) {
      onMistake(mistake);
      return undefined;
    }
  };

  /** Asks the ledger, whether it has been asked before or not. */
  const send = async ({ holder, card, reason, reference }: Attempt & { card: string }) => {
    const errand = { request: 'ledger.revoke', person: holder, card, reason, reference } as const;
    try {
      return await ledger.revoke({ ...errand, channel: 'servicedesk' });
    } catch (mistake) {
      onMistake(mistake);
      return { outcome: 'unanswered' } as const;
    }
  };

  const attemptTo = async (agent: Agent, attempt: Attempt): Promise<Revoked> => {
    const { card: id } = attempt;
    if (id === undefined) return { outcome: 'refused' };
    const today = instantOf(now()).slice(0, 10) as Day;
    const cards = await cardsOf(attempt.holder);
    const isTheirs = cards?.some((card) => card.id === id && isRevocable(card, today)) ?? false;
    // Another attempt may be the very reason why it cannot be revoked now; then the ledger knows what became of it.
    if (!isTheirs && !(await audit.mayHaveHappened(attempt))) return { outcome: cards ? 'refused' : 'unreachable' };
    await audit.note(agent, now(), { what: 'revoke', outcome: 'sent', ...attempt });
    const answer = await send({ ...attempt, card: id });
    // This attempt did nothing, which is not to say that another has not.
    if (answer.outcome === 'unreachable' && (await audit.mayHaveHappened(attempt))) return { outcome: 'unanswered' };
    return answer;
  };

  return {
    async confirm(agent, { identifier: typed, way, note: written = '', case: caseId }) {
      const identifier = identifierOf(typed, now());
      if (identifier === undefined || written.length > LONGEST_NOTE) return { outcome: 'malformed' };
      const note = noteOf(written, typed) || undefined;
      const holder = await holderFor(identifier);
      const confirmation = randomUUID();
      const confirmed = { confirmation, holder, case: caseId };
      const outcome = holder === undefined ? 'unreachable' : 'confirmed';
      await audit.note(agent, now(), { what: 'confirm', outcome, way, note, ...confirmed });
      if (holder === undefined) return { outcome: 'unreachable' };
      const cards = await cardsOf(holder);
      await audit.note(agent, now(), { what: 'look', outcome: cards ? 'shown' : 'unreachable', ...confirmed });
      return cards ? { outcome: 'confirmed', confirmation, cards } : { outcome: 'unreachable' };
    },

    async revoke(agent, { confirmation, card: named, reason }) {
      const at = now();
      const { data: card } = CardId.safeParse(named);
      const confirmed = await audit.confirmed(agent, confirmation, new Date(at.getTime() - CONFIRMATION_LASTS));
      if (!confirmed) {
        await audit.note(agent, at, { what: 'revoke', outcome: 'expired', card, reason });
        return { outcome: 'expired' };
      }
      const reference = `desk/${opaque(agent)}/${confirmation}/${card ?? 'none'}/${reason}`;
      const attempt = { ...confirmed, confirmation, attempt: randomUUID(), card, reason, reference };
      await audit.note(agent, at, { what: 'revoke', outcome: 'begun', ...attempt });
      const answer = await attemptTo(agent, attempt);
      const outcome =
        answer.outcome === 'revoked' ? { outcome: answer.outcome, receipt: answer.receipt.number } : answer;
      await audit.note(agent, now(), { what: 'revoke', ...attempt, ...outcome });
      return answer;
    },
  };
}

/** Who asked, as the ledger keeps it for ever: whoever has the agent’s id can tell that it was they. */
const opaque = ({ id }: Agent): string => createHash('sha256').update(id).digest('base64url').slice(0, 22);

/** No personnummer or code, and not what the holder was looked up by, if it says that. */
function noteOf(written: string, identifier: string): string {
  const plain = written.replace(/\p{C}/gu, ' ').replaceAll(identifier.trim(), MASKED);
  return mask(plain, undefined, MASKED).text.trim().slice(0, LONGEST_NOTE);
}

const UNSEEN = /[\s\p{Default_Ignorable_Code_Point}]/gu;
const PERSONAL_NUMBER = /^(?:(?<century>\d\d)(?<long>\d{6})-?|(?<short>\d{6})(?<sign>[-+]?))(?<last>\d{4})$/;

/**
 * What the ledger is asked by. A number is written with twelve digits, however
 * it was typed; one with two digits for the year is of somebody under a
 * hundred, unless it has a plus. One that cannot be anybody’s gives nothing.
 */
export function identifierOf(typed: string, now: Date): string | undefined {
  const number = typed
    .normalize('NFKC')
    .replace(UNSEEN, '')
    .replace(/[\p{Pd}\u2212]/gu, '-');
  if (!/^[\d+-]+$/.test(number)) {
    const name = typed.trim();
    return name === '' || name.length > LONGEST_IDENTIFIER || /\p{C}/u.test(name) ? undefined : name;
  }
  const { century, long, short, sign, last = '' } = PERSONAL_NUMBER.exec(number)?.groups ?? {};
  const birth = long ?? short;
  if (birth === undefined || !isChecked(birth + last)) return undefined;
  const born = century === undefined ? bornLately(birth, now, sign === '+') : dayOn(century + birth);
  return born && `${born.slice(0, 2)}${birth}${last}`;
}

/** The last day with those six digits that has been, or that was a hundred years before it. */
function bornLately(birth: string, now: Date, isOverHundred: boolean): string | undefined {
  const today = instantOf(now).slice(0, 10).replaceAll('-', '');
  const thisCentury = Number(today.slice(0, 2));
  const days = [0, 1, 2].flatMap((back) => dayOn(`${thisCentury - back}${birth}`) ?? []);
  const [last, before] = days.filter((day) => day <= today);
  return isOverHundred ? before : last;
}

/** Eight digits as the day they say, in which a samordningsnummer has sixty more. */
function dayOn(digits: string): string | undefined {
  const day = Number(digits.slice(6));
  const date = String(day > 60 ? day - 60 : day).padStart(2, '0');
  const written = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${date}`;
  const time = new Date(written);
  const isDay = !Number.isNaN(time.getTime()) && time.toISOString().startsWith(written);
  return isDay ? written.replaceAll('-', '') : undefined;
}

/** Every other digit counts double, and the last makes the sum even tens. */
function isChecked(tenDigits: string): boolean {
  const sum = Array.from(tenDigits, (digit, place) => {
    const product = Number(digit) * (place % 2 === 0 ? 2 : 1);
    return product > 9 ? product - 9 : product;
  });
  return sum.reduce((total, each) => total + each, 0) % 10 === 0;
}
