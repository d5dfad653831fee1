SELECT v.id, v.replica, v.seq, v.n, v.at_ms, v.at_n, v.kind, v.author, v.text, v.until_ms, v.question, v.session, 0, v.settled
FROM view_note v WHERE v.author = ?1
  AND NOT EXISTS (SELECT 1 FROM view_note_withdrawal w WHERE w.id = v.id AND w.replica = v.replica AND w.seq = v.seq AND w.n = v.n AND w.by = v.author)
ORDER BY v.at_ms DESC, v.at_n DESC, v.replica DESC, v.seq DESC, v.n DESC LIMIT ?2
