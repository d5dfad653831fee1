//! Public SSH keys as people have them: `.pub` files, `authorized_keys`, what forges give out.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A public key: its kind and its body, as one line has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SshKey {
    kind: String,
    body: String,
}

/// Kinds that open doors. An RSA key has to be long enough, too.
const KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
];
/// Bits of the shortest RSA key that is taken.
const RSA_BITS: usize = 3_072;

impl SshKey {
    /// The key of a line, after options and before a comment.
    pub fn of_line(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let is_kind = |word: &str| {
            word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-")
        };
        let mut rest = line;
        // Options may hold blanks inside quotes.
        while !rest.is_empty() {
            let (word, after) = next_word(rest);
            let (body, _) = next_word(after);
            if is_kind(word) && body.starts_with("AAAA") {
                return Some(Self { kind: word.to_owned(), body: body.to_owned() });
            }
            rest = after;
        }
        None
    }

    /// The key whose body is these bytes.
    pub fn of_blob(blob: &[u8]) -> Option<Self> {
        let kind = std::str::from_utf8(field(&mut &*blob)?).ok()?;
        Some(Self { kind: kind.to_owned(), body: STANDARD.encode(blob) })
    }

    /// Every key of a file, one a line.
    pub fn all_of(text: &str) -> Vec<Self> {
        text.lines().filter_map(Self::of_line).collect()
    }

    /// What stands in its body, if that is what its kind says.
    fn blob(&self) -> Option<Vec<u8>> {
        let blob = STANDARD.decode(&self.body).ok()?;
        (field(&mut blob.as_slice())? == self.kind.as_bytes()).then_some(blob)
    }

    /// As `ssh-keygen -l` shows it; empty if it is no key.
    pub fn fingerprint(&self) -> String {
        let of = |blob: Vec<u8>| format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)));
        self.blob().map(of).unwrap_or_default()
    }

    /// Why it opens no door, if it does not.
    pub fn weakness(&self) -> Option<String> {
        if !KINDS.contains(&self.kind.as_str()) {
            return Some(format!("{} keys are not taken: {}", self.kind, KINDS.join(", ")));
        }
        let Some(blob) = self.blob() else {
            return Some(format!("it is no {} key: its body is damaged or cut", self.kind));
        };
        if self.kind != "ssh-rsa" {
            return None;
        }
        let mut rest = blob.as_slice();
        let numbers: Option<Vec<&[u8]>> = (0..3).map(|_| field(&mut rest)).collect();
        let bits = numbers.map_or(0, |numbers| bits(numbers[2]));
        (bits < RSA_BITS).then(|| {
            format!("RSA of {bits} bits is too short: {RSA_BITS} at least, or better ed25519")
        })
    }

    /// The 32 bytes of an ed25519 key that lies in a file.
    pub fn ed25519(&self) -> Option<[u8; 32]> {
        let blob = self.blob().filter(|_| self.kind == "ssh-ed25519")?;
        let mut rest = blob.as_slice();
        field(&mut rest)?;
        field(&mut rest)?.try_into().ok()
    }
}

impl std::fmt::Display for SshKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.body)
    }
}

impl From<SshKey> for String {
    fn from(key: SshKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for SshKey {
    type Error = &'static str;

    fn try_from(line: String) -> Result<Self, Self::Error> {
        // Nothing but the key itself, so that one key has one form.
        Self::of_line(&line).filter(|key| key.to_string() == line).ok_or("not a public SSH key")
    }
}

/// The next field of a blob, after its length.
pub(super) fn field<'b>(blob: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let (field, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *blob = rest;
    Some(field)
}

/// Bits of a number as SSH writes it.
fn bits(number: &[u8]) -> usize {
    let significant = number.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &number[at..]);
    significant.first().map_or(0, |first| significant.len() * 8 - first.leading_zeros() as usize)
}

/// A word up to a blank outside of quotes, and what follows it.
fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return (&text[..at], &text[at..]),
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_file_is_found_whatever_stands_beside_it() {
        let check = |text: &str, expect: &[&str]| {
            let found: Vec<String> = SshKey::all_of(text).iter().map(SshKey::to_string).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("ssh-ed25519 AAAAC3 ana@desk", &["ssh-ed25519 AAAAC3"]);
        check(
            "# mine\n\nssh-rsa AAAAB3 x\r\nssh-ed25519 AAAAC3",
            &["ssh-rsa AAAAB3", "ssh-ed25519 AAAAC3"],
        );
        check(
            "restrict,command=\"echo \\\"ssh-rsa AAAAno\\\"\" sk-ssh-ed25519@openssh.com AAAAG x",
            &["sk-ssh-ed25519@openssh.com AAAAG"],
        );
        check("\u{feff}nothing here\n-----BEGIN OPENSSH PRIVATE KEY-----", &[]);
    }

    #[test]
    fn a_weak_or_broken_key_says_why() {
        let key = |kind: &str, parts: &[&[u8]]| {
            let mut blob = Vec::new();
            for part in parts {
                blob.extend((part.len() as u32).to_be_bytes());
                blob.extend_from_slice(part);
            }
            SshKey { kind: kind.to_owned(), body: STANDARD.encode(blob) }
        };
        let rsa = |bytes: usize| {
            let mut modulus = vec![0; bytes + 1];
            modulus[1] = 0x80;
            key("ssh-rsa", &[b"ssh-rsa", &[1, 0, 1], &modulus])
        };
        let ed = key("ssh-ed25519", &[b"ssh-ed25519", &[7; 32]]);
        assert_eq!((ed.weakness(), ed.ed25519()), (None, Some([7; 32])));
        assert_eq!(rsa(384).weakness(), None);
        assert!(rsa(128).weakness().unwrap().contains("1024 bits"));
        assert!(key("ssh-rsa", &[b"ssh-ed25519"]).weakness().unwrap().contains("damaged"));
        assert!(key("ssh-rsa", &[b"ssh-rsa"]).weakness().unwrap().contains("0 bits"));
        assert!(key("ssh-dss", &[b"ssh-dss"]).weakness().unwrap().contains("not taken"));
    }
}
