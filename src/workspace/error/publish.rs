//! What can go wrong with publishing a protocol, a glossary or a policy, and what to do about it.

use crate::domain::advice::Advice;
use crate::domain::text::visible;

/// What keeps a protocol, a glossary or a policy from being published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("{id} v{version} is not published: nobody said what changed")]
    NoChanges { id: String, version: u32 },
    #[error("the glossary is not published: protocols in force use terms that are not in it any longer: {}", .0.join(", "))]
    TermsInUse(Vec<String>),
    #[error("nothing was set: {0}")]
    PolicyField(String),
    #[error(
        "{id} is not published: the version before renamed the label `{old}`, and this one does not know that name"
    )]
    RenameDropped { id: String, old: String, new: String },
    #[error("`{0}` is no lead, and could not rule")]
    OwnerNoLead(String),
    #[error("two traps are called `{0}`: one is published, one stands in config.toml")]
    TrapTwice(String),
    #[error("the traps are not published: {0}")]
    TrapName(String),
    #[error("no one alarm begins with `{id}`; open ones are: {known}")]
    NoAlarm { id: String, known: String },
}

impl Advice for PublishError {
    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::NoChanges { .. } => {
                "Say it in a line, for the reviewers: --changes \"asks for the cost of a wrong answer\"."
            }
            Self::RenameDropped { old, new, .. } => {
                return Some(format!(
                    "Keep it, for models that still say it: [rename] labels = {{ {} = \"{}\" }}.",
                    visible(old),
                    visible(new)
                ));
            }
            Self::TermsInUse(_) => "Put them in, or publish protocols first that do not use them.",
            Self::PolicyField(_) => "`casework protocol show` lists the fields that protocols set.",
            Self::NoAlarm { .. } => "`casework trap alarms` lists them.",
            Self::TrapName(_) => {
                "Where a stream has a field of that name, take some of it in first: casework ingest FILE --where true."
            }
            Self::TrapTwice(_) => "Give one of them another name.",
            Self::OwnerNoLead(_) => "`casework roster show` lists leads.",
        };
        Some(step.to_owned())
    }
}
