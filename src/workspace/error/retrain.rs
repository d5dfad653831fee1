//! What can go wrong between labels and a deployed model, and what to do about it.

use crate::domain::advice::Advice;
use crate::domain::text::counted;
use crate::retrain::cut::CutError;
use crate::retrain::gate::BadPredictions;

/// What keeps a cut, a run, a gate or a deployment from being made.
#[derive(Debug, thiserror::Error)]
pub enum RetrainError {
    #[error(transparent)]
    Cut(#[from] CutError),
    #[error(transparent)]
    Predictions(#[from] BadPredictions),
    #[error(
        "the inputs of {0} cases are not on this device yet: what is cut would not be what others cut"
    )]
    NotHere(usize),
    #[error(
        "it can't be made again: of what it was made of, {} erased since, as {first} on {day}",
        were(*n)
    )]
    Erased { n: usize, first: String, day: String },
    #[error("{path}: line {line}: {message}")]
    Line { path: String, line: usize, message: String },
    #[error("{what} `{id}` is not known here: there {}", are(known))]
    Unknown { what: &'static str, id: String, known: Vec<String> },
    #[error("`{id}` may mean several: {}", found.join(", "))]
    Several { id: String, found: Vec<String> },
    #[error(
        "{file} is not the file that the recipe was used with at first: its sha256 is {found}, and was {pinned}"
    )]
    Pinned { file: String, found: String, pinned: String },
    #[error("{author} may not do this: it takes the role {needs}")]
    Role { author: String, needs: &'static str },
    #[error("{0}")]
    Wrong(String),
}

fn were(n: usize) -> String {
    let verb = if n == 1 { "was" } else { "were" };
    format!("{} {verb}", counted(n, "case"))
}

fn are(known: &[String]) -> String {
    if known.is_empty() {
        return "are none yet".to_owned();
    }
    let more = if known.len() > 8 { ", …" } else { "" };
    let verb = if known.len() == 1 { "is" } else { "are" };
    format!("{verb} {}{more}", known[..known.len().min(8)].join(", "))
}

impl Advice for RetrainError {
    fn next_step(&self) -> Option<String> {
        match self {
            Self::Cut(error) => error.next_step(),
            Self::NotHere(_) => Some("`casework sync` brings them.".to_owned()),
            Self::Erased { .. } => Some(
                "A new cut leaves out what is erased: `casework cut RECIPE --out DIR`.".to_owned(),
            ),
            Self::Pinned { found, .. } => Some(format!(
                "If the new file is meant, say so in the recipe: sha256 = \"{found}\" under [replay]."
            )),
            Self::Role { author, .. } => Some(format!(
                "A lead can let them: `casework roster admit {} --role engineer`.",
                crate::domain::text::visible(author)
            )),
            _ => None,
        }
    }
}
