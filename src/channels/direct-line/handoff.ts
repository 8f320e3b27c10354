/**
 * The handoff protocol of the Bot Framework, as it goes over Direct Line: who
 * answers a student now, told between the bot and a hub whose humans take over.
 *
 * The events are those of botbuilder's own EventFactory. What a hub writes is
 * read here, and believed no further.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Handoff, Logged } from '../../conversations/store.ts';
import { triedIn } from '../../servicedesk/brief.ts';
import { HandBack } from '../../servicedesk/hand-back.ts';
import type { FromHub } from '../../servicedesk/hub-desk.ts';
import { LONGEST_ANSWER } from '../../servicedesk/desk.ts';

const Id = z.string().regex(/^[^\p{C}]{1,200}$/u);
const Named = z.object({ id: Id.optional(), channelData: z.object({ clientActivityID: Id.optional() }).optional() });
/** Students see the name in a sentence, so it is letters, and no markup. */
const Agent = z.object({
  id: z
    .string()
    .regex(/^[^\p{C}]{1,100}$/u)
    .optional(),
  name: z
    .string()
    .regex(/^[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N} .'’-]{0,59}$/u)
    .optional(),
});
const Reason = z.string().max(500).exactOptional();

const Status = Named.extend({
  name: z.literal('handoff.status'),
  from: Agent.optional(),
  value: z.discriminatedUnion('state', [
    z.strictObject({ state: z.literal('accepted'), message: Reason }),
    z.strictObject({ state: z.literal('failed'), message: Reason }),
    z.strictObject({ state: z.literal('completed'), message: Reason, handBack: HandBack.exactOptional() }),
  ]),
});
const Initiate = Named.extend({ name: z.literal('handoff.initiate'), value: HandBack });
const HandoffEvent = z.discriminatedUnion('name', [Status, Initiate]);
const AgentMessage = Named.extend({ text: z.string().trim().min(1).max(LONGEST_ANSWER) });

const AnyHandoff = z.object({ type: z.literal('event'), name: z.enum(['handoff.initiate', 'handoff.status']) });
const OfAgent = z.object({ type: z.literal('message'), from: z.object({ role: z.enum(['agent', 'bot']) }) });

/** Whether it means to be one: whoever sends it, and whatever is in it. */
export const isHandoff = (body: unknown): boolean => AnyHandoff.safeParse(body).success;
export const isInitiate = (body: unknown): boolean => AnyHandoff.safeParse(body).data?.name === 'handoff.initiate';
/** A message that is not the student’s, by what its sender calls itself. Only a hub is believed in that. */
export const isOfAgent = (body: unknown): boolean => OfAgent.safeParse(body).success;

/** Why it cannot be read, by the names of its parts and none of their values. */
export type Unreadable = { problem: string };

export function readHandoff(body: unknown): FromHub | Unreadable {
  const { data, error } = HandoffEvent.safeParse(body);
  if (!data) return unreadable(error);
  const key = keyOf(data);
  if (data.name === 'handoff.initiate') return { type: 'initiate', key, handBack: data.value };
  const { from = {}, value } = data;
  return { type: value.state, key, agent: from, ...value };
}

export function readAgentMessage(body: unknown): FromHub | Unreadable {
  const { data, error } = AgentMessage.safeParse(body);
  return data ? { type: 'message', key: keyOf(data), text: data.text } : unreadable(error);
}

const unreadable = ({ issues }: z.ZodError): Unreadable => {
  const places = [...new Set(issues.map(({ path }) => path.join('.')))].filter((place) => place !== '');
  return { problem: `It cannot be read: ${places.slice(0, 5).join(', ') || 'it'} is missing, or not as it has to be.` };
};

/**
 * The same key is the same event. Those of hubs begin as no client’s own id can: a student who has guessed what a hub
 * will call its next event cannot have it taken for one that was heard already.
 */
const OF_HUB = 'hub\t';
const keyOf = ({ id, channelData }: z.infer<typeof Named>): string =>
  `${OF_HUB}${channelData?.clientActivityID ?? id ?? randomUUID()}`;

/** What a hub called it, for its client waits for that to come back. */
export const clientsOwn = (key: string): string | undefined =>
  key.startsWith(OF_HUB) ? key.slice(OF_HUB.length) : undefined;

/** All that was said before it, as it is kept and as activities. */
export type Before = { log: readonly Logged[]; activities: readonly object[] };

/** Without what was said before it, that it has happened, and nothing of what goes along. */
export function toHandoffEvent({ name, value, key }: Handoff, before: Before | undefined): object {
  const isToHub = key === undefined && name === 'handoff.initiate';
  return {
    type: 'event',
    name,
    ...(key !== undefined && { channelData: { clientActivityID: clientsOwn(key) } }),
    ...(before && { value: isToHub ? { ...value, ...triedIn(before.log) } : value }),
    ...(before && isToHub && { attachments: [transcriptOf(before.activities)] }),
  };
}

const transcriptOf = (activities: readonly object[]) => ({
  contentType: 'application/json',
  name: 'Transcript',
  content: { activities },
});
