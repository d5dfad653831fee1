SELECT id, replica, seq, n, at_ms, at_n, kind, author, text, until_ms, question, session
FROM view_note WHERE id = ?1 ORDER BY at_ms, at_n, replica, seq, n
