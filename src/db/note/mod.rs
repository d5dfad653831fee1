//! Rows of what people say and do about a case besides labeling it: comments, deferrals,
//! escalations.

use rusqlite::{Connection, Row, params};

use super::id_column;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::time::{Hlc, Moment};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    Commented,
    Deferred,
    Escalated,
}

impl NoteKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commented => "commented",
            Self::Deferred => "deferred",
            Self::Escalated => "escalated",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "deferred" => Self::Deferred,
            "escalated" => Self::Escalated,
            _ => Self::Commented,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct NoteRow {
    pub id: CaseId,
    pub event: EventId,
    pub at: Hlc,
    pub kind: NoteKind,
    pub author: String,
    pub text: String,
    /// Until when a case was deferred.
    pub until: Option<Moment>,
    /// The question of the protocol that a comment is about, and the session it was made in.
    pub question: Option<String>,
    pub session: Option<String>,
    /// Whether its author took it back.
    pub withdrawn: bool,
    /// Whether the case was settled in their eyes.
    pub settled: bool,
}

impl NoteRow {
    /// A note of a kind on a case, which says nothing but words.
    pub fn new(
        id: CaseId,
        (event, at, author): (EventId, Hlc, &str),
        kind: NoteKind,
        text: String,
    ) -> Self {
        let author = author.to_owned();
        let (until, question, session, withdrawn, settled) = (None, None, None, false, false);
        Self { id, event, at, kind, author, text, until, question, session, withdrawn, settled }
    }
}

fn row_to_note(row: &Row<'_>) -> rusqlite::Result<NoteRow> {
    Ok(NoteRow {
        id: id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes)?,
        event: EventId {
            replica: id_column(row.get_ref(1)?.as_blob()?, 1, ReplicaId::from_bytes)?,
            seq: row.get(2)?,
            n: row.get(3)?,
        },
        at: Hlc { ms: row.get(4)?, n: row.get(5)? },
        kind: NoteKind::parse(row.get_ref(6)?.as_str()?),
        author: row.get(7)?,
        text: row.get(8)?,
        until: row.get::<_, Option<i64>>(9)?.map(Moment),
        question: row.get(10)?,
        session: row.get(11)?,
        withdrawn: row.get(12)?,
        settled: row.get(13)?,
    })
}

pub fn insert(conn: &Connection, note: &NoteRow) -> rusqlite::Result<()> {
    let EventId { replica, seq, n } = note.event;
    let until = note.until.map(|until| until.0);
    conn.prepare_cached(include_str!("insert.sql"))?
        .execute(params![
            note.id.0,
            replica.0,
            seq,
            n,
            note.at.ms,
            note.at.n,
            note.kind.as_str(),
            note.author,
            note.text,
            until,
            note.question,
            note.session,
            note.settled
        ])
        .map(drop)
}

/// The notes on a case that were not taken back, in the order made.
pub fn of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<NoteRow>> {
    let mut all = all_of_case(conn, id)?;
    all.retain(|note| !note.withdrawn);
    Ok(all)
}

/// The same with those that were taken back.
pub fn all_of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<NoteRow>> {
    conn.prepare_cached(include_str!("of_case.sql"))?.query_map([id.0], row_to_note)?.collect()
}

/// The latest note of somebody that they did not take back.
pub fn latest_of(conn: &Connection, author: &str, limit: usize) -> rusqlite::Result<Vec<NoteRow>> {
    conn.prepare_cached(include_str!("latest_of.sql"))?
        .query_map(params![author, limit], row_to_note)?
        .collect()
}

/// The notes that somebody took back last, and when, the last first.
pub fn latest_withdrawn(
    conn: &Connection,
    author: &str,
    limit: usize,
) -> rusqlite::Result<Vec<(NoteRow, Hlc)>> {
    let to_row = |row: &Row<'_>| Ok((row_to_note(row)?, Hlc { ms: row.get(14)?, n: row.get(15)? }));
    conn.prepare_cached(include_str!("latest_withdrawn.sql"))?
        .query_map(params![author, limit], to_row)?
        .collect()
}

/// Records that somebody takes a note back.
pub fn withdraw(
    conn: &Connection,
    case: CaseId,
    note: EventId,
    (event, at, by): (EventId, Hlc, &str),
) -> rusqlite::Result<()> {
    let sql =
        "INSERT OR IGNORE INTO view_note_withdrawal (id, replica, seq, n, by, at_ms, at_n, event)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let EventId { replica, seq, n } = note;
    let values = params![case.0, replica.0, seq, n, by, at.ms, at.n, event.to_string()];
    conn.prepare_cached(sql)?.execute(values).map(drop)
}

/// Calls `each` with every note that was not taken back, by case and event.
pub fn for_each(conn: &Connection, mut each: impl FnMut(NoteRow)) -> rusqlite::Result<()> {
    let mut notes = conn.prepare(include_str!("all.sql"))?;
    let mut rows = notes.query([])?;
    while let Some(row) = rows.next()? {
        let note = row_to_note(row)?;
        if !note.withdrawn {
            each(note);
        }
    }
    Ok(())
}

/// Cases that a reviewer deferred until some later time than `now`; a later deferral replaces an
/// earlier.
pub fn deferred_by(
    conn: &Connection,
    author: &str,
    now: Moment,
) -> rusqlite::Result<Vec<(CaseId, Moment)>> {
    let to_row = |row: &Row<'_>| {
        Ok((id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes)?, Moment(row.get(1)?)))
    };
    conn.prepare_cached(include_str!("deferred_by.sql"))?
        .query_map(params![author, now.0], to_row)?
        .collect()
}
