/**
 * A chat in Teams, as its service has it: signed activities to any of the
 * processes, sent again when there is no answer, under the same id or, as Teams
 * does, under a new one; and replies that are pushed, some of them twice.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { addingBot, personal, pressing, saying } from '../src/channels/bot-framework/shapes.ts';
import { ask } from './asking.ts';
import type { Delivered, Sent } from './checker.ts';
import {
  ALL_TRIES,
  AVOIDING,
  type Chat,
  type ChatWorld,
  chooseFrom,
  inAnyOrder,
  LATEST_CUT,
  type Shown,
  signIn,
} from './direct-line-chat.ts';
import type { Line } from './script.ts';
import type { TeamsService } from './teams-service.ts';

/** In milliseconds: how often somebody looks at their chat. */
const BETWEEN_LOOKS = 60;
/** How often a button is pressed, where its words could be written. */
const PRESSED = 0.7;

type Activity = ReturnType<typeof saying> | ReturnType<typeof pressing> | ReturnType<typeof addingBot>;

export async function openTeamsChat(
  name: string,
  home: string,
  { microsoft, url, listen }: TeamsService,
  world: ChatWorld,
): Promise<Chat> {
  const { origins, chance, counts, avoided, troubles } = world;
  const chat = personal({ ...microsoft, connector: { url } });
  const seen: Shown[] = [];
  const delivered: Delivered[] = [];
  let buttons: { says: string; under: number }[] = [];
  const testimony: Chat['testimony'] & { delivered: Delivered[] } = {
    conversation: `bot/msteams/${chat.conversation.id}`,
    ...{ sent: [], seen, delivered, signedInAs: [], saidYes: false, tabs: [], complaints: [] },
  };
  /** How much had come when it was sent. */
  const cameBefore = new Map<Sent, number>();
  const activities = new Map<Sent, Activity>();

  listen(chat.conversation.id, ({ text, suggests, link, buttons: under }) => {
    seen.push({ seq: seen.length + 1, author: 'bot', text, suggests, link });
    delivered.push({ text, under: under.map((each) => each.under) });
    buttons = under;
  });

  /** Until it is acknowledged. */
  const post = async (activity: Activity, sent: Sent | undefined, at?: string): Promise<void> => {
    let [origin, id] = [at ?? chooseFrom(world, origins), activity.id];
    for (const end = Date.now() + ALL_TRIES; Date.now() < end;) {
      const isCut = troubles !== undefined && chance.happens(troubles.ofSent);
      if (isCut) troubles.counts.sentCut += 1;
      const token = await microsoft.sign({ serviceurl: chat.serviceUrl });
      const answer = await ask(`${origin}/api/messages`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify({ ...activity, id }),
        ...(isCut && { cutAfter: chance.below(LATEST_CUT) }),
      });
      if (answer?.status === 200) {
        if (!sent) return;
        sent.isAcknowledged = true;
        world.onAcknowledged(origin, sent.text);
        return;
      }
      if (answer) throw new Error(`${name}: what was sent was answered by ${answer.status}: ${answer.text}`);
      counts.retries += 1;
      if (sent && chance.happens(0.5)) id = rename(sent);
      avoided.set(origin, Date.now() + AVOIDING);
      const others = origins.filter((each) => each !== origin);
      origin = chooseFrom(world, others);
      await wait(20);
    }
    throw new Error(`${name}: nobody took what was sent for ${ALL_TRIES / 1_000} seconds`);
  };

  const rename = (sent: Sent): string => {
    const again = `${sent.ids[0] ?? ''}-${sent.ids.length}`;
    sent.ids.push(again);
    return again;
  };

  const toActivity = ({ text }: Line): Activity => {
    const button = buttons.find(({ says }) => says === text);
    return button && chance.happens(PRESSED) ? pressing(chat, { kortlotsen: button }) : saying(chat, text);
  };

  const since = (sent: readonly Sent[]): Shown[] =>
    seen.slice(Math.min(...sent.map((each) => cameBefore.get(each) ?? 0)));

  // As when the app is added; others just begin to write.
  if (chance.happens(0.5)) await post(addingBot(chat), undefined, home);
  let round = 0;
  return {
    testimony,
    since,
    isAnswered: (sent) => seen.length > Math.max(...sent.map((each) => cameBefore.get(each) ?? 0)),
    look: () => Promise.resolve(),
    openTab: () => Promise.resolve(),
    async write(lines, at) {
      round += 1;
      const all = lines.map((line): Sent => {
        const activity = toActivity(line);
        const sent = { ...line, ids: [activity.id], round, places: [], isAcknowledged: false };
        testimony.sent.push(sent);
        activities.set(sent, activity);
        cameBefore.set(sent, seen.length);
        return sent;
      });
      counts.messages += all.length;
      const isReversed = troubles !== undefined && chance.happens(0.5);
      await Promise.all(
        inAnyOrder(all, counts, isReversed).map((sent) =>
          post(activities.get(sent) ?? saying(chat, sent.text), sent, at),
        ),
      );
      return all;
    },
    async resend(sent, under) {
      const activity = activities.get(sent);
      if (!activity) return;
      counts.resends += 1;
      await post(under === 'a new id' ? { ...activity, id: rename(sent) } : activity, sent);
    },
    async until(isSeen, what) {
      for (const end = Date.now() + world.patience; Date.now() < end;) {
        if (isSeen(seen)) return true;
        await wait(BETWEEN_LOOKS);
      }
      testimony.complaints.push(`the student waited in vain for ${what}`);
      return false;
    },
    signIn: (link, who) => signIn(link, who, testimony, world),
  };
}
