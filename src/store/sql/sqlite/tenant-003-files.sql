-- Files: which sealed bytes each version of a file holds, uploads that are not done, bytes nobody holds.

-- A file is a record of the collection '@NAME'; its document says which bytes are its own.
CREATE TABLE blob_of (
  app        TEXT NOT NULL,
  collection TEXT NOT NULL,
  id         BLOB NOT NULL CHECK (length(id) = 16),
  version    INTEGER NOT NULL CHECK (version > 0),
  blob       BLOB NOT NULL CHECK (length(blob) = 16),
  bytes      INTEGER NOT NULL CHECK (bytes >= 0),      -- as sealed
  PRIMARY KEY (app, collection, id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_of_blob ON blob_of (blob);

-- What nobody holds any more: its file goes first, then this row.
CREATE TABLE blob_gone (
  blob BLOB PRIMARY KEY CHECK (length(blob) = 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE upload (
  blob       BLOB PRIMARY KEY CHECK (length(blob) = 16),  -- the upload's name too
  app        TEXT NOT NULL,
  collection TEXT NOT NULL,
  id         BLOB NOT NULL CHECK (length(id) = 16),
  version    INTEGER NOT NULL CHECK (version > 0),        -- the one that it will be
  label      INTEGER NOT NULL CHECK (label BETWEEN 0 AND 4),
  size       INTEGER CHECK (size >= 0),                   -- NULL: not said
  received   INTEGER NOT NULL CHECK (received >= 0),      -- durable
  turn       INTEGER NOT NULL,                            -- who goes on with it: the last who came
  changed_ms INTEGER NOT NULL,
  sealed     BLOB NOT NULL                                -- name and type
) STRICT, WITHOUT ROWID;
