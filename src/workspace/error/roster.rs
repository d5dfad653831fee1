//! What can go wrong with who may do what, and what to do about it.

use crate::domain::advice::Advice;

/// What can go wrong with who may do what.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    #[error("no device begins with `{0}`")]
    NoDevice(String),
    #[error("several devices ask to join as `{0}`")]
    SeveralAsk(String),
    #[error("{0} is the last lead: nobody could let anyone in after that")]
    LastLead(String),
    #[error("the lead's role was taken from {0} on this key, and does not come back to it")]
    LedHere(String),
    #[error(
        "who comes in over SSH shares the desk's device with others, and can't retire anybody on it"
    )]
    DeskOfOthers,
}

impl Advice for RosterError {
    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::NoDevice(_) => "`casework roster show` lists devices.",
            Self::SeveralAsk(_) => {
                "`casework roster show` lists their keys; name the right one with --device and the first digits of its id."
            }
            Self::LastLead(_) => {
                "Admit another lead first: `casework roster admit NAME --role lead`."
            }
            Self::DeskOfOthers => "A lead retires people: `casework roster retire NAME`.",
            Self::LedHere(_) => {
                "On their device, `casework roster rotate` makes a new key; after a sync they can be given the role again."
            }
        };
        Some(step.to_owned())
    }

    fn at_work(&self) -> Option<&'static str> {
        matches!(self, Self::SeveralAsk(_))
            .then_some("{people} lists names; a lead admits them there.")
    }
}
