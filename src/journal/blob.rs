//! Payloads as stored: salted, hashed, compressed with a dictionary learned from the first ones.

use std::collections::HashMap;
use std::io::Read as _;

use rusqlite::Connection;
use zstd::bulk::{Compressor, Decompressor};
use zstd::stream::read::Decoder;

use super::JournalError;
use crate::db;
use crate::db::payload::PayloadRow;
use crate::domain::ids::{EventId, Hash};
use crate::domain::payload::{Payload, Salt, payload_hash};
use crate::domain::written::strings;

/// Fast enough for ingest; with a dictionary the next levels gain little.
const LEVEL: i32 = 1;
/// Bytes of a dictionary.
const DICTIONARY_BYTES: usize = 64 << 10;
/// Fewer samples than this make no useful dictionary.
pub const SAMPLES_MIN: usize = 64;
/// Largest payload, uncompressed.
pub const PAYLOAD_BYTES_MAX: usize = 128 << 20;
/// Largest payload as it is stored: it goes into one file of a store, with little else.
pub const PACKED_BYTES_MAX: usize = 88 << 20;

/// Bytes in which what was compressed says how much it is.
const HEADER_BYTES: usize = 1 << 10;

/// A payload ready to be stored with the event that will name it.
#[derive(Debug, Clone)]
pub struct Packed {
    pub hash: Hash,
    pub salt: Salt,
    pub dictionary: Option<Hash>,
    pub bytes: Vec<u8>,
}

impl Packed {
    pub fn into_row(self, event: EventId) -> PayloadRow {
        let Self { hash, salt, dictionary, bytes } = self;
        PayloadRow { event, hash, salt, dictionary, bytes }
    }
}

/// A dictionary that was learned.
#[derive(Clone)]
pub struct Dictionary {
    pub hash: Hash,
    pub bytes: Vec<u8>,
}

impl Dictionary {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { hash: Hash::of(&bytes), bytes }
    }

    /// Learns from payloads; `None` if there are too few or they have nothing in common.
    ///
    /// A dictionary is kept forever, and a payload may have to be erased. So it learns no text that
    /// is one payload's own: values that many payloads share stay whole, and of others the words
    /// that many share; the rest is left out.
    pub fn learn(payloads: &[&[u8]]) -> Option<Self> {
        if payloads.len() < SAMPLES_MIN {
            return None;
        }
        zstd::dict::from_samples(&shared_parts(payloads), DICTIONARY_BYTES).ok().map(Self::new)
    }
}

/// A value must stand in this many predictions to be no one's own.
const SHARED_BY: usize = 16;
/// A word of a log line must stand in one of so many payloads: one line may stand beside a good
/// many cases.
const SHARED_PART: usize = 4;

fn is_between(byte: &u8) -> bool {
    matches!(byte, b' ' | b',' | b'{' | b'}')
}

/// In how many payloads a text stands, and the last of them that was counted.
type Seen<'p> = HashMap<&'p [u8], (usize, usize)>;

fn count<'p>(seen: &mut Seen<'p>, part: &'p [u8], number: usize) {
    let slot = seen.entry(part).or_insert((0, usize::MAX));
    if slot.1 != number {
        *slot = (slot.0 + 1, number);
    }
}

/// The payloads without the texts that are one's own. A text that others show among their
/// neighbours is still one's own.
fn shared_parts(payloads: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut values, mut words) = (Seen::new(), Seen::new());
    for (number, payload) in payloads.iter().enumerate() {
        let parsed = serde_json::from_slice::<Payload>(payload);
        let own =
            parsed.map_or(0, |parsed| parsed.prediction.get().len()) + "{\"prediction\":".len();
        for (is_value, range) in strings(payload) {
            let text = &payload[range.clone()];
            if !is_value {
                values.insert(text, (SHARED_BY, number)); // names of fields are the stream's, not a person's
            } else if range.end <= own {
                count(&mut values, text, number);
            } else {
                text.split(is_between).for_each(|word| count(&mut words, word, number));
            }
        }
    }
    let shared = |part: &[u8]| values.get(part).is_some_and(|(n, _)| *n >= SHARED_BY);
    let common = |word: &[u8]| {
        words.get(word).is_some_and(|(n, _)| *n >= (payloads.len() / SHARED_PART).max(SHARED_BY))
    };
    let clean = |payload: &&[u8]| {
        let mut out = Vec::with_capacity(payload.len());
        let mut at = 0;
        for (_, range) in strings(payload).filter(|(_, range)| !shared(&payload[range.clone()])) {
            out.extend_from_slice(&payload[at..range.start]);
            // Of a log line its `level=info` or `"level":"info"`; words of a sentence could still
            // be put together again.
            for piece in payload[range.clone()].split_inclusive(is_between) {
                let word = piece.split(is_between).next().unwrap_or_default();
                if word.iter().any(|b| matches!(b, b'=' | b':')) && common(word) {
                    out.extend_from_slice(piece);
                }
            }
            at = range.end;
        }
        out.extend_from_slice(&payload[at..]);
        out
    };
    payloads.iter().map(clean).collect()
}

/// Compresses payloads, one after another.
pub struct Packer {
    compressor: Compressor<'static>,
    dictionary: Option<Hash>,
}

impl Packer {
    pub fn new(dictionary: Option<&Dictionary>) -> Result<Self, JournalError> {
        let compressor = match dictionary {
            Some(dictionary) => Compressor::with_dictionary(LEVEL, &dictionary.bytes),
            None => Compressor::new(LEVEL),
        };
        let compressor = compressor.map_err(JournalError::Zstd)?;
        Ok(Self { compressor, dictionary: dictionary.map(|dictionary| dictionary.hash) })
    }

    pub fn pack(&mut self, json: &[u8], salt: Salt) -> Result<Packed, JournalError> {
        let bytes = self.compressor.compress(json).map_err(JournalError::Zstd)?;
        Ok(Packed { hash: payload_hash(&salt, json), salt, dictionary: self.dictionary, bytes })
    }
}

/// Reads payloads back, keeping the dictionaries it met.
#[derive(Default)]
pub struct Unpacker {
    dictionaries: HashMap<Hash, Decompressor<'static>>,
}

impl Unpacker {
    /// The payload's JSON. Fails if it is not what its hash says.
    pub fn unpack(&mut self, conn: &Connection, row: &PayloadRow) -> Result<Vec<u8>, JournalError> {
        let damaged = || JournalError::BadPayload(row.event);
        let key = row.dictionary.unwrap_or(Hash([0; 32]));
        if let std::collections::hash_map::Entry::Vacant(e) = self.dictionaries.entry(key) {
            let decompressor = match row.dictionary {
                None => Decompressor::new(),
                Some(hash) => {
                    let bytes = db::payload::dictionary(conn, hash)?.ok_or_else(damaged)?;
                    Decompressor::with_dictionary(&bytes)
                }
            };
            e.insert(decompressor.map_err(JournalError::Zstd)?);
        }
        let decompressor = self.dictionaries.get_mut(&key).ok_or_else(damaged)?;
        let size = Decompressor::upper_bound(&row.bytes)
            .unwrap_or(PAYLOAD_BYTES_MAX)
            .min(PAYLOAD_BYTES_MAX);
        let json = decompressor.decompress(&row.bytes, size).map_err(|_| damaged())?;
        if payload_hash(&row.salt, &json) == row.hash { Ok(json) } else { Err(damaged()) }
    }
}

/// How many bytes the payload of an event has, uncompressed, as it says of itself; nothing where it
/// says nothing, or is not here.
///
/// # Errors
/// Those of the database.
pub fn size(conn: &Connection, event: EventId) -> Result<Option<u64>, JournalError> {
    let head = db::payload::head(conn, event, HEADER_BYTES)?;
    let said = head.map(|row| zstd::zstd_safe::get_frame_content_size(&row.bytes));
    Ok(said.and_then(Result::ok).flatten())
}

/// What the payload of an event begins with, up to so many bytes. It is not known to be what its hash
/// says: that is known of all of it, or of nothing.
///
/// # Errors
/// Those of the database.
pub fn beginning(
    conn: &Connection,
    event: EventId,
    bytes: u64,
) -> Result<Option<Vec<u8>>, JournalError> {
    // As much as it takes where nothing could be compressed.
    let Some(row) = db::payload::head(conn, event, bytes as usize + HEADER_BYTES)? else {
        return Ok(None);
    };
    let dictionary = match row.dictionary {
        Some(hash) => db::payload::dictionary(conn, hash)?.unwrap_or_default(),
        None => Vec::new(),
    };
    let reader = Decoder::with_dictionary(row.bytes.as_slice(), &dictionary);
    let mut json = Vec::new();
    // The rest is not there, so it ends in an error or before.
    let _ = reader.map_err(JournalError::Zstd)?.take(bytes).read_to_end(&mut json);
    Ok(Some(json))
}

/// The payload of the event `event`.
pub fn read(
    conn: &Connection,
    unpacker: &mut Unpacker,
    event: EventId,
) -> Result<Vec<u8>, JournalError> {
    let row = db::payload::get(conn, event)?.ok_or(JournalError::NoPayload(event))?;
    unpacker.unpack(conn, &row)
}
