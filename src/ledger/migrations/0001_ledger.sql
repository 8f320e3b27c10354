-- The card ledger: events, each carrying the hash of the one before, and the last of them.
-- It may live on a database of its own, so it makes what it shares with the rest, unless that is there.

create table if not exists keys (
  name text primary key,
  value text not null
);

-- An event is its canonical text. Everything else but its hash is read from that text, and cannot disagree with it.
create table ledger_events (
  event text not null,
  hash text not null,
  position integer generated always as ((event::jsonb ->> 'position')::integer) stored primary key
    check (position > 0),
  type text not null generated always as (event::jsonb ->> 'type') stored,
  holder text not null generated always as (event::jsonb ->> 'holder') stored,
  card text generated always as (event::jsonb ->> 'card') stored,
  client text not null generated always as (event::jsonb ->> 'client') stored,
  key text generated always as (event::jsonb ->> 'key') stored,
  receipt text generated always as (event::jsonb ->> 'receipt') stored
);
create index ledger_events_of_holder on ledger_events (holder, position);
create index ledger_events_of_protection on ledger_events (holder, position)
  where type in ('holder.protected', 'holder.unprotected');
create unique index ledger_events_of_errand on ledger_events (client, key) where key is not null;
create unique index ledger_events_of_receipt on ledger_events (receipt) where receipt is not null;
create unique index ledger_events_of_new_card on ledger_events (card) where type in ('card.ordered', 'card.acknowledged');

create function refuse_to_forget() returns trigger language plpgsql as $$
begin
  raise exception 'The ledger is only added to' using errcode = 'restrict_violation';
end
$$;
create trigger ledger_events_are_kept before update or delete on ledger_events
  for each row execute function refuse_to_forget();
create trigger ledger_events_are_all_kept before truncate on ledger_events
  for each statement execute function refuse_to_forget();

-- The last event, in the only row. Whoever adds events moves it from where they saw it, or adds nothing.
create table ledger_head (
  is_only boolean primary key default true check (is_only),
  position integer not null,
  hash text not null
);
insert into ledger_head (position, hash) values (0, repeat('0', 64));
