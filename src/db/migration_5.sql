-- Predictions of a stream and day that were counted here, so that files which overlap count them once.
CREATE TABLE local_counted (
  id INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  day INTEGER NOT NULL,          -- in UTC, counted from 1970
  rules TEXT NOT NULL,           -- the traps that counted them, each with its version
  missed INTEGER NOT NULL,       -- whether plug-ins could not tell of some: all are counted anew once they can
  at_ms INTEGER NOT NULL,
  n INTEGER NOT NULL,
  lines BLOB NOT NULL            -- 48 bits of each, ascending: the steps between them, as LEB128
);
CREATE INDEX local_counted_day ON local_counted (stream, day);
