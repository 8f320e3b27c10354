-- Who wants to be reminded, and of what they have been. What there is to be reminded of is asked of the ledger each
-- time, and kept nowhere.

create table reminders (
  person text primary key,
  -- Where they asked for it. It may be gone, as any chat that nobody has touched for long.
  conversation text not null,
  -- How to write to them there again, where only they read and a channel is pushed to.
  place jsonb,
  since timestamptz not null,
  -- When there last was a card or an order that a later day may remind of; at first, when they asked.
  needed_at timestamptz not null,
  -- The last day, here, on which it was seen to.
  looked_on date,
  -- Somebody is at it until then, or it is not tried again before.
  busy_until timestamptz
);
create index reminders_conversation on reminders (conversation);

create table reminded (
  person text not null,
  card text not null,
  stage text not null check (stage in ('renew', 'lapses', 'pickup')),
  -- It was said; or only, where they were not proved, that there is something. Each once, whoever tries and however often.
  how text not null check (how in ('said', 'hinted')),
  at timestamptz not null,
  primary key (person, card, stage, how)
);
create index reminded_at on reminded (at);
