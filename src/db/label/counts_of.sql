SELECT
  (SELECT count(*) FROM view_label WHERE reviewer = ?1)
  - (SELECT count(*) FROM (
      SELECT DISTINCT w.replica, w.seq, w.n FROM view_withdrawal w
      JOIN view_label l ON l.id = w.id AND l.replica = w.replica AND l.seq = w.seq AND l.n = w.n
      WHERE w.reviewer = ?1 AND l.reviewer = ?1)),
  -- The second condition is that of the index: rounds that measure are few.
  (SELECT count(*) FROM view_label l
    WHERE l.reviewer = ?1 AND json_extract(l.label, '$.round') = ?2 AND json_extract(l.label, '$.round') <> 'main' AND NOT EXISTS (
      SELECT 1 FROM view_withdrawal w
      WHERE w.replica = l.replica AND w.seq = l.seq AND w.n = l.n AND w.reviewer = l.reviewer AND w.id = l.id))
