//! A hash of the folded state: replicas that hold the same events show the same digest.
//!
//! It covers the ends of the chains and every view, row by row in the order of their keys, without
//! what is this device's own: the numbers that rows got on arrival, texts from payloads, which
//! may be erased here and not yet there, and what is kept of those whom nobody let in.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::domain::ids::Hash;

/// What the digest covers, each part in the order of its keys.
pub const PARTS: &[&str] = &[
    "SELECT replica, head_seq, head_hash FROM journal_replica WHERE replica IN (SELECT replica FROM view_grant UNION SELECT replica FROM view_cut) ORDER BY replica",
    "SELECT id, stream, own, occurred_ms, at_ms, at_n, replica, seq, n, payload, model, predicted, confidence, flags, rank, \
     state, due_ms, labels, outcome, how, language, needs FROM view_case ORDER BY id",
    "SELECT id, replica, seq, n, at_ms, at_n, reviewer, author, label FROM view_label ORDER BY id, replica, seq, n",
    "SELECT replica, seq, n, at_ms, at_n, given_ms, author, id, round, recipient, sealed FROM view_sealed ORDER BY replica, seq, n",
    "SELECT id, plugin, at_ms, at_n, replica, seq, n, author, body FROM view_suggestion ORDER BY id, plugin, replica, seq, n",
    "SELECT recipient, key FROM view_published_key ORDER BY recipient",
    "SELECT id, replica, seq, n, reviewer, by, at_ms, at_n, event FROM view_withdrawal ORDER BY replica, seq, n, event",
    "SELECT id, replica, seq, n, at_ms, at_n, kind, author, text, until_ms, question, session FROM view_note ORDER BY id, replica, seq, n",
    "SELECT id, replica, seq, n, by, at_ms, at_n, event FROM view_note_withdrawal ORDER BY id, replica, seq, n, event",
    "SELECT id, replica, seq, n, at_ms, at_n, author, act FROM view_arbitration ORDER BY id, replica, seq, n",
    "SELECT name, replica, role, since_ms, since_n, until_seq FROM view_grant ORDER BY name, replica, role",
    "SELECT name, replica, after, last, heirs FROM view_cut ORDER BY name, replica",
    "SELECT name, profile FROM view_profile ORDER BY name",
    "SELECT id, replica, seq, n, at_ms, by, reason, instead FROM view_erased ORDER BY id, replica, seq, n",
    "SELECT id, replica, seq, n FROM view_detection ORDER BY id, replica, seq, n",
    "SELECT replica, seq, n FROM view_held WHERE replica IN (SELECT replica FROM view_grant UNION SELECT replica FROM view_cut) ORDER BY replica, seq, n",
    "SELECT kind, name, version, hash, replica, seq, n, author FROM view_document WHERE replica IN (SELECT replica FROM view_grant UNION SELECT replica FROM view_cut) ORDER BY kind, name, replica, seq, n",
    "SELECT protocol, version, replica, seq, n, by_field FROM view_renames ORDER BY protocol, version, replica, seq, n",
    "SELECT trap, version, stream, day, u, id, score, rate, most, place FROM view_draw ORDER BY trap, version, stream, day, u, id",
    "SELECT stream, day, source, trap, version, read, flagged, first FROM view_tally ORDER BY stream, day, source, trap, version",
    "SELECT id, source, at_ms, at_n, replica, seq, n, observed_ms, truth, right, value, note, place FROM view_observed ORDER BY id, source, replica, seq, n, place",
    "SELECT name, n FROM view_count WHERE name NOT GLOB 'unknown:*' ORDER BY name",
];

/// Computes the digest; takes about a second for a million cases.
pub fn digest(conn: &Connection) -> rusqlite::Result<Hash> {
    // One moment for all of it, whatever others write meanwhile.
    let _moment = if conn.is_autocommit() { Some(conn.unchecked_transaction()?) } else { None };
    let mut hasher = blake3::Hasher::new();
    let mut buffer = Vec::with_capacity(512);
    for sql in PARTS {
        hasher.update(b"part");
        let mut statement = conn.prepare(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            buffer.clear();
            for column in 0..columns {
                push(&mut buffer, row.get_ref(column)?);
            }
            hasher.update(&buffer);
        }
    }
    Ok(Hash(*hasher.finalize().as_bytes()))
}

/// A value so that no two rows of different values give the same bytes.
fn push(buffer: &mut Vec<u8>, value: ValueRef<'_>) {
    let mut tagged = |tag: u8, bytes: &[u8]| {
        buffer.push(tag);
        buffer.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        buffer.extend_from_slice(bytes);
    };
    match value {
        ValueRef::Null => tagged(0, b""),
        ValueRef::Integer(number) => tagged(1, &number.to_le_bytes()),
        ValueRef::Real(number) => tagged(2, &number.to_bits().to_le_bytes()),
        ValueRef::Text(text) => tagged(3, text),
        ValueRef::Blob(bytes) => tagged(4, bytes),
    }
}
