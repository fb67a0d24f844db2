-- Links to one record or file, for people without an account.

CREATE TABLE share (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  app        TEXT NOT NULL,
  collection TEXT NOT NULL,                                   -- '@NAME': a file
  record     BLOB NOT NULL CHECK (length(record) = 16),
  person     BLOB NOT NULL CHECK (length(person) = 16),       -- who made it
  created_ms INTEGER NOT NULL,
  until_ms   INTEGER NOT NULL,
  uses_max   INTEGER NOT NULL CHECK (uses_max >= 0),          -- 0: as often as one likes
  password   TEXT NOT NULL,                                   -- PHC string, argon2id; '' = none
  sealed     BLOB NOT NULL,                                   -- of nothing, bound to all of the above
  uses       INTEGER NOT NULL DEFAULT 0 CHECK (uses >= 0),
  wrong      INTEGER NOT NULL DEFAULT 0 CHECK (wrong >= 0),   -- passwords, one after the other
  wrong_ms   INTEGER NOT NULL DEFAULT 0,
  ended_ms   INTEGER NOT NULL DEFAULT 0                       -- taken back
) STRICT, WITHOUT ROWID;
CREATE INDEX share_until ON share (until_ms);
