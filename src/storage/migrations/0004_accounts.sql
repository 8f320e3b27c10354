-- Whose account a channel has proved a conversation to be held from, and whether others read along there.
alter table conversations add column account text, add column is_shared boolean not null default false;
