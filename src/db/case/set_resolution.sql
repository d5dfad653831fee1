UPDATE view_case SET state = ?2, labels = ?3, outcome = ?4, how = ?5 WHERE num = ?1
