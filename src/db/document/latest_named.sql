SELECT kind, name, version, hash, at_ms, at_n, replica, seq, n, author, body
FROM view_document WHERE kind = ?1 AND name = ?2 ORDER BY at_ms DESC, at_n DESC, replica DESC, seq DESC, n DESC LIMIT 1
