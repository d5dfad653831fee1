INSERT OR IGNORE INTO view_renames (protocol, version, replica, seq, n, fields, labels) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
