//! `casework demo`: an invented parcel desk, to try everything on.

use std::path::PathBuf;

use super::out::{Out, say};
use super::{CliError, Context};
use crate::clock;
use crate::config::Paths;
use crate::dataset::Rows;
use crate::demo::SEED;
use crate::domain::label::outcome_words;
use crate::domain::protocol::walk::answer_text;
use crate::review::Draft;
use crate::workspace::{DEMO_TEAM, WorkError, Workspace};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to make the workspace
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Do the journey without a terminal, and print it
    #[arg(long)]
    headless: bool,
}

/// The workspace to review, or nothing if the journey was printed.
pub fn run(context: &Context, args: &Args) -> Result<Option<Workspace>, CliError> {
    let paths = match args.dir.clone().or_else(|| context.global.workspace.clone()) {
        Some(workspace) => Paths { workspace },
        None => Paths::demo().map_err(WorkError::from)?,
    };
    let known = paths.database().exists();
    let started = clock::instant();
    let mut workspace = if known {
        Workspace::open(paths, context.env.clone(), context.global.actor.as_deref())?
    } else {
        Workspace::found_demo(paths, context.env.clone(), SEED, clock::now())?
    };
    if known && workspace.team()? != DEMO_TEAM {
        let place = workspace.paths.workspace.display();
        return Err(CliError::Use(format!("{place} is a workspace of your own, not a demo: name another directory with --dir")));
    }
    let place = workspace.paths.workspace.display().to_string();
    let seconds = started.elapsed().as_secs_f64();
    if known {
        say(&format!("The demo at {place} goes on. Remove the directory to begin anew."));
    } else {
        say(&format!("An invented parcel desk was made at {place} in {seconds:.1} s."));
    }
    if !args.headless {
        return Ok(Some(workspace));
    }
    journey(&mut workspace)?;
    Ok(None)
}

/// What a newcomer would do, step by step.
fn journey(workspace: &mut Workspace) -> Result<(), CliError> {
    let mut out = Out::new();
    let status = workspace.status()?;
    let (_, counts) = workspace.queue()?;
    let cases = status.cases;
    out.line(&format!("cases    {} open, {} disputed, {} resolved", cases.open, cases.disputed, cases.resolved))?;
    out.line(&format!(
        "labels   {} by {} reviewers; {} cases wait for {}",
        status.labels,
        status.replicas - 1,
        counts.mine(),
        workspace.me
    ))?;
    if let Some(row) = workspace.first_in_queue()? {
        label_one(workspace, row, &mut out)?;
    }
    let report = workspace.verify()?;
    out.line(&format!("verify   {} entries, {} faults", report.entries, report.faults.len()))?;
    let mut rows = 0;
    workspace.export::<CliError>(Rows::Cases, |_| {
        rows += 1;
        Ok(())
    })?;
    out.line(&format!("export   {rows} resolved cases"))?;
    out.line(&format!("digest   {}", workspace.status()?.digest))?;
    out.finish()?;
    Ok(())
}

fn label_one(workspace: &mut Workspace, row: crate::review::CaseRow, out: &mut Out) -> Result<(), CliError> {
    let case = workspace.open_case(row)?;
    let row = &case.row;
    out.line(&format!("case     {} {}: {}", row.id.short(), row.own, row.text))?;
    let said = row.predicted.as_deref().unwrap_or("nothing");
    out.line(&format!(
        "model    {} said {said} {:.2}; flagged: {}",
        row.model,
        row.confidence.unwrap_or(0.0),
        row.flags.join(", ")
    ))?;
    out.line(&format!("context  {} log lines, {} predictions around it", case.own_logs(), case.neighbours.len()))?;
    let protocols = workspace.protocols()?;
    let published = protocols.for_stream(&row.stream).ok_or_else(|| WorkError::NoProtocol(row.stream.clone()))?;
    let mut draft = Draft { confidence: Some(3), rationale: "first label of the demo".to_owned(), ..Draft::default() };
    while let Some(question) = draft.question(&published.protocol) {
        let (id, ask) = (question.id.clone(), question.ask.clone());
        let first = question.kind.answers().first().map_or("1", |answer| answer.key.as_str());
        draft.answer(&id, first);
        let path = draft.path(&published.protocol);
        let Some((_, answer)) = path.last().filter(|(last, _)| *last == id) else { break };
        let text = published.protocol.question(&id).map_or_else(|| answer.clone(), |question| answer_text(question, answer));
        out.line(&format!("  {ask}  {text}"))?;
    }
    let label = workspace.label_of(row, &draft, published)?;
    let words = outcome_words(&label.outcome);
    let saved = workspace.submit(label)?;
    out.line(&format!("label    {words}; on disk as entry {}", saved.seq))?;
    Ok(())
}
