-- Ways in to a conversation that an agent has opened for somebody who phoned. The code itself is not kept.
create table invitations (
  code text primary key,
  conversation text not null references conversations on delete cascade,
  expires_at timestamptz not null,
  -- The page that it was taken with. The same page may ask again.
  taken_by text
);
create index invitations_conversation on invitations (conversation);
create index invitations_expired on invitations (expires_at);
