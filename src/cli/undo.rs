//! `casework undo` and `casework redo`: take back the last thing you did, and take that back again.
//! The journal keeps all of it.

use serde_json::json;

use super::out::done;
use super::{CliError, Context, Exit};
use crate::workspace::{Deed, Undone, Workspace};

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn undo(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let undone = workspace.undo()?;
    tell(context, &workspace, &undone, "Undone", "`casework redo` takes that back.")
}

pub fn redo(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let undone = workspace.redo()?;
    tell(context, &workspace, &undone, "Done again", "")
}

fn tell(
    context: &Context,
    workspace: &Workspace,
    undone: &Undone,
    what: &str,
    hint: &str,
) -> Result<Exit, CliError> {
    let Undone { deed, event } = undone;
    let row = workspace.find_case(&deed.case().to_string())?;
    let then = match deed {
        Deed::Label(_) => match workspace.counting_label(row.id)? {
            Some(counts) => format!(" Your label of {} counts.", counts.given_at().minute()),
            None => " You have no label on it now.".to_owned(),
        },
        Deed::Ruling { .. } => format!(" It is {} now.", row.state.as_str()),
        Deed::Note(_) => String::new(),
    };
    let kind = match deed {
        Deed::Label(_) => "label",
        Deed::Ruling { .. } => "ruling",
        Deed::Note(note) => note.kind.as_str(),
    };
    let label = match deed {
        Deed::Label(given) => Some(given.event),
        Deed::Ruling { .. } | Deed::Note(_) => None,
    };
    done(
        context.global.json,
        format!("{what}: {}.{then} {hint}", deed.words()).trim_end(),
        &json!({ "case": row.id, "id": row.external_id, "what": kind, "label": label, "state": row.state.as_str(), "event": event }),
    )?;
    Ok(Exit::Done)
}
