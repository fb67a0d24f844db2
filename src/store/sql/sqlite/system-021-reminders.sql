-- When a person wants to be reminded: NULL = as the installation says, '' = at once, one by one.
ALTER TABLE person ADD COLUMN quiet TEXT CHECK (length(quiet) IN (0, 11));
ALTER TABLE person ADD COLUMN digest TEXT CHECK (length(digest) IN (0, 5));

-- gentle: a reminder, whose time follows what its person chooses. Those that wait alone for the end
-- of quiet hours are not told from others in older versions: they keep the time that they have.
ALTER TABLE notice ADD COLUMN gentle INTEGER NOT NULL DEFAULT 0 CHECK (gentle IN (0, 1));
UPDATE notice SET gentle = 1 WHERE gather = 1;
CREATE INDEX notice_gentle ON notice (person) WHERE gentle = 1 AND state = 'waiting';
