//! `casework join`: ask to jointo a workspace.

use std::path::PathBuf;

use serde_json::json;

use super::out::{done, say};
use super::{CliError, Context, Exit};
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The team's shared store
    url: String,
    /// The id that the workspace must have, or the first digits of it
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Sign the request with your own SSH key: its file, or the .pub file of one that is in the
    /// agent
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let name = context.global.actor.as_deref();
    let name = name.ok_or_else(|| {
        CliError::Use(format!("say who you are: casework join {} --as YOU", args.url))
    })?;
    let (paths, env) = (context.paths()?, context.env.clone());
    let (workspace, synced) =
        Workspace::join(paths, env, &args.url, name, args.id.as_deref(), args.ssh_key.as_deref())?;
    let id = workspace.id()?.to_string();
    let (team, replica, key) = (workspace.team()?, workspace.replica(), workspace.fingerprint());
    let words =
        format!("{name} asks to join {team} (workspace {}), with the key {key}.", &id[..16]);
    let document = json!({ "workspace": id, "team": team, "replica": replica, "key": key, "entries": synced.pulled.entries });
    done(context.global.json, &words, &document)?;
    if !context.global.json {
        super::sync::named(&synced.quarantined);
        say("Tell a lead, who compares the key and types:");
        say(&format!("  casework roster admit {name} --role reviewer --device {replica}"));
        say("Until then you can look. Then: casework");
    }
    Ok(Exit::Done)
}
