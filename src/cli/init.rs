//! `casework init`: found a workspace.

use serde_json::json;

use super::out::{done, say};
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
    let place = workspace.paths.workspace.display().to_string();
    let words = format!("{} is founded at {place}; {name} is its first lead.", args.team);
    let document = json!({ "workspace": workspace.status()?.workspace, "path": place, "replica": workspace.replica() });
    done(context.global.json, &words, &document)?;
    if !context.global.json {
        say("Next: casework ingest STREAM.jsonl --where 'has_prediction && confidence < 0.4', then: casework");
    }
    Ok(Exit::Done)
}
