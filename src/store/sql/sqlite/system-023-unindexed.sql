-- Texts that were written and wait to be put into the index of words, newest of each record. A write
-- only leaves its text here: the index's own pages and merges are no part of it.
CREATE TABLE register_unindexed (
  row      INTEGER PRIMARY KEY,
  register TEXT NOT NULL,
  body     TEXT NOT NULL
) STRICT;
