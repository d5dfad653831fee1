//! Payloads as stored: salted, hashed, compressed with a dictionary learned from the first ones.

use std::collections::HashMap;

use rusqlite::Connection;
use zstd::bulk::{Compressor, Decompressor};

use super::JournalError;
use crate::db;
use crate::db::payload::PayloadRow;
use crate::domain::ids::{EventId, Hash};
use crate::domain::payload::{Salt, payload_hash};

/// Fast enough for ingest; with a dictionary the next levels gain little.
const LEVEL: i32 = 1;
/// Bytes of a dictionary.
const DICTIONARY_BYTES: usize = 64 << 10;
/// Fewer samples than this make no useful dictionary.
pub const SAMPLES_MIN: usize = 64;
/// Largest payload, uncompressed.
pub const PAYLOAD_BYTES_MAX: usize = 32 << 20;

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

    /// Learns from samples; `None` if there are too few or they have nothing in common.
    pub fn learn(samples: &[Vec<u8>]) -> Option<Self> {
        if samples.len() < SAMPLES_MIN {
            return None;
        }
        zstd::dict::from_samples(samples, DICTIONARY_BYTES).ok().map(Self::new)
    }
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
        let size = Decompressor::upper_bound(&row.bytes).unwrap_or(PAYLOAD_BYTES_MAX).min(PAYLOAD_BYTES_MAX);
        let json = decompressor.decompress(&row.bytes, size).map_err(|_| damaged())?;
        if payload_hash(&row.salt, &json) == row.hash { Ok(json) } else { Err(damaged()) }
    }
}

/// The payload of the event `event`.
pub fn read(conn: &Connection, unpacker: &mut Unpacker, event: EventId) -> Result<Vec<u8>, JournalError> {
    let row = db::payload::get(conn, event)?.ok_or(JournalError::NoPayload(event))?;
    unpacker.unpack(conn, &row)
}
