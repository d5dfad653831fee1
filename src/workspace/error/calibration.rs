//! What can go wrong with a calibration session, and what to do about it.

use crate::domain::advice::Advice;
use crate::domain::calibration::Stage;
use crate::domain::ids::CaseId;

/// What can go wrong with a calibration session.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    #[error("no calibration session is called `{0}`")]
    Unknown(String),
    #[error("there is a calibration session `{0}` already")]
    Exists(String),
    #[error("a session takes two reviewers or more")]
    OfOne,
    #[error("no case was chosen")]
    Empty,
    #[error("`{0}` can't be read here: write {1}")]
    Opening(String, &'static str),
    #[error("that can't be done now with the session `{0}`: {stage}", stage = .1.as_str())]
    Stage(String, Stage),
    #[error("{late} of {of} reviewers have not labeled every case, and there is still time")]
    UnderWay { late: usize, of: usize },
    #[error(
        "{by} opened the session `{session}`: with time left, only they or {owner}, the owner, reveal it"
    )]
    NotYours { session: String, by: String, owner: String },
    #[error("this device was not given the key of the session `{session}`")]
    NoKey { session: String, holders: Vec<String> },
    #[error("{reviewer} was not asked into the session `{session}`")]
    NotInvited { session: String, reviewer: String },
    #[error("{} is no case of the session `{session}`", case.short())]
    NotInIt { session: String, case: CaseId },
    #[error("there is no round `{round}`: there are {}", known.join(", "))]
    NoRound { round: String, known: Vec<String> },
    #[error("the labels of the session `{0}` are hidden until it is revealed")]
    Hidden(String),
}

impl Advice for CalibrationError {
    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Unknown(_) | Self::Exists(_) => "`casework calibrate` lists them.",
            Self::OfOne => {
                "Name them: --reviewers ana,bo; `casework roster show` lists who reviews."
            }
            Self::Empty => "Choose others: --random N takes any.",
            Self::Stage(_, Stage::Blind) | Self::Hidden(_) => {
                "`casework calibrate reveal NAME` ends the first round."
            }
            Self::Stage(_, Stage::Discussion) => {
                "`casework calibrate close NAME` ends the second round."
            }
            Self::Stage(_, Stage::CalledOff) => {
                "Nothing of it was revealed: `casework calibrate reopen NAME` lets it go on."
            }
            Self::Stage(_, Stage::Closed) => {
                "`casework calibrate findings NAME` says what it found; `calibrate reopen NAME` lets it go on."
            }
            Self::NoRound { .. } | Self::Opening(..) => return None,
            Self::UnderWay { .. } => {
                "`casework calibrate show NAME` says who; --early reveals it all the same."
            }
            Self::NotYours { session, .. } => {
                return Some(format!(
                    "`casework calibrate show {session}` says how long it lasts; any lead reveals it after that."
                ));
            }
            Self::NoKey { holders, .. } if holders.is_empty() => {
                "Nobody who leads has it any more: what was said in it can't be read; open another."
            }
            Self::NoKey { session, holders } => {
                return Some(format!(
                    "{} can reveal it, and `casework sync` there gives this device its key: `casework calibrate show {session}`.",
                    holders.join(" or ")
                ));
            }
            Self::NotInvited { .. } | Self::NotInIt { .. } => {
                "`casework calibrate show NAME --json` lists reviewers and cases."
            }
        };
        Some(step.to_owned())
    }

    fn at_work(&self) -> Option<&'static str> {
        match self {
            Self::Unknown(_) | Self::NotInvited { .. } | Self::NotInIt { .. } => {
                Some("{sessions} lists them, with who takes part.")
            }
            Self::Stage(_, Stage::Blind) | Self::Hidden(_) => {
                Some("{sessions} lists them: a lead ends the blind round there, by {reveal}.")
            }
            Self::Stage(_, Stage::Closed) => {
                Some("{sessions} lists them: {findings} says what it found.")
            }
            Self::UnderWay { .. } => Some("{sessions} shows who has not labeled every case."),
            _ => None,
        }
    }
}
