SELECT l.replica, l.seq, l.n, l.at_ms, l.at_n, l.label, w.by, w.at_ms, w.at_n, l.author
FROM view_withdrawal w
JOIN view_label l ON w.replica = l.replica AND w.seq = l.seq AND w.n = l.n AND w.reviewer = l.reviewer AND w.id = l.id
WHERE w.by = ?1 AND l.reviewer = ?1 ORDER BY w.at_ms DESC, w.at_n DESC LIMIT ?2
