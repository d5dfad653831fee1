//! `casework reliability`: how reliable you are; for leads, how reliable everybody is.

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::workspace::loop_rows::Changed;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Everybody, up to the beginning of the week, for leads
    #[arg(long)]
    roster: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let all = if args.roster {
        workspace.roster_steadiness()?
    } else {
        workspace.own_reliability()?.into_iter().collect()
    };
    let mut out = Out::new();
    for (n, one) in all.iter().enumerate() {
        if context.global.json {
            out.json(one)?;
            continue;
        }
        if n > 0 {
            out.line("")?;
        }
        one.describe().iter().try_for_each(|line| out.line(line))?;
    }
    if !args.roster {
        for (at, raised) in workspace.own_guards()?.iter().take(5) {
            if context.global.json {
                out.json(
                    &json!({ "at": at.rfc3339(), "guard": raised.guard, "words": raised.words }),
                )?;
            } else {
                out.line(&format!("  suggested {}  {}", at.minute(), raised.words))?;
            }
        }
        let changed = workspace.changed_by_mine()?;
        if context.global.json {
            changed.iter().try_for_each(|one| out.json(&one.json()))?;
        } else {
            Changed::words(&changed).iter().try_for_each(|line| out.line(line))?;
        }
    }
    out.finish()?;
    if all.is_empty() && !context.global.json {
        say("There is no label to tell it from.");
    }
    Ok(if all.is_empty() { Exit::No } else { Exit::Done })
}
