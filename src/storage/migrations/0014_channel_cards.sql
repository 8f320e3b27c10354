-- What a channel of the servicedesk's in Teams shows of the cases that wait. A row goes once its card says that it is over.

create table case_cards (
  -- The case, which may be gone before its card is.
  id text primary key,
  -- Where the card is, once there is one.
  conversation text,
  activity text,
  -- What it shows, of what it could: it is made to agree with the case.
  shown text,
  -- Who has begun to make it agree, and until when others leave it alone.
  busy_until timestamptz,
  due_at timestamptz not null default now(),
  attempts integer not null default 0,
  check ((conversation is null) = (activity is null))
);
