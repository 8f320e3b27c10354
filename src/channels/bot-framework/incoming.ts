/**
 * What comes by the Bot Framework, read as Teams means it.
 *
 * A group chat or a channel addresses the bot by its name, which is not part of
 * what is said. What was changed afterwards is never heard as something new,
 * and only an arrival or words make a conversation begin
 * (learn.microsoft.com, “Conversation events in your Teams bot”).
 */
import type { Activity } from 'botbuilder';
import { z } from 'zod';
import type { Place } from '../../conversations/store.ts';

export type Incoming =
  | { kind: 'message'; id: string; text: string; sentBy: string; sentAt?: string; button?: number }
  /** The bot is there, and may be written to. */
  | { kind: 'arrived' }
  /** The bot is not there any more. */
  | { kind: 'left' }
  | { kind: 'edited' }
  | { kind: 'deleted'; id: string }
  /** Somebody types, likes or joins: it is neither answered nor kept. */
  | { kind: 'nothing' };

/** What a button of ours brings back: what it says, and the place of the reply that it stands under. */
export const Pressed = z.object({ kortlotsen: z.object({ says: z.string().min(1).max(200), under: z.int().min(1) }) });
export type Pressed = z.infer<typeof Pressed>;

/** In characters. Teams sends no longer ones. */
const LONGEST_TEXT = 30_000;
/** Of what the database can hold, and nobody is misled by. */
const Id = z.string().regex(/^[^\p{C}]{1,1000}$/u);
const Account = z.looseObject({ id: Id });
const Any = z.looseObject({
  type: z.string(),
  id: Id.nullish(),
  channelId: Id,
  serviceUrl: z.url(),
  conversation: z.looseObject({
    id: Id,
    conversationType: Id.nullish(),
    isGroup: z.boolean().nullish(),
    tenantId: Id.nullish(),
  }),
  from: Account,
  recipient: Account.nullish(),
});
/** botbuilder makes dates of times. */
const Time = z.union([z.date().transform((date) => date.toISOString()), z.string()]).nullish();
const Message = Any.extend({
  id: Id,
  /** One that is a picture, or a button pressed on a card, has no text. */
  text: z.string().max(LONGEST_TEXT).nullish(),
  value: z.unknown().optional(),
  entities: z.array(z.unknown()).nullish(),
  localTimestamp: Time,
  timestamp: Time,
});

/** What is let in. Whatever is not, is nothing that Teams or any other channel sends. */
export const isActivity = (body: unknown): body is Activity => {
  const { data } = Any.safeParse(body);
  return data !== undefined && (data.type !== 'message' || Message.safeParse(body).success);
};

const Member = z.object({ id: z.string() });
const Mention = z.object({ type: z.literal('mention'), mentioned: Member, text: z.string().min(1) });
const Told = z.object({
  id: Id.nullish(),
  action: z.string().nullish(),
  recipient: Member.nullish(),
  membersAdded: z.array(Member).nullish(),
  membersRemoved: z.array(Member).nullish(),
  channelData: z.object({ eventType: z.string().nullish() }).nullish(),
});

/** Of what `isActivity` has let in. */
export function read(activity: Activity): Incoming {
  if (activity.type === 'message') return readMessage(activity);
  const { data: told } = Told.safeParse(activity);
  const isBot = ({ id }: { id: string }) => id === told?.recipient?.id;
  if (!told) return { kind: 'nothing' };
  switch (activity.type) {
    case 'conversationUpdate':
      if (told.membersAdded?.some(isBot)) return { kind: 'arrived' };
      return { kind: told.membersRemoved?.some(isBot) ? 'left' : 'nothing' };
    case 'installationUpdate':
      if (told.action === 'add') return { kind: 'arrived' };
      return { kind: told.action === 'remove' ? 'left' : 'nothing' };
    case 'messageUpdate':
      // One that is brought back was heard when it was written.
      return { kind: told.channelData?.eventType === 'undeleteMessage' ? 'nothing' : 'edited' };
    case 'messageDelete':
      return typeof told.id === 'string' ? { kind: 'deleted', id: told.id } : { kind: 'nothing' };
    default:
      return { kind: 'nothing' };
  }
}

function readMessage(activity: Activity): Incoming {
  const { id, text, value, entities, from, recipient, localTimestamp, timestamp } = Message.parse(activity);
  const sentAt = localTimestamp ?? timestamp;
  const pressed = pressedIn(value);
  const said = spoken(text ?? '', entities ?? [], recipient?.id);
  return {
    kind: 'message',
    id,
    sentBy: from.id,
    ...(sentAt && { sentAt }),
    ...(pressed && (said === '' || said === pressed.says)
      ? { text: pressed.says, button: pressed.under }
      : { text: said }),
  };
}

/** Some clients bring back an object, and some the text of one. */
function pressedIn(value: unknown): Pressed['kortlotsen'] | undefined {
  try {
    const read: unknown = typeof value === 'string' ? JSON.parse(value) : value;
    return Pressed.safeParse(read).data?.kortlotsen;
  } catch {
    return undefined;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&nbsp;': ' ',
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

/** Without the bot's own name, and of others' names only the words; with spaces that are spaces. */
function spoken(text: string, entities: readonly unknown[], bot: string | undefined): string {
  const ofBot = entities.flatMap((entity) => {
    const { data } = Mention.safeParse(entity);
    return data && data.mentioned.id === bot ? [nameIn(data.text)] : [];
  });
  return text
    .replace(NAMED, (_, name: string) => (ofBot.includes(name) ? ' ' : name))
    .replace(/&(nbsp|amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity)
    .replace(/[\u200B-\u200D\u2060\uFEFF]/g, '')
    .replace(/[^\S\n]+/g, ' ')
    .trim();
}

/** The tag of a name may have attributes in the text, and none where it is told whose name it is. */
const NAMED = /<at(?:\s[^<>]*)?>([^<>]*)<\/at>/gi;
const nameIn = (mention: string): string => mention.replace(NAMED, '$1');

/** In which tenant, and who of it: as Teams tells it. */
const InTeams = z.object({
  channelId: z.literal('msteams'),
  // Not every identifier of Microsoft's is one by RFC 9562.
  from: z.object({ aadObjectId: z.guid() }),
});
const Tenanted = z.object({
  channelData: z.object({ tenant: z.object({ id: z.string() }).nullish() }).nullish(),
  conversation: z.object({ tenantId: z.string().nullish() }),
});

/** The tenant an activity comes from. Teams says it in one place or in both. */
export function tenantOf(activity: Activity): string | undefined {
  const { data } = Tenanted.safeParse(activity);
  return data?.channelData?.tenant?.id ?? data?.conversation.tenantId ?? undefined;
}

/**
 * Where it comes from. Two channels may well give two conversations the same id, and none of them one of the web
 * chat's. Nobody's name is kept; and of a chat with several, nothing of whoever wrote last.
 */
export function placeOf(activity: Activity, isProved: boolean): Place {
  const { channelId, serviceUrl, conversation, from, recipient } = Any.parse(activity);
  const { id, conversationType, isGroup, tenantId } = conversation;
  // Teams says of a chat what it is, or else its id does: one that is not called personal is not taken for one.
  const isCalledPersonal = conversationType ? conversationType === 'personal' : id.startsWith('a:');
  const isPersonal = channelId === 'msteams' ? isCalledPersonal : !isGroup;
  const account = isProved && isPersonal ? accountOf(activity) : undefined;
  return {
    conversation: `bot/${channelId}/${id}`,
    channel: channelId,
    isPushed: true,
    isShared: !isPersonal,
    ...(account !== undefined && { account }),
    address: {
      channelId,
      serviceUrl,
      conversation: { id, conversationType, isGroup, tenantId },
      ...(isPersonal && { user: { id: from.id } }),
      ...(recipient && { bot: { id: recipient.id } }),
    },
  };
}

function accountOf(activity: Activity): string | undefined {
  const { data } = InTeams.safeParse(activity);
  const tenant = tenantOf(activity);
  return data && tenant !== undefined ? `${tenant}/${data.from.aadObjectId}` : undefined;
}
