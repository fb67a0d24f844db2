-- An application may have several tokens: each with what it may do, until when, and an end of its own.

CREATE TABLE app_token (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  app        TEXT NOT NULL CHECK (length(app) BETWEEN 1 AND 32),
  token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  scopes     INTEGER NOT NULL CHECK (scopes > 0),     -- set of rp_scope
  created_ms INTEGER NOT NULL,
  until_ms   INTEGER NOT NULL,                        -- 0: until it is taken back
  ended_ms   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO app_token SELECT randomblob(16), name, token_hash, 31, created_ms, 0, 0 FROM app;
DROP TABLE app;
