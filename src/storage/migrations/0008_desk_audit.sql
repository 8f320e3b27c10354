-- What agents at the servicedesk have seen and done of holders' cards. A row a step, which is only added to:
-- what was about to be done, before it was, and what came of it.

create table desk_audit (
  id integer generated always as identity primary key,
  at timestamptz not null,
  agent text not null,
  agent_name text not null,
  what text not null check (what in ('confirm', 'look', 'revoke')),
  -- confirm: confirmed. look: shown. revoke: begun, sent and, last of all, what the ledger answered.
  outcome text not null check (
    outcome in ('confirmed', 'shown', 'begun', 'sent', 'revoked', 'refused', 'unreachable', 'unanswered', 'expired')
  ),
  -- The steps of one confirmation, and those of one attempt to revoke, share a name.
  confirmation text,
  attempt text,
  -- The ledger's opaque name. What the holder was looked up by is kept nowhere.
  holder text,
  way text,
  note text check (length(note) <= 200),
  card text,
  reason text,
  -- The errand, by the name that the ledger's event has as its key.
  reference text,
  receipt text,
  -- A conversation, which may be forgotten while this row is not.
  case_id text
);
create unique index desk_audit_confirmed on desk_audit (confirmation) where what = 'confirm';
create index desk_audit_of_errand on desk_audit (reference) where reference is not null;
create index desk_audit_of_attempt on desk_audit (attempt) where attempt is not null;
create index desk_audit_of_holder on desk_audit (holder);
create index desk_audit_at on desk_audit (at);

create function refuse_to_change_audit() returns trigger language plpgsql as $$
begin
  raise exception 'The audit is only added to' using errcode = 'restrict_violation';
end
$$;
create trigger desk_audit_is_kept before update or delete on desk_audit
  for each row execute function refuse_to_change_audit();
create trigger desk_audit_is_all_kept before truncate on desk_audit
  for each statement execute function refuse_to_change_audit();
