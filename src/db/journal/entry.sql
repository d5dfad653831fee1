SELECT replica, seq, body, signature FROM journal_entry WHERE replica = ?1 AND seq = ?2
