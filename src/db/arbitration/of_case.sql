SELECT id, replica, seq, n, at_ms, at_n, author, act FROM view_arbitration WHERE id = ?1 ORDER BY at_ms, at_n, replica, seq, n
