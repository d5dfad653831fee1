SELECT protocol, version, fields, labels FROM view_renames ORDER BY protocol, version, replica, seq, n
