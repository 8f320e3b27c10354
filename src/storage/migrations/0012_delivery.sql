-- How often the replies that are next have been tried in vain.

alter table conversations
  add column delivery_attempts integer not null default 0 check (delivery_attempts >= 0);
