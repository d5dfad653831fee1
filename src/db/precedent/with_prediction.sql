SELECT num FROM view_case INDEXED BY view_case_said WHERE state = 2 AND predicted = ?1 ORDER BY num DESC LIMIT ?2
