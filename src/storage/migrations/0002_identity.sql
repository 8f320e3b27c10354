-- Signing in: what is on its way to the provider of identity and back, and which accounts are whose.
-- No state, cookie or code can be read from here; only that one is right.

create table sign_ins (
  -- The hash of the state that went to the provider, and of the cookie of the browser it went with.
  state text primary key,
  browser text not null,
  request bigint not null references requests on delete cascade,
  nonce text not null,
  -- Gone once the browser has come back: nobody comes back twice.
  verifier text,
  begun_at timestamptz not null default now(),
  expires_at timestamptz not null,

  -- Who it was, and the keyed hash of the code that tells it to the conversation.
  code text,
  person text,
  proved_at timestamptz,
  acr text,
  -- The try that the code was right in. The same try may ask again.
  redeemer text,
  redeemed_at timestamptz
);
create index sign_ins_of_request on sign_ins (request);
create index sign_ins_expired on sign_ins (expires_at);

-- How often a code has been tried in the conversation that waits for one.
alter table requests add column code_attempts integer not null default 0;

-- Accounts that somebody has signed in from, once.
create table links (
  account text primary key,
  person text not null,
  linked_at timestamptz not null,
  proved_at timestamptz not null
);
create index links_of_person on links (person);
