SELECT v.id, v.replica, v.seq, v.n, v.at_ms, v.at_n, v.kind, v.author, v.text, v.until_ms, v.question, v.session,
  EXISTS (SELECT 1 FROM view_note_withdrawal w WHERE w.id = v.id AND w.replica = v.replica AND w.seq = v.seq AND w.n = v.n AND w.by = v.author), v.settled
FROM view_note v ORDER BY v.id, v.replica, v.seq, v.n
