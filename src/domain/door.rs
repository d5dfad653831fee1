//! Doors: who may come to a served workspace over SSH, with which key.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::ssh_key::SshKey;
use super::time::Moment;

/// A key that lets a person in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Door {
    pub name: String,
    pub key: SshKey,
    /// Addresses and networks from which it does; from anywhere, if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Until when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

impl Door {
    pub fn is_open(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Its line of an `authorized_keys` file. `command` is what is run whatever the client asks for;
    /// `offset` is how far the clock of the machine is ahead of UTC then, in seconds.
    pub fn line(&self, command: &str, offset: impl Fn(Moment) -> i32) -> String {
        let mut options = String::from("restrict,pty");
        if !self.from.is_empty() {
            options.push_str(&format!(",from=\"{}\"", self.from.join(",")));
        }
        if let Some(until) = self.until {
            // Read in the zone of the machine: not every sshd knows another way.
            let local = Moment(until.0 + i64::from(offset(until)) * 1_000).rfc3339();
            let digits: String = local.chars().filter(char::is_ascii_digit).take(14).collect();
            options.push_str(&format!(",expiry-time=\"{digits}\""));
        }
        let command = command.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{options},command=\"{command}\" {}", self.key)
    }
}

/// Whether a text is an address or a network, as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32.
pub fn is_network(text: &str) -> bool {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| {
        bits.chars().all(|c| c.is_ascii_digit()) && bits.parse::<u8>().is_ok_and(|n| n <= most)
    })
}

/// A word as a shell reads it back, whatever is in it.
pub fn shell_word(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Why a line can't be read as words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is longer than 64 KB")]
    TooLong,
    #[error("it holds a character that no line has: a line's end, a NUL or another control")]
    Control,
    #[error("a quote in it does not end")]
    Open,
    #[error("nothing follows its last backslash")]
    Backslash,
}

/// The longest line that is read.
const LINE_MAX: usize = 64 << 10;

/// The words of a line that a client sent. No shell reads it: quotes and backslashes hold a word
/// together, and nothing is put in anything's place.
pub fn words(line: &str) -> Result<Vec<String>, Unreadable> {
    if line.len() > LINE_MAX {
        return Err(Unreadable::TooLong);
    }
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Unreadable::Control);
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(Unreadable::Open)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(Unreadable::Open)? {
                        '"' => break,
                        '\\' => match rest.next().ok_or(Unreadable::Open)? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => {
                word.get_or_insert_default().push(rest.next().ok_or(Unreadable::Backslash)?);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_a_shell_would_read_back_is_read_back(list in prop::collection::vec("[^\\p{Cc}]{0,12}", 0..6)) {
            let line: Vec<String> = list.iter().map(|word| shell_word(word)).collect();
            prop_assert_eq!(words(&line.join(" ")), Ok(list));
        }

        #[test]
        fn any_line_has_one_reading_or_none(line in "\\PC{0,40}") {
            if let Ok(read) = words(&line) {
                let again: Vec<String> = read.iter().map(|word| shell_word(word)).collect();
                prop_assert_eq!(words(&again.join(" ")), Ok(read));
            }
        }
    }

    #[test]
    fn lines_are_words_and_nothing_else() {
        let check = |line: &str, expect: &[&str]| {
            let expect: Vec<String> = expect.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(words(line), Ok(expect), "{line}");
        };
        check("queue --json", &["queue", "--json"]);
        check("queue; id", &["queue;", "id"]);
        check("comment p0 '$(id) `id`'", &["comment", "p0", "$(id) `id`"]);
        check("a\"b c\"'d e' \"\"", &["ab cd e", ""]);
        check("a\\ b \"\\\"\\x\"", &["a b", "\"\\x"]);
        check("~/x *.db $HOME", &["~/x", "*.db", "$HOME"]);
        let refused = |line: &str, why| assert_eq!(words(line), Err(why), "{line:?}");
        refused("queue\nid", Unreadable::Control);
        refused("queue\0", Unreadable::Control);
        refused("queue 'a", Unreadable::Open);
        refused("queue \"a\\", Unreadable::Open);
        refused("queue \\", Unreadable::Backslash);
        refused(&"x".repeat(LINE_MAX + 1), Unreadable::TooLong);
    }

    #[test]
    fn networks_are_addresses_and_how_much_of_them_counts() {
        for good in ["10.0.0.7", "10.0.0.0/8", "2001:db8::/32", "::1"] {
            assert!(is_network(good), "{good}");
        }
        for bad in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "host.example",
            "10.0.0.0/",
            "*",
            "!10.0.0.1",
            "1.2.3.4/+8",
        ] {
            assert!(!is_network(bad), "{bad}");
        }
    }

    #[test]
    fn a_line_holds_all_that_restricts_its_key() {
        let key = SshKey::of_line("ssh-ed25519 AAAAC3 x").unwrap();
        let (from, until) = (vec!["10.0.0.0/8".to_owned(), "::1".to_owned()], Some(Moment(0)));
        let door = Door { name: "bo".to_owned(), key, from, until };
        assert_eq!(
            door.line("'/a b/\"c' serve", |_| 3_600),
            "restrict,pty,from=\"10.0.0.0/8,::1\",expiry-time=\"19700101010000\",command=\"'/a b/\\\"c' serve\" ssh-ed25519 AAAAC3"
        );
        assert!(!door.is_open(Moment(0)) && door.is_open(Moment(-1)));
    }
}
