-- What is needed in order to let go of a person's data: whose a conversation is, and that what is old has gone.

-- Who has proved who they are in which conversation, and when that was heard there.
create table proofs (
  conversation text not null references conversations on delete cascade,
  person text not null,
  proved_at timestamptz not null,
  heard_at timestamptz not null,
  primary key (conversation, person, proved_at)
);
create index proofs_person on proofs (person);

-- What is done now and then, by one of all instances. started_at is the claim of whoever is at it, or was last.
create table jobs (
  name text primary key,
  made_at timestamptz not null,
  started_at timestamptz,
  succeeded_at timestamptz,
  -- How many conversations the last one that succeeded removed.
  removed integer not null default 0
);

create index conversations_changed on conversations (changed_at);
-- Without it, every conversation that is removed would be looked for among all requests.
create index requests_conversation on requests (conversation);

-- The receipts of the ledger before it had a chain of its own.
drop table revocations;
