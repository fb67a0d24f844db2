-- When a feed last delivered names that might pose as ours, and how many it has delivered in all.
CREATE TABLE lookalike_feed (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  at_ms INTEGER NOT NULL CHECK (at_ms > 0),
  source TEXT NOT NULL CHECK (length(source) <= 200),
  names INTEGER NOT NULL CHECK (names >= 0),
  flagged INTEGER NOT NULL CHECK (flagged >= 0)
) STRICT;
