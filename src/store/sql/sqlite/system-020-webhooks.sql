-- The operator's programs that learn of events: how far each is in the operator's log, which is the
-- queue. A call that was put down before there was a log to read from is not made any more.
CREATE TABLE webhook (
  name       TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 32),
  at         INTEGER NOT NULL CHECK (at >= 0),          -- the entry that is looked at next
  tries      INTEGER NOT NULL DEFAULT 0,                -- of that entry
  next_ms    INTEGER NOT NULL DEFAULT 0,                -- not before
  failing_ms INTEGER NOT NULL DEFAULT 0,                -- since when; 0: the last call was taken
  paused_ms  INTEGER NOT NULL DEFAULT 0,                -- since when; 0: it runs
  test_ms    INTEGER NOT NULL DEFAULT 0,                -- a test was asked for; 0: none
  sent       INTEGER NOT NULL DEFAULT 0,                -- calls that were taken
  last_ms    INTEGER NOT NULL DEFAULT 0,                -- the last call
  problem    TEXT NOT NULL DEFAULT '' CHECK (length(problem) <= 200)   -- what it said; '': taken
) STRICT, WITHOUT ROWID;
DELETE FROM notice WHERE channel = 'webhook';
