//! Pictures and sounds, read from bytes that nobody vouches for: within bounds, and without doing
//! anything else than reading. What cannot be read says why.

pub mod file;
pub mod picture;
pub mod pixels;
pub mod sound;

/// Why something can't be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is none of what can be shown: PNG, JPEG, GIF, WAV")]
    Unknown,
    #[error("it has no data")]
    Empty,
    #[error("{width} × {height} points are more than is drawn")]
    TooLarge { width: u32, height: u32 },
    #[error("it is broken: {0}")]
    Broken(String),
}
