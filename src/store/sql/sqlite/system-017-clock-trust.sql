-- Until when this machine's clock was believed; doubted: when it leapt, as the clock says it.
CREATE TABLE clock_trust (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  seen_ms    INTEGER NOT NULL CHECK (seen_ms >= 0),
  doubted_ms INTEGER CHECK (doubted_ms > seen_ms)      -- NULL: it is believed
) STRICT;
