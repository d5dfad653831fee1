-- Entries that were met and not kept: how many of a chain, and why. Those of chains beyond the first some hundred stand under zeros.
CREATE TABLE journal_dropped (
  replica BLOB NOT NULL,
  why TEXT NOT NULL,
  n INTEGER NOT NULL,
  seq INTEGER NOT NULL,          -- the lowest number that any of them had
  PRIMARY KEY (replica, why)
) WITHOUT ROWID;
