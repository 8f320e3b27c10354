/**
 * A card for each case that waits, in a channel of the servicedesk's own.
 *
 * The card is made to agree with the case, not told of what happens to it: a
 * row says what it shows, and whoever finds that to be otherwise changes it.
 * So any process may do it, and one that dies leaves it to the next; if it dies
 * between the post and the row, a case has two cards. What a card tells is since
 * when and why somebody waits, never who or what of. When a case is over its
 * card says only that, and its row goes.
 */
import type { Card, Channel } from '../channels/bot-framework/channel-posts.ts';
import type { Content } from '../content.ts';
import type { Database, Statement } from '../storage/database.ts';
import { z } from 'zod';
import { PROTECTED } from './brief.ts';

export type ChannelCards = {
  /** Makes the cards that are due agree with their cases. */
  run: () => Promise<void>;
};

export type ChannelCardsWorld = {
  database: Database;
  content: Content;
  channel: Channel;
  /** Where an agent takes a case. */
  linkTo: (id: string) => string;
  onMistake: (mistake: unknown) => void;
};

export const channelCardLabels = [
  ...['waits', 'waitsAgain', 'since', 'why', 'about', 'takeOver', 'taken', 'takenAt', 'over'],
].map((name) => `desk-channel/${name}`);

/** In seconds: longer than a call to the channel may take. */
const LEASE = 20;
const AT_ONCE = 10;

/** What each open case of our own desk wants to show: in a word, and whatever that word needs. */
const WANTED = `select k.id, k.reason, k.waiting_since, k.waiting_since > k.opened_at as is_back, c.state,
    case when c.speaker = 'agent' and c.lease_until > now() then c.agent ->> 'name' end as taker,
    case when c.speaker = 'agent' and c.lease_until > now() then 'taken by ' || (c.agent ->> 'id')
      else 'waits since ' || k.waiting_since::text end as wants
  from cases k join conversations c on c.open_case = k.id where k.desk = 'own'`;

/** Whoever is taken from the start, as one who has phoned, is in no queue and has no card. */
const begin: Statement = {
  name: 'channel-cards-begin',
  text: `insert into case_cards (id) select id from (${WANTED}) as wanted where taker is null on conflict do nothing`,
};

const claim: Statement = {
  name: 'channel-cards-claim',
  text: `with due as (
      select k.id, coalesce(wanted.wants, 'over') as wants, wanted.reason, wanted.waiting_since, wanted.is_back,
        wanted.state, wanted.taker
      from case_cards k left join (${WANTED}) as wanted on wanted.id = k.id
      where k.shown is distinct from coalesce(wanted.wants, 'over')
        and k.due_at <= now() and (k.busy_until is null or k.busy_until < now())
      order by k.due_at limit ${AT_ONCE}
    )
    update case_cards k set busy_until = now() + make_interval(secs => ${LEASE})
    from due where k.id = due.id and (k.busy_until is null or k.busy_until < now())
    returning k.id, k.conversation, k.activity, k.attempts, due.wants, due.reason, due.waiting_since, due.is_back,
      due.state, due.taker, now() as at`,
};

const agree: Statement = {
  name: 'channel-cards-agree',
  text: `update case_cards set shown = $2, conversation = $3, activity = $4, busy_until = null, attempts = 0 where id = $1`,
};

const finish: Statement = { name: 'channel-cards-finish', text: 'delete from case_cards where id = $1' };

const putOff: Statement = {
  name: 'channel-cards-put-off',
  text: `update case_cards set busy_until = null, attempts = attempts + 1,
    due_at = now() + make_interval(secs => $2) where id = $1`,
};

const Due = z.object({
  id: z.string(),
  conversation: z.string().nullable(),
  activity: z.string().nullable(),
  attempts: z.number(),
  wants: z.string(),
  reason: z.enum(['asked', 'notUnderstood', 'outcome', 'opened']).nullable(),
  waiting_since: z.date().nullable(),
  is_back: z.boolean().nullable(),
  state: z.string().nullable(),
  taker: z.string().nullable(),
  at: z.date(),
});
type Due = z.infer<typeof Due>;

export function createChannelCards(world: ChannelCardsWorld): ChannelCards {
  const { database, content, channel, linkTo, onMistake } = world;
  const label = (name: string, facts?: Record<string, string>) => content.label(`desk-channel/${name}`, facts);
  let running: Promise<void> | undefined;

  const cardOf = ({ id, reason, waiting_since, is_back, state, taker, at }: Due): Card => {
    if (!reason || !waiting_since) return { title: label('over'), rows: [] };
    if (taker !== null) {
      return { title: label('taken', { agent: taker }), rows: [{ name: label('takenAt'), value: clock(at) }] };
    }
    const [path = ''] = (state ?? '').split('/');
    const isTold = path !== '' && path !== 'conversation' && path !== PROTECTED;
    return {
      title: label(is_back ? 'waitsAgain' : 'waits'),
      rows: [
        { name: label('since'), value: clock(waiting_since) },
        { name: label('why'), value: content.label(`servicedesk/reason.${reason}`) },
        ...(isTold ? [{ name: label('about'), value: content.label(`servicedesk/path.${path}`) }] : []),
      ],
      link: { title: label('takeOver'), url: linkTo(id) },
    };
  };

  const show = async (due: Due): Promise<void> => {
    const { id, conversation, activity, attempts, wants } = due;
    const isOver = wants === 'over';
    const done = (where?: { conversation: string; activity: string }) =>
      isOver
        ? database.run(finish, [id])
        : database.run(agree, [id, wants, where?.conversation ?? null, where?.activity ?? null]);
    const where = conversation !== null && activity !== null ? { conversation, activity } : undefined;
    const isWaiting = !isOver && due.taker === null;
    // What was never shown need not be taken back.
    if (!where && !isWaiting) {
      await done();
      return;
    }
    const posted = await channel.show(cardOf(due), where, attempts);
    if (posted.outcome === 'later') await database.run(putOff, [id, posted.after]);
    else await done(posted.outcome === 'shown' ? posted.where : where);
  };

  const runOnce = async (): Promise<void> => {
    await database.run(begin, []);
    const due = (await database.run(claim, [])).map((row) => Due.parse(row));
    await Promise.all(due.map((each) => show(each).catch(onMistake)));
  };

  return {
    run: () =>
      (running ??= runOnce().finally(() => {
        running = undefined;
      })),
  };
}

const IN_SWEDEN = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Europe/Stockholm',
  day: 'numeric',
  month: 'long',
  hour: '2-digit',
  minute: '2-digit',
});
const clock = (time: Date): string => IN_SWEDEN.format(time);
