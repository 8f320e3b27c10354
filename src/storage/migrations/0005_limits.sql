-- How often something has been done lately: so many points until then, in milliseconds since 1970.
-- What is counted is named by a keyed hash. A crash may forget it, so it is not written ahead.
create unlogged table limits (
  key text primary key,
  points integer not null,
  expire bigint
);
