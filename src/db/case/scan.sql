SELECT COLUMNS FROM view_case INDEXED BY view_case_queue WHERE state = ?1 ORDER BY due_ms, rank, num
