-- Segments of the index of words are merged by the register's writes, a little with each.
INSERT INTO register_text (register_text, rank) VALUES ('automerge', 0);
