SELECT replica, key, head_seq, head_hash, at_ms, at_n FROM journal_replica WHERE replica = ?1
