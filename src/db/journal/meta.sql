SELECT value FROM journal_meta WHERE name = ?1
