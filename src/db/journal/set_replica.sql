INSERT INTO journal_replica (replica, key, head_seq, head_hash, at_ms, at_n) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (replica) DO UPDATE SET head_seq = ?3, head_hash = ?4, at_ms = ?5, at_n = ?6
