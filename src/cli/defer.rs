//! `casework defer`: put a case off, for yourself.

use serde_json::json;

use super::out::done;
use super::{CliError, Context, Exit};
use crate::domain::text::is_blank;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case's id, the first digits of it, or the id its stream gave it
    case: String,
    /// Why it has to wait
    #[arg(required = true)]
    text: Vec<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let text = args.text.join(" ");
    if is_blank(&text) {
        return Err(CliError::Use("nothing was written, so nothing was done".to_owned()));
    }
    let mut workspace = context.open()?;
    let case = workspace.find_case_to_change(&args.case)?;
    let until = workspace.defer(case.id, &text)?;
    let document = json!({ "case": case.id, "until": until.rfc3339() });
    done(
        context.global.json,
        &format!("Put {} off until {}.", case.id.short(), until.minute()),
        &document,
    )?;
    Ok(Exit::Done)
}
