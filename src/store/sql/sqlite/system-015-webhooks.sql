-- Notices to the operator's own programs, and mails that one mail gathers.
-- gather: may be told together with others of the same person; bundle: the mail that carries it.
CREATE TABLE notice_015 (
  id         BLOB NOT NULL CHECK (length(id) = 16),
  channel    TEXT NOT NULL CHECK (channel IN ('mail', 'inbox', 'webhook')),
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
  gather     INTEGER NOT NULL DEFAULT 0 CHECK (gather IN (0, 1)),
  bundle     BLOB CHECK (length(bundle) = 16),
  PRIMARY KEY (id, channel)
) STRICT, WITHOUT ROWID;
INSERT INTO notice_015 (id, channel, key, kind, tenant, person, lang, sealed, state, tries, problem, created_ms, next_ms)
  SELECT id, channel, key, kind, tenant, person, lang, sealed, state, tries, problem, created_ms, next_ms FROM notice;
DROP TABLE notice;
ALTER TABLE notice_015 RENAME TO notice;
CREATE UNIQUE INDEX notice_key ON notice (key, channel) WHERE key IS NOT NULL;
CREATE INDEX notice_next ON notice (next_ms) WHERE state IN ('waiting', 'sending');
CREATE INDEX notice_person ON notice (person, created_ms) WHERE channel = 'inbox';
CREATE INDEX notice_bundle ON notice (bundle) WHERE bundle IS NOT NULL;
