//! `casework precedents`: resolved cases like one, with how they were decided.

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::cues::Cue;
use crate::domain::label::outcome_words;
use crate::domain::text::fit;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case's id, the first digits of it, or the id its stream gave it
    case: String,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.read()?;
    let row = workspace.find_case(&args.case)?;
    let policy = workspace.policy()?;
    let mut opened = workspace.open_case(row.clone())?;
    opened.hide(&policy.hide);
    if opened.hidden.contains(&Cue::Precedents) {
        return Err(CliError::Use(
            "the policy hides cases like it until you have labeled it".to_owned(),
        ));
    }
    let mut found = workspace.precedents(row.id)?;
    if opened.hidden.contains(&Cue::Prediction) {
        // Whether the models said the same of both would tell what they said.
        found.iter_mut().for_each(|one| (one.same_label, one.same_pair) = (false, false));
    }
    let mut out = Out::new();
    for one in &found {
        if context.global.json {
            out.json(&json!({ "case": one.case, "id": one.external_id, "text": one.text, "outcome": one.outcome, "path": one.path,
                "rationale": one.rationale, "likeness": one.likeness, "same_label": one.same_label, "same_pair": one.same_pair }))?;
            continue;
        }
        out.line(&format!(
            "{}  {:>3.0} %  {}",
            one.case.short(),
            one.likeness * 100.0,
            outcome_words(&one.outcome)
        ))?;
        out.line(&format!("          {}", fit(&one.text, 90)))?;
        if !one.rationale.is_empty() {
            out.line(&format!("          “{}”", one.rationale))?;
        }
    }
    out.finish()?;
    if found.is_empty() {
        say("No resolved case is like it.");
    }
    Ok(if found.is_empty() { Exit::No } else { Exit::Done })
}
