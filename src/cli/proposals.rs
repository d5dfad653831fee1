//! `casework proposals`: cuts that triggers propose. People cut, train and deploy.

use super::out::{Out, say};
use super::{CliError, Context, Exit};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ask the triggers of config.toml first
    #[arg(long)]
    ask: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if args.ask {
        let made = context.open()?.ask_triggers()?;
        for one in &made {
            say(&format!("New: {}", one.proposed.reason));
        }
    }
    let all = context.read()?.cut_proposals()?;
    let mut out = Out::new();
    for one in &all {
        if context.global.json {
            out.json(&one.json())?;
            continue;
        }
        let of = &one.proposed;
        let cut =
            one.cut.map_or("waits".to_owned(), |cut| format!("cut {}", &cut.to_string()[..12]));
        out.line(&format!(
            "{}  {}  {:<16} {}  {}",
            of.proposal,
            one.at.minute(),
            cut,
            of.recipe,
            of.reason
        ))?;
    }
    out.finish()?;
    if all.is_empty() {
        say("No cut is proposed. Triggers stand in config.toml; --ask asks them.");
    }
    Ok(if all.is_empty() { Exit::No } else { Exit::Done })
}
