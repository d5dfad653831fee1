//! `casework roster`: who may do what.

use serde_json::json;

use super::out::{Out, done};
use super::{CliError, Context, Exit};
use crate::domain::roster::Role;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show everybody who was admitted
    Show,
    /// Let somebody work on this device
    Admit {
        name: String,
        /// reviewer, lead, engineer, auditor or agent; may be given several times
        #[arg(long = "role", required = true, value_name = "ROLE", value_parser = role)]
        roles: Vec<Role>,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| format!("the roles are {}", Role::ALL.map(Role::word).join(", ")))
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    match &args.what {
        What::Show => {
            let mut out = Out::new();
            for grant in workspace.roster()? {
                if context.global.json {
                    out.json(&json!({ "name": grant.name, "role": grant.role, "replica": grant.replica }))?;
                } else {
                    let here = if grant.replica == workspace.replica() { "  this device" } else { "" };
                    out.line(&format!("{:<16} {:<9} {}{here}", grant.name, grant.role.word(), grant.replica.short()))?;
                }
            }
            out.finish()?;
        }
        What::Admit { name, roles } => {
            workspace.admit(name, roles, None)?;
            let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
            let document = json!({ "name": name, "roles": roles, "replica": workspace.replica() });
            done(context.global.json, &format!("{name} is admitted as {} on this device.", words.join(", ")), &document)?;
        }
    }
    Ok(Exit::Done)
}
