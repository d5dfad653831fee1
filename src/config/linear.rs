//! How linear mode tells and takes: `[linear]`, and what a person has otherwise for themselves.

use serde::Deserialize;

/// How a review line by line goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Columns at which lines are wrapped; 0: whoever shows them does.
    pub width: u16,
    /// Lines of something long before `more` is asked for.
    pub page: u16,
    pub hints: Hints,
    /// Whether the next case is told by itself after a label.
    pub next: bool,
    pub keys: Keys,
}

/// How often a hint is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub enum Hints {
    Always,
    Times(u8),
}

/// How what is typed is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keys {
    /// With Enter.
    Lines,
    /// A key that means something alone at once.
    Single,
}

/// A word or a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u8),
    Word(String),
}

impl TryFrom<Written> for Hints {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Number(times) => Ok(Self::Times(times)),
            Written::Word(word) => Self::of(&word),
        }
    }
}

impl Hints {
    fn of(word: &str) -> Result<Self, String> {
        match word {
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Times(0)),
            number => number.parse().map(Self::Times).map_err(|_| {
                format!("hints takes always, never, or how often, as 3, not `{word}`")
            }),
        }
    }
}

/// What can be set, with what it takes.
pub const SETTINGS: [(&str, &str); 5] = [
    ("width", "columns at which lines are wrapped, 40 for a braille row; 0: not at all"),
    ("page", "lines of something long before more is asked for"),
    ("hints", "how often a hint is told: always, never, or a number"),
    ("next", "on or off: whether the next case is told by itself after a label"),
    (
        "keys",
        "lines or single: whether a digit or letter that means something alone is taken without Enter",
    ),
];

impl Linear {
    /// Sets one of [`SETTINGS`], as it is typed.
    ///
    /// # Errors
    /// There is none of that name, or it takes something else; in words.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let bad = || {
            let takes = SETTINGS.iter().find(|(known, _)| *known == name);
            format!("{name} takes {}, not `{value}`", takes.map_or("", |(_, takes)| takes))
        };
        let number = |least: u16, most: u16| {
            value.parse().ok().filter(|n| (least..=most).contains(n)).ok_or_else(bad)
        };
        match name {
            "width" if value == "0" => self.width = 0,
            "width" => self.width = number(20, 1_000)?,
            "page" => self.page = number(1, 10_000)?,
            "hints" => self.hints = Hints::of(value)?,
            "next" => self.next = switch(value).ok_or_else(bad)?,
            "keys" => {
                self.keys = match value {
                    "lines" => Keys::Lines,
                    "single" => Keys::Single,
                    _ => return Err(bad()),
                }
            }
            _ => {
                let names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
                return Err(format!("`{name}` is none of {}", names.join(", ")));
            }
        }
        Ok(())
    }
}

/// What `on` and `off` mean.
pub fn switch(word: &str) -> Option<bool> {
    match word {
        "on" | "true" => Some(true),
        "off" | "false" => Some(false),
        _ => None,
    }
}
