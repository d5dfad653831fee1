-- Facts about the whole journal: the workspace's id, the version of the views.
CREATE TABLE journal_meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- One row a chain: who signs it, and its last entry, so that a chain cut short is noticed.
CREATE TABLE journal_replica (
  replica BLOB PRIMARY KEY,
  key BLOB NOT NULL,
  head_seq INTEGER NOT NULL,
  head_hash BLOB NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL
) WITHOUT ROWID;

-- Entries whose signature, number and predecessor are right. No index on hashes: an entry is found by its number.
CREATE TABLE journal_entry (
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (replica, seq)
) WITHOUT ROWID;

-- Entries that arrived and can't be linked in: a predecessor is missing, or something is wrong with them.
CREATE TABLE journal_pending (
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL,
  fault TEXT NOT NULL,
  PRIMARY KEY (replica, seq, hash)
) WITHOUT ROWID;

-- Payloads, by the event that names them.
CREATE TABLE journal_payload (
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  hash BLOB NOT NULL,
  salt BLOB NOT NULL,
  dictionary BLOB,
  bytes BLOB NOT NULL,
  PRIMARY KEY (replica, seq, n)
) WITHOUT ROWID;

-- zstd dictionaries, by the hash of their bytes. Kept forever: payloads need them to be read.
CREATE TABLE journal_dictionary (hash BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;

-- What a reviewer has begun and not submitted.
CREATE TABLE local_draft (
  reviewer TEXT NOT NULL,
  id BLOB NOT NULL,
  draft TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (reviewer, id)
) WITHOUT ROWID;

-- Where a reviewer was.
CREATE TABLE local_place (reviewer TEXT PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID;
