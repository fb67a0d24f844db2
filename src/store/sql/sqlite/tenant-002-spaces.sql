-- Labels, trash, kept versions, exact search by keyed hashes, and what a tenant uses.

-- 0: sealed before there were labels; such a row counts as internal.
ALTER TABLE record ADD COLUMN label INTEGER NOT NULL DEFAULT 0 CHECK (label BETWEEN 0 AND 4);
ALTER TABLE record ADD COLUMN trashed_ms INTEGER NOT NULL DEFAULT 0 CHECK (trashed_ms >= 0);
CREATE INDEX record_trashed ON record (trashed_ms) WHERE trashed_ms > 0;

CREATE TABLE record_version (
  app        TEXT NOT NULL,
  collection TEXT NOT NULL,
  id         BLOB NOT NULL CHECK (length(id) = 16),
  version    INTEGER NOT NULL CHECK (version > 0),
  changed_ms INTEGER NOT NULL,
  label      INTEGER NOT NULL CHECK (label BETWEEN 0 AND 4),
  trashed_ms INTEGER NOT NULL CHECK (trashed_ms >= 0),
  sealed     BLOB NOT NULL,
  PRIMARY KEY (app, collection, id, version)
) STRICT;

-- settings: sealed; which fields of its records can be searched.
CREATE TABLE collection (
  app    TEXT NOT NULL,
  name   TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (app, name)
) STRICT, WITHOUT ROWID;

-- token: HMAC of a field's value under a key of tenant, application, collection and field.
CREATE TABLE record_token (
  app        TEXT NOT NULL,
  collection TEXT NOT NULL,
  token      BLOB NOT NULL CHECK (length(token) = 32),
  id         BLOB NOT NULL CHECK (length(id) = 16),
  PRIMARY KEY (app, collection, token, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_token_of ON record_token (app, collection, id);

CREATE TABLE space_use (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  records INTEGER NOT NULL CHECK (records >= 0),
  bytes   INTEGER NOT NULL CHECK (bytes >= 0)   -- as sealed, kept versions and trash with them
) STRICT;
INSERT INTO space_use SELECT 1, count(*), coalesce(sum(length(sealed)), 0) FROM record;
