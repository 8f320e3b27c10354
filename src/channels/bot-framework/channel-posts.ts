/**
 * Cards in a channel of Teams that the bot has been added to, outside any talk:
 * posted as a thread of their own, and changed where they stand
 * (learn.microsoft.com, “Send proactive messages”, “Update and delete messages
 * sent from your bot”).
 */
import type { ConnectorFactory } from 'botframework-connector';
import type { Activity } from 'botbuilder';
import { toCard } from '../activities.ts';
import { NotTaken, remedyFor } from './delivery.ts';

export type Card = { title: string; rows: { name: string; value: string }[]; link?: { title: string; url: string } };
export type Where = { conversation: string; activity: string };

export type Channel = {
  /**
   * Shows a card, where it is already or as a new one. `later` is in seconds. Where it is given up, nothing more can be
   * shown there: the channel is gone, or the bot has been removed from it.
   */
  show: (card: Card, where: Where | undefined, attempts: number) => Promise<Shown>;
};
export type Shown = { outcome: 'shown'; where: Where } | { outcome: 'later'; after: number } | { outcome: 'givenUp' };

export type ChannelWorld = {
  /** The channel, as Teams names it: `19:…@thread.tacv2`. */
  channel: string;
  serviceUrl: string;
  tenantId: string;
  audience: string;
  appId: string;
  connectors: ConnectorFactory;
  onMistake: (mistake: unknown) => void;
};

export function createChannel(world: ChannelWorld): Channel {
  const { channel, serviceUrl, tenantId, audience, appId, connectors, onMistake } = world;

  const send = async (card: Card, where: Where | undefined): Promise<Where> => {
    const { conversations } = await connectors.create(serviceUrl, audience);
    const activity = toActivity(card);
    if (where) {
      await conversations.updateActivity(where.conversation, where.activity, { ...activity, id: where.activity });
      return where;
    }
    const made = await conversations.createConversation({
      isGroup: true,
      bot: { id: `28:${appId}`, name: '' },
      tenantId,
      channelData: { channel: { id: channel }, tenant: { id: tenantId } },
      activity,
    });
    return { conversation: made.id, activity: made.activityId };
  };

  return {
    async show(card, where, attempts) {
      try {
        return { outcome: 'shown', where: await send(card, where) };
      } catch (mistake) {
        const remedy = remedyFor(mistake, attempts, Math.random());
        if (remedy.outcome === 'later') {
          if (!(mistake instanceof NotTaken)) onMistake(mistake);
          return remedy;
        }
        const why = mistake instanceof Error ? mistake.message : '';
        onMistake(new Error(`The channel that SERVICEDESK_TEAMS_CHANNEL names does not take a card. ${why}`));
        return { outcome: 'givenUp' };
      }
    },
  };
}

/** `summary` is what a notice of it says. botbuilder would have a whole activity, of which the connector fills in the rest. */
const toActivity = (card: Card): Activity =>
  ({ type: 'message', summary: card.title, attachments: [toCard(card)] }) as Partial<Activity> as Activity;
