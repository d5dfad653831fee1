CREATE TABLE view_case (
  num INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  stream TEXT NOT NULL,
  own TEXT NOT NULL,             -- the id that the stream gave it
  occurred_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,        -- when it was detected, and by which event
  at_n INTEGER NOT NULL,
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  payload BLOB NOT NULL,
  model TEXT NOT NULL,
  predicted TEXT,
  confidence REAL,
  flags TEXT NOT NULL,           -- JSON list: why it was flagged
  rank INTEGER NOT NULL,         -- 0 (most worth a label) to 1000
  state INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,       -- rounded up to the hour, so that rank matters within one
  labels INTEGER NOT NULL,
  outcome TEXT,
  how INTEGER,                   -- how the outcome came to be
  language TEXT NOT NULL,
  needs TEXT NOT NULL,           -- JSON list of skills; empty: none
  text TEXT NOT NULL,            -- from the payload; not part of the digest
  copy INTEGER NOT NULL          -- of stream, text and prediction, where the policy pools copies; 0: of none
);
CREATE INDEX view_case_queue ON view_case (state, due_ms, rank, num);
CREATE INDEX view_case_copy ON view_case (copy) WHERE copy <> 0;

-- By which traps a case was detected, and its draw for each: of a day's, those with the smallest are taken.
CREATE TABLE view_draw (
  trap TEXT NOT NULL,
  version TEXT NOT NULL,         -- of the exact rule
  stream TEXT NOT NULL,
  day INTEGER NOT NULL,          -- in UTC, counted from 1970
  u REAL NOT NULL,
  id BLOB NOT NULL,
  score REAL,
  rate REAL,                     -- the share that the rule takes, where it says one
  most INTEGER NOT NULL,         -- cases a day; 0: all
  place INTEGER NOT NULL,        -- among the traps that flagged the case
  PRIMARY KEY (trap, version, stream, day, u, id)
) WITHOUT ROWID;
CREATE INDEX view_draw_case ON view_draw (id);

-- How many were read of a stream and day, and how many a trap flagged, by what was read.
CREATE TABLE view_tally (
  stream TEXT NOT NULL,
  day INTEGER NOT NULL,
  source TEXT NOT NULL,
  trap TEXT NOT NULL,
  version TEXT NOT NULL,
  read INTEGER NOT NULL,
  flagged INTEGER NOT NULL,
  first INTEGER NOT NULL,        -- that no trap before it flagged
  missed INTEGER NOT NULL,       -- rows that plug-ins could not tell, or were not asked about
  again INTEGER NOT NULL,        -- whether all of it was counted before, under other traps
  PRIMARY KEY (stream, day, source, trap, version)
) WITHOUT ROWID;

-- What turned out to be right of a prediction, whether it is a case or not.
CREATE TABLE view_observed (
  id BLOB NOT NULL,
  source TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  observed_ms INTEGER NOT NULL,
  truth TEXT,
  right INTEGER,
  value REAL,
  note TEXT NOT NULL,
  place INTEGER NOT NULL,        -- among the outcomes of its event
  PRIMARY KEY (id, source, replica, seq, n, place)
) WITHOUT ROWID;

CREATE VIRTUAL TABLE view_search USING fts5 (
  text, content = '', tokenize = 'unicode61', prefix = '2 3', columnsize = 0 -- the words as `folding` gives them
);

INSERT INTO view_search (view_search, rank) VALUES ('secure-delete', 1); -- what was erased must not stay in the index

-- The words of resolved cases, to find those that are like another.
CREATE VIRTUAL TABLE view_precedent USING fts5 (
  text, content = '', tokenize = 'unicode61', columnsize = 0
);

INSERT INTO view_precedent (view_precedent, rank) VALUES ('secure-delete', 1);

CREATE INDEX view_case_said ON view_case (predicted, num) WHERE state = 2;

CREATE TABLE view_label (
  id BLOB NOT NULL,
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  reviewer TEXT NOT NULL,        -- whose label it is
  author TEXT NOT NULL,          -- whose key signed it: another's where it was imported
  label TEXT NOT NULL,           -- the label as JSON
  PRIMARY KEY (id, replica, seq, n)
) WITHOUT ROWID;
CREATE INDEX view_label_reviewer ON view_label (reviewer, at_ms, at_n);
CREATE INDEX view_label_round ON view_label (reviewer, json_extract(label, '$.round')) WHERE json_extract(label, '$.round') <> 'main';

-- Labels of rounds that are not revealed yet; once they are, they stand in view_label.
CREATE TABLE view_sealed (
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  given_ms INTEGER,
  author TEXT NOT NULL,
  id BLOB NOT NULL,
  round TEXT NOT NULL,
  recipient TEXT NOT NULL,       -- the key that it is sealed to
  sealed TEXT NOT NULL,          -- an age file, base64
  PRIMARY KEY (replica, seq, n)
) WITHOUT ROWID;
CREATE INDEX view_sealed_round ON view_sealed (round);
CREATE INDEX view_sealed_author ON view_sealed (author);

-- The secret halves of the keys of sessions that were revealed.
CREATE TABLE view_published_key (
  recipient TEXT NOT NULL PRIMARY KEY,
  key TEXT NOT NULL
) WITHOUT ROWID;

-- How programs would label cases.
CREATE TABLE view_suggestion (
  id BLOB NOT NULL,              -- the case
  plugin TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  author TEXT NOT NULL,
  body TEXT NOT NULL,            -- the event as JSON
  PRIMARY KEY (id, plugin, replica, seq, n)
) WITHOUT ROWID;
CREATE INDEX view_suggestion_plugin ON view_suggestion (plugin, id);

CREATE TABLE view_withdrawal (
  id BLOB NOT NULL,              -- the case that it says the label is of; it counts only if so
  replica BLOB NOT NULL,         -- of the label that is withdrawn
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  reviewer TEXT NOT NULL,        -- whose label it says that is; it counts only if so
  by TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (replica, seq, n, event)
) WITHOUT ROWID;

CREATE TABLE view_note (
  id BLOB NOT NULL,
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  kind TEXT NOT NULL,            -- commented, deferred, escalated
  author TEXT NOT NULL,
  text TEXT NOT NULL,
  until_ms INTEGER,
  question TEXT,                 -- of the protocol, that a comment is about
  session TEXT,                  -- that it was made in
  settled INTEGER NOT NULL,      -- whether the case was, in its author's eyes
  PRIMARY KEY (id, replica, seq, n)
) WITHOUT ROWID;

CREATE INDEX view_note_author ON view_note (author, at_ms, at_n);
-- Who took a note back; it counts only if they are its author.
CREATE TABLE view_note_withdrawal (
  id BLOB NOT NULL,
  replica BLOB NOT NULL,         -- of the note
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  by TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (id, replica, seq, n, event)
) WITHOUT ROWID;
CREATE INDEX view_note_withdrawal_by ON view_note_withdrawal (by, at_ms, at_n);
CREATE INDEX view_note_deferred ON view_note (author, id, until_ms) WHERE kind = 'deferred';

-- Rulings, rulings taken back, appeals, labels returned with a question.
CREATE TABLE view_arbitration (
  id BLOB NOT NULL,
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  author TEXT NOT NULL,
  act TEXT NOT NULL,             -- JSON
  PRIMARY KEY (id, replica, seq, n)
) WITHOUT ROWID;

CREATE TABLE view_grant (
  name TEXT NOT NULL,
  replica BLOB NOT NULL,
  role TEXT NOT NULL,
  since_ms INTEGER NOT NULL,     -- what is dated before that does not count
  since_n INTEGER NOT NULL,
  until_seq INTEGER,             -- the last entry in which it counts, if it was taken
  PRIMARY KEY (name, replica, role)
) WITHOUT ROWID;

-- What was said about the roster, whether it counts or not: grants and cuts are settled from all of it.
CREATE TABLE view_roster (
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  author TEXT NOT NULL,
  change TEXT NOT NULL,          -- JSON
  PRIMARY KEY (replica, seq, n)
) WITHOUT ROWID;

-- Where somebody's chain was cut off by a retirement.
CREATE TABLE view_cut (
  name TEXT NOT NULL,
  replica BLOB NOT NULL,
  after INTEGER NOT NULL,
  last BLOB,                     -- hash of that entry
  heirs TEXT NOT NULL,           -- JSON list of devices that may have taken over from it
  PRIMARY KEY (name, replica)
) WITHOUT ROWID;

-- How much of the work somebody takes, and which.
CREATE TABLE view_profile (name TEXT PRIMARY KEY, profile TEXT NOT NULL) WITHOUT ROWID;

-- Cases whose payload is to be forgotten.
CREATE TABLE view_erased (
  id BLOB NOT NULL,
  replica BLOB NOT NULL,         -- the event that says so
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  by TEXT NOT NULL,
  reason TEXT NOT NULL,
  instead BLOB,                  -- hash of the payload that takes its place
  PRIMARY KEY (id, replica, seq, n)
) WITHOUT ROWID;

-- Detections of a case besides the one that counts: they name payloads too.
CREATE TABLE view_detection (
  id BLOB NOT NULL,
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (id, replica, seq, n)
) WITHOUT ROWID;

-- Events whose author was not (yet) admitted to do that.
CREATE TABLE view_held (
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (replica, seq, n)
) WITHOUT ROWID;

-- Protocols, glossaries and policies as published, every version.
CREATE TABLE view_document (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  hash BLOB NOT NULL,
  at_ms INTEGER NOT NULL,
  at_n INTEGER NOT NULL,
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  author TEXT NOT NULL,
  body TEXT NOT NULL,            -- the event as JSON
  PRIMARY KEY (kind, name, replica, seq, n)
) WITHOUT ROWID;

-- What versions of protocols gave other names.
CREATE TABLE view_renames (
  protocol TEXT NOT NULL,
  version INTEGER NOT NULL,
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  by_field TEXT NOT NULL,        -- JSON: by field and old value, the new one
  PRIMARY KEY (protocol, version, replica, seq, n)
) WITHOUT ROWID;

CREATE TABLE view_count (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
