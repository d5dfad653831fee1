-- Payloads by row, with the key beside them: in a table without rows, one of more than some 1000 bytes takes a page of its own.
CREATE TABLE journal_payload_by_row (
  replica BLOB NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  hash BLOB NOT NULL,
  salt BLOB NOT NULL,
  dictionary BLOB,
  bytes BLOB NOT NULL,
  PRIMARY KEY (replica, seq, n)
);
INSERT INTO journal_payload_by_row SELECT replica, seq, n, hash, salt, dictionary, bytes FROM journal_payload ORDER BY replica, seq, n;
DROP TABLE journal_payload;
ALTER TABLE journal_payload_by_row RENAME TO journal_payload;
