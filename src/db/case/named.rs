//! Which case a person means by a name: the one place that answers this.
//!
//! A full id of ours beats everything: it can't be made to mean another case, while a stream may
//! send any id. Then comes the id that a stream gave, then the first digits of an id of ours.

use rusqlite::Connection;

use super::{CaseRow, by_id, ids_between};
use crate::db::count;
use crate::domain::ids::CaseId;

/// Digits of an id of ours that stand for it, at least; and all of them.
const PREFIX_MIN: usize = 4;
const DIGITS: usize = 32;
/// Cases that are listed where a name fits several.
const LISTED_MAX: usize = 10;

/// What a name may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// To look: an id of a stream beats the beginning of one of ours.
    Look,
    /// To change something: whatever fits two cases is refused.
    Change,
    /// In a file: no beginnings.
    Whole,
}

/// The cases that a name may mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Named {
    One(Box<CaseRow>),
    None,
    /// Some of them.
    Several(Vec<CaseRow>),
}

/// # Errors
/// Those of the database.
pub fn named(conn: &Connection, name: &str, reading: Reading) -> rusqlite::Result<Named> {
    if let Ok(id) = name.parse::<CaseId>()
        && let Some(case) = by_id(conn, id)?
    {
        return Ok(Named::One(Box::new(case)));
    }
    let mut found: Vec<CaseRow> = Vec::new();
    for (stream, _) in count::with_prefix(conn, "stream:")? {
        found.extend(by_id(conn, CaseId::of(&stream, name))?);
    }
    let looks_on = match reading {
        Reading::Look => found.is_empty(),
        Reading::Change => true,
        Reading::Whole => false,
    };
    if looks_on && (PREFIX_MIN..DIGITS).contains(&name.len()) {
        let bound =
            |digit: &str| format!("{name}{}", digit.repeat(DIGITS - name.len())).parse::<CaseId>();
        if let (Ok(low), Ok(high)) = (bound("0"), bound("f")) {
            for id in ids_between(conn, low, high, LISTED_MAX)? {
                if !found.iter().any(|row| row.id == id) {
                    found.extend(by_id(conn, id)?);
                }
            }
        }
    }
    found.truncate(LISTED_MAX);
    Ok(match found.len() {
        0 => Named::None,
        1 => found.pop().map_or(Named::None, |case| Named::One(Box::new(case))),
        _ => Named::Several(found),
    })
}
