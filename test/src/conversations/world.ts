/** A world to hold conversations in: everything real but the clock. */
import { afterAll } from '@jest/globals';
import {
  type Conversations,
  createConversations,
  type Posted,
  type World,
} from '../../../src/conversations/conversations.ts';
import { createMemoryStore } from '../../../src/conversations/memory-store.ts';
import { createPostgresStore } from '../../../src/conversations/postgres-store.ts';
import type { ConversationStore, Delivery, Said } from '../../../src/conversations/store.ts';
import { createDemonstrationLedger } from '../../../src/ledger/demonstration-ledger.ts';
import { openTestDatabase } from '../../database/database.ts';
import { calendar, content, readUnderstanding } from '../../product.ts';

export const now = () => new Date('2026-11-23T08:00:00+01:00');
const understanding = readUnderstanding();
export const database = await openTestDatabase();
afterAll(() => database.close());

/** Every store there is, made anew or, if it is shared, with names of one's own. */
export const stores: [string, () => ConversationStore][] = [
  ['in memory', () => createMemoryStore()],
  ['in PostgreSQL', () => createPostgresStore(database)],
];

const KEY = 'the same for every ledger here';
export const demonstrationLedger = () => createDemonstrationLedger(now, KEY).ledger;
export const { personOf } = createDemonstrationLedger(now, KEY);

export function worldOf(store: ConversationStore, changes: Partial<World> = {}): World & { mistakes: unknown[] } {
  const mistakes: unknown[] = [];
  return {
    content,
    understanding,
    calendar,
    store,
    ledger: demonstrationLedger(),
    proving: undefined,
    proofLasts: { minutes: 30, idleMinutes: 10 },
    now,
    onTurn: () => undefined,
    onMistake: (mistake) => mistakes.push(mistake),
    ...changes,
    mistakes,
  };
}

export const placeOf = (conversation: string) => ({ conversation, channel: 'test', isPushed: false });

/** Says one thing, and gives what came of it. */
export async function say(conversations: Conversations, conversation: string, text: string, id = nextId()) {
  const { answered } = await conversations.accept({ ...placeOf(conversation), id, text });
  return answered;
}

export const conversationsOf = (store: ConversationStore, changes: Partial<World> = {}): Conversations =>
  createConversations(worldOf(store, changes));

/** Delivers what is claimed with a turn, as a channel does; and whatever else there is, when asked to. */
export function deliveringWith(
  conversations: Conversations,
  take: (address: object, said: Said) => Promise<Posted | undefined>,
): (conversation: string) => Promise<unknown> {
  const begun: Promise<void>[] = [];
  const post = async ({ address }: Delivery, said: Said): Promise<Posted> =>
    (await take(address, said)) ?? { outcome: 'delivered' };
  conversations.subscribe((conversation, claimed) => {
    if (claimed) begun.push(conversations.deliver(conversation, post, claimed));
  });
  return (conversation) => Promise.all([...begun, conversations.deliver(conversation, post)]);
}

let ids = 0;
const nextId = () => `message-${++ids}`;
