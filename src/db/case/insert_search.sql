INSERT INTO view_search (rowid, text) VALUES (?1, ?2)
