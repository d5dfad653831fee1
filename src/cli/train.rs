//! `casework train`: cases whose right answer is known, with immediate feedback. On a terminal it
//! is the review screen; with `--lines`, or without one, it goes line by line.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use super::error::exit_code;
use super::out::{done, say};
use super::{CliError, Context, Exit};
use crate::domain::policy::Training as Rules;
use crate::workspace::{TrainingSet, Workspace};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The protocol's id
    #[arg(value_name = "NAME")]
    protocol: String,
    /// Print questions and read answers line by line
    #[arg(long)]
    lines: bool,
}

/// A training that is to be gone through.
pub struct Train {
    pub workspace: Workspace,
    pub lessons: TrainingSet,
    /// Line by line, without a screen.
    pub by_lines: bool,
    pub json: bool,
}

/// What is to be gone through, and how.
pub fn run(context: &Context, args: &Args) -> Result<Train, CliError> {
    let workspace = context.open()?;
    let lessons = workspace.lessons(&args.protocol)?;
    if lessons.outdated > 0 {
        say(&format!(
            "{} gold items lack an answer that the version in force asks: a lead answers them again.",
            lessons.outdated
        ));
    }
    if lessons.all.is_empty() {
        return Err(CliError::Use(format!(
            "no case of {} is a gold item yet: a lead labels one and says `casework gold set CASE`",
            args.protocol
        )));
    }
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let asked = args.lines || context.global.linear;
    let linear = context.env.linear_because(asked, workspace.linear_wanted()?);
    let by_lines = !terminal || linear.is_some();
    Ok(Train { workspace, lessons, by_lines, json: context.global.json })
}

/// Ends a training that was gone through line by line: so many right of so many, or left before the
/// end.
pub fn trained(
    protocol: &str,
    rules: &Rules,
    result: Option<(usize, usize)>,
    json: bool,
) -> ExitCode {
    let Some((right, of)) = result else {
        return exit_code(Err(CliError::Use(
            "left before the end: nothing is recorded".to_owned(),
        )));
    };
    let document = serde_json::json!({ "protocol": protocol, "right": right, "of": of, "passed": rules.passes(right, of) });
    // Without --json it was said already.
    let said = if json { done(json, "", &document) } else { Ok(()) };
    exit_code(said.map(|()| Exit::Done).map_err(CliError::from))
}
