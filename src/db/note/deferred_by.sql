SELECT id, max(until_ms) FROM view_note v WHERE kind = 'deferred' AND author = ?1
  AND NOT EXISTS (SELECT 1 FROM view_note_withdrawal w WHERE w.id = v.id AND w.replica = v.replica AND w.seq = v.seq AND w.n = v.n AND w.by = v.author)
GROUP BY id HAVING max(until_ms) > ?2
