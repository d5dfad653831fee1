SELECT id FROM view_case
WHERE copy = ?1 AND copy <> 0 AND id <> ?2 AND stream = ?3 AND predicted IS ?4 AND text = ?5
ORDER BY id
