SELECT rowid FROM view_precedent WHERE view_precedent MATCH ?1 ORDER BY rowid DESC LIMIT ?2
