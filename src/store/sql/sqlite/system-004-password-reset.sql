-- Passwords that were forgotten. A request names no person: whether the address is anybody's is
-- looked at later, so that asking tells nothing. Of a link only the SHA-256 is kept.

CREATE TABLE reset_request (
  address  BLOB PRIMARY KEY CHECK (length(address) = 32),   -- keyed index
  lang     TEXT NOT NULL CHECK (lang IN ('fr', 'en')),
  asked_ms INTEGER NOT NULL,
  done     INTEGER NOT NULL CHECK (done IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE password_reset (
  token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
  person     BLOB NOT NULL REFERENCES person (id),
  tenant     BLOB NOT NULL REFERENCES tenant (id),
  expires_ms INTEGER NOT NULL,
  used_ms    INTEGER
) STRICT, WITHOUT ROWID;
