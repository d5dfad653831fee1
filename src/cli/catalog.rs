//! `casework catalog`: what was labeled and learned from, so that edge cases are used again.

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit, TimeArg};
use crate::workspace::catalog::Wanted;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Words that all have to be in it: a category, a stream, a model, a name
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// Only what was done since, and labels of what occurred since
    #[arg(long, value_name = "TIME", value_parser = super::since)]
    since: Option<TimeArg>,
    /// Only what was done until then, and labels of what occurred until then
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    until: Option<TimeArg>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let moment = |time: Option<TimeArg>| time.map(|time| time.moment(workspace.now())).transpose();
    let (since, until) = (moment(args.since)?, moment(args.until)?);
    let found = workspace.catalog(&Wanted { words: args.words.clone(), since, until })?;
    let mut out = Out::new();
    for one in &found {
        if context.global.json {
            out.json(&json!({ "kind": one.kind, "workspace": one.workspace, "id": one.id, "text": one.text,
                "at": one.at.map(|at| at.rfc3339()) }))?;
        } else {
            let at = one.at.map_or(String::new(), |at| format!("  {}", at.minute()));
            out.line(&format!(
                "{:<11} {:<24} {}  ({}){at}",
                one.kind, one.id, one.text, one.workspace
            ))?;
        }
    }
    out.finish()?;
    if found.is_empty() {
        say(match since.is_some() || until.is_some() {
            true => "Nothing of that time here has all of these words.",
            false => "Nothing here has all of these words.",
        });
    }
    Ok(if found.is_empty() { Exit::No } else { Exit::Done })
}
