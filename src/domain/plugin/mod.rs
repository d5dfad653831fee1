//! Plug-ins: programs of one's own that flag predictions, suggest labels, or look over what was
//! made.
//!
//! [`declared`] is what the configuration says of one, [`pin`] what a lead has looked at, [`lines`]
//! what one is asked and answers, [`suggestion`] what is kept of a labeler's answers.

pub mod declared;
pub mod lines;
pub mod pin;
pub mod suggestion;

pub use declared::{Plugin, PluginKind};
pub use lines::{
    Hello, LINE_BYTES_MAX, LINES_VERSION, PluginFlag, Problem, Raised, Said, Severity, Suggested,
    is_name, words,
};
pub use pin::Pin;
pub use suggestion::{OwnWords, Suggestion, that_stands};
