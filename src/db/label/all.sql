SELECT l.replica, l.seq, l.n, l.at_ms, l.at_n, l.label, w.by, w.at_ms, w.at_n, l.author
FROM view_label l
LEFT JOIN view_withdrawal w ON w.replica = l.replica AND w.seq = l.seq AND w.n = l.n AND w.reviewer = l.reviewer AND w.id = l.id
  AND w.event = (SELECT min(event) FROM view_withdrawal f WHERE f.replica = l.replica AND f.seq = l.seq AND f.n = l.n AND f.reviewer = l.reviewer AND f.id = l.id)
ORDER BY l.id, (l.author = l.reviewer), l.at_ms, l.at_n, l.replica, l.seq, l.n
