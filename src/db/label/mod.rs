//! Rows of labels and of their withdrawals.

use rusqlite::{Connection, Row, params};

use super::{id_column, json_column, to_json};
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::label::GivenLabel;
use crate::domain::time::Hlc;

/// A label, and whether it still counts.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelRow {
    pub given: GivenLabel,
    pub withdrawn: Option<Withdrawal>,
}

/// Who took a label back, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Withdrawal {
    pub by: String,
    pub at: Hlc,
}

fn row_to_label(row: &Row<'_>) -> rusqlite::Result<LabelRow> {
    let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
    let by: Option<String> = row.get(6)?;
    let withdrawn = match by {
        Some(by) => Some(Withdrawal { by, at: Hlc { ms: row.get(7)?, n: row.get(8)? } }),
        None => None,
    };
    Ok(LabelRow {
        given: GivenLabel {
            event: EventId { replica, seq: row.get(1)?, n: row.get(2)? },
            at: Hlc { ms: row.get(3)?, n: row.get(4)? },
            author: row.get(9)?,
            label: json_column(row.get_ref(5)?.as_str()?, 5)?,
        },
        withdrawn,
    })
}

pub fn insert(conn: &Connection, given: &GivenLabel) -> rusqlite::Result<()> {
    let GivenLabel { event, at, author, label } = given;
    conn.prepare_cached(include_str!("insert.sql"))?
        .execute(params![
            label.case.0,
            event.replica.0,
            event.seq,
            event.n,
            at.ms,
            at.n,
            label.reviewer,
            author,
            to_json(label)
        ])
        .map(drop)
}

/// Every label of a case, withdrawn ones too: in the order given, but imported ones before those
/// that their reviewers signed, so that the last of a reviewer is the one that counts.
pub fn of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<LabelRow>> {
    conn.prepare_cached(include_str!("of_case.sql"))?.query_map([id.0], row_to_label)?.collect()
}

/// Whether anybody ever labeled the case.
pub fn any_of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_label WHERE id = ?1")?.exists([id.0])
}

/// Whether any label at all was given after others' could be seen: a text in a label never reads so,
/// since its quotes are escaped.
pub fn any_after_others(conn: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM view_label WHERE instr(label, '\"after_others\":true')";
    conn.prepare_cached(sql)?.exists([])
}

/// When a case was labeled first in a round, whether that was withdrawn or not.
pub fn first_of_case(conn: &Connection, id: CaseId, round: &str) -> rusqlite::Result<Option<Hlc>> {
    let rows = of_case(conn, id)?.into_iter();
    Ok(rows.filter(|row| row.given.label.round == round).map(|row| row.given.at).min())
}

/// The labels of a case that count.
pub fn live_of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<GivenLabel>> {
    let rows = of_case(conn, id)?.into_iter();
    Ok(rows.filter(|row| row.withdrawn.is_none()).map(|row| row.given).collect())
}

/// The latest label that a reviewer signed and that was not withdrawn.
pub fn latest_of(
    conn: &Connection,
    reviewer: &str,
    limit: usize,
) -> rusqlite::Result<Vec<GivenLabel>> {
    let to_given = |row: &Row<'_>| row_to_label(row).map(|row| row.given);
    conn.prepare_cached(include_str!("latest_of.sql"))?
        .query_map(params![reviewer, limit], to_given)?
        .collect()
}

/// The labels of theirs that a reviewer took back last, the last first.
pub fn latest_withdrawn(
    conn: &Connection,
    reviewer: &str,
    limit: usize,
) -> rusqlite::Result<Vec<LabelRow>> {
    conn.prepare_cached(include_str!("latest_withdrawn.sql"))?
        .query_map(params![reviewer, limit], row_to_label)?
        .collect()
}

/// The earliest labels of a reviewer in the main round that count and were not repeated.
pub fn earliest_of(
    conn: &Connection,
    reviewer: &str,
    limit: usize,
) -> rusqlite::Result<Vec<GivenLabel>> {
    let to_given = |row: &Row<'_>| row_to_label(row).map(|row| row.given);
    conn.prepare_cached(include_str!("earliest_of.sql"))?
        .query_map(params![reviewer, limit], to_given)?
        .collect()
}

/// The latest labels of a reviewer that count, the latest first.
pub fn latest_many_of(
    conn: &Connection,
    reviewer: &str,
    limit: usize,
) -> rusqlite::Result<Vec<GivenLabel>> {
    let to_given = |row: &Row<'_>| row_to_label(row).map(|row| row.given);
    conn.prepare_cached(include_str!("latest_many_of.sql"))?
        .query_map(params![reviewer, limit], to_given)?
        .collect()
}

/// How many labels of a reviewer count, and how many of those are of a round other than the main
/// one.
pub fn counts_of(conn: &Connection, reviewer: &str, round: &str) -> rusqlite::Result<(u64, u64)> {
    conn.prepare_cached(include_str!("counts_of.sql"))?
        .query_row([reviewer, round], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The cases of which a label of a reviewer in a round was not withdrawn.
pub fn cases_of<C: FromIterator<CaseId>>(
    conn: &Connection,
    reviewer: &str,
    round: &str,
) -> rusqlite::Result<C> {
    let to_id = |row: &Row<'_>| id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes);
    conn.prepare_cached(include_str!("cases_of.sql"))?
        .query_map([reviewer, round], to_id)?
        .collect()
}

/// Calls `each` with every label of a reviewer: imported ones first, then the earliest first.
pub fn for_each_of(
    conn: &Connection,
    reviewer: &str,
    mut each: impl FnMut(LabelRow),
) -> rusqlite::Result<()> {
    let mut labels = conn.prepare_cached(include_str!("of_reviewer.sql"))?;
    let mut rows = labels.query([reviewer])?;
    while let Some(row) = rows.next()? {
        each(row_to_label(row)?);
    }
    Ok(())
}

/// Calls `each` with every label, by case, those of a case in the order of [`of_case`].
pub fn for_each(conn: &Connection, mut each: impl FnMut(LabelRow)) -> rusqlite::Result<()> {
    let mut labels = conn.prepare(include_str!("all.sql"))?;
    let mut rows = labels.query([])?;
    while let Some(row) = rows.next()? {
        each(row_to_label(row)?);
    }
    Ok(())
}

/// Calls `each` with the labels of each case that were not withdrawn, in the order of [`of_case`].
pub fn for_each_case(
    conn: &Connection,
    mut each: impl FnMut(Vec<GivenLabel>),
) -> rusqlite::Result<()> {
    let mut of_one: Vec<GivenLabel> = Vec::new();
    for_each(conn, |row| {
        if of_one.first().is_some_and(|given| given.label.case != row.given.label.case) {
            each(std::mem::take(&mut of_one));
        }
        of_one.extend(row.withdrawn.is_none().then_some(row.given));
    })?;
    if !of_one.is_empty() {
        each(of_one);
    }
    Ok(())
}

/// The rounds other than the main one of which there are labels.
pub fn rounds(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT json_extract(label, '$.round') FROM view_label WHERE json_extract(label, '$.round') <> 'main'";
    conn.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Ids of the cases that have any label.
pub fn labeled_cases(conn: &Connection) -> rusqlite::Result<Vec<CaseId>> {
    let to_id = |row: &Row<'_>| id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes);
    conn.prepare("SELECT DISTINCT id FROM view_label ORDER BY id")?.query_map([], to_id)?.collect()
}

/// Which label is taken back: the event that gave it, and whose and of which case it says that is.
#[derive(Debug, Clone, Copy)]
pub struct Withdrawn<'w> {
    pub label: EventId,
    pub case: CaseId,
    pub reviewer: &'w str,
}

/// Records that a label is taken back by the event `event`.
pub fn withdraw(
    conn: &Connection,
    what: Withdrawn<'_>,
    by: &Withdrawal,
    event: EventId,
) -> rusqlite::Result<()> {
    let EventId { replica, seq, n } = what.label;
    let values = params![
        what.case.0,
        replica.0,
        seq,
        n,
        what.reviewer,
        by.by,
        by.at.ms,
        by.at.n,
        event.to_string()
    ];
    conn.prepare_cached(include_str!("withdraw.sql"))?.execute(values).map(drop)
}
