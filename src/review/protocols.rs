//! The protocols and the glossary that were published, and which one a case is reviewed by.

use rusqlite::Connection;

use crate::db::document;
use crate::domain::glossary::Glossary;
use crate::domain::label::ProtocolRef;
use crate::domain::protocol::Protocol;
use crate::journal::kind::{GlossaryPublished, ProtocolPublished};

/// A published version of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    pub protocol: Protocol,
    pub reference: ProtocolRef,
    pub changes: String,
    pub author: String,
}

/// All that reviewers decide by, the latest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Protocols {
    pub published: Vec<Published>,
    pub glossary: Glossary,
    pub glossary_version: u32,
}

impl Protocols {
    pub fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let mut published = Vec::new();
        for row in document::of_kind(conn, "protocol")? {
            // What does not parse was never folded.
            let Ok(event) = serde_json::from_str::<ProtocolPublished>(&row.body) else { continue };
            let Ok(protocol) = event.protocol() else { continue };
            let reference = protocol.reference(event.version);
            published.push(Published { protocol, reference, changes: event.changes, author: row.author });
        }
        let row = document::latest(conn, "glossary")?;
        let event = row.and_then(|row| serde_json::from_str::<GlossaryPublished>(&row.body).ok());
        let (glossary_version, glossary) = match event {
            Some(event) => (event.version, Glossary::parse(&event.source).unwrap_or_default()),
            None => (0, Glossary::default()),
        };
        Ok(Self { published, glossary, glossary_version })
    }

    /// The protocol for cases of a stream: the latest that names the stream, else the latest that names none.
    pub fn for_stream(&self, stream: &str) -> Option<&Published> {
        let names = |published: &&Published| published.protocol.streams.iter().any(|name| name == stream);
        let general = |published: &&Published| published.protocol.streams.is_empty();
        self.published.iter().find(names).or_else(|| self.published.iter().find(general))
    }

    /// The version number that publishing `id` next would give.
    pub fn next_version(&self, id: &str) -> u32 {
        let versions = self.published.iter().filter(|published| published.protocol.id == id);
        versions.map(|published| published.reference.version).max().unwrap_or(0) + 1
    }
}
