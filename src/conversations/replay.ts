/**
 * A recorded conversation taken anew with two editions of the content, in
 * memory, to see what would now be answered differently.
 *
 * Each message is taken where the conversation then was: by both from the same
 * place, so that a message that is answered differently makes no difference of
 * those after it. The place is where the edition in service leads.
 *
 * Nobody is asked who they are, and the ledger is asked nothing: what those
 * answered is not on record. So a conversation goes on as that of one who is
 * not proved, with either edition. What a human has answered is not taken.
 */
import { isDeepStrictEqual } from 'node:util';
import { createCalendar } from '../calendar.ts';
import type { Edition } from '../editions.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Masked } from '../masking.ts';
import { createConversations, type Exchange, type Servicedesk } from './conversations.ts';
import { createMemoryStore } from './memory-store.ts';
import type { Kept, Said } from './store.ts';

/** A conversation as it is on record, without what was written to a human. */
export type Recorded = {
  conversation: string;
  isShared: boolean;
  begunAt: Date;
  messages: RecordedMessage[];
};
/** `button`: it was said by a button, of the last reply or of one before. */
export type RecordedMessage = Masked & { seq: number; at: Date; button: 'last' | 'old' | undefined };

/** What a message led to with one edition. Lines are named as in the content. */
export type Taken = {
  /** `intent.lost-card`, or what else was heard. */
  heard: string[];
  /** What it would be understood as if nothing had been asked. */
  intent: string;
  decision: 'answer' | 'clarify' | 'fallback';
  state: string;
  lines: string[];
  cites: string[];
};

/** The gravest first. Of each difference only the gravest is told. */
export const differenceKinds = ['notUnderstood', 'understoodOtherwise', 'state', 'lines', 'cites'] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/** `text` is masked; at the beginning of a conversation there is none. `state` is where it was said. */
export type Difference = {
  kind: DifferenceKind;
  text: string | undefined;
  state: string;
  before: Taken;
  after: Taken;
};

export type Replayed = {
  differences: Difference[];
  /** The lines that were said by both and are put otherwise, as often as they were said. */
  reworded: string[];
};

export type ReplayWorld = { servicedesk: Servicedesk | undefined };

const NOT_UNDERSTOOD = ['unclear', 'ambiguous', 'intent.out-of-scope'];

export async function replay(
  recorded: Recorded,
  [before, after]: readonly [Edition, Edition],
  world: ReplayWorld,
): Promise<Replayed> {
  const clock = { at: recorded.begunAt };
  const sides = [before, after].map((edition) => createSide(edition, recorded, { ...world, now: () => clock.at }));
  const [old, new_] = sides;
  if (!old || !new_) return { differences: [], reworded: [] };
  const replayed: Replayed = { differences: [], reworded: [] };

  const compare = (text: string | undefined, state: string, one: Answer, other: Answer): void => {
    const kind = kindOf(one.taken, other.taken);
    if (kind) replayed.differences.push({ kind, text, state, before: one.taken, after: other.taken });
    else {
      const reworded = one.said.filter((said, index) => !isSaidAlike(said, other.said[index]));
      replayed.reworded.push(...reworded.map(({ line = '' }) => line));
    }
  };

  compare(undefined, '', await old.begin(), await new_.begin());
  const unsaid = [before, after].map(({ content }) => content.label('conversation/takenBack'));
  for (const message of recorded.messages.filter(({ text }) => !unsaid.includes(text))) {
    clock.at = message.at;
    const from = await old.kept();
    if (!from) break;
    await new_.goTo(from);
    // What is masked is called so by the edition that is asked.
    const written = (edition: Edition) => message.text.replaceAll(before.content.masked, edition.content.masked);
    compare(
      message.text,
      from.state,
      await old.take({ ...message, text: written(before) }),
      await new_.take({ ...message, text: written(after) }),
    );
  }
  return replayed;
}

type Answer = { taken: Taken; said: Said[] };

function createSide(
  { content, understanding }: Edition,
  { conversation, isShared }: Recorded,
  { servicedesk, now }: ReplayWorld & { now: () => Date },
) {
  const kept = createMemoryStore(() => now().getTime());
  let masked: Masked = { text: '', isMasked: false };
  const conversations = createConversations({
    content,
    understanding,
    calendar: createCalendar(content),
    store: {
      ...kept,
      // It was masked when it was recorded, by the question that was open then.
      accept: (message) => kept.accept({ ...message, text: { open: masked, dates: masked, codes: masked } }),
    },
    ledger: NOBODY,
    proving: undefined,
    proofLasts: { minutes: 1, idleMinutes: 1 },
    servicedesk,
    now,
    onTurn: () => undefined,
    onMistake: (mistake) => {
      throw mistake;
    },
  });
  const place = { conversation, channel: 'replay', isPushed: false, isShared };
  const pending = () => kept.pending(conversation);

  const answerOf = async (exchange: Exchange, text: string, after: number): Promise<Answer> => {
    const log = await kept.log(conversation, after);
    const said = log.flatMap((each) => (each.author === 'bot' && !each.said.handoff ? [each.said] : []));
    const { intent, decision } = understanding.understand(text.replaceAll(content.masked, ' '));
    const lines = said.map(({ line = '' }) => line);
    const cites = [...new Set(said.flatMap((each) => each.cites))];
    // Whom it was handed to gives it back at once: what they answered is not taken.
    if ((await pending())?.speaker === 'queue') await conversations.comeBack(conversation, undefined, 'replayed', {});
    return { said, taken: { heard: exchange.heard, intent, decision, state: exchange.state, lines, cites } };
  };

  return {
    begin: async () => answerOf(await conversations.open(place), '', 0),
    kept: async () => (await pending())?.kept,
    /** Takes the conversation to where it is with the other, unless it is there. */
    async goTo(other: Kept) {
      const on = await pending();
      if (!on || isDeepStrictEqual(on.kept?.saved, other.saved)) return;
      await kept.commit({ conversation, turns: on.turns, at: now(), kept: other, replies: [], requests: [] });
    },
    async take({ seq, text, isMasked, button }: RecordedMessage): Promise<Answer> {
      masked = { text, isMasked };
      const replied = (await pending())?.repliedSeq ?? 0;
      const pressed = button && { button: button === 'last' ? replied : 0 };
      const accepted = await conversations.accept({ ...place, id: `replayed ${seq}`, text, ...pressed });
      return answerOf(await accepted.answered, text, accepted.seq);
    },
  };
}

/** Nobody is proved, so nothing is asked of it. */
const NOBODY: Ledger = {
  holderFor: () => Promise.resolve({ outcome: 'unreachable' }),
  findCards: () => Promise.resolve({ outcome: 'unreachable' }),
  revoke: () => Promise.resolve({ outcome: 'unreachable' }),
};

function kindOf(before: Taken, after: Taken): DifferenceKind | undefined {
  if (!isDeepStrictEqual(before.heard, after.heard)) {
    const isUnderstood = ({ heard }: Taken) => !heard.some((each) => NOT_UNDERSTOOD.includes(each));
    return isUnderstood(before) && !isUnderstood(after) ? 'notUnderstood' : 'understoodOtherwise';
  }
  if (before.state !== after.state) return 'state';
  if (!isDeepStrictEqual(before.lines, after.lines)) return 'lines';
  return isDeepStrictEqual(before.cites, after.cites) ? undefined : 'cites';
}

/** As the student is shown it. */
const isSaidAlike = (one: Said, other: Said | undefined): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other ?? null)));
