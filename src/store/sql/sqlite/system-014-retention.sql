-- What was destroyed when its retention was over: that it was there, never what it said.
CREATE TABLE register_retired (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  register   TEXT NOT NULL,
  number     INTEGER NOT NULL CHECK (number > 0),      -- never given again
  closed_ms  INTEGER NOT NULL,
  retired_ms INTEGER NOT NULL,
  UNIQUE (register, number)
) STRICT, WITHOUT ROWID;
