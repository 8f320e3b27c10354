/**
 * The conversation as one botbuilder Dialog.
 *
 * It keeps nothing itself: what was said is in the conversation's own rows, so
 * a dialog stack that was lost, or is never kept, makes no difference. Replies
 * come from those rows, in order, through the turn that is open or, when none
 * is, by a message of our own.
 */
import type { Activity, TurnContext } from 'botbuilder';
import { Dialog } from 'botbuilder-dialogs/lib/dialog.js';
import type { DialogContext } from 'botbuilder-dialogs/lib/dialogContext.js';
import { z } from 'zod';
import type { Content } from '../../content.ts';
import type { Conversations, Posted, TurnName } from '../../conversations/conversations.ts';
import type { Delivery, Place, Said } from '../../conversations/store.ts';
import { type Rules, toActivity } from '../activities.ts';
import { NotTaken, remedyFor } from './delivery.ts';
import { type Incoming, placeOf, read } from './incoming.ts';
import { toPlainActivity, toTeamsActivities } from './outgoing.ts';

export type ConversationDialog = {
  dialog: Dialog;
  /** Delivers what there is to deliver, and resolves when that is done or has been put off. */
  deliver: (conversation: string, claimed?: Delivery) => Promise<void>;
  /** Begins to deliver what was left, where nobody is at it. */
  catchUp: (conversations: readonly string[]) => void;
  /** Resolves when nothing is being delivered any more. */
  idle: () => Promise<void>;
};

/** Reaches a student when no turn is open, at the address that came with their last message. */
export type Reach = (address: object, activity: Partial<Activity>) => Promise<void>;

/** What became of a reply, without whose it was. `attempt` is counted from 1. */
export type DeliveryTold = {
  outcome: 'delivered' | 'putOff' | 'gone' | 'passedBy';
  /** How the connector answered, if it did and did not take it; where it is delivered, not as it was at first. */
  status?: number;
  attempt: number;
  /** Whether it may have come more than once, since an earlier attempt may have come through. */
  isRepeated: boolean;
};

/** Is told of it, and of which turn it came. */
export type HearDelivery = (told: DeliveryTold, of: TurnName) => void;

/** How long a turn is held open for its answer, in milliseconds. Teams asks again after 15 seconds. */
const PATIENCE = 10_000;
/** In milliseconds: what is answered sooner needs no sign of it, and Teams shows one for about three seconds. */
const TYPING_AFTER = 500;
const TYPING_AGAIN = 2_500;
/** Conversations that are delivered to at once, of those that were left. One that hangs is given up in seconds. */
const MOST_AT_ONCE = 50;

export type ConversationDialogWorld = {
  conversations: Conversations;
  content: Pick<Content, 'rules'>;
  /** Whether whoever sends activities has been proved. If not, nobody's account is believed. */
  isProved: boolean;
  reach: Reach;
  onDelivery?: HearDelivery;
  onMistake?: (mistake: unknown) => void;
};

export function createConversationDialog(world: ConversationDialogWorld): ConversationDialog {
  const { conversations, content, isProved, reach, onDelivery: hear = ignored, onMistake = ignored } = world;
  const open = new Map<string, TurnContext>();
  const delivering = new Map<string, Promise<void>>();

  const send = async (conversation: string, address: object, activity: Partial<Activity>): Promise<void> => {
    const context = open.get(conversation);
    if (context) await context.sendActivity(activity);
    else await reach(address, activity);
  };

  const post = async (
    conversation: string,
    { address, attempts, taken, isUnsure, answers }: Delivery,
    said: Said,
    seq: number,
    took: (parts: number) => Promise<void>,
  ): Promise<Posted> => {
    const told = { attempt: attempts + 1, isRepeated: isUnsure };
    const onDelivery = (each: DeliveryTold) => {
      hear(each, { conversation, message: answers });
    };
    /** Nothing, if it will never be taken as it is. */
    const judged = (mistake: unknown): Exclude<Posted, { outcome: 'delivered' }> | undefined => {
      const { status, isUnsure: mayHaveCome = false } = mistake instanceof NotTaken ? mistake : {};
      // Whatever is wrong with our credentials, or with what we send, somebody here has to mend.
      if (!(mistake instanceof NotTaken) || status === 400 || status === 401 || status === 413) onMistake(mistake);
      const remedy = remedyFor(mistake, attempts, Math.random());
      if (remedy.outcome === 'refused') return undefined;
      const isLater = remedy.outcome === 'later';
      onDelivery({ outcome: isLater ? 'putOff' : 'gone', ...(status !== undefined && { status }), ...told });
      return isLater ? { ...remedy, isUnsure: isUnsure || mayHaveCome } : remedy;
    };

    const activities = activitiesFor(address, said, seq, content.rules);
    let done = taken;
    let refused: number | undefined;
    try {
      for (const activity of activities.slice(taken)) {
        await send(conversation, address, activity);
        done++;
        // What has been taken is not sent again because of what comes after it.
        if (done < activities.length) await took(done);
      }
      onDelivery({ outcome: 'delivered', ...told });
      return { outcome: 'delivered' };
    } catch (mistake) {
      const remedy = judged(mistake);
      if (remedy) return remedy;
      refused = mistake instanceof NotTaken ? mistake.status : undefined;
    }
    // What is left, once more as plainly as can be; then what comes after it is not kept waiting.
    const text = activities.slice(done).flatMap((activity) => activity.text ?? []);
    const plain = toPlainActivity({ ...said, text: text.join('\n') });
    const as = { ...(refused !== undefined && { status: refused }), ...told };
    try {
      if (plain.text) await send(conversation, address, plain);
      onDelivery({ outcome: plain.text ? 'delivered' : 'passedBy', ...as });
    } catch (mistake) {
      const remedy = judged(mistake);
      if (remedy) return remedy;
      onDelivery({ outcome: 'passedBy', ...as });
    }
    return { outcome: 'delivered' };
  };

  const deliver = (conversation: string, claimed?: Delivery): Promise<void> => {
    const before = delivering.get(conversation) ?? Promise.resolve();
    const now = before
      .then(() => conversations.deliver(conversation, (...reply) => post(conversation, ...reply), claimed))
      .finally(() => {
        if (delivering.get(conversation) === now) delivering.delete(conversation);
      });
    delivering.set(conversation, now);
    return now;
  };

  // What fails here is told of, and delivered by whoever looks for what was left.
  conversations.subscribe((conversation, claimed) => {
    if (claimed) deliver(conversation, claimed).catch(onMistake);
  });

  /** Whatever comes from there, tells where it is reached from now on. No conversation begins by it. */
  const refresh = async (place: Place): Promise<void> => {
    if (await conversations.has(place.conversation)) await conversations.open(place);
  };

  const heed = async (context: TurnContext, incoming: Incoming): Promise<void> => {
    const place = placeOf(context.activity, isProved);
    switch (incoming.kind) {
      case 'message': {
        const { kind: _, ...message } = incoming;
        const { answered } = await conversations.accept({ ...place, ...message });
        await withinPatience(answered, () => {
          showTyping(context);
        });
        return;
      }
      case 'arrived':
        await conversations.open(place);
        return;
      case 'left':
        await conversations.leave(place.conversation);
        return;
      case 'edited':
        if (await conversations.has(place.conversation)) await conversations.edit(place);
        return;
      case 'deleted':
        await conversations.unsay(place.conversation, incoming.id);
        await refresh(place);
        return;
      case 'nothing':
        await refresh(place);
    }
  };

  const answer = async (context: TurnContext) => {
    const { conversation } = placeOf(context.activity, isProved);
    open.set(conversation, context);
    try {
      await heed(context, read(context.activity));
      // What was accepted is kept, whatever becomes of its answer.
      // What is begun meanwhile goes through this turn, and botbuilder takes it away when the turn is over.
      while (delivering.has(conversation)) await delivering.get(conversation)?.catch(ignored);
    } finally {
      if (open.get(conversation) === context) open.delete(conversation);
    }
    return Dialog.EndOfTurn;
  };

  const dialog = new (class extends Dialog {
    override beginDialog({ context }: DialogContext) {
      return answer(context);
    }

    override continueDialog({ context }: DialogContext) {
      return answer(context);
    }
  })('kortlotsen');

  return {
    dialog,
    deliver,
    catchUp(left) {
      for (const conversation of left) {
        if (delivering.size >= MOST_AT_ONCE) return;
        if (!delivering.has(conversation)) deliver(conversation).catch(onMistake);
      }
    },
    async idle() {
      await Promise.allSettled(delivering.values());
    },
  };
}

const ignored = (): void => undefined;

/** Of a chat with several there is no user to address. */
const Addressed = z.object({ channelId: z.string(), user: z.unknown().optional() });

/** Teams has manners of its own; other channels show what the Bot Framework describes. */
function activitiesFor(address: object, said: Said, seq: number, rules: Rules): Partial<Activity>[] {
  const { data } = Addressed.safeParse(address);
  const signed = withName(said);
  if (data?.channelId !== 'msteams') return [toActivity(signed, rules)];
  return toTeamsActivities(signed, seq, data.user === undefined, rules);
}

/** To the channel all that we send is the bot’s, so whoever else speaks is named. */
function withName(said: Said): Said {
  const name = said.agent?.name.replace(/[\\*_`[\]<>#~|]/g, '').trim();
  return name ? { ...said, text: `**${name}:** ${said.text}` } : said;
}

/** It tells nothing, so whether it comes does not matter. */
function showTyping(context: TurnContext): void {
  const { conversationType } = context.activity.conversation;
  if (conversationType !== 'channel') context.sendActivity({ type: 'typing' }).catch(ignored);
}

/** Waits for the answer, and shows that somebody is at it while it is not there. */
async function withinPatience(answered: Promise<unknown>, show: () => void): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  const isLate = new Promise<void>((resolve) => {
    late = setTimeout(resolve, PATIENCE);
  });
  let showing: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    show();
    showing = setInterval(show, TYPING_AGAIN);
  }, TYPING_AFTER);
  await Promise.race([answered, isLate]);
  clearTimeout(late);
  clearTimeout(first);
  clearInterval(showing);
}
