-- What somebody decided about the firewall's alarms (src/shield/exclusions_io.h): accepted 1: the
-- rule is not asked there; 0: the proposal is not shown again.
CREATE TABLE waf_exclusion (
  id            TEXT PRIMARY KEY CHECK (length(id) = 8),
  app           TEXT NOT NULL CHECK (length(app) BETWEEN 1 AND 32),
  rule          INTEGER NOT NULL CHECK (rule > 0),
  variable      TEXT NOT NULL CHECK (length(variable) <= 64),   -- '': the whole rule
  path          TEXT NOT NULL CHECK (length(path) <= 128),
  accepted      INTEGER NOT NULL CHECK (accepted IN (0, 1)),
  reason        TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
  who           TEXT NOT NULL CHECK (length(who) BETWEEN 1 AND 64),
  since_ms      INTEGER NOT NULL,
  people        INTEGER NOT NULL,                               -- behind it when it was decided
  organisations INTEGER NOT NULL,
  requests      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
