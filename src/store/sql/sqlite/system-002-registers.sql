-- Registers: what people do, each record with its state, its history and its clocks.
-- What names a person is sealed under the installation's own key; every row carries a MAC under
-- that key, so that a row edited in this file is noticed when it is read.

CREATE TABLE clock (
  subject    BLOB NOT NULL CHECK (length(subject) = 16),
  name       TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  due_ms     INTEGER NOT NULL,
  next       INTEGER NOT NULL,                 -- which step comes next
  steps      BLOB NOT NULL,
  paused_ms  INTEGER NOT NULL,
  working    INTEGER NOT NULL CHECK (working IN (0, 1)),
  next_ms    INTEGER,                          -- when that step is due; NULL: nothing is
  reason     TEXT,                             -- why it stands
  PRIMARY KEY (subject, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX clock_next ON clock (next_ms) WHERE next_ms IS NOT NULL;

-- Which schema a register's records were last written with: a change that orphans data is refused.
CREATE TABLE register_schema (
  register TEXT PRIMARY KEY,
  version  INTEGER NOT NULL CHECK (version > 0),
  shape    TEXT NOT NULL                       -- fields, types, choices and states, as text
) STRICT, WITHOUT ROWID;

CREATE TABLE register_record (
  row        INTEGER PRIMARY KEY,
  id         BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  register   TEXT NOT NULL,
  number     INTEGER NOT NULL CHECK (number > 0),
  state      TEXT NOT NULL,
  version    INTEGER NOT NULL CHECK (version > 0),
  author     BLOB NOT NULL CHECK (length(author) = 16),   -- zeros: the machine's owner
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  example    INTEGER NOT NULL CHECK (example IN (0, 1)),
  body       TEXT NOT NULL,                    -- canonical JSON of the fields that are not sealed
  sealed     BLOB,                             -- canonical JSON of those that are
  mac        BLOB NOT NULL CHECK (length(mac) = 32),
  UNIQUE (register, number)
) STRICT;
CREATE INDEX register_state ON register_record (register, state, number);
CREATE INDEX register_changed ON register_record (register, changed_ms);

-- What lists are filtered and sorted by. NULL where a record has no value.
CREATE TABLE register_value (
  record   INTEGER NOT NULL REFERENCES register_record (row),
  field    TEXT NOT NULL,
  register TEXT NOT NULL,
  value    ANY,
  PRIMARY KEY (record, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX register_value_find ON register_value (register, field, value, record);

CREATE VIRTUAL TABLE register_text USING fts5 (register, body, tokenize = "unicode61 remove_diacritics 2");

-- One row a change; the event in the log carries its SHA-256.
CREATE TABLE register_change (
  record  INTEGER NOT NULL REFERENCES register_record (row),
  version INTEGER NOT NULL,
  change  TEXT NOT NULL,
  sealed  BLOB,
  PRIMARY KEY (record, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE register_file (
  record  INTEGER NOT NULL REFERENCES register_record (row),
  sha256  BLOB NOT NULL CHECK (length(sha256) = 32),   -- of what was handed in
  sealed  BLOB NOT NULL,
  PRIMARY KEY (record, sha256)
) STRICT, WITHOUT ROWID;

CREATE TABLE register_view (
  id       BLOB PRIMARY KEY CHECK (length(id) = 16),
  register TEXT NOT NULL,
  person   BLOB NOT NULL CHECK (length(person) = 16),
  name     TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  query    TEXT NOT NULL CHECK (length(query) <= 4096),
  UNIQUE (register, person, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_token (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  person     BLOB NOT NULL CHECK (length(person) = 16),   -- who made it; zeros: the machine's owner
  scope      TEXT NOT NULL CHECK (scope IN ('read', 'write')),
  registers  TEXT NOT NULL,                                -- ids separated by spaces, or *
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
