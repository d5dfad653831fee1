SELECT id, max(until_ms) FROM view_note WHERE kind = 'deferred' AND author = ?1 GROUP BY id HAVING max(until_ms) > ?2
