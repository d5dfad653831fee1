INSERT OR IGNORE INTO view_suggestion (id, plugin, at_ms, at_n, replica, seq, n, author, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
