SELECT COLUMNS FROM view_case INDEXED BY view_case_queue
WHERE state = ?1 AND (due_ms, rank, num) < (?2, ?3, ?4)
  AND (?5 IS NULL OR NOT EXISTS (
    SELECT 1 FROM view_label l WHERE l.id = view_case.id AND l.reviewer = ?5 AND json_extract(l.label, '$.round') = 'main'
      AND NOT EXISTS (SELECT 1 FROM view_withdrawal w WHERE w.replica = l.replica AND w.seq = l.seq AND w.n = l.n
        AND w.reviewer = l.reviewer AND w.id = l.id)))
ORDER BY due_ms DESC, rank DESC, num DESC
LIMIT ?6
