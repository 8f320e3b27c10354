/**
 * Reminding: each day, those who have asked for it, of their own cards.
 *
 * It is a job, done by one of all processes, and may be done by several at
 * once, or broken off anywhere: whoever takes somebody on has them for some
 * minutes, and others after that. What is said is written in the same
 * transaction as that it was, by person, card and stage, so nothing is said
 * twice. The ledger is asked for one person at a time, and nothing of its
 * answer is kept. One that does not answer is asked again the next time.
 *
 * Where somebody is reached in Teams, they are written to, in the chat that
 * they alone read. A web chat belongs to a tab, perhaps on a computer that many
 * share, and whoever sits there now may be another: there it waits until they
 * have proved who they are, in that chat or any other, and is said beside what
 * they then asked for (`of`, from `src/conversations`).
 *
 * Nobody is woken: it is done in the daytime only.
 */
import { z } from 'zod';
import type { Card, Day } from '../../dialogs/card-validity.ts';
import { hasMoreToCome, nextReminder, type Reminding, type Stage } from '../../dialogs/due-reminders.ts';
import { instantOf } from '../calendar.ts';
import type { Conversations, Reminded } from '../conversations/conversations.ts';
import { WHERE_REACHED } from '../conversations/postgres-store.ts';
import type { Place } from '../conversations/store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Database, Statement } from '../storage/database.ts';

export type Reminders = {
  /** What somebody wants, and has been told of it. Nothing, if they have not asked for it. */
  of: (person: string) => Promise<Reminding | undefined>;
  /** Sees to everybody whose turn it is, for as long as it is not told to stop. */
  run: (world: RemindingWorld, signal?: AbortSignal) => Promise<void>;
};

export type RemindingWorld = {
  conversations: Pick<Conversations, 'remind'>;
  ledger: Pick<Ledger, 'findCards'>;
  onMistake: (mistake: unknown) => void;
};

/** In hours, in Stockholm: when somebody who is written to may look at it at once, and ask about it. */
const DAYTIME = { from: 8, to: 18 };
/** In seconds: longer than any one of them takes. */
const LEASE = 600;
/** So many that the ledger does not answer for, one after the other, and it is taken to be away. */
const MOST_FAILURES = 3;

const Address = z.object({ channel: z.string(), account: z.string(), address: z.looseObject({}) });

/** Whoever asked for it today has been told how it is. */
const claim: Statement = {
  name: 'claim-reminders',
  text: `update reminders r set busy_until = $2::timestamptz + make_interval(secs => ${LEASE}),
      place = coalesce((select ${WHERE_REACHED} from conversations c where c.id = r.conversation), r.place)
    where person = (
      select person from reminders
      where (since at time zone 'Europe/Stockholm')::date < $1::date and (looked_on is null or looked_on < $1)
        and (busy_until is null or busy_until <= $2)
      order by person limit 1 for update skip locked
    )
    returning person, conversation, place, ${saidTo('r.person')} as said, (
      select coalesce(array_agg(card || ' ' || stage), '{}') from reminded where person = r.person and how = 'hinted'
    ) as hinted, to_char(since at time zone 'Europe/Stockholm', 'YYYY-MM-DD') as since`,
};

const done: Statement = {
  name: 'reminders-done',
  text: `update reminders set looked_on = $2, busy_until = null, needed_at = case when $3 then $4 else needed_at end
    where person = $1`,
};

const wish: Statement = {
  name: 'reminders-of',
  text: `select ${saidTo('r.person')} as said, to_char(since at time zone 'Europe/Stockholm', 'YYYY-MM-DD') as since
    from reminders r where person = $1`,
};

type Row = { said: { card: string; stage: Stage; on: Day }[]; since: Day };
type Claimed = Row & { person: string; conversation: string; place: unknown; hinted: string[] };

export function createReminders(database: Database, now: () => Date): Reminders {
  const remind = async ({ conversations, ledger }: RemindingWorld, claimed: Claimed, today: Day): Promise<Outcome> => {
    const { person, conversation, place, hinted } = claimed;
    const answer = await ledger.findCards(person);
    if (answer.outcome !== 'found') return 'unanswered';
    const { cards } = answer;
    const reminder = nextReminder(claimed, cards, today);
    const reminded: Reminded = reminder
      ? await conversations.remind({
          conversation,
          person,
          reminder,
          isHinted: hinted.includes(`${reminder.card.id} ${reminder.stage}`),
          place: placeIn(conversation, place),
        })
      : 'seenTo';
    if (reminded === 'seenTo') await seenTo(person, today, cards);
    return reminded;
  };

  const seenTo = (person: string, today: Day, cards: readonly Card[]) =>
    database.run(done, [person, today, hasMoreToCome(cards, today), now()]);

  return {
    async of(person) {
      return (await database.run<Row>(wish, [person]))[0];
    },
    async run(world, signal) {
      let failures = 0;
      while (failures < MOST_FAILURES) {
        signal?.throwIfAborted();
        const at = instantOf(now());
        if (!isDaytime(at)) return;
        const today = at.slice(0, 10) as Day;
        const [claimed] = await database.run<Claimed>(claim, [today, now()]);
        if (!claimed) return;
        // What is wrong with one of them keeps nobody else waiting.
        const outcome = await remind(world, claimed, today).catch((mistake: unknown) => {
          world.onMistake(mistake);
          return 'unanswered' as const;
        });
        failures = outcome === 'unanswered' ? failures + 1 : 0;
      }
    },
  };
}

type Outcome = Reminded | 'unanswered';

/** What person `of` has been told, and on which days. */
function saidTo(of: string): string {
  return `(
      select coalesce(jsonb_agg(jsonb_build_object('card', card, 'stage', stage,
        'on', to_char(at at time zone 'Europe/Stockholm', 'YYYY-MM-DD'))), '[]')
      from reminded where person = ${of} and how = 'said'
    )`;
}

function placeIn(conversation: string, kept: unknown): Place | undefined {
  const { data } = Address.safeParse(kept);
  return data && { conversation, isPushed: true, isShared: false, ...data };
}

function isDaytime(at: string): boolean {
  const hour = Number(at.slice(11, 13));
  return hour >= DAYTIME.from && hour < DAYTIME.to;
}
