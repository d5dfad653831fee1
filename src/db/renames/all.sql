SELECT protocol, version, by_field FROM view_renames ORDER BY protocol, version, replica, seq, n
