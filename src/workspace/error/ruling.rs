//! What can go wrong with a ruling or an appeal, and what to do about it.

use crate::domain::advice::Advice;
use crate::domain::ids::CaseId;
use crate::domain::text::visible;

/// What can go wrong with a ruling, or an appeal against one.
#[derive(Debug, thiserror::Error)]
pub enum RulingError {
    #[error("there is nothing to rule on {}: its labels are not in dispute", .0.short())]
    NoConflict(CaseId),
    #[error("no ruling counts on {}", .0.short())]
    NoRuling(CaseId),
    #[error("the ruling on {} says what your label said, or you gave none", .0.short())]
    NotOverruled(CaseId),
    #[error("you have appealed on {} already: each may once on a case", .0.short())]
    AppealedAlready(CaseId),
    #[error("say why: nothing was written, so nothing was done")]
    NoRationale,
    #[error("say what it counts as: one of the labels, fields, or answers")]
    NoVerdict,
    #[error("no label here is called {0}: there are {names}", names = .1.iter().map(char::to_string).collect::<Vec<_>>().join(", "))]
    NoSide(char, Vec<char>),
    #[error("the calibration session `{session}` agreed on nothing here{}", agreed_words(known))]
    NoAgreement { session: String, known: Vec<String> },
    #[error("whoever gave {side} reviews here no more, and can be asked nothing")]
    Gone { side: char },
    #[error("{side} was not asked `{question}`")]
    NotAsked { side: char, question: String },
    #[error("say at which question `{0}` must change: the labels diverge at none that it has")]
    NoQuestion(String),
    #[error("`{question}` is no question of `{protocol}`")]
    NotAQuestion { protocol: String, question: String },
    #[error("`{protocol}` sets no field `{field}`: there are {known}")]
    NoField { protocol: String, field: String, known: String },
    #[error("`{protocol}` wants `{field}` of every outcome")]
    Required { protocol: String, field: String },
    #[error("no answer sets `{field}` to `{value}`: there are {known}")]
    NoValue { field: String, value: String, known: String },
    #[error("`{protocol}` has no label `{label}`")]
    NoLabel { protocol: String, label: String },
}

fn agreed_words(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; {} did", known.join(", ")) }
}

impl Advice for RulingError {
    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::NoConflict(_) => {
                "`casework arbitrate` lists what waits to be settled; an undisputed label is taken back with `undo`."
            }
            Self::NoRuling(_) | Self::NotOverruled(_) | Self::AppealedAlready(_) => {
                "`casework rulings --overruled` lists where you were overruled; `casework comment CASE TEXT` says more."
            }
            Self::NoRationale => "--rationale TEXT",
            Self::NoVerdict => "--take SIDE, --outcome FIELD=VALUE, or --answer QUESTION=VALUE",
            Self::NoQuestion(_) | Self::NotAQuestion { .. } => {
                "--change QUESTION or --change QUESTION=TEXT; `casework protocol show` lists them."
            }
            Self::Required { field, .. } => {
                let field = visible(field);
                return Some(format!(
                    "Add --outcome {field}=VALUE, or walk it: --answer QUESTION=VALUE."
                ));
            }
            Self::NoField { .. } | Self::NoLabel { .. } | Self::NoValue { .. } => {
                "`casework protocol show` lists fields and labels."
            }
            Self::Gone { .. } => "Rule instead: --take SIDE, --outcome FIELD=VALUE.",
            Self::NoSide(..) | Self::NoAgreement { .. } | Self::NotAsked { .. } => return None,
        };
        Some(step.to_owned())
    }

    fn at_work(&self) -> Option<&'static str> {
        match self {
            Self::NoConflict(_) => {
                Some("{view} shows disputed cases; {undo} undoes your own label.")
            }
            Self::NoRuling(_) | Self::NotOverruled(_) | Self::AppealedAlready(_) => {
                Some("{overruled} lists where you were overruled; {comment} says more.")
            }
            Self::NoRationale => Some("Say why, in words that can be read."),
            _ => None,
        }
    }
}
