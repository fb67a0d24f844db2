-- What an organisation's administrators let an application do while nobody of theirs is there.

CREATE TABLE access_grant (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  app        TEXT NOT NULL,
  scopes     INTEGER NOT NULL CHECK (scopes > 0),
  person     BLOB NOT NULL CHECK (length(person) = 16),       -- who gave it
  created_ms INTEGER NOT NULL,
  until_ms   INTEGER NOT NULL,
  sealed     BLOB NOT NULL,                                   -- of nothing, bound to all of the above
  used_ms    INTEGER NOT NULL DEFAULT 0,                      -- to the hour
  ended_ms   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
