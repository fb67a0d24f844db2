-- Who may always come in at the gate, and who may not (src/shield/lists_io.h). An entry's id is the
-- hash of what it asks for, so that the same thing never stands here twice. Empty: not asked for.
CREATE TABLE gate_entry (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  action     INTEGER NOT NULL CHECK (action IN (0, 1)),
  network    TEXT NOT NULL,
  path       TEXT NOT NULL,
  method     TEXT NOT NULL,
  header     TEXT NOT NULL,
  value      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  who        TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which state of the lists this is: run/lists.tab says which one it was made of.
CREATE TABLE gate_lists (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  generation INTEGER NOT NULL
) STRICT;
INSERT INTO gate_lists (one, generation) VALUES (1, 0);
