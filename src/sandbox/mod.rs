//! A program held back as far as the machine can: a step of a run, or a plug-in.
//!
//! [`reach`] is what it may read, write and reach, and what sees to that; [`helper`] the process in
//! which it begins; [`family`] all that it began, to be counted and ended.

pub mod family;
pub mod helper;
pub mod reach;

/// What holds a program back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Whichever of bwrap and landlock there is.
    Auto,
    Bwrap,
    Landlock,
    Container,
    None,
}

impl Level {
    pub const NAMES: [&'static str; 5] = ["auto", "bwrap", "landlock", "container", "none"];

    pub fn named(name: &str) -> Self {
        match name {
            "bwrap" => Self::Bwrap,
            "landlock" => Self::Landlock,
            "container" => Self::Container,
            "none" => Self::None,
            _ => Self::Auto,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Bwrap => "bwrap",
            Self::Landlock => "landlock",
            Self::Container => "container",
            Self::None => "none",
        }
    }
}
