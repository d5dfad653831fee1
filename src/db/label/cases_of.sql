SELECT DISTINCT l.id
FROM view_label l
WHERE l.reviewer = ?1 AND json_extract(l.label, '$.round') = ?2 AND NOT EXISTS (
  SELECT 1 FROM view_withdrawal w WHERE w.replica = l.replica AND w.seq = l.seq AND w.n = l.n AND w.reviewer = l.reviewer AND w.id = l.id)
