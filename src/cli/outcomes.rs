//! `casework outcomes`: how good the model turned out to be.

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::quality::figure::decimal;
use crate::retrain::outcomes::{By, fair, groups};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Count by day, week, model, trap, or slice (the category that reviewers set)
    #[arg(long, value_parser = By::NAMES)]
    by: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let judged = workspace.judged()?;
    let by = args.by.as_deref().and_then(By::named).unwrap_or(By::All);
    let found = groups(&judged, by);
    let mut out = Out::new();
    if !context.global.json && !found.is_empty() {
        out.line("                                   n   right  accuracy                confidence (the model's own opinion)")?;
    }
    for group in &found {
        if context.global.json {
            let mut row = json!({ "by": args.by.as_deref().unwrap_or("all"), "name": group.name, "outcomes": group.n,
                "right": group.right, "accuracy": group.accuracy, "expected_accuracy": group.expected });
            for key in ["accuracy", "expected_accuracy"] {
                if row[key]["reason"].is_null() {
                    row[key]["reason"] = serde_json::Value::Null;
                }
            }
            out.json(&row)?;
        } else {
            let name = if group.name.is_empty() { "–" } else { &group.name };
            let expected = group.expected.value.map_or("–".to_owned(), decimal);
            out.line(&format!(
                "{name:<28} {:>7} {:>7}  {:<22}  {expected}",
                group.n,
                group.right,
                group.accuracy.describe()
            ))?;
        }
    }
    out.finish()?;
    if judged.is_empty() {
        say("Nothing turned out of any case here yet: casework outcome import FILE.");
        return Ok(Exit::No);
    }
    let fair = fair(&judged);
    if fair.flagged_alone {
        say(
            "All of these were flagged. How often the model is right on the predictions that were not, they do not say.",
        );
    } else if fair.judged.len() < judged.len()
        && let Some(group) = groups(&fair.judged, By::All).first()
    {
        say(&format!(
            "Flagged ones do not stand for all. Of the {} that were drawn from all predictions alike, the model is right on {}.",
            group.n,
            group.accuracy.describe()
        ));
    }
    let stream = workspace.trap_worth()?.stream;
    if let Ok((value, error)) = stream.rate {
        say(&format!(
            "By labels, weighted back from what was sampled, the model is wrong on {} of {} (standard error {}).",
            decimal(value),
            stream.scope(),
            decimal(error)
        ));
    }
    Ok(Exit::Done)
}
