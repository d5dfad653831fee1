//! Segments: immutable runs of entries, and of the payloads that they name.
//!
//! `journal/<replica>/<first>-<last>-<blake3>.zst` holds journal lines (`body TAB
//! base64(signature)`), zstd. `payload/<replica>/<first>-<last>-<blake3>.zst` holds the payloads of
//! those entries; with `.age` at the end it is encrypted as well. The hash is that of the file's
//! bytes, so a damaged copy is known before it is read, and writing a name twice can only write the
//! same bytes.

use std::fmt;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::db::journal::EntryRow;
use crate::db::payload::PayloadRow;
use crate::domain::ids::{EventId, Hash, ReplicaId, SEQ_MAX};
use crate::journal::entry::Body;

/// Largest file that is read as a segment.
pub const FILE_BYTES_MAX: u64 = 96 << 20;
/// Largest segment, unpacked. A larger one is refused: nobody's memory is the store's to fill.
pub const UNPACKED_BYTES_MAX: u64 = 256 << 20;
const LEVEL: i32 = 3;
/// Payloads are compressed already.
const PAYLOAD_LEVEL: i32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Journal,
    Payload,
}

impl Kind {
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Journal => "journal/",
            Self::Payload => "payload/",
        }
    }
}

/// A segment's name in a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub kind: Kind,
    pub replica: ReplicaId,
    pub first: u64,
    pub last: u64,
    pub hash: Hash,
    pub encrypted: bool,
}

impl Name {
    pub fn of(
        kind: Kind,
        replica: ReplicaId,
        (first, last): (u64, u64),
        bytes: &[u8],
        encrypted: bool,
    ) -> Self {
        Self { kind, replica, first, last, hash: Hash::of(bytes), encrypted }
    }

    /// Reads a name; `None` if it is not one that we write.
    pub fn parse(key: &str) -> Option<Self> {
        let (kind, rest) = [Kind::Journal, Kind::Payload]
            .into_iter()
            .find_map(|kind| key.strip_prefix(kind.prefix()).map(|rest| (kind, rest)))?;
        let (replica, file) = rest.split_once('/')?;
        let (file, encrypted) = match file.strip_suffix(".zst.age") {
            Some(file) => (file, true),
            None => (file.strip_suffix(".zst")?, false),
        };
        let mut parts = file.splitn(3, '-');
        let (first, last) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let name = Self {
            kind,
            replica: replica.parse().ok()?,
            first,
            last,
            hash: parts.next()?.parse().ok()?,
            encrypted,
        };
        ((1..=last).contains(&first) && last <= SEQ_MAX)
            .then_some(())
            .filter(|()| name.to_string() == key)
            .map(|()| name)
    }

    pub fn range(&self) -> (u64, u64) {
        (self.first, self.last)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, replica, first, last, hash, encrypted } = self;
        write!(
            f,
            "{}{replica}/{first}-{last}-{hash}.zst{}",
            kind.prefix(),
            if *encrypted { ".age" } else { "" }
        )
    }
}

/// What is said of an entry that this program can't read yet.
pub const NEWER: &str = "an entry was written by a newer casework: update this one";

/// What is wrong with a segment, in words.
pub type Broken = String;

/// Whether the bytes are those that the name promises.
pub fn check(name: &Name, bytes: &[u8]) -> Result<(), Broken> {
    if Hash::of(bytes) == name.hash {
        Ok(())
    } else {
        Err("its bytes are not those that its name promises".to_owned())
    }
}

/// A journal line without its end: the entry's body, a tab, its signature in base64.
pub fn line(entry: &EntryRow) -> Vec<u8> {
    let mut line = Vec::with_capacity(entry.body.len() + 300);
    line.extend_from_slice(&entry.body);
    line.push(b'\t');
    line.extend_from_slice(STANDARD.encode(&entry.signature).as_bytes());
    line
}

/// Reads a journal line of `replica`. Only its shape is checked here.
pub fn read_line(replica: ReplicaId, line: &[u8]) -> Result<EntryRow, Broken> {
    let at = memchr::memrchr(b'\t', line).ok_or("a line has no signature")?;
    let signature = STANDARD.decode(&line[at + 1..]).map_err(|_| "a signature is not base64")?;
    let body = line[..at].to_vec();
    let read = Body::parse(&body).ok_or_else(|| {
        match serde_json::from_slice::<serde_json::Value>(&body) {
            Ok(value) if value.get("v").and_then(serde_json::Value::as_u64) > Some(1) => {
                NEWER.to_owned()
            }
            _ => "an entry cannot be read".to_owned(),
        }
    })?;
    if !(1..=SEQ_MAX).contains(&read.seq) {
        return Err("an entry has a number that no chain has".to_owned());
    }
    Ok(EntryRow { replica, seq: read.seq, body, signature })
}

pub fn encode_journal(entries: &[EntryRow]) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(entries.iter().map(|entry| entry.body.len() + 300).sum());
    for entry in entries {
        text.extend_from_slice(&line(entry));
        text.push(b'\n');
    }
    zstd::bulk::compress(&text, LEVEL)
}

/// Entries of a journal segment. The first that can't be read is the last: nothing after it could
/// be linked to it.
pub fn decode_journal(
    replica: ReplicaId,
    bytes: &[u8],
) -> Result<Vec<Result<EntryRow, Broken>>, Broken> {
    let text = unpack(bytes)?;
    let mut entries = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let read = read_line(replica, line);
        let ends = read.is_err();
        entries.push(read);
        if ends {
            break;
        }
    }
    Ok(entries)
}

/// Whether entries are exactly those that a segment's name promises.
pub fn is_whole(name: &Name, entries: &[EntryRow]) -> bool {
    entries.len() as u64 == name.last - name.first + 1
        && entries.iter().zip(name.first..).all(|(entry, seq)| entry.seq == seq)
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    let broken = |error: std::io::Error| format!("it cannot be unpacked: {error}");
    let mut text = Vec::new();
    let reader = zstd::stream::read::Decoder::with_buffer(bytes).map_err(broken)?;
    reader.take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut text).map_err(broken)?;
    if text.len() as u64 > UNPACKED_BYTES_MAX {
        Err("it is too large".to_owned())
    } else {
        Ok(text)
    }
}

/// What a payload segment holds.
#[derive(Debug, Default, PartialEq)]
pub struct Payloads {
    pub dictionaries: Vec<(Hash, Vec<u8>)>,
    pub rows: Vec<PayloadRow>,
}

/// The first bytes of a payload segment, unpacked.
const MAGIC: &[u8; 4] = b"CWP\x01";
const DICTIONARY: u8 = b'd';
const PAYLOAD: u8 = b'p';

/// Encodes payloads: after the magic, records of a tag, fixed fields and bytes with their length
/// before them, all numbers little-endian.
pub fn encode_payloads(payloads: &Payloads) -> std::io::Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    for (hash, bytes) in &payloads.dictionaries {
        out.push(DICTIONARY);
        out.extend_from_slice(&hash.0);
        sized(&mut out, bytes);
    }
    for row in &payloads.rows {
        out.push(PAYLOAD);
        out.extend_from_slice(&row.event.seq.to_le_bytes());
        out.extend_from_slice(&row.event.n.to_le_bytes());
        out.extend_from_slice(&row.hash.0);
        out.extend_from_slice(&row.salt);
        out.extend_from_slice(&row.dictionary.unwrap_or(Hash([0; 32])).0);
        sized(&mut out, &row.bytes);
    }
    zstd::bulk::compress(&out, PAYLOAD_LEVEL)
}

fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

pub fn decode_payloads(replica: ReplicaId, bytes: &[u8]) -> Result<Payloads, Broken> {
    let text = unpack(bytes)?;
    let mut rest =
        text.strip_prefix(MAGIC).ok_or("it is of another format: a newer casework may know it")?;
    let mut payloads = Payloads::default();
    while let Some((tag, after)) = rest.split_first() {
        rest = after;
        read_record(*tag, replica, &mut rest, &mut payloads).ok_or("it is cut short")?;
    }
    Ok(payloads)
}

fn read_record(tag: u8, replica: ReplicaId, rest: &mut &[u8], out: &mut Payloads) -> Option<()> {
    match tag {
        DICTIONARY => {
            let hash = Hash(take(rest)?);
            let bytes = take_sized(rest)?;
            out.dictionaries.push((hash, bytes));
        }
        PAYLOAD => {
            let (seq, n) = (u64::from_le_bytes(take(rest)?), u32::from_le_bytes(take(rest)?));
            if !(1..=SEQ_MAX).contains(&seq) {
                return None;
            }
            let (hash, salt, dictionary) = (Hash(take(rest)?), take(rest)?, Hash(take(rest)?));
            let dictionary = Some(dictionary).filter(|hash| *hash != Hash([0; 32]));
            let bytes = take_sized(rest)?;
            out.rows.push(PayloadRow {
                event: EventId { replica, seq, n },
                hash,
                salt,
                dictionary,
                bytes,
            });
        }
        _ => return None,
    }
    Some(())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*head)
}

fn take_sized(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = u32::from_le_bytes(take(rest)?) as usize;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Hlc;

    const R: ReplicaId = ReplicaId([5; 16]);

    fn entry(seq: u64) -> EntryRow {
        let body = Body {
            v: 1,
            workspace: String::new(),
            replica: R,
            seq,
            prev: String::new(),
            at: Hlc::default(),
            wall: None,
            author: "a\tb".into(),
            visit: None,
            events: Vec::new(),
        };
        EntryRow { replica: R, seq, body: body.to_bytes(), signature: vec![seq as u8; 90] }
    }

    #[test]
    fn names_read_back_and_others_are_not_ours() {
        let name = Name::of(Kind::Journal, R, (3, 17), b"x", false);
        assert_eq!(Name::parse(&name.to_string()), Some(name.clone()));
        let key = name.to_string();
        for bad in [
            key.replace("3-17", "17-3"),
            key.replace("3-17", "03-17"),
            key.replace(".zst", ".gz"),
            "journal/x".into(),
        ] {
            assert_eq!(Name::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn segments_read_back_and_every_cut_is_noticed() {
        let entries: Vec<EntryRow> = (1..40).map(entry).collect();
        let bytes = encode_journal(&entries).unwrap();
        let back: Vec<_> =
            decode_journal(R, &bytes).unwrap().into_iter().map(Result::unwrap).collect();
        assert_eq!(back, entries);
        let rows: Vec<PayloadRow> = (1..9_u8)
            .map(|n| PayloadRow {
                event: EventId { replica: R, seq: 1, n: n.into() },
                hash: Hash([n; 32]),
                salt: [n; 16],
                dictionary: (n % 2 == 0).then_some(Hash([7; 32])),
                bytes: vec![n; usize::from(n) * 10],
            })
            .collect();
        let payloads = Payloads { dictionaries: vec![(Hash([7; 32]), vec![1, 2, 3])], rows };
        let packed = encode_payloads(&payloads).unwrap();
        assert_eq!(decode_payloads(R, &packed).unwrap(), payloads);
        for cut in 0..packed.len() {
            assert!(decode_payloads(R, &packed[..cut]).is_err(), "{cut}");
        }
        for cut in 0..bytes.len() {
            assert!(decode_journal(R, &bytes[..cut]).is_err(), "{cut}");
        }
    }
}
