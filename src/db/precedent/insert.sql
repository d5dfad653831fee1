INSERT INTO view_precedent (rowid, text) VALUES (?1, ?2)
