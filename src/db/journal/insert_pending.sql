INSERT OR IGNORE INTO journal_pending (replica, seq, hash, body, signature, fault) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
