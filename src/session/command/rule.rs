//! Rulings on disputed cases, questions to authors, appeals.

use super::{Command, Needs, case, write};
use crate::domain::ids::CaseId;
use crate::domain::label::outcome_words;
use crate::review::Draft;
use crate::session::effect::Effect;
use crate::session::report::Report;
use crate::session::state::Session;
use crate::session::write::{Write, Writing};
use crate::workspace::WorkError;
use crate::workspace::arbitration::{Reasons, RulingChoice};

pub const ARBITRATE: Command = Command::new(
    "arbitrate",
    "labels side by side; of a disputed case without names, to rule on it",
    |session, said| case(session, said).map_or_else(Vec::new, |case| session.arbitrate(case)),
)
.needs(Needs::Case)
.not_in_training();

pub const OVERRULED: Command =
    Command::new("overruled", "where you were overruled, and why; you may appeal", |_, _| {
        vec![Effect::Overruled]
    })
    .not_in_training()
    .not_in_calibration();

impl Session {
    /// Rules on a disputed case.
    pub fn rule(&mut self, case: CaseId, verdict: RulingChoice, reasons: Reasons) -> Vec<Effect> {
        write(Rule { case, verdict, reasons })
    }

    /// Returns a label to its author, with a question.
    pub fn ask_author(&mut self, case: CaseId, side: char, text: String) -> Vec<Effect> {
        write(Return { case, side, text })
    }

    /// Appeals against a ruling.
    pub fn appeal(&mut self, case: CaseId, why: &str) -> Vec<Effect> {
        if why.is_empty() {
            return self.say("Nothing was written, so nothing was done.");
        }
        write(Appeal { case, why: why.to_owned() })
    }
}

#[derive(Debug)]
struct Rule {
    case: CaseId,
    verdict: RulingChoice,
    reasons: Reasons,
}

impl Write for Rule {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        let case = self.case;
        let row = at.workspace.find_case(&case.to_string())?;
        let (ruling, _) = at.workspace.rule(row, self.verdict, self.reasons)?;
        // What was answered to rule is no label in the making.
        at.drafts.remove(&case);
        at.workspace.keep_draft(case, &Draft::default())?;
        Ok(Report::Ruled {
            case,
            words: format!("{} counts as {}.", case.short(), outcome_words(&ruling.outcome)),
        })
    }

    fn switches(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Return {
    case: CaseId,
    side: char,
    text: String,
}

impl Write for Return {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        let row = at.workspace.find_case(&self.case.to_string())?;
        at.workspace.return_label(row, self.side, None, &self.text)?;
        let words =
            format!("The author of {} is asked; until they answer, their label counts.", self.side);
        Ok(Report::Ruled { case: self.case, words })
    }

    fn switches(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Appeal {
    case: CaseId,
    why: String,
}

impl Write for Appeal {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        at.workspace.appeal(self.case, &self.why)?;
        Ok(Report::Noted {
            case: self.case,
            words: "Appealed: it is disputed again.".to_owned(),
            leaves_queue: false,
        })
    }
}
