-- Organisations that are to end, and those that did: of the latter the id and the times are left.
CREATE TABLE tenant_closing (
  tenant       BLOB PRIMARY KEY CHECK (length(tenant) = 16),
  asked_ms     INTEGER NOT NULL,
  due_ms       INTEGER NOT NULL,                       -- until then it can be taken back
  ended_ms     INTEGER NOT NULL DEFAULT 0,             -- its people and their sessions went
  destroyed_ms INTEGER NOT NULL DEFAULT 0,             -- its key went
  removed_ms   INTEGER NOT NULL DEFAULT 0              -- its files went
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_closing_due ON tenant_closing (due_ms) WHERE removed_ms = 0;
