INSERT OR IGNORE INTO view_note (id, replica, seq, n, at_ms, at_n, kind, author, text, until_ms, question, session, settled)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
