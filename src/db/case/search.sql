SELECT COLUMNS FROM view_case
WHERE num IN (SELECT rowid FROM view_search WHERE view_search MATCH ?1 ORDER BY rowid DESC LIMIT ?2)
ORDER BY num DESC
