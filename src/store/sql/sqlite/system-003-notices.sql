-- Notices to people: one row for each notice and channel, put down with the change that causes it.
-- key: what makes it the same notice as one before; sealed: address and values, under the tenant's
-- key, gone once the mail is out. A mail is 'sending' while the courier has it.

CREATE TABLE notice (
  id         BLOB NOT NULL CHECK (length(id) = 16),
  channel    TEXT NOT NULL CHECK (channel IN ('mail', 'inbox')),
  key        BLOB CHECK (length(key) BETWEEN 1 AND 64),
  kind       TEXT NOT NULL,
  tenant     BLOB NOT NULL REFERENCES tenant (id),
  person     BLOB,
  lang       TEXT NOT NULL CHECK (lang IN ('fr', 'en')),
  sealed     BLOB,
  state      TEXT NOT NULL
             CHECK (state IN ('waiting', 'sending', 'sent', 'refused', 'unread', 'read')),
  tries      INTEGER NOT NULL CHECK (tries >= 0),
  problem    TEXT NOT NULL CHECK (length(problem) <= 200),   -- the last one
  created_ms INTEGER NOT NULL,
  next_ms    INTEGER NOT NULL,                               -- not before
  PRIMARY KEY (id, channel)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX notice_key ON notice (key, channel) WHERE key IS NOT NULL;
CREATE INDEX notice_next ON notice (next_ms) WHERE state IN ('waiting', 'sending');
CREATE INDEX notice_person ON notice (person, created_ms) WHERE channel = 'inbox';
