//! The versions of the glossary that were published.

use rusqlite::Connection;

use crate::db::document;
use crate::domain::glossary::Glossary;
use crate::domain::time::Moment;
use crate::journal::kind::GlossaryPublished;

/// A published version of the glossary.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedGlossary {
    pub version: u32,
    pub glossary: Glossary,
    pub changes: String,
    pub author: String,
    pub at: Moment,
}

impl PublishedGlossary {
    /// Nothing if `row` is no glossary that can be read: such a one was never folded.
    fn of(row: document::DocumentRow) -> Option<Self> {
        let event: GlossaryPublished = serde_json::from_str(&row.body).ok()?;
        Some(Self {
            version: event.version,
            glossary: Glossary::parse(&event.source).ok()?,
            changes: event.changes,
            author: row.author,
            at: row.at.moment(),
        })
    }
}

/// Every version, the latest first.
pub fn versions(conn: &Connection) -> rusqlite::Result<Vec<PublishedGlossary>> {
    let rows = document::of_kind(conn, "glossary")?.into_iter();
    Ok(rows.filter_map(PublishedGlossary::of).collect())
}

/// The version in force.
pub fn latest(conn: &Connection) -> rusqlite::Result<Option<PublishedGlossary>> {
    Ok(document::latest(conn, "glossary")?.and_then(PublishedGlossary::of))
}
