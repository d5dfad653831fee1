SELECT v.id, v.replica, v.seq, v.n, v.at_ms, v.at_n, v.kind, v.author, v.text, v.until_ms, v.question, v.session, 1, v.settled, w.at_ms, w.at_n
FROM view_note_withdrawal w JOIN view_note v ON v.id = w.id AND v.replica = w.replica AND v.seq = w.seq AND v.n = w.n AND v.author = w.by
WHERE w.by = ?1 ORDER BY w.at_ms DESC, w.at_n DESC LIMIT ?2
