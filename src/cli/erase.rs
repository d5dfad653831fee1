//! `casework erase`: forget what a case shows of somebody.

use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::workspace::Erased;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case; without one, every erasure is listed with the stores that have confirmed it
    case: Option<String>,
    /// Why: it stays in the journal, so name no person
    #[arg(long, value_name = "TEXT", requires = "case")]
    reason: Option<String>,
    /// List what was erased, and where
    #[arg(long, conflicts_with = "case")]
    list: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = if args.case.is_some() { context.open()? } else { context.read()? };
    if let Some(name) = &args.case {
        let reason = args.reason.as_ref();
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        let reason = reason.ok_or_else(|| {
            CliError::Use("say why: casework erase CASE --reason TEXT".to_owned())
        })?;
        let case = workspace.find_case_to_change(name)?;
        if let Some(erased) = workspace.erased()?.into_iter().find(|erased| erased.case == case.id)
        {
            let words = format!(
                "{} was erased already, by {} on {}.",
                case.external_id,
                erased.by,
                erased.at.minute()
            );
            done(context.global.json, &words, &serde_json::json!(erased))?;
            return Ok(Exit::Done);
        }
        let others = workspace.erase(&case, reason)?;
        let erased = workspace.erased()?.into_iter().find(|erased| erased.case == case.id);
        let also = match others {
            0 => String::new(),
            1 => " One case that showed it beside its own shows it no more.".to_owned(),
            n => format!(" {n} cases that showed it beside their own show it no more."),
        };
        let words = format!(
            "Input, logs and nearby predictions of {} are erased here.{also}",
            case.external_id
        );
        done(context.global.json, &words, &serde_json::json!(erased))?;
        if let Some(erased) = erased.filter(|_| !context.global.json) {
            explain(&erased);
        }
        return Ok(Exit::Done);
    }
    let mut out = Out::new();
    let all = workspace.erased()?;
    for erased in &all {
        if context.global.json {
            out.json(erased)?;
            continue;
        }
        out.line(&format!(
            "{}  {}  by {} on {}: {}",
            erased.case.short(),
            erased.id,
            erased.by,
            erased.at.minute(),
            erased.reason
        ))?;
        for at in &erased.stores {
            let state = at
                .confirmed
                .map_or("not confirmed yet".to_owned(), |at| format!("confirmed {}", at.minute()));
            out.line(&format!("          {}  {state}", at.store))?;
        }
        for path in &erased.exports {
            out.line(&format!("          {path} still holds it: it was exported before"))?;
        }
    }
    out.finish()?;
    if all.is_empty() && !context.global.json {
        say("Nothing was erased. `casework erase CASE --reason TEXT` forgets what a case shows.");
    }
    Ok(if all.is_empty() { Exit::No } else { Exit::Done })
}

fn explain(erased: &Erased) {
    if erased.stores.is_empty() {
        return say("There is no shared store it could be in.");
    }
    say(
        "The store and everybody else follow on their next sync; `casework erase --list` tells what is confirmed.",
    );
    for path in &erased.exports {
        say(&format!("{path} still holds it: it was exported before, and is yours to remove."));
    }
}
