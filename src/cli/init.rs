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
    /// The protocol to begin with: text, llm or fraud
    #[arg(long, value_name = "NAME", default_value = "text")]
    starter: String,
    /// Where the team's journal is shared: a directory, sftp://, s3://, gs://, az:// or postgres://
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Keep payloads in the store readable for the roster's devices only
    #[arg(long, requires = "store")]
    encrypt: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let name = context.global.actor.as_deref();
    let name = name.ok_or_else(|| {
        CliError::Use("say who you are: casework init --name TEAM --as YOU".to_owned())
    })?;
    let (paths, env) = (context.paths()?, context.env.clone());
    let starter = super::protocol::starter(&args.starter)?;
    let workspace = match &args.store {
        Some(url) => Workspace::found_on(paths, env, &args.team, name, url, args.encrypt, starter)?,
        None => Workspace::create(paths, env, &args.team, name, starter)?,
    };
    let place = workspace.paths.workspace.display().to_string();
    let id = workspace.id()?.to_string();
    let words = format!("{} is created at {place}; {name} is its first lead.", args.team);
    let document = json!({ "workspace": id, "path": place, "replica": workspace.replica(), "store": args.store });
    done(context.global.json, &words, &document)?;
    if context.global.json {
        return Ok(Exit::Done);
    }
    if let Some(url) = workspace.store_url()? {
        say(&format!("Others join with: casework join {url} --as NAME --id {}", &id[..16]));
    }
    say(
        "Next: casework ingest STREAM.jsonl --where 'has_prediction && confidence < 0.4', then: casework",
    );
    Ok(Exit::Done)
}
