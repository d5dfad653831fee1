SELECT l.replica, l.seq, l.n, l.at_ms, l.at_n, l.label, NULL, NULL, NULL, l.author
FROM view_label l
WHERE l.reviewer = ?1 AND NOT EXISTS (
  SELECT 1 FROM view_withdrawal w WHERE w.replica = l.replica AND w.seq = l.seq AND w.n = l.n AND w.reviewer = l.reviewer AND w.id = l.id)
ORDER BY l.at_ms DESC, l.at_n DESC, l.replica DESC, l.seq DESC, l.n DESC
LIMIT ?2
