//! `casework init`: found a workspace.

use super::out::say;
use super::{CliError, Context, Exit};
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The team's name
    #[arg(long = "name", value_name = "TEAM")]
    team: String,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let name = context.global.actor.as_deref();
    let name = name.ok_or_else(|| CliError::Use("say who you are: casework init --name TEAM --as YOU".to_owned()))?;
    let workspace = Workspace::found(context.paths()?, context.env.clone(), &args.team, name)?;
    say(&format!("{} is founded at {}; {name} is its first lead.", args.team, workspace.paths.workspace.display()));
    say("Next: casework ingest STREAM.jsonl --where 'confidence < 0.4', then: casework");
    Ok(Exit::Done)
}
