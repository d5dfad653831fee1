INSERT OR IGNORE INTO view_arbitration (id, replica, seq, n, at_ms, at_n, author, act) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
