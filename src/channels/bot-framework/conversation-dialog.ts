/**
 * The conversation as one botbuilder Dialog.
 *
 * It keeps nothing itself: what was said is in the conversation's own rows, so
 * a dialog stack that was lost, or is never kept, makes no difference. Replies
 * come from those rows, in order, through the turn that is open or, when none
 * is, by a message of our own.
 */
import type { Activity, TurnContext } from 'botbuilder';
import { Dialog, type DialogContext } from 'botbuilder-dialogs';
import { z } from 'zod';
import type { Conversations } from '../../conversations/conversations.ts';
import type { Delivery, Place, Said } from '../../conversations/store.ts';
import { type Rules, toActivity } from '../activities.ts';

export type ConversationDialog = {
  dialog: Dialog;
  /** Delivers what there is to deliver, and resolves when that is done or has been put off. */
  deliver: (conversation: string, claimed?: Delivery) => Promise<void>;
};

/** Reaches a student when no turn is open, at the address that came with their last message. */
export type Reach = (address: object, activity: Partial<Activity>) => Promise<void>;

/** How long a turn is held open for its answer, in milliseconds. Teams asks again after 15 seconds. */
const PATIENCE = 10_000;

export type ConversationDialogWorld = {
  conversations: Conversations;
  rules: Rules;
  /** Whether whoever sends activities has been proved. If not, nobody's account is believed. */
  isProved: boolean;
  reach: Reach;
};

export function createConversationDialog(world: ConversationDialogWorld): ConversationDialog {
  const { conversations, rules, isProved, reach } = world;
  const open = new Map<string, TurnContext>();
  const delivering = new Map<string, Promise<void>>();

  const post = async (conversation: string, address: object, said: Said) => {
    const activity = toActivity(said, rules);
    const context = open.get(conversation);
    if (context) await context.sendActivity(activity);
    else await reach(address, activity);
  };

  const deliver = (conversation: string, claimed?: Delivery): Promise<void> => {
    const before = delivering.get(conversation) ?? Promise.resolve();
    const now = before
      .then(() => conversations.deliver(conversation, (address, said) => post(conversation, address, said), claimed))
      .finally(() => {
        if (delivering.get(conversation) === now) delivering.delete(conversation);
      });
    delivering.set(conversation, now);
    return now;
  };

  // What fails here is told of, and delivered by whoever looks for what was left.
  conversations.subscribe((conversation, claimed) => {
    if (claimed) deliver(conversation, claimed).catch(() => undefined);
  });

  const answer = async (context: TurnContext, isBegun: boolean) => {
    const place = placeOf(context.activity, isProved);
    const { conversation } = place;
    open.set(conversation, context);
    try {
      if (context.activity.type === 'message') {
        const { answered } = await conversations.accept({ ...place, ...messageOf(context.activity) });
        await withinPatience(answered);
      } else if (isBegun) await conversations.open(place);
      await delivering.get(conversation);
    } finally {
      if (open.get(conversation) === context) open.delete(conversation);
    }
    return Dialog.EndOfTurn;
  };

  const dialog = new (class extends Dialog {
    override beginDialog({ context }: DialogContext) {
      return answer(context, true);
    }

    override continueDialog({ context }: DialogContext) {
      return answer(context, false);
    }
  })('kortlotsen');

  return { dialog, deliver };
}

/** Two channels may well give two conversations the same id, and none of them one of the web chat's. */
function placeOf(activity: Activity, isProved: boolean): Place {
  const { channelId, serviceUrl, conversation, from, recipient } = activity;
  const account = isProved ? accountOf(activity) : undefined;
  return {
    conversation: `bot/${channelId}/${conversation.id}`,
    channel: channelId,
    isPushed: true,
    isShared: conversation.isGroup || /^(groupChat|channel)$/.test(conversation.conversationType),
    ...(account !== undefined && { account }),
    address: { channelId, serviceUrl, conversation, user: from, bot: recipient },
  };
}

/** As Teams tells it: the tenant, and the person's object id in it. */
const InTeams = z.object({
  channelId: z.literal('msteams'),
  from: z.object({ aadObjectId: z.uuid() }),
  conversation: z.object({ tenantId: z.uuid() }),
});

function accountOf(activity: Activity): string | undefined {
  const { data } = InTeams.safeParse(activity);
  return data && `${data.conversation.tenantId}/${data.from.aadObjectId}`;
}

/** botbuilder makes dates of times, which it writes to the second. */
const Time = z.union([z.date().transform((date) => date.toISOString()), z.string()]).optional();
/** What of a message is read. One that is a picture, or a button pressed on a card, has no text. */
const Message = z.object({
  id: z.string().min(1),
  text: z.string().optional(),
  from: z.object({ id: z.string() }),
  localTimestamp: Time,
  timestamp: Time,
});

function messageOf(activity: Activity) {
  const { id, text = '', from, localTimestamp, timestamp } = Message.parse(activity);
  const sentAt = localTimestamp ?? timestamp;
  return { id, text, sentBy: from.id, ...(sentAt && { sentAt }) };
}

async function withinPatience(answered: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE);
  });
  await Promise.race([answered, late]);
  clearTimeout(timer);
}
