/**
 * The conversation as one botbuilder Dialog.
 *
 * It keeps nothing itself: a conversation that has begun is not welcomed again,
 * so a dialog stack that was lost, or is never kept, makes no difference.
 */
import type { TurnContext } from 'botbuilder';
import { Dialog, type DialogContext } from 'botbuilder-dialogs';
import type { Conversations, Exchange } from '../../conversations.ts';
import { type Rules, toActivities } from './activities.ts';

export function createConversationDialog(conversations: Conversations, rules: Rules): Dialog {
  const send = async (context: TurnContext, exchange: Exchange) => {
    const activities = toActivities(exchange, rules);
    if (activities.length > 0) await context.sendActivities(activities);
  };

  const answer = async (context: TurnContext) => {
    const { activity } = context;
    if (activity.type === 'message') await send(context, await conversations.send(idOf(context), textOf(activity)));
    return Dialog.EndOfTurn;
  };

  return new (class extends Dialog {
    override async beginDialog({ context }: DialogContext) {
      await send(context, await conversations.open(idOf(context)));
      return answer(context);
    }

    override continueDialog({ context }: DialogContext) {
      return answer(context);
    }
  })('kortlotsen');
}

/** A message that is a picture, or a button pressed on a card, has no text, whatever botbuilder's type says. */
const textOf = ({ text }: { text?: string }): string => text ?? '';

/** Two channels may well give two conversations the same id. */
const idOf = ({ activity: { channelId, conversation } }: TurnContext): string => `${channelId}/${conversation.id}`;
