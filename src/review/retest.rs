//! Old cases that come back to the same reviewer, looking like any other that waits: whether they
//! still say the same.
//!
//! One at a time is pending, so that nothing else needs to be hidden; which one, and when it comes,
//! is drawn by a hash.

use rusqlite::Connection;

use crate::db::case::{self, CaseRow};
use crate::db::label;
use crate::domain::ids::CaseId;
use crate::domain::label::REPEAT_ROUND;
use crate::domain::policy::Policy;
use crate::domain::time::Moment;

/// Earliest labels of a reviewer that are looked through for one.
const LOOKED_AT_MAX: usize = 500;
/// How many labels ahead a case is chosen.
const AHEAD: usize = 20;
const DAY_MS: i64 = 86_400_000;

/// The case that comes back next to a reviewer, and after how many labels from now; nothing if none
/// is near.
pub fn pending(
    conn: &Connection,
    reviewer: &str,
    policy: &Policy,
    now: Moment,
) -> rusqlite::Result<Option<(usize, CaseRow)>> {
    if policy.repeat_percent == 0 {
        return Ok(None);
    }
    let (given, repeated) = label::counts_of(conn, reviewer, REPEAT_ROUND)?;
    let every = u64::from(100 / policy.repeat_percent).max(2);
    let drawn =
        |id: CaseId| *blake3::hash(&[&id.0[..], reviewer.as_bytes(), b"again"].concat()).as_bytes();
    let before = Moment(now.0 - i64::from(policy.repeat_days) * DAY_MS);
    let old = label::earliest_of(conn, reviewer, LOOKED_AT_MAX)?
        .into_iter()
        .filter(|given| given.given_at() <= before);
    let mut ids: Vec<CaseId> = old.map(|given| given.label.case).collect();
    ids.sort_by_key(|id| drawn(*id));
    ids.dedup();
    for id in ids {
        let Some(row) = case::by_id(conn, id)?.filter(|row| !row.text.is_empty()) else { continue };
        // Not at equal distances: nobody should know when one comes.
        let early = u64::from(drawn(id)[1]) % every.div_ceil(2);
        let due = ((repeated + 1) * every).saturating_sub(early);
        let place = match due.checked_sub(given) {
            Some(ahead) if ahead > 0 => ahead as usize,
            // It is late: soon, but not always the very next.
            _ => 1 + usize::from(drawn(id)[2]) % 5,
        };
        return Ok((place < AHEAD).then(|| (place, row.masked())));
    }
    Ok(None)
}

/// Whether this is the case that comes back next.
pub fn is_pending(
    conn: &Connection,
    reviewer: &str,
    policy: &Policy,
    now: Moment,
    id: CaseId,
) -> rusqlite::Result<bool> {
    Ok(pending(conn, reviewer, policy, now)?.is_some_and(|(_, row)| row.id == id))
}
