-- The system database: who there is, never what they own.
-- Addresses and one-time-code seeds are sealed under the tenant's key; secrets of links and
-- cookies are stored as SHA-256 only.

CREATE TABLE owner (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  tenant  BLOB NOT NULL CHECK (length(tenant) = 16)   -- zeros: the system's
) STRICT;

CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
  event    BLOB NOT NULL
) STRICT;
CREATE TABLE outbox_state (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  last   INTEGER NOT NULL CHECK (last >= 0),                      -- ever given out
  acked  INTEGER NOT NULL CHECK (acked >= 0 AND acked <= last)    -- the ledger has them
) STRICT;
INSERT INTO outbox_state VALUES (1, 0, 0);

CREATE TABLE tenant (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  name       TEXT NOT NULL CHECK (length(name) <= 128),
  internal   INTEGER NOT NULL CHECK (internal IN (0, 1)),  -- 1: this installation's own
  ready      INTEGER NOT NULL CHECK (ready IN (0, 1)),     -- 1: its file and its key exist
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tenant_internal ON tenant (internal) WHERE internal = 1;

CREATE TABLE person (
  id             BLOB PRIMARY KEY CHECK (length(id) = 16),
  tenant         BLOB NOT NULL REFERENCES tenant (id),      -- whose key seals what follows
  address        BLOB NOT NULL UNIQUE CHECK (length(address) = 32),  -- keyed index
  email_sealed   BLOB NOT NULL,
  password       TEXT NOT NULL,                             -- PHC string, argon2id
  totp_sealed    BLOB,
  totp_last_step INTEGER NOT NULL CHECK (totp_last_step >= 0),
  created_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE membership (
  tenant BLOB NOT NULL REFERENCES tenant (id),
  person BLOB NOT NULL REFERENCES person (id),
  roles  INTEGER NOT NULL CHECK (roles BETWEEN 1 AND 7),
  PRIMARY KEY (tenant, person)
) STRICT, WITHOUT ROWID;

-- An address belongs to a person only once the link that was sent there has been used.
CREATE TABLE invitation (
  token_hash   BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
  tenant       BLOB NOT NULL REFERENCES tenant (id),
  person       BLOB NOT NULL CHECK (length(person) = 16),   -- to be
  address      BLOB NOT NULL CHECK (length(address) = 32),
  email_sealed BLOB NOT NULL,
  roles        INTEGER NOT NULL CHECK (roles BETWEEN 1 AND 7),
  invited_by   BLOB,
  seed_sealed  BLOB,                                        -- the one-time-code seed shown
  expires_ms   INTEGER NOT NULL,
  used_ms      INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  cookie_hash BLOB PRIMARY KEY CHECK (length(cookie_hash) = 32),
  id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  person      BLOB NOT NULL REFERENCES person (id),
  tenant      BLOB NOT NULL REFERENCES tenant (id),
  roles       INTEGER NOT NULL CHECK (roles BETWEEN 1 AND 7),
  acr         INTEGER NOT NULL CHECK (acr BETWEEN 1 AND 3),
  idle_max_s  INTEGER NOT NULL,
  created_ms  INTEGER NOT NULL,
  expires_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_expires ON session (expires_ms);

-- The password was right, the second factor is awaited.
CREATE TABLE pending_sign_in (
  token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
  person     BLOB NOT NULL REFERENCES person (id),
  tenant     BLOB NOT NULL REFERENCES tenant (id),
  tries      INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- client: keyed hash of an address, or empty for all clients together. accepted_ms: when this
-- client last signed in; such a client is not stopped by what strangers do.
CREATE TABLE sign_in_failure (
  address     BLOB NOT NULL CHECK (length(address) = 32),
  client      BLOB NOT NULL,
  count       INTEGER NOT NULL,
  last_ms     INTEGER NOT NULL,
  accepted_ms INTEGER,
  PRIMARY KEY (address, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE app (
  name       TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 32),
  token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
