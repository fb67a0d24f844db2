-- For which applications the gate asks strangers for some work first (src/shield/attack_io.h).
-- app '': for all. until_ms 0: until it is switched off.
CREATE TABLE gate_attack (
  app      TEXT PRIMARY KEY CHECK (length(app) <= 32),
  since_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  who      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
