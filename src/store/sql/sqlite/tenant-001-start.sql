-- One tenant's database: its key, wrapped; its records, sealed under that key; its outbox.

CREATE TABLE owner (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  tenant  BLOB NOT NULL CHECK (length(tenant) = 16)
) STRICT;

CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
  event    BLOB NOT NULL
) STRICT;
CREATE TABLE outbox_state (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  last   INTEGER NOT NULL CHECK (last >= 0),
  acked  INTEGER NOT NULL CHECK (acked >= 0 AND acked <= last)
) STRICT;
INSERT INTO outbox_state VALUES (1, 0, 0);

-- The data key as the key service wrapped it; the master key's name stands in the wrapped form.
CREATE TABLE tenant_key (
  version    INTEGER PRIMARY KEY CHECK (version > 0),
  wrapped    BLOB NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE record (
  number     INTEGER PRIMARY KEY,
  app        TEXT NOT NULL,
  collection TEXT NOT NULL,
  id         BLOB NOT NULL CHECK (length(id) = 16),
  version    INTEGER NOT NULL CHECK (version > 0),
  changed_ms INTEGER NOT NULL,
  sealed     BLOB NOT NULL,
  UNIQUE (app, collection, id)
) STRICT;
