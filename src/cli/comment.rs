//! `casework comment`: say something about a case.

use serde_json::json;

use super::out::done;
use super::{CliError, Context, Exit};
use crate::domain::text::is_blank;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case's id, the first digits of it, or the id its stream gave it
    case: String,
    /// In a calibration session
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// The question of the protocol that it is about
    #[arg(long, value_name = "ID", requires = "session")]
    question: Option<String>,
    /// What to say
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
    let saved = match &args.session {
        Some(session) => workspace.comment_in(session, case.id, args.question.as_deref(), &text)?,
        None => workspace.comment(case.id, &text)?,
    };
    let document = json!({ "case": case.id, "event": saved.event() });
    done(context.global.json, &format!("Commented on {}.", case.id.short()), &document)?;
    Ok(Exit::Done)
}
