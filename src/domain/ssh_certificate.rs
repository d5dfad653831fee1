//! A person's SSH certificate, as sshd says that somebody came with one. sshd has checked its signature;
//! here is read for whom it is, and whose word that is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ssh_key::{SshKey, field};
use super::time::Moment;

/// What a certificate says.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    /// The person's own key.
    pub key: SshKey,
    /// What the authority calls it, and its number.
    pub id: String,
    pub serial: u64,
    /// For whom it is.
    pub principals: Vec<String>,
    /// From when until when it holds, in seconds of Unix.
    pub holds: (u64, u64),
    /// The key of whoever signed it.
    pub authority: SshKey,
}

/// What kinds of certificates end with, before what stands after an `@`.
const OF_CERTIFICATES: &str = "-cert-v01";
/// A certificate for a person, not for a machine.
const FOR_A_PERSON: u32 = 1;

impl Certificate {
    /// The certificate of a line: its kind and its body.
    pub fn of_line(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (kind, body) = (words.next()?, words.next()?);
        if !kind.contains(OF_CERTIFICATES) {
            return None;
        }
        let bytes = STANDARD.decode(body).ok()?;
        let mut rest = bytes.as_slice();
        let name = std::str::from_utf8(field(&mut rest)?).ok()?;
        let plain = plain(name)?;
        field(&mut rest)?; // a random number
        let mut key = Vec::new();
        put(&mut key, plain.as_bytes());
        for _ in 0..fields_of(&plain)? {
            put(&mut key, field(&mut rest)?);
        }
        let serial = number(&mut rest)?;
        let (kind, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        let id = String::from_utf8_lossy(field(&mut rest)?).into_owned();
        let mut named = field(&mut rest)?;
        let mut principals = Vec::new();
        while !named.is_empty() {
            principals.push(String::from_utf8(field(&mut named)?.to_vec()).ok()?);
        }
        let holds = (number(&mut rest)?, number(&mut rest)?);
        // Options, what it allows, and nothing.
        for _ in 0..3 {
            field(&mut rest)?;
        }
        let authority = SshKey::of_blob(field(&mut rest)?)?;
        let key = SshKey::of_blob(&key)?;
        (u32::from_be_bytes(*kind) == FOR_A_PERSON).then_some(Self {
            key,
            id,
            serial,
            principals,
            holds,
            authority,
        })
    }

    /// Whether it holds at a moment.
    pub fn holds_at(&self, now: Moment) -> bool {
        let now = u64::try_from(now.0 / 1_000).unwrap_or(0);
        self.holds.0 <= now && now < self.holds.1
    }

    /// What it is, and whose word.
    pub fn words(&self) -> String {
        format!("{} (serial {}) by {}", self.id, self.serial, self.authority.fingerprint())
    }
}

/// The kind of key that lies in a kind of certificate.
fn plain(kind: &str) -> Option<String> {
    let (name, domain) = kind.split_once('@')?;
    let name = name.strip_suffix(OF_CERTIFICATES)?;
    Some(if name.starts_with("sk-") { format!("{name}@{domain}") } else { name.to_owned() })
}

/// How many fields a key of a kind has after its kind.
fn fields_of(kind: &str) -> Option<usize> {
    Some(match kind {
        "ssh-ed25519" => 1,
        "ssh-rsa" | "sk-ssh-ed25519@openssh.com" => 2,
        "sk-ecdsa-sha2-nistp256@openssh.com" => 3,
        kind if kind.starts_with("ecdsa-sha2-") => 2,
        _ => return None,
    })
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (number, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(u64::from_be_bytes(*number))
}

fn put(to: &mut Vec<u8>, field: &[u8]) {
    to.extend((field.len() as u32).to_be_bytes());
    to.extend_from_slice(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_is_told_and_nothing_cut_is_read() {
        assert_eq!(Certificate::of_line("ssh-ed25519 AAAAC3 x"), None);
        let mut body = Vec::new();
        put(&mut body, b"ssh-ed25519-cert-v01@openssh.com");
        put(&mut body, &[7; 32]);
        put(&mut body, &[9; 32]);
        body.extend(5_u64.to_be_bytes());
        body.extend(1_u32.to_be_bytes());
        put(&mut body, b"bo at work");
        let mut names = Vec::new();
        put(&mut names, b"bo");
        put(&mut names, b"all");
        put(&mut body, &names);
        body.extend(100_u64.to_be_bytes());
        body.extend(200_u64.to_be_bytes());
        for _ in 0..3 {
            put(&mut body, b"");
        }
        let mut authority = Vec::new();
        put(&mut authority, b"ssh-ed25519");
        put(&mut authority, &[3; 32]);
        put(&mut body, &authority);
        let line =
            |body: &[u8]| format!("ssh-ed25519-cert-v01@openssh.com {}", STANDARD.encode(body));
        let read = Certificate::of_line(&line(&body)).unwrap();
        assert_eq!((read.serial, read.id.as_str()), (5, "bo at work"));
        assert_eq!(read.principals, ["bo", "all"]);
        assert_eq!(read.key.ed25519(), Some([9; 32]));
        assert_eq!(read.authority.ed25519(), Some([3; 32]));
        for (second, holds) in [(99, false), (100, true), (199, true), (200, false), (-5, false)] {
            assert_eq!(read.holds_at(Moment(second * 1_000)), holds, "{second}");
        }
        for end in 0..body.len() {
            assert_eq!(Certificate::of_line(&line(&body[..end])), None, "{end} bytes");
        }
    }
}
