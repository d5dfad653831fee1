SELECT s.replica, s.seq, s.n, s.at_ms, s.at_n, s.given_ms, s.author, s.id, s.round, s.recipient, s.sealed, w.by, w.at_ms, w.at_n
FROM view_sealed s
LEFT JOIN view_withdrawal w ON w.replica = s.replica AND w.seq = s.seq AND w.n = s.n AND w.reviewer = s.author AND w.id = s.id
  AND w.event = (SELECT min(event) FROM view_withdrawal f WHERE f.replica = s.replica AND f.seq = s.seq AND f.n = s.n AND f.reviewer = s.author AND f.id = s.id)
