-- Pieces of evidence: a file that a record's field names by its SHA-256, sealed under the
-- installation's own key. The history of the record says which files were handed in, and of how many
-- pieces, so that what is missing here is missed.
CREATE TABLE register_piece (
  record        INTEGER NOT NULL REFERENCES register_record (row),
  sha256        BLOB NOT NULL CHECK (length(sha256) = 32),        -- of the whole file
  piece         INTEGER NOT NULL CHECK (piece BETWEEN 0 AND 63),
  sealed        BLOB NOT NULL,
  sealed_sha256 BLOB NOT NULL CHECK (length(sealed_sha256) = 32),
  UNIQUE (record, sha256, piece)
) STRICT;
