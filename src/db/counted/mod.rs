//! Rows of which predictions were counted on this device: files that overlap count them once.
//!
//! A prediction is 48 bits of its hash: of a million on a day, one in some hundred days is taken for
//! another.

use rusqlite::{Connection, params};

use crate::domain::time::Moment;

/// How long what was counted is known again.
const KEPT_MS: i64 = 90 * 86_400_000;

/// Predictions of a stream and day that were counted in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub stream: String,
    pub day: i64,
    /// The traps that counted them, each with its version.
    pub rules: String,
    /// Whether plug-ins could not tell of some of them.
    pub missed: bool,
    /// Each once, ascending, less than 2⁴⁸.
    pub lines: Vec<u64>,
}

/// What is known of a stream and day, each with the number of its row, the oldest first.
pub fn of_day(conn: &Connection, stream: &str, day: i64) -> rusqlite::Result<Vec<(i64, Counted)>> {
    conn.prepare_cached(
        "SELECT id, rules, missed, lines FROM local_counted WHERE stream = ?1 AND day = ?2 ORDER BY id",
    )?
    .query_map(params![stream, day], |row| {
        let (rules, missed) = (row.get(1)?, row.get(2)?);
        let lines = unpack(row.get_ref(3)?.as_blob()?);
        Ok((row.get(0)?, Counted { stream: stream.to_owned(), day, rules, missed, lines }))
    })?
    .collect()
}

/// Adds what was counted, and forgets what is long ago. Together with what was counted before in the
/// same way it makes few rows: each of the last is more than twice the next.
pub fn insert(conn: &Connection, mut counted: Counted, at: Moment) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM local_counted WHERE at_ms < ?1")?.execute([at.0 - KEPT_MS])?;
    let mut last = conn.prepare_cached(
        "SELECT id, n, lines FROM local_counted WHERE stream = ?1 AND day = ?2 AND rules = ?3 \
         AND missed = 0 ORDER BY n, id LIMIT 1",
    )?;
    while !counted.missed {
        let key = params![counted.stream, counted.day, counted.rules];
        let mut rows = last.query(key)?;
        let Some(row) = rows.next()? else { break };
        let (id, n): (i64, u64) = (row.get(0)?, row.get(1)?);
        if n > 2 * counted.lines.len() as u64 {
            break;
        }
        counted.lines.extend(unpack(row.get_ref(2)?.as_blob()?));
        counted.lines.sort_unstable();
        counted.lines.dedup();
        drop(rows);
        remove(conn, id)?;
    }
    let Counted { stream, day, rules, missed, lines } = counted;
    conn.prepare_cached(
        "INSERT INTO local_counted (stream, day, rules, missed, at_ms, n, lines) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![stream, day, rules, missed, at.0, lines.len() as i64, pack(&lines)])
    .map(drop)
}

/// Takes out a row whose predictions were counted anew.
pub fn remove(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM local_counted WHERE id = ?1")?.execute([id]).map(drop)
}

fn pack(lines: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(lines.len() * 4);
    let mut last = 0;
    for line in lines {
        let mut step = line - last;
        while step >= 0x80 {
            bytes.push(step as u8 | 0x80);
            step >>= 7;
        }
        bytes.push(step as u8);
        last = *line;
    }
    bytes
}

/// What `pack` made of them; of other bytes, something.
fn unpack(bytes: &[u8]) -> Vec<u64> {
    let mut lines = Vec::with_capacity(bytes.len() / 4);
    let (mut last, mut step, mut bits) = (0_u64, 0_u64, 0_u32);
    for byte in bytes {
        step |= u64::from(byte & 0x7F).checked_shl(bits).unwrap_or(0);
        bits += 7;
        if byte & 0x80 == 0 {
            last = last.wrapping_add(step);
            lines.push(last);
            (step, bits) = (0, 0);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_counted_is_known_again_in_few_rows(
            runs in prop::collection::vec(
                (prop::collection::vec(0_u64..1 << 48, 0..40), 0..2_usize, prop::bool::weighted(0.1)),
                1..40,
            )
        ) {
            let conn = Connection::open_in_memory().unwrap();
            conn.execute_batch(include_str!("../migration_5.sql")).unwrap();
            let rules = ["a", "b"];
            let mut expect: [BTreeSet<u64>; 2] = Default::default();
            let mut missed = 0;
            for (lines, rule, is_missed) in runs {
                let lines: BTreeSet<u64> = lines.into_iter().collect();
                if is_missed { missed += 1 } else { expect[rule].extend(&lines) }
                let counted = Counted {
                    stream: "s".to_owned(),
                    day: 7,
                    rules: rules[rule].to_owned(),
                    missed: is_missed,
                    lines: lines.into_iter().collect(),
                };
                insert(&conn, counted, Moment(1)).unwrap();
            }
            let found = of_day(&conn, "s", 7).unwrap();
            prop_assert_eq!(found.iter().filter(|(_, one)| one.missed).count(), missed);
            for (rule, expect) in rules.iter().zip(expect) {
                let rows = found.iter().filter(|(_, one)| !one.missed && one.rules == *rule);
                let rows: Vec<&Counted> = rows.map(|(_, one)| one).collect();
                let all: BTreeSet<u64> = rows.iter().flat_map(|one| &one.lines).copied().collect();
                prop_assert!(rows.len() <= 12 && all == expect, "{} rows", rows.len());
            }
            prop_assert!(of_day(&conn, "s", 8).unwrap().is_empty());
            // After 90 days of other things it is forgotten.
            let later = Counted { stream: "t".to_owned(), day: 7, rules: String::new(), missed: false, lines: vec![1] };
            insert(&conn, later, Moment(2 + KEPT_MS)).unwrap();
            prop_assert!(of_day(&conn, "s", 7).unwrap().is_empty());
        }
    }
}
