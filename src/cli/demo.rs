//! `casework demo`: an invented parcel desk, to try everything on.

use std::path::PathBuf;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::clock;
use crate::config::Paths;
use crate::demo::SEED;
use crate::domain::text::counted;
use crate::format::Rows;
use crate::retrain::outcomes::{By, groups};
use crate::workspace::gates::standing_now;
use crate::workspace::{DEMO_TEAM, WorkError, Workspace};

/// What the journey answers: the first answer to each question, then how sure and why.
const ANSWERS: &str = "1\n1\n1\n1\nsure 3\nwhy first label of the demo\nsubmit\nquit\n";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to make the workspace
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Do the journey without a terminal, and print it
    #[arg(long)]
    headless: bool,
}

/// A demo that is made, or goes on.
pub struct Demo {
    pub workspace: Workspace,
    /// The journey is to be made without a terminal.
    pub headless: bool,
}

/// Makes the workspace, or opens it again.
pub fn run(context: &Context, args: &Args) -> Result<Demo, CliError> {
    let paths = match args.dir.clone().or_else(|| context.global.workspace.clone()) {
        Some(workspace) => Paths { workspace },
        None => Paths::demo().map_err(WorkError::from)?,
    };
    let known = paths.database().exists();
    let started = clock::instant();
    let mut workspace = if known {
        Workspace::open(paths, context.env.clone(), context.global.actor.as_deref())?
    } else {
        Workspace::create_demo(paths, context.env.clone(), SEED, clock::now())?
    };
    if known && workspace.team()? != DEMO_TEAM {
        let place = workspace.paths.workspace.display();
        return Err(CliError::Use(format!(
            "{place} is a workspace of your own, not a demo: name another directory with --dir"
        )));
    }
    if !known && let Err(error) = workspace.demo_loop(&std::env::current_exe()?, SEED) {
        // Where nothing can be trained, there is still a desk to label at.
        say(&format!("The demo has no retraining here: {error}"));
    }
    let place = workspace.paths.workspace.display().to_string();
    let seconds = started.elapsed().as_secs_f64();
    if known {
        say(&format!("The demo at {place} goes on. Remove the directory to begin again."));
    } else {
        say(&format!("An invented parcel desk was made at {place} in {seconds:.1} s."));
    }
    Ok(Demo { workspace, headless: args.headless })
}

/// What was cut, trained, refused, deployed, and the way of one message through it all.
fn loop_lines(workspace: &mut Workspace, out: &mut Out) -> Result<(), CliError> {
    for cut in workspace.cuts()?.iter().take(1) {
        let one = &cut.cut;
        out.line(&format!("cut      {} {}: {}", one.name, one.version, counted(one.rows, "row")))?;
    }
    let gates = workspace.gates()?;
    for run in workspace.runs()?.iter().rev() {
        let gate = standing_now(&gates, &run.run.run);
        let said = gate.map_or("no gate".to_owned(), |gate| gate.words());
        out.line(&format!(
            "run      {}: {}, its gate says {said}",
            run.run.pipeline, run.run.state
        ))?;
    }
    for one in workspace.deployments()? {
        out.line(&format!("deployed {} to {}", one.deployed.model, one.deployed.to))?;
    }
    for group in groups(&workspace.judged()?, By::Model) {
        out.line(&format!(
            "outcomes {}: {} known, right {}",
            group.name,
            group.n,
            group.accuracy.describe()
        ))?;
    }
    let due = workspace.due_items()?;
    for bound in workspace.bounds(&due)?.iter().filter(|bound| bound.is_crossed()) {
        out.line(&format!("alert    {}: it is {}", bound.threshold, bound.words()))?;
    }
    for alarm in workspace.raised_alarms()?.iter().filter(|alarm| alarm.is_open()) {
        let drawn = alarm.raised.cases.len();
        out.line(&format!("alarm    {}; {} drawn", alarm.words(), counted(drawn, "case")))?;
    }
    let Some((message, text)) = workspace.demo_message()? else { return Ok(()) };
    out.line(&format!("trace    {message}, \"{text}\""))?;
    let lineage = workspace.lineage(&message)?;
    for row in lineage.tree() {
        out.line(&format!("         {}", lineage.words(&row)))?;
    }
    Ok(())
}

/// What a newcomer would do, step by step; `label` labels the first case of the queue line by line,
/// by these answers.
pub fn journey(
    workspace: &mut Workspace,
    label: impl FnOnce(Workspace, &str) -> Result<(), CliError>,
) -> Result<Exit, CliError> {
    let mut out = Out::new();
    let status = workspace.status()?;
    let (_, counts) = workspace.queue()?;
    let cases = status.cases;
    out.line(&format!(
        "cases    {} open, {} disputed, {} resolved",
        cases.open, cases.disputed, cases.resolved
    ))?;
    out.line(&format!(
        "labels   {} by {} reviewers; {} cases wait for {}",
        status.labels,
        status.replicas - 1,
        counts.mine(),
        workspace.me
    ))?;
    out.finish()?;

    label(workspace.reopen()?, ANSWERS)?;
    let mut out = Out::new();
    let report = workspace.verify()?;
    out.line(&format!(
        "verify   {}, {}",
        counted(report.entries, "entry"),
        counted(report.faults.len(), "fault")
    ))?;
    let exported = workspace.export::<_, WorkError>(Rows::Cases, |_| Ok(()), Ok)?;
    out.line(&format!("export   {}", counted(exported.rows, "resolved case")))?;
    loop_lines(workspace, &mut out)?;
    out.line(&format!("digest   {}", workspace.status()?.digest))?;
    out.finish()?;
    Ok(Exit::Done)
}
