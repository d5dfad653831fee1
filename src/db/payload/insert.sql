INSERT OR IGNORE INTO journal_payload (replica, seq, n, hash, salt, dictionary, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
