INSERT OR IGNORE INTO view_withdrawal (id, replica, seq, n, reviewer, by, at_ms, at_n, event)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
