-- Passkeys and security keys. What tells them apart is sealed; found by a keyed index of their id.
CREATE TABLE passkey (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  person     BLOB NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  credential BLOB NOT NULL UNIQUE CHECK (length(credential) = 32),
  sealed     BLOB NOT NULL,
  sign_count INTEGER NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
  created_ms INTEGER NOT NULL,
  used_ms    INTEGER NOT NULL                                -- 0: never
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_person ON passkey (person);

-- What a key is asked to sign, as its SHA-256. bound: SHA-256 of the secret of the browser that asked;
-- purpose: rp_passkey_purpose. Each is taken away when it comes back, whatever it proves then.
CREATE TABLE passkey_challenge (
  hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
  purpose    INTEGER NOT NULL,
  bound      BLOB NOT NULL CHECK (length(bound) = 32),
  person     BLOB CHECK (length(person) = 16),               -- NULL: nobody is known yet
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_challenge_bound ON passkey_challenge (bound, expires_ms);
CREATE INDEX passkey_challenge_open ON passkey_challenge (expires_ms) WHERE person IS NULL;
