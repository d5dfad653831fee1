SELECT replica, seq, body, signature, fault FROM journal_pending WHERE replica = ?1 AND seq = ?2 ORDER BY hash
