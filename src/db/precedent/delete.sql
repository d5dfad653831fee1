INSERT INTO view_precedent (view_precedent, rowid, text) VALUES ('delete', ?1, ?2)
