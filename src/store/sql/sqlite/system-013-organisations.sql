-- Who belongs to several organisations: the one that they chose last, where a sign-in begins.
ALTER TABLE person ADD COLUMN last_tenant BLOB CHECK (length(last_tenant) = 16);
