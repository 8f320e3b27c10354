-- Of the reply that is next: how many of its parts have been taken, and whether more may have been than was told.

alter table conversations
  add column delivery_parts integer not null default 0 check (delivery_parts >= 0),
  add column delivery_unsure boolean not null default false;
