SELECT replica, seq, n, hash, salt, dictionary, bytes FROM journal_payload WHERE replica = ?1 AND seq = ?2 AND n = ?3
