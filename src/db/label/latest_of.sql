SELECT l.replica, l.seq, l.n, l.at_ms, l.at_n, l.label, w.by, w.at_ms, w.at_n, l.author
FROM view_label l
LEFT JOIN view_withdrawal w ON w.replica = l.replica AND w.seq = l.seq AND w.n = l.n AND w.reviewer = l.reviewer AND w.id = l.id
  AND w.event = (SELECT min(event) FROM view_withdrawal f WHERE f.replica = l.replica AND f.seq = l.seq AND f.n = l.n AND f.reviewer = l.reviewer AND f.id = l.id)
WHERE l.reviewer = ?1 AND l.author = ?1 AND w.by IS NULL ORDER BY l.at_ms DESC, l.at_n DESC, l.replica DESC, l.seq DESC, l.n DESC LIMIT ?2
