//! `casework traps`: what each trap flagged, and how often it was right to.

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::text::fit;
use crate::quality::figure::decimal;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let worth = context.read()?.trap_worth()?;
    let mut out = Out::new();
    if !context.global.json && !worth.traps.is_empty() {
        out.line(
            "trap                              seen  flagged  opened  labeled  wrong  precision",
        )?;
    }
    for one in &worth.traps {
        if context.global.json {
            let interval = one.precision.interval;
            let precision = json!({ "value": one.precision.value.ok(), "n": one.precision.n,
                "low": interval.map(|(low, _)| low), "high": interval.map(|(_, high)| high),
                "interval": interval, "reason": one.precision.value.err() });
            out.json(&json!({ "trap": one.trap, "version": one.version, "seen": one.seen,
                "flagged": one.flagged, "opened": one.opened, "labeled": one.labeled,
                "wrong": one.wrong, "precision": precision, "rate": one.rate, "stream": null }))?;
        } else {
            let precision = match one.precision.value {
                Ok(_) => one.precision.describe(),
                Err(_) => "–".to_owned(),
            };
            // A rule that was changed under its name is another one.
            let rules = worth.traps.iter().filter(|other| other.trap == one.trap).count();
            let name = match rules {
                0 | 1 => one.trap.clone(),
                _ => format!("{} {}", fit(&one.trap, 19), one.version.get(..8).unwrap_or_default()),
            };
            out.line(&format!(
                "{name:<28} {:>9} {:>8} {:>7} {:>8} {:>6}  {precision}",
                one.seen, one.flagged, one.opened, one.labeled, one.wrong
            ))?;
        }
    }
    let stream = &worth.stream;
    if context.global.json && !worth.traps.is_empty() {
        let (value, error, reason) = match &stream.rate {
            Ok((value, error)) => (Some(*value), Some(*error), None),
            Err(reason) => (None, None, Some(reason.as_str())),
        };
        // The stream as a whole stands behind its traps.
        out.json(&json!({ "trap": null, "version": null, "seen": null, "flagged": null, "opened": null,
            "labeled": null, "wrong": null, "precision": null, "rate": null, "stream": { "rows": stream.rows, "left_out": stream.left_out, "labeled": stream.labeled,
            "wrong": { "value": value, "n": stream.labeled, "interval": value.zip(error).map(|(v, e)| [v - 1.96 * e, v + 1.96 * e]), "reason": reason },
            "standard_error": error, "unweighted": stream.naive } }))?;
    }
    out.finish()?;
    if worth.traps.is_empty() {
        say("No trap has flagged anything here yet.");
        return Ok(Exit::No);
    }
    match &stream.rate {
        Ok((value, error)) => say(&format!(
            "The model is wrong on {} of {} (standard error {}), from {} labels{}{}.",
            decimal(*value),
            stream.scope(),
            decimal(*error),
            stream.labeled,
            match stream.left_out {
                0 => format!(" of {} predictions", stream.rows),
                n => format!("; the {n} of other days are left out"),
            },
            stream.naive.map_or(String::new(), |naive| format!(
                "; unweighted they would say {}",
                decimal(naive)
            ))
        )),
        Err(reason) => say(&format!("Of the stream as a whole nothing can be said: {reason}.")),
    }
    if worth.left_out > 0 {
        say(&format!("{} settled cases are left out: you may still label them.", worth.left_out));
    }
    Ok(Exit::Done)
}
