INSERT OR IGNORE INTO view_renames (protocol, version, replica, seq, n, by_field) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
