//! `casework undo`: take back your latest label or ruling. The journal keeps both.

use serde_json::json;

use super::out::done;
use super::{CliError, Context, Exit};
use crate::domain::label::outcome_words;
use crate::workspace::Undone;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let (given, event) = match workspace.undo()? {
        Undone::Label(given, event) => (given, event),
        Undone::Ruling { case, event } => {
            let row = workspace.find_case(&case.to_string())?;
            let words = format!(
                "Undone: the ruling on {}: it is {} now.",
                case.short(),
                row.state.as_str()
            );
            done(
                context.global.json,
                &words,
                &json!({ "case": case, "state": row.state.as_str(), "event": event }),
            )?;
            return Ok(Exit::Done);
        }
    };
    let label = &given.label;
    let earlier = workspace.counting_label(label.case)?;
    let then = match earlier {
        Some(earlier) => format!("Your label of {} counts again.", earlier.given_at().minute()),
        None => "The case wants a label again.".to_owned(),
    };
    let words = format!("Undone: {} {}. {then}", label.case.short(), outcome_words(&label.outcome));
    done(
        context.global.json,
        &words,
        &json!({ "case": label.case, "label": given.event, "event": event }),
    )?;
    Ok(Exit::Done)
}
