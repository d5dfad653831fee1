-- Entries that were met and not kept: how many of a chain, and why. Those of chains beyond the first some hundred stand under zeros.
CREATE TABLE journal_dropped (
  replica BLOB NOT NULL,
  why TEXT NOT NULL,
  n INTEGER NOT NULL,
  seq INTEGER NOT NULL,          -- the lowest number that any of them had
  PRIMARY KEY (replica, why)
) WITHOUT ROWID;

-- Segments of whom nobody let in, of which not all was kept: they are read again once somebody does.
ALTER TABLE local_segment ADD COLUMN stranger INTEGER NOT NULL DEFAULT 0;
