INSERT INTO journal_entry (replica, seq, body, signature) VALUES (?1, ?2, ?3, ?4)
