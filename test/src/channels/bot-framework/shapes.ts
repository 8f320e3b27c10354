/**
 * Activities as Teams sends them, by its public documentation: “Messages in bot
 * conversations”, “Channel and group chat conversations with a bot”,
 * “Conversation events in your Teams bot”. Ids are of the shapes that are shown
 * there, and nobody's.
 */
import { randomUUID } from 'node:crypto';

export type Student = { id: string; aadObjectId: string };
export type Chat = {
  tenantId: string;
  appId: string;
  serviceUrl: string;
  student: Student;
  conversation: Record<string, unknown> & { id: string };
  /** Where a channel is, and whose. */
  channelData: Record<string, unknown>;
  /** As the client tells of itself. */
  client: Record<string, string>;
};
type World = { tenantId: string; appId: string; connector: { url: string } };

export const newStudent = (): Student => ({
  id: `29:1${randomUUID().replaceAll('-', '')}HtHieVkKilBZ9XHoq9j7Zaqt7CZ-NJWi7me2kHTL3Bw`,
  aadObjectId: randomUUID(),
});

const DESKTOP = {
  locale: 'sv-SE',
  country: 'SE',
  platform: 'Windows',
  timezone: 'Europe/Stockholm',
  type: 'clientInfo',
};
const PHONE = { ...DESKTOP, platform: 'iOS' };

export const personal = ({ tenantId, appId, connector }: World, student = newStudent()): Chat => ({
  tenantId,
  appId,
  serviceUrl: `${connector.url}/`,
  student,
  conversation: { conversationType: 'personal', tenantId, id: `a:1${randomUUID().replaceAll('-', '')}GqIa` },
  channelData: { tenant: { id: tenantId } },
  client: DESKTOP,
});

/** On a phone the tenant is told in one place only. */
export function mobile(world: World, student = newStudent()): Chat {
  const { conversation, ...chat } = personal(world, student);
  return { ...chat, conversation: { conversationType: 'personal', id: conversation.id }, client: PHONE };
}

export const group = (world: World): Chat => ({
  ...personal(world),
  conversation: {
    isGroup: true,
    conversationType: 'groupChat',
    tenantId: world.tenantId,
    id: `19:${randomUUID().replaceAll('-', '')}@thread.v2`,
  },
});

export function channel(world: World): Chat {
  const id = `19:${randomUUID().replaceAll('-', '')}@thread.tacv2`;
  return {
    ...personal(world),
    conversation: {
      isGroup: true,
      conversationType: 'channel',
      tenantId: world.tenantId,
      id: `${id};messageid=1481567603816`,
    },
    channelData: { teamsChannelId: id, teamsTeamId: id, channel: { id }, team: { id }, tenant: { id: world.tenantId } },
  };
}

const BOT_NAME = 'Kortlotsen';
let clock = Date.parse('2026-11-23T07:00:00.000Z');

const activity = ({ appId, serviceUrl, student, conversation, channelData, client }: Chat, type: string) => {
  const at = new Date((clock += 1_003));
  return {
    type,
    id: String(at.getTime()),
    timestamp: at.toISOString(),
    localTimestamp: at.toISOString().replace('Z', '+00:00'),
    serviceUrl,
    channelId: 'msteams',
    from: { ...student, name: 'Anna Andersson' },
    conversation,
    recipient: { id: `28:${appId}`, name: BOT_NAME },
    entities: [client] as Record<string, unknown>[],
    channelData: { ...channelData },
    locale: 'sv-SE',
  };
};

export const saying = (chat: Chat, text: string) => ({
  ...activity(chat, 'message'),
  textFormat: 'plain',
  text,
  attachments: [{ contentType: 'text/html', content: `<p>${text}</p>` }],
});

/** In a group chat and in a channel whoever writes to the bot names it. */
export function naming(chat: Chat, text: string) {
  const said = activity(chat, 'message');
  const mention = {
    mentioned: { id: `28:${chat.appId}`, name: BOT_NAME },
    text: `<at>${BOT_NAME}</at>`,
    type: 'mention',
  };
  return {
    ...said,
    textFormat: 'plain',
    text: `<at>${BOT_NAME}</at>&nbsp;${text}\n`,
    attachments: [
      {
        contentType: 'text/html',
        content: `<div><div><span itemscope="" itemtype="http://schema.skype.com/Mention" itemid="0">${BOT_NAME}</span>&nbsp;${text}</div></div>`,
      },
    ],
    entities: [mention, ...said.entities],
  };
}

export const pressing = (chat: Chat, value: unknown) => ({ ...activity(chat, 'message'), value, replyToId: 'r-1' });

export const sendingPicture = (chat: Chat) => ({
  ...activity(chat, 'message'),
  attachments: [{ contentType: 'image/*', contentUrl: `${chat.serviceUrl}v3/attachments/0-weu-d5/views/original` }],
});

export const addingBot = (chat: Chat) => ({
  ...activity(chat, 'conversationUpdate'),
  membersAdded: [{ id: `28:${chat.appId}` }, chat.student],
});

export const addingSomebody = (chat: Chat) => ({
  ...activity(chat, 'conversationUpdate'),
  membersAdded: [newStudent()],
});

export const installing = (chat: Chat, action = 'add') => ({
  ...activity(chat, 'installationUpdate'),
  action,
  channelData: {
    ...chat.channelData,
    settings: { selectedChannel: { id: chat.conversation.id } },
    source: { name: 'message' },
  },
});

export const removingBot = (chat: Chat) => ({
  ...activity(chat, 'conversationUpdate'),
  membersRemoved: [{ id: `28:${chat.appId}` }],
});

export const editing = (chat: Chat, said: { id: string }, text: string) => ({
  ...saying(chat, text),
  type: 'messageUpdate',
  id: said.id,
  channelData: { ...chat.channelData, eventType: 'editMessage' },
});

export const deleting = (chat: Chat, said: { id: string }) => ({
  ...activity(chat, 'messageDelete'),
  id: said.id,
  channelData: { ...chat.channelData, eventType: 'softDeleteMessage' },
});

export const liking = (chat: Chat) => ({
  ...activity(chat, 'messageReaction'),
  reactionsAdded: [{ type: 'like' }],
  replyToId: 'r-1',
});

export const typing = (chat: Chat) => activity(chat, 'typing');

export const readReceipt = (chat: Chat) => ({
  ...activity(chat, 'event'),
  name: 'application/vnd.microsoft.readReceipt',
  value: { lastReadMessageId: '1' },
});
