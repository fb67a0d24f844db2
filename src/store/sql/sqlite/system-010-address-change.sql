-- A new address for a person, asked for while signed in. It counts only once the link that went to
-- the new address was used; the link that went to the former one stops it, or undoes it for a week.
-- One at a time for a person; asks counts how often, since since_ms.

CREATE TABLE address_change (
  person        BLOB PRIMARY KEY REFERENCES person (id),
  tenant        BLOB NOT NULL REFERENCES tenant (id),        -- whose key seals what follows
  token_hash    BLOB UNIQUE CHECK (length(token_hash) = 32), -- NULL: used, stopped
  stop_hash     BLOB UNIQUE CHECK (length(stop_hash) = 32),  -- NULL: stopped
  address       BLOB NOT NULL CHECK (length(address) = 32),  -- keyed index
  email_sealed  BLOB NOT NULL,
  former        BLOB NOT NULL CHECK (length(former) = 32),
  former_sealed BLOB NOT NULL,
  asked_ms      INTEGER NOT NULL,
  used_ms       INTEGER,
  asks          INTEGER NOT NULL,
  since_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
