UPDATE view_case SET state = ?2, labels = ?3, outcome = ?4 WHERE num = ?1
