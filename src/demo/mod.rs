//! An invented parcel desk: its messages, a router that is sometimes wrong, logs, and reviewers
//! with a history. Everything comes from a seed, so that it is the same each time.

mod sentences;
mod stream;
mod bayes;
pub mod lesson;
mod people;

pub use people::{Answered, PEOPLE, Person, answers_of};
pub use stream::{Made, Truth, make, wave};

/// The protocol that the desk's reviewers decide by.
pub const PROTOCOL: &str = include_str!("../../assets/demo/parcel-desk.toml");
/// What the demo is made from when nothing else is said.
pub const SEED: u64 = 20_260_601;
/// Which predictions become cases: name and rule.
pub const TRAPS: &[(&str, &str)] = &[
    ("low confidence", "has_prediction && confidence < 0.45"),
    ("low margin", "has_prediction && margin < 0.12"),
    ("challenger", "disagrees && confidence < 0.75"),
    ("no letters", "!text.matches(\"[a-zA-Z]\")"),
];
