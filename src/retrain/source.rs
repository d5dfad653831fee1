//! Where something stands in the TOML that somebody wrote.

/// The line of a key in the nth `[[table]]` (or the only `[table]`) of a TOML; of the table itself
/// where it has no such key.
pub fn line_of_key(source: &str, table: &str, nth: usize, key: &str) -> usize {
    let mut seen = 0;
    let mut within = table.is_empty();
    let mut found = 1;
    for (number, line) in (1..).zip(source.lines()) {
        let line = line.trim();
        if line.starts_with('[') {
            let name = line.trim_matches(|c| c == '[' || c == ']' || c == ' ');
            let is_it = name == table && {
                seen += 1;
                seen == nth + 1
            };
            if within && !is_it {
                return found;
            }
            within = is_it;
            if within {
                found = number;
            }
        } else if within
            && !key.is_empty()
            && line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
        {
            return number;
        }
    }
    found
}
