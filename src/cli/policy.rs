//! `casework policy`: how the team works.

use serde_json::{Value, json};

use super::out::{Out, done};
use super::{CliError, Context, Exit};
use crate::domain::policy::{NAMES, Policy};
use crate::domain::text::visible;
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
    let mut workspace =
        if matches!(what, What::Show) { context.read()? } else { context.open()? };
    let mut policy = workspace.policy()?;
    match what {
        What::Show => {
            let mut out = Out::new();
            if context.global.json {
                out.json(&document(&policy))?;
            } else {
                let usual = Policy::default();
                for (name, help) in NAMES {
                    let value = policy.get(name).unwrap_or_default();
                    let is_usual = usual.get(name).as_ref() == Some(&value);
                    let value = if value.is_empty() { "none".to_owned() } else { value };
                    let mark = if is_usual { "" } else { "  (set)" };
                    out.line(&format!("{name:<18} {}{mark}", visible(&value)))?;
                    out.line(&format!("{:<18}   {help}", ""))?;
                }
            }
            out.finish()?;
        }
        What::Set { values } => {
            // What others are held against comes first.
            let mut values = values.clone();
            values.sort_by_key(|value| !value.starts_with("overlap="));
            for value in &values {
                let (name, value) = value
                    .split_once('=')
                    .ok_or_else(|| CliError::Use(format!("write NAME=VALUE, not `{value}`")))?;
                policy.set(name, value).map_err(WorkError::from)?;
            }
            let limit = workspace.policy()?.limit;
            let asked = values.iter().any(|value| value.starts_with("limit="));
            workspace.set_policy(policy.clone())?;
            let raised = (policy.limit != limit && !asked)
                .then(|| format!(" limit is {} too: it is never below overlap.", policy.limit));
            let words = format!(
                "The policy is set; outcomes were recomputed.{}",
                raised.unwrap_or_default()
            );
            done(context.global.json, &words, &document(&policy))?;
        }
    }
    Ok(Exit::Done)
}

/// Every value, those too that are as they are at first.
fn document(policy: &Policy) -> Value {
    let mut document = serde_json::to_value(policy).unwrap_or_default();
    if let Some(values) = document.as_object_mut() {
        for (name, _) in NAMES {
            let value = policy.get(name).unwrap_or_default();
            let value = match (name, value.as_str(), value.parse::<u32>()) {
                ("require" | "hide" | "alert" | "on", "", _) => json!([]),
                ("training", ..) => json!(policy.training),
                ("escalation", ..) => json!(policy.escalation),
                ("guards" | "encrypt" | "training_required" | "auto_submit" | "copy", is, _) => {
                    json!(is == "yes")
                }
                (_, _, Ok(number)) => json!(number),
                _ => json!(value),
            };
            values.entry(name).or_insert(value);
        }
    }
    document
}
