-- Conversations, what was said in them, and what they have asked of the world.
-- Whoever reads these rows can go on with a conversation; nothing else is needed.

create table conversations (
  id text primary key,
  channel text not null,
  is_pushed boolean not null,
  address jsonb not null default '{}',
  begun_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),

  -- Where it rests, after so many turns. Without a version it has not begun.
  turns integer not null default 0,
  version integer,
  snapshot jsonb,
  state text,
  asked_fact text,
  asked_path text,
  suggests text[] not null default '{}',
  -- Which masking lets through an answer to what is asked.
  door text not null default 'open' check (door in ('open', 'dates', 'codes')),

  -- Places in its log: the last entry, the last message answered, the last reply, the last reply delivered.
  last_seq integer not null default 0,
  answered_seq integer not null default 0,
  replied_seq integer not null default 0,
  delivered_seq integer not null default 0,
  -- Messages that are not answered, and requests in somebody's hands.
  waiting integer not null default 0,
  open_requests integer not null default 0,
  -- Somebody delivers until then; or, if that failed, nobody does before then.
  delivering_until timestamptz
);
create index conversations_stalled on conversations (changed_at) where waiting > 0 or turns = 0;
create index conversations_undelivered on conversations (changed_at) where is_pushed and replied_seq > delivered_seq;

create table messages (
  conversation text not null references conversations on delete cascade,
  seq integer not null,
  author text not null check (author in ('student', 'bot')),
  kind text not null check (kind in ('message', 'event')),
  -- As its channel names it; what is the same again under a new name shares the resend key.
  id text,
  resend_key text,
  said jsonb not null,
  at timestamptz not null,
  -- The turn a reply was said in, and the message it answers, if it answers one.
  turn integer,
  answers integer,
  primary key (conversation, seq)
);
create unique index messages_id on messages (conversation, id) where id is not null;
create unique index messages_resend on messages (conversation, resend_key) where resend_key is not null;

create table requests (
  id bigint generated always as identity primary key,
  conversation text not null references conversations on delete cascade,
  reference text not null,
  request jsonb not null,
  -- open: in somebody's hands until due_at. unsettled: a revocation without an answer, asked about again at due_at.
  -- challenged: waits until due_at for somebody to prove who they are.
  state text not null check (state in ('open', 'unsettled', 'challenged', 'closed')),
  attempts integer not null default 1,
  due_at timestamptz not null,
  challenge text unique,
  made_at timestamptz not null default now()
);
create index requests_of_conversation on requests (conversation) where state <> 'closed';
create index requests_due on requests (due_at) where state in ('open', 'unsettled');

-- The embedded ledger's receipts. A card has one, for ever.
create table revocations (
  person text not null,
  card text not null,
  reference text not null,
  reason text not null,
  receipt jsonb not null,
  revoked_at timestamptz not null default now(),
  primary key (person, card)
);

-- What this installation made for itself, such as the key that tokens are signed with.
create table if not exists keys (
  name text primary key,
  value text not null
);
