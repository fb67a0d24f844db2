-- Codes for whoever lost the authenticator: each works once. Keyed hashes, so that a stolen file
-- cannot be searched for them.
CREATE TABLE recovery_code (
  person  BLOB NOT NULL REFERENCES person (id),
  hash    BLOB NOT NULL CHECK (length(hash) = 32),
  used_ms INTEGER,
  PRIMARY KEY (person, hash)
) STRICT, WITHOUT ROWID;

-- The language in which a person is written to: that of the page on which they enrolled.
ALTER TABLE person ADD COLUMN lang TEXT NOT NULL DEFAULT 'fr' CHECK (lang IN ('fr', 'en'));
