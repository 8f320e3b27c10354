-- What whoever runs it has switched off, now; and every such change, with who made it and why, which is only added to.

create table switches (
  -- A path, a wish, the ledger or the bot. What has no row is on.
  name text primary key,
  off_at timestamptz not null default now(),
  switched_by text not null,
  reason text not null
);

create table switch_audit (
  id integer generated always as identity primary key,
  at timestamptz not null default now(),
  name text not null,
  is_off boolean not null,
  switched_by text not null,
  reason text not null
);

create trigger switch_audit_is_kept before update or delete on switch_audit
  for each row execute function refuse_to_change_audit();
create trigger switch_audit_is_all_kept before truncate on switch_audit
  for each statement execute function refuse_to_change_audit();
