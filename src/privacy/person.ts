/**
 * What the assistant's database holds of one person: to be handed out, and to
 * be forgotten.
 *
 * A person is known by the ledger's opaque name. Theirs are the conversations
 * in which they proved who they are, and those that nobody else reads and that
 * are held from an account of theirs; nobody can tell whose any other is. On a
 * shared computer several may have proved themselves in the same one: then each
 * is handed what was said while they were the last to have done so, and the
 * first also what was said before, but the whole is forgotten for any of them.
 *
 * Rows are handed out whole, by the names of their columns, which the records
 * page explains; so a column that is added is not left out. Secrets that
 * somebody else could use are.
 */
import type { Database, Statement } from '../storage/database.ts';

type Rows = readonly object[];

export type PersonExport = {
  person: string;
  conversations: readonly {
    conversation: object;
    messages: Rows;
    requests: Rows;
    proofs: Rows;
    cases: Rows;
    lessons: Rows;
  }[];
  links: Rows;
  signIns: Rows;
  /** That they want to be reminded, and of what they have been. */
  reminders: Rows;
  reminded: Rows;
  /** What agents at the servicedesk have seen and done of their cards. It is not forgotten with the rest. */
  servicedesk: Rows;
  /** What is kept elsewhere, why it is not here, and how it is got. */
  notIncluded: readonly { what: string; why: string; how: string }[];
};

/** Why a conversation cannot go yet. It goes later: somebody may ask again, or the retention comes by. */
export type Stays = { conversation: string; why: 'requestOpen' | 'revocationUnsettled' };

/** Conversations `c` of the person. */
const IS_THEIRS = `(
  c.id in (select conversation from proofs where person = $1)
  or not c.is_shared and c.account in (select account from links where person = $1)
)`;

/** Whether a moment of a conversation `c` is the person's, and not that of somebody else who proved themselves there. */
const isTheirsAt = (at: string) => `coalesce((
  select p.person from proofs p where p.conversation = c.id
  order by p.heard_at <= ${at} desc, case when p.heard_at <= ${at} then p.heard_at end desc, p.heard_at limit 1
), $1) = $1`;

/** All in one statement, so that it is of one moment. */
const exported: Statement = {
  name: 'export-person',
  text: `select
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'conversation', case when ${isTheirsAt("'infinity'")} then to_jsonb(c)
          else jsonb_build_object('id', c.id, 'channel', c.channel) end,
        'messages', (
          select coalesce(jsonb_agg(to_jsonb(m) - 'conversation' #- '{said,link,url}' order by m.seq), '[]')
          from messages m where m.conversation = c.id and ${isTheirsAt('m.at')}
        ),
        'requests', (
          select coalesce(jsonb_agg(to_jsonb(r) - 'conversation' - 'challenge' order by r.id), '[]')
          from requests r where r.conversation = c.id and coalesce(r.request ->> 'person', $1) = $1
        ),
        'proofs', (
          select coalesce(jsonb_agg(to_jsonb(p) - 'conversation' order by p.heard_at), '[]')
          from proofs p where p.conversation = c.id and p.person = $1
        ),
        'cases', (
          select coalesce(jsonb_agg(to_jsonb(k) - 'conversation' - 'closed_by' order by k.opened_at), '[]')
          from cases k where k.conversation = c.id and ${isTheirsAt('k.opened_at')}
        ),
        'lessons', (
          select coalesce(jsonb_agg(to_jsonb(l) - 'conversation' - 'decided_by' - 'decider' order by l.id), '[]')
          from lessons l where l.conversation = c.id and ${isTheirsAt('l.at')}
        )
      ) order by c.begun_at, c.id), '[]')
      from conversations c where ${IS_THEIRS}
    ) as conversations,
    (select coalesce(jsonb_agg(to_jsonb(l) order by l.linked_at), '[]') from links l where l.person = $1) as links,
    (
      select coalesce(jsonb_agg(to_jsonb(s) - $2::text[] order by s.begun_at), '[]') from sign_ins s where s.person = $1
    ) as "signIns",
    (select coalesce(jsonb_agg(to_jsonb(r)), '[]') from reminders r where r.person = $1) as reminders,
    (select coalesce(jsonb_agg(to_jsonb(r) order by r.at), '[]') from reminded r where r.person = $1) as reminded,
    (
      select coalesce(jsonb_agg(to_jsonb(a) - $3::text[] order by a.id), '[]') from desk_audit a where a.holder = $1
    ) as servicedesk`,
};

/** Of a sign-in, what is only there to tell that it was the right one. */
const SECRETS_OF_SIGN_IN = ['state', 'browser', 'nonce', 'verifier', 'code'];

/** Of what an agent did, who it was and in which conversation: that may have been somebody else's. */
const OF_AGENT = ['agent', 'agent_name', 'case_id', 'reference'];

const NOT_INCLUDED: PersonExport['notIncluded'] = [
  {
    what: 'The card ledger: cards, their events and receipts',
    why: 'It is a register of its own, and is kept although the chat is forgotten',
    how: 'kortlotsen ledger export',
  },
  {
    what: 'Conversations in which nobody proved who they are, from no account that is known',
    why: 'Nobody can tell whose they are',
    how: 'They are removed when they are old enough',
  },
  {
    what: 'Addresses, hashes and keys that a sign-in is recognized by',
    why: 'They say nothing of the person, and somebody else could use them while they last',
    how: 'They are not handed out',
  },
  {
    what: 'Which agent at the servicedesk saw or revoked a card, and in which case; or closed a case',
    why: 'It is about the agent as well, and the case may be somebody else’s',
    how: 'kortlotsen servicedesk audit',
  },
];

export async function exportPerson(database: Database, person: string): Promise<PersonExport> {
  const [row] = await database.run<Omit<PersonExport, 'person' | 'notIncluded'>>(exported, [
    person,
    SECRETS_OF_SIGN_IN,
    OF_AGENT,
  ]);
  if (!row) throw new Error('An export gave no row');
  return { person, ...row, notIncluded: NOT_INCLUDED };
}

const forgetLinks: Statement = { name: 'forget-links', text: 'delete from links where person = $1' };
const forgetSignIns: Statement = { name: 'forget-sign-ins', text: 'delete from sign_ins where person = $1' };

const forgetReminders: Statement = { name: 'forget-reminders', text: 'delete from reminders where person = $1' };
const forgetReminded: Statement = { name: 'forget-reminded', text: 'delete from reminded where person = $1' };

/** One that a turn is taken in meanwhile is left as it is: that turn may have asked something of the world. */
const forgetConversations: Statement = {
  name: 'forget-conversations',
  text: `with theirs as materialized (
      select id, turns from conversations c
      where ${IS_THEIRS}
        and not exists (select from requests r where r.conversation = c.id and r.state in ('open', 'unsettled'))
    )
    delete from conversations c using theirs t where c.id = t.id and c.turns = t.turns returning c.id`,
};

const remaining: Statement = {
  name: 'remaining-conversations',
  text: `select c.id as conversation, max(r.state) as state
    from conversations c left join requests r on r.conversation = c.id and r.state in ('open', 'unsettled')
    where ${IS_THEIRS} group by c.id order by c.id`,
};

/**
 * Removes the conversations of a person, with all that belongs to them, and
 * what connects an account or a sign-in to them. A conversation in which the
 * ledger has not answered yet stays, with its proofs, and is told of.
 */
export async function forgetPerson(
  database: Database,
  person: string,
): Promise<{ removed: number; stays: readonly Stays[] }> {
  let removed = 0;
  // The first, so that nothing is said to them meanwhile.
  await database.run(forgetReminders, [person]);
  await database.run(forgetReminded, [person]);
  for (;;) {
    removed += (await database.run(forgetConversations, [person])).length;
    const rows = await database.run<{ conversation: string; state: 'open' | 'unsettled' | null }>(remaining, [person]);
    const stays = rows.flatMap(({ conversation, state }): Stays[] =>
      state === null ? [] : [{ conversation, why: state === 'open' ? 'requestOpen' : 'revocationUnsettled' }],
    );
    if (stays.length < rows.length) continue;
    await database.run(forgetSignIns, [person]);
    // The last, since they tell which conversations are theirs.
    await database.run(forgetLinks, [person]);
    return { removed, stays };
  }
}
