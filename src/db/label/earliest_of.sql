SELECT l.replica, l.seq, l.n, l.at_ms, l.at_n, l.label, NULL, NULL, NULL, l.author
FROM view_label l
WHERE l.reviewer = ?1 AND json_extract(l.label, '$.round') = 'main'
  AND NOT EXISTS (
    SELECT 1 FROM view_withdrawal w WHERE w.replica = l.replica AND w.seq = l.seq AND w.n = l.n AND w.reviewer = l.reviewer AND w.id = l.id)
  AND NOT EXISTS (
    SELECT 1 FROM view_label r WHERE r.id = l.id AND r.reviewer = l.reviewer AND (json_extract(r.label, '$.round') = 'repeat' OR json_extract(r.label, '$.round') GLOB 'repeat-[0-9]*'))
ORDER BY l.at_ms, l.at_n, l.replica, l.seq, l.n
LIMIT ?2
