//! `casework paths`: where things are.

use serde_json::json;

use super::out::Out;
use super::{CliError, Context, Exit};
use crate::config::DEFAULT;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print every option with its default instead
    #[arg(long)]
    default_config: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut out = Out::new();
    if args.default_config {
        out.raw(DEFAULT)?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    let paths = context.paths()?;
    let (workspace, database, config, key) =
        (&paths.workspace, paths.database(), paths.config(), paths.key());
    if context.global.json {
        out.json(
            &json!({ "workspace": workspace, "database": database, "config": config, "key": key }),
        )?;
    } else {
        for (name, path) in
            [("workspace", workspace), ("database", &database), ("config", &config), ("key", &key)]
        {
            let there = if path.exists() { "" } else { "  (not there)" };
            out.line(&format!("{name:<10} {}{there}", path.display()))?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}
