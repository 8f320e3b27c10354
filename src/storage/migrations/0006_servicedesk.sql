-- Who answers a conversation, the cases that wait for a human, and what is learned from what was not understood.

alter table conversations
  -- Who answers: one of these, and an agent only while their lease lasts.
  add column speaker text not null default 'bot' check (speaker in ('bot', 'queue', 'agent')),
  add column agent jsonb,
  add column lease_until timestamptz,
  -- The case that is open. Who may speak is told by this row alone.
  add column open_case text,
  -- The last of the student's messages that a human has answered, or that was there before one was asked for.
  add column tended_seq integer not null default 0,
  -- What of it has been counted that is counted once.
  add column counted text[] not null default '{}',
  add constraint an_agent_speaks_on_a_lease check (
    (speaker = 'agent') = (agent is not null) and (speaker = 'agent') = (lease_until is not null)
  ),
  add constraint a_human_speaks_in_a_case check (speaker = 'bot' or open_case is not null);
create index conversations_leased on conversations (lease_until) where speaker = 'agent';

alter table messages drop constraint messages_author_check;
alter table messages add constraint messages_author_check check (author in ('student', 'bot', 'agent', 'desk'));

create table cases (
  -- A secret that cannot be guessed, as the agents' page names it.
  id text primary key,
  conversation text not null references conversations on delete cascade,
  -- Whose: our own desk's, or that of the hub of this name.
  desk text not null default 'own',
  reason text not null check (reason in ('asked', 'notUnderstood', 'outcome', 'opened')),
  opened_at timestamptz not null,
  -- Since when nobody has it. At first, when it was opened.
  waiting_since timestamptz not null,
  -- The place in the log of what it began with.
  began_seq integer not null,
  closed_at timestamptz,
  outcome text,
  closed_by text,
  check ((closed_at is null) = (outcome is null))
);
create index cases_waiting on cases (waiting_since) where closed_at is null;
create index cases_conversation on cases (conversation);

-- What was not understood, asked back about, or did not help: once each.
create table lessons (
  id bigint generated always as identity primary key,
  conversation text not null references conversations on delete cascade,
  seq integer not null,
  kind text not null check (kind in ('notUnderstood', 'notKnown', 'clarified', 'notHelped')),
  -- What was written, masked; nothing where it did not help, for then it is what was written before.
  text text not null,
  -- Between which intents was asked; and what was wanted last, as far as that was understood.
  between text[] not null default '{}',
  wish text,
  at timestamptz not null,
  -- What an editor has decided.
  intent text,
  decided_by text,
  decided_at timestamptz,
  unique (conversation, seq, kind)
);
create index lessons_undecided on lessons (at) where decided_at is null;

-- What has happened, by day. Nothing in it tells whose conversation it was.
create table tallies (
  day date not null,
  what text not null,
  name text not null default ''
);
create index tallies_day on tallies (day, what);
