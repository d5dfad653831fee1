//! Identifiers. Every id is its own type, so that one can't be passed where another is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id did not have the form it must have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {digits} hexadecimal digits, not `{found}`")]
pub struct BadId {
    what: &'static str,
    digits: usize,
    found: String,
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:expr, $what:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// The id whose bytes are these, or `None` if there are too few or too many.
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let mut bytes = [0; $bytes];
                if unhex(text, &mut bytes) {
                    Ok(Self(bytes))
                } else {
                    let found = text.chars().take(80).collect();
                    Err(BadId { what: $what, digits: 2 * $bytes, found })
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                let mut digits = [0; 2 * $bytes];
                out.serialize_str(hex_into(&self.0, &mut digits))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_id!(
    /// A case: the hash of its stream and of the id that the stream gave it.
    CaseId, 16, "a case id"
);
hex_id!(
    /// A replica: the hash of the public key that signs its chain.
    ReplicaId, 16, "a replica id"
);
hex_id!(
    /// BLAKE3 of some bytes: of an entry's body, of a salted payload, of a protocol.
    Hash, 32, "a hash"
);

impl CaseId {
    /// The id of the case that `stream` calls `own`. The same for everybody, so that detecting a
    /// prediction twice, on whatever device, opens one case.
    pub fn of(stream: &str, own: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"casework case\0");
        hasher.update(&(stream.len() as u64).to_le_bytes());
        hasher.update(stream.as_bytes());
        hasher.update(own.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(id)
    }

    /// The first eight digits: what a person reads out.
    pub fn short(&self) -> String {
        hex(&self.0[..4])
    }
}

impl Hash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl ReplicaId {
    /// The id of the replica whose chain is signed by this ed25519 public key.
    pub fn of_key(public: &[u8; 32]) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&blake3::hash(public).as_bytes()[..16]);
        Self(id)
    }

    pub fn short(&self) -> String {
        hex(&self.0[..4])
    }
}

/// Where an event stands: its replica, the sequence number of its entry, its place in that entry.
/// Written `replica:seq:n`; this is an event's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    pub replica: ReplicaId,
    pub seq: u64,
    pub n: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.replica, self.seq, self.n)
    }
}

/// An event id was not `replica:seq:n`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event id is `replica:seq:n`")]
pub struct BadEventId;

/// The largest number of an entry: what SQLite can hold.
pub const SEQ_MAX: u64 = i64::MAX as u64;

impl FromStr for EventId {
    type Err = BadEventId;
    fn from_str(text: &str) -> Result<Self, BadEventId> {
        let mut parts = text.split(':');
        let mut next = || parts.next().ok_or(BadEventId);
        let replica = next()?.parse().map_err(|_| BadEventId)?;
        let seq = next()?.parse().ok().filter(|seq| *seq <= SEQ_MAX).ok_or(BadEventId)?;
        let n = next()?.parse().map_err(|_| BadEventId)?;
        if parts.next().is_some() {
            return Err(BadEventId);
        }
        Ok(Self { replica, seq, n })
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A UUID of version 7: in the order of time, otherwise random (RFC 9562, section 5.7).
pub fn uuid7(at: super::time::Moment, random: [u8; 10]) -> String {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&at.0.max(0).to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    uuid(bytes, 7)
}

/// A UUID of version 8, which follows from a hash.
pub fn uuid8(hash: Hash) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.0[..16]);
    uuid(bytes, 8)
}

fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; bytes.len() * 2];
    hex_into(bytes, &mut digits).to_owned()
}

fn hex_into<'a>(bytes: &[u8], digits: &'a mut [u8]) -> &'a str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(digits.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    std::str::from_utf8(digits).unwrap_or_default()
}

/// Fills `out` from hexadecimal digits; false if `text` is not exactly that many.
fn unhex(text: &str, out: &mut [u8]) -> bool {
    let text = text.as_bytes();
    if text.len() != out.len() * 2 {
        return false;
    }
    let digit = |c: u8| (c as char).to_digit(16).filter(|_| !c.is_ascii_uppercase());
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return false };
        *byte = (high * 16 + low) as u8;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_runs_say_when() {
        // RFC 9562, appendix A.6.
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        let at = super::super::time::Moment(0x017f_22e2_79b0);
        assert_eq!(uuid7(at, random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn a_case_has_one_id_and_borders_between_stream_and_id_count() {
        assert_eq!(CaseId::of("s", "1"), CaseId::of("s", "1"));
        assert_ne!(CaseId::of("s1", "1"), CaseId::of("s", "11"));
        assert_eq!(CaseId::of("intent-prod", "prd_1").to_string().len(), 32);
    }

    #[test]
    fn ids_read_back_and_refuse_what_is_not_theirs() {
        let id = EventId { replica: ReplicaId::of_key(&[7; 32]), seq: 17, n: 3 };
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("x".parse::<CaseId>().unwrap_err().to_string().contains("32 hexadecimal"));
        assert!("AB".repeat(16).parse::<CaseId>().is_err(), "one spelling only");
        assert!("a:1:2:3".parse::<EventId>().is_err());
    }
}
