INSERT OR IGNORE INTO view_label (id, replica, seq, n, at_ms, at_n, reviewer, author, label)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
