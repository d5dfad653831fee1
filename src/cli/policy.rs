//! `casework policy`: how the team works.

use super::out::{Out, done};
use super::{CliError, Context, Exit};
use crate::domain::policy::NAMES;
use crate::workspace::WorkError;

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Show the policy that counts
    Show,
    /// Change values: overlap=2 rule=majority on=label sla_hours=48 …
    #[command(after_help = names())]
    Set {
        #[arg(required = true, value_name = "NAME=VALUE")]
        values: Vec<String>,
    },
}

/// Every name and what it is, for the help.
fn names() -> String {
    let line = |(name, about): &(&str, &str)| format!("  {name:<18} {about}\n");
    format!("Names:\n{}", NAMES.iter().map(line).collect::<String>())
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let mut policy = workspace.policy()?;
    match what {
        What::Show => {
            let mut out = Out::new();
            let json = serde_json::to_value(&policy).unwrap_or_default();
            if context.global.json {
                out.json(&json)?;
            } else {
                for (name, value) in json.as_object().into_iter().flatten() {
                    out.line(&format!("{name:<10} {value}"))?;
                }
            }
            out.finish()?;
        }
        What::Set { values } => {
            for value in values {
                let (name, value) = value
                    .split_once('=')
                    .ok_or_else(|| CliError::Use(format!("write NAME=VALUE, not `{value}`")))?;
                policy.set(name, value).map_err(WorkError::from)?;
            }
            workspace.set_policy(policy.clone())?;
            let document = serde_json::to_value(&policy).unwrap_or_default();
            done(context.global.json, "The policy is set; outcomes were recomputed.", &document)?;
        }
    }
    Ok(Exit::Done)
}
