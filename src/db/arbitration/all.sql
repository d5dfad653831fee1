SELECT id, replica, seq, n, at_ms, at_n, author, act FROM view_arbitration ORDER BY id, at_ms, at_n, replica, seq, n
