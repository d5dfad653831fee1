//! Known answers, made of one's own labels.

use super::{Command, Needs, case, write};
use crate::domain::ids::CaseId;
use crate::session::report::Report;
use crate::session::write::{Write, Writing};
use crate::workspace::WorkError;

pub const GOLD: Command = Command::new(
    "gold",
    "make your label of this case a gold item, for training and measuring",
    |session, said| {
        if said.text.is_empty() {
            return session.say("Nothing was written, so nothing was done.");
        }
        case(session, said)
            .map_or_else(Vec::new, |case| write(SetGold { case, why: said.text.clone() }))
    },
)
.asks("Gold item. Said to those who answer differently: ")
.needs(Needs::OwnLabel)
.not_in_training()
.not_in_calibration();

#[derive(Debug)]
struct SetGold {
    case: CaseId,
    why: String,
}

impl Write for SetGold {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        at.workspace.set_gold(self.case, &self.why)?;
        Ok(Report::Noted {
            case: self.case,
            words: "It is a gold item now.".to_owned(),
            leaves_queue: false,
        })
    }
}
