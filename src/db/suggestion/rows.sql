SELECT at_ms, at_n, replica, seq, n, author, body
FROM view_suggestion
