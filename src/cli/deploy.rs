//! `casework deploy`: which model answers where, so that a prediction leads to what it learned from.

use serde_json::json;

use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::workspace::deployed::Deploy;

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Record that the model of a run answers somewhere
    Record {
        #[arg(long, value_name = "ID")]
        run: String,
        /// Where, as `prod`
        #[arg(long, value_name = "PLACE")]
        to: String,
        /// For which share of what comes
        #[arg(long, default_value = "1.0")]
        share: f64,
        /// What its predictions carry as model.version
        #[arg(long, value_name = "VERSION")]
        model: Option<String>,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Record that it answers there no longer
    End {
        /// The deployment, or where it is
        deployment: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List deployments, the latest first
    List,
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::Record { run, to, share, model, note } => {
            let of = Deploy {
                run: run.clone(),
                to: to.clone(),
                share: *share,
                model: model.clone(),
                note: note.clone(),
            };
            let mut workspace = context.open()?;
            let (found, gate) = workspace.record_deployment(&of)?;
            let learned = workspace.find_run(&found.deployed.run)?;
            if let Some(words) = workspace.withdrawn_words(learned.run.cut)? {
                say(&format!("Careful: the cut {words}"));
            }
            match gate {
                None => say("Careful: no gate was asked about this run. The deployment says so."),
                Some(gate) if found.deployed.gate.as_deref() != Some("pass") => say(&format!(
                    "Careful: its gate `{}` says: {}. The deployment says so.",
                    gate.decided.gate,
                    gate.words()
                )),
                Some(_) => {}
            }
            let one = &found.deployed;
            let words =
                format!("{} answers in {} from now on ({})", one.model, one.to, found.short());
            done(context.global.json, &words, &found.json())?;
            Ok(Exit::Done)
        }
        What::End { deployment, note } => {
            let found = context.open()?.end_deployment(deployment, note)?;
            let words =
                format!("{} answers in {} no longer", found.deployed.model, found.deployed.to);
            done(context.global.json, &words, &found.json())?;
            Ok(Exit::Done)
        }
        What::List => {
            let all = context.read()?.deployments()?;
            let mut out = Out::new();
            for one in &all {
                if context.global.json {
                    out.json(&one.json())?;
                    continue;
                }
                let of = &one.deployed;
                let ended = one
                    .ended
                    .as_ref()
                    .map_or(String::new(), |(at, ..)| format!("  ended {}", at.minute()));
                let gate = of.gate.as_deref().unwrap_or("no gate");
                out.line(&format!(
                    "{}  {:<12} {:<28} share {:<5} gate: {gate}  {} by {}{ended}",
                    one.short(),
                    of.to,
                    of.model,
                    of.share,
                    one.at.minute(),
                    one.author
                ))?;
            }
            out.finish()?;
            if all.is_empty() {
                say("Nothing was deployed from here yet.");
            }
            Ok(if all.is_empty() { Exit::No } else { Exit::Done })
        }
    }
}

/// What came of an import, in words.
pub fn rejected(rejects: &[(usize, String)]) -> serde_json::Value {
    let reject = |(line, reason): &(usize, String)| json!({ "line": line, "reason": reason });
    json!(rejects.iter().map(reject).collect::<Vec<_>>())
}
