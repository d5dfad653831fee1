INSERT OR IGNORE INTO view_sealed (replica, seq, n, at_ms, at_n, given_ms, author, id, round, recipient, sealed)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
