//! `casework attachment`: what a case brings besides words, written out.

use std::io::{IsTerminal as _, Write as _};

use serde_json::json;

use super::out::Out;
use super::{CliError, Context, Exit};
use crate::domain::modality::named_attachments;
use crate::workspace::attached::{content, look_at};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case's id, the first digits of it, or the id its stream gave it
    case: String,
    /// Which one is written to standard output, by its number in the list
    number: Option<usize>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.read()?;
    let row = workspace.find_case(&args.case)?;
    let mut case = workspace.open_case(row)?;
    case.hide(&workspace.policy()?.hide);
    let parts = case.parts(|cue| case.hidden.contains(&cue));
    let all = named_attachments(&parts);
    let roots = &workspace.config.attachments.roots;
    if let Some(number) = args.number {
        let (_, one) = number.checked_sub(1).and_then(|at| all.get(at)).ok_or_else(|| {
            CliError::Use(format!(
                "{} brings {} attachments, and no {number}",
                args.case,
                all.len()
            ))
        })?;
        let bytes = content(one, roots).map_err(CliError::Use)?;
        let mut out = std::io::stdout().lock();
        if out.is_terminal() {
            return Err(CliError::Use(format!(
                "a terminal is no place for {} bytes: casework attachment {} {number} > FILE",
                bytes.len(),
                args.case
            )));
        }
        out.write_all(&bytes).and_then(|()| out.flush()).map_err(CliError::from)?;
        return Ok(Exit::Done);
    }
    let mut out = Out::new();
    for (number, (name, one)) in (1..).zip(&all) {
        let looked = look_at(name, one, roots);
        if context.global.json {
            out.json(&json!({ "case": case.row.id, "number": number, "field": name,
                "media_type": one.media_type(), "facts": looked.facts, "wrong": looked.wrong }))?;
            continue;
        }
        out.line(&format!("{number} {name}: {}", looked.facts.join("; ")))?;
        for wrong in &looked.wrong {
            out.line(&format!("  ! {wrong}"))?;
        }
    }
    if all.is_empty() && !context.global.json {
        out.line("The case brings nothing besides words.")?;
    }
    out.finish()?;
    Ok(if all.is_empty() { Exit::No } else { Exit::Done })
}
