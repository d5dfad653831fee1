//! Keys, and their names in configuration and on screen.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Shift is part of the character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyPress {
    pub code: KeyCode,
    pub ctrl: bool,
    pub alt: bool,
}

impl KeyPress {
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    pub fn of(event: &KeyEvent) -> Self {
        let (mut ctrl, alt) = (
            event.modifiers.contains(KeyModifiers::CONTROL),
            event.modifiers.contains(KeyModifiers::ALT),
        );
        let code = match event.code {
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            KeyCode::Enter if ctrl => {
                ctrl = false; // many terminals send it so
                KeyCode::Enter
            }
            code => code,
        };
        Self { code, ctrl, alt }
    }

    /// The character, if it is typed without modifiers.
    pub fn char(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

/// A key name that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no key")]
pub struct BadKey(pub String);

const NAMES: &[(&str, KeyCode)] = &[
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("BackTab", KeyCode::BackTab),
    ("Space", KeyCode::Char(' ')),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
];

impl FromStr for KeyPress {
    type Err = BadKey;
    fn from_str(name: &str) -> Result<Self, BadKey> {
        let bad = || BadKey(name.to_owned());
        let (mut ctrl, mut alt, mut rest) = (false, false, name);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|after| !after.is_empty()) {
                (ctrl, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|after| !after.is_empty())
            {
                (alt, rest) = (true, after);
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            (Some('F'), Some(_)) => {
                KeyCode::F(rest[1..].parse().ok().filter(|n| (1..=12).contains(n)).ok_or_else(bad)?)
            }
            _ => NAMES
                .iter()
                .find(|(known, _)| *known == rest)
                .map(|(_, code)| *code)
                .ok_or_else(bad)?,
        };
        Ok(Self { code, ctrl, alt })
    }
}

impl fmt::Display for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        match self.code {
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::Char(c) if c != ' ' => write!(f, "{c}"),
            code => f.write_str(
                NAMES.iter().find(|(_, known)| *known == code).map_or("?", |(name, _)| name),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in ["a", "A", "ctrl-p", "alt-x", "Enter", "F5", "Space", "-", "ctrl-alt-q", "?"] {
            assert_eq!(name.parse::<KeyPress>().unwrap().to_string(), name);
        }
        for bad in ["", "Entr", "F13", "ctrl-"] {
            assert!(bad.parse::<KeyPress>().is_err(), "{bad}");
        }
    }
}
