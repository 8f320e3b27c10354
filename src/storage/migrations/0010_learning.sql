-- What editors have decided of what is to be learned; and what has happened, added up when its day is over.

alter table lessons
  -- The text as it is compared with others: without capitals, signs and dots. Nothing where there is no text.
  add column folded text not null default '',
  -- What a new intent would be called, where none that there is will do. With neither, it was dismissed.
  add column wished text,
  -- As colleagues see whoever decided.
  add column decider text,
  add constraint a_decision_is_somebodys check ((decided_at is null) = (decided_by is null));
-- A text may be longer than an ordered index holds.
create index lessons_folded on lessons using hash (folded);

alter table tallies
  add column amount integer not null default 1 check (amount > 0),
  -- An id of a conversation, or of anybody, has a digit in it or a stroke, and is no name of a rule.
  add constraint a_tally_tells_of_nobody check (
    what ~ '^[A-Za-z]{1,40}$' and name ~ '^([A-Za-z-]{1,40}|R[0-9]{1,4})?$'
  );
