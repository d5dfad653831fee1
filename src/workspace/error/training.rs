//! What can go wrong with gold items and training, and what to do about it.

use crate::domain::advice::Advice;

/// What can go wrong with gold items and training.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    #[error("{0} has not labeled that case")]
    NotLabeled(String),
    #[error("no ruling on that case stands")]
    NotRuled,
    #[error(
        "the ruling on that case names fields and not answers, so that nothing can be compared with it"
    )]
    NoPath,
    #[error("that case is no gold item")]
    NotGold,
    #[error("no protocol `{0}` is published")]
    NoSuchProtocol(String),
}

impl Advice for TrainingError {
    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::NotLabeled(_) => "Label it first: the label becomes the gold item.",
            Self::NotRuled => "`casework rulings` lists those that do.",
            Self::NoPath => "Label it yourself: `casework gold set CASE` takes your label.",
            Self::NotGold => return None,
            Self::NoSuchProtocol(_) => "`casework protocol show` lists those that are published.",
        };
        Some(step.to_owned())
    }

    fn at_work(&self) -> Option<&'static str> {
        matches!(self, Self::NotLabeled(_))
            .then_some("Label it first: the label becomes the gold item.")
    }
}
