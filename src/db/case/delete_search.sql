INSERT INTO view_search (view_search, rowid, text) VALUES ('delete', ?1, ?2)
