//! Observed outcomes: what turned out to be right of a prediction, by who says so. Of one source that
//! counts which was observed last, of those of one time the one that was said last; all stay.

use rusqlite::{Connection, Row, params};

use super::id_column;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::time::{Hlc, Moment};

/// One observation.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedRow {
    pub case: CaseId,
    pub source: String,
    pub at: Hlc,
    pub event: EventId,
    pub observed_at: Moment,
    pub truth: Option<String>,
    pub right: Option<bool>,
    pub value: Option<f64>,
    pub note: String,
    /// Its place among the outcomes of the event.
    pub place: usize,
}

impl ObservedRow {
    /// By what one counts before another of the same source: what was observed last, and of that what
    /// was said last.
    pub fn order(&self) -> (Moment, Hlc, EventId, usize) {
        (self.observed_at, self.at, self.event, self.place)
    }
}

pub fn insert(conn: &Connection, row: &ObservedRow) -> rusqlite::Result<()> {
    let EventId { replica, seq, n } = row.event;
    conn.prepare_cached(
        "INSERT OR IGNORE INTO view_observed \
         (id, source, at_ms, at_n, replica, seq, n, observed_ms, truth, right, value, note, place) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        row.case.0,
        row.source,
        row.at.ms,
        row.at.n,
        replica.0,
        seq,
        n,
        row.observed_at.0,
        row.truth,
        row.right,
        row.value,
        row.note,
        row.place as i64
    ])
    .map(drop)
}

const COLUMNS: &str =
    "id, source, at_ms, at_n, replica, seq, n, observed_ms, truth, right, value, note, place";

fn read(row: &Row<'_>) -> rusqlite::Result<ObservedRow> {
    Ok(ObservedRow {
        case: id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes)?,
        source: row.get(1)?,
        at: Hlc { ms: row.get(2)?, n: row.get(3)? },
        event: EventId {
            replica: id_column(row.get_ref(4)?.as_blob()?, 4, ReplicaId::from_bytes)?,
            seq: row.get(5)?,
            n: row.get(6)?,
        },
        observed_at: Moment(row.get(7)?),
        truth: row.get(8)?,
        right: row.get(9)?,
        value: row.get(10)?,
        note: row.get(11)?,
        place: row.get(12)?,
    })
}

/// What each source said last of each prediction, by prediction and source.
pub fn latest(conn: &Connection) -> rusqlite::Result<Vec<ObservedRow>> {
    let order = "ORDER BY id, source, observed_ms DESC, at_ms DESC, at_n DESC, replica DESC, seq DESC, n DESC, place DESC";
    let mut rows: Vec<ObservedRow> = conn
        .prepare_cached(&format!("SELECT {COLUMNS} FROM view_observed {order}"))?
        .query_map([], read)?
        .collect::<rusqlite::Result<_>>()?;
    rows.dedup_by(|later, kept| later.case == kept.case && later.source == kept.source);
    Ok(rows)
}

/// Calls `each` with all that was ever said.
pub fn for_each(conn: &Connection, mut each: impl FnMut(ObservedRow)) -> rusqlite::Result<()> {
    let mut rows = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM view_observed"))?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        each(read(row)?);
    }
    Ok(())
}

/// All that was said of one prediction, what was observed last first.
pub fn of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<ObservedRow>> {
    let order = "ORDER BY observed_ms DESC, at_ms DESC, at_n DESC, replica DESC, seq DESC, n DESC, place DESC";
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM view_observed WHERE id = ?1 {order}"))?
        .query_map([id.0], read)?
        .collect()
}
