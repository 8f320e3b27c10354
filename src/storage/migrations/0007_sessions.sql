-- Who works at the servicedesk just now. No cookie can be read from here; only that one is right.
create table sessions (
  -- Of the cookie that the browser has.
  hash text primary key,
  -- Of the state of the sign-in that has made it: nobody comes back from the provider twice.
  errand text not null unique,
  member text not null,
  name text not null,
  roles text[] not null,
  begun_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  -- Signing out sets it to that moment, and the row stays until the sign-in has had its time too.
  ends_at timestamptz not null
);
create index sessions_ends_at on sessions (ends_at);
