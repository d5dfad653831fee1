//! `casework appeal`: ask to have a ruling looked at again that overruled you.

use serde_json::json;

use super::out::done;
use super::{CliError, Context, Exit};
use crate::domain::text::is_blank;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case's id, the first digits of it, or the id its stream gave it
    case: String,
    /// What the ruling did not weigh
    #[arg(required = true)]
    text: Vec<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if args.text.iter().all(|text| is_blank(text)) {
        return Err(CliError::Use(
            "say what the ruling did not weigh: `casework appeal CASE TEXT`".to_owned(),
        ));
    }
    let mut workspace = context.open()?;
    let case = workspace.find_case_to_change(&args.case)?;
    let saved = workspace.appeal(case.id, &args.text.join(" "))?;
    let words = format!(
        "Appealed: {} is disputed again, and lies with {}.",
        case.id.short(),
        workspace.owner()?
    );
    done(context.global.json, &words, &json!({ "case": case.id, "event": saved.event() }))?;
    Ok(Exit::Done)
}
