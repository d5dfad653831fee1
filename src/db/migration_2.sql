-- What this device knows of itself: its store, when it last synced.
CREATE TABLE local_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Segments of a store that were written or taken in.
CREATE TABLE local_segment (
  store TEXT NOT NULL,
  name TEXT NOT NULL,
  bytes INTEGER NOT NULL,        -- its size, by which one that was cut short since is noticed
  good INTEGER NOT NULL,         -- whether all that stands in it counts
  PRIMARY KEY (store, name)
) WITHOUT ROWID;

-- How far a store was seen to hold each chain: one that holds less was rolled back.
CREATE TABLE local_reach (store TEXT NOT NULL, replica BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (store, replica)) WITHOUT ROWID;

-- Erasures that a store has carried out.
CREATE TABLE local_erasure (
  store TEXT NOT NULL,
  event TEXT NOT NULL,           -- the event that asks for it
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (store, event)
) WITHOUT ROWID;

-- Files that were exported here: what they hold can't be erased from here, only named.
CREATE TABLE local_export (path TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
