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
        Self { id, event, at, kind, author, text, until: None, question: None, session: None }
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
            note.session
        ])
        .map(drop)
}

/// The notes on a case, in the order made.
pub fn of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<NoteRow>> {
    conn.prepare_cached(include_str!("of_case.sql"))?.query_map([id.0], row_to_note)?.collect()
}

/// Calls `each` with every note, by case and event.
pub fn for_each(conn: &Connection, mut each: impl FnMut(NoteRow)) -> rusqlite::Result<()> {
    let mut notes = conn.prepare(
        "SELECT id, replica, seq, n, at_ms, at_n, kind, author, text, until_ms, question, session FROM view_note \
         ORDER BY id, replica, seq, n",
    )?;
    let mut rows = notes.query([])?;
    while let Some(row) = rows.next()? {
        each(row_to_note(row)?);
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
