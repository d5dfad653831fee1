//! `casework run`: retraining, with everything recorded that it takes to do it again.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::or_faults;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::demo::lesson::{Row, retrain};
use crate::sandbox::Level;
use crate::sandbox::helper::become_step;
use crate::workspace::gates::standing_now;
use crate::workspace::retraining::{Request, read_pipeline};
use crate::workspace::runs::{Elsewhere, KnownRun, metric_changes};
use crate::workspace::validating::Made;
use crate::workspace::{WorkError, read_file};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// The pipeline: its cut, its steps, its limits
    #[arg(value_name = "PIPELINE.toml")]
    pipeline: Option<PathBuf>,
    /// Run it so often, and say whether it comes to the same
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u8).range(1..=2))]
    repeat: u8,
    /// What holds steps back
    #[arg(long, default_value = "auto", value_parser = Level::NAMES)]
    sandbox: String,
    /// Where the cut lies, if it is not beside the pipeline
    #[arg(long, value_name = "DIR")]
    cut: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Record a training that was done elsewhere
    Record {
        /// What it learned from
        #[arg(long, value_name = "ID")]
        cut: String,
        /// What it is called
        #[arg(long, default_value = "elsewhere")]
        name: String,
        /// Figures: {"name": number}
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
        /// What it says of the evaluation: row,label,prediction[,slices]
        #[arg(long, value_name = "FILE")]
        predictions: Option<PathBuf>,
        /// The model; its hash is recorded
        #[arg(long, value_name = "FILE")]
        model: Option<PathBuf>,
        #[arg(long)]
        seed: Option<u64>,
    },
    /// List runs, the latest first
    List,
    /// Show a run
    Show { run: String },
    /// Show how the figures of two runs differ
    Diff { one: String, other: String },
    /// Train the demo's model: for the demo's pipelines
    #[command(hide = true)]
    Bayes {
        #[arg(long)]
        before: PathBuf,
        #[arg(long)]
        new: PathBuf,
        #[arg(long)]
        only_new: bool,
        #[arg(long)]
        eval: PathBuf,
        #[arg(long)]
        out: PathBuf,
    },
    /// The process in which a step begins: for casework itself
    #[command(hide = true)]
    Step,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    match &args.what {
        None => pipeline(context, args),
        Some(What::Bayes { before, new, only_new, eval, out }) => {
            bayes(before, new, *only_new, eval, out)
        }
        Some(What::Step) => Err(CliError::Cannot(become_step())),
        Some(What::Record { cut, name, metrics, predictions, model, seed }) => {
            let of = Elsewhere {
                cut: cut.clone(),
                name: name.clone(),
                metrics: metrics.clone(),
                predictions: predictions.clone(),
                model: model.clone(),
                seed: *seed,
            };
            let mut workspace = context.open()?;
            let found = workspace.record_elsewhere(&of)?;
            if let Some(words) = workspace.withdrawn_words(found.run.cut)? {
                say(&format!("Careful: the cut {words}"));
            }
            let words = format!("run {} of {} is recorded", found.short(), found.run.pipeline);
            done(context.global.json, &words, &found.json())?;
            Ok(Exit::Done)
        }
        Some(What::List) => list(context),
        Some(What::Show { run }) => show(context, run),
        Some(What::Diff { one, other }) => diff(context, one, other),
    }
}

/// Trains the demo's model on its files.
fn bayes(
    before: &Path,
    new: &Path,
    only_new: bool,
    eval: &Path,
    out: &Path,
) -> Result<Exit, CliError> {
    let rows = |path: &Path| -> Result<Vec<Row>, CliError> {
        let text = read_file(path)?;
        let row = |line: &str| serde_json::from_str(line).map_err(std::io::Error::from);
        Ok(text.lines().map(row).collect::<Result<_, _>>()?)
    };
    let (old, new) = (rows(before)?, rows(new)?);
    // What is new counts three times, as it is little.
    let mut after = if only_new { Vec::new() } else { old.clone() };
    (0..3).for_each(|_| after.extend(new.iter().cloned()));
    for (name, text) in retrain(&old, &after, &rows(eval)?) {
        let path = out.join(name);
        let failed = |error| WorkError::File { path: path.display().to_string(), error };
        std::fs::write(&path, text).map_err(failed)?;
    }
    Ok(Exit::Done)
}

fn pipeline(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let Some(path) = &args.pipeline else {
        return Err(CliError::Use(
            "it takes a pipeline: casework run PIPELINE.toml, or one of record, list, show, diff"
                .to_owned(),
        ));
    };
    or_faults(context.global.json, read_pipeline(path))?;
    let request = Request {
        level: Level::named(&args.sandbox),
        twice: args.repeat > 1,
        cut: args.cut.clone(),
    };
    let mut workspace = context.open()?;
    let found = workspace.run_pipeline(path, &request)?;
    let outs = workspace.outs_of(&found.run.run);
    let one = &found.run;
    let mut words = format!("run {} of {}: {}", found.short(), one.pipeline, one.state);
    if !one.why.is_empty() {
        words.push_str(&format!(" ({})", one.why));
    }
    let mut document = found.json();
    let made = outs.as_deref().map(Made::Run);
    document["problems"] =
        super::plugin::look_over(context, &mut workspace, made, "the run")?.into();
    done(context.global.json, &words, &document)?;
    if !context.global.json {
        say(&format!("The sandbox was {}{}.", one.sandbox, not_restricted(&found)));
        if let Some(repeat) = &one.repeat {
            say(&format!("Run twice: {repeat}."));
        }
        for name in &one.tainted {
            say(&format!("TAINTED: {name} changed while it ran."));
        }
    }
    Ok(if one.state == "done" && one.tainted.is_empty() { Exit::Done } else { Exit::No })
}

fn list(context: &Context) -> Result<Exit, CliError> {
    settle(context)?;
    let workspace = context.read()?;
    let runs = workspace.runs()?;
    let gates = workspace.gates()?;
    let mut out = Out::new();
    for one in &runs {
        let gate = standing_now(&gates, &one.run.run);
        if context.global.json {
            let mut row = one.json();
            row["gate"] = json!(gate.map(|gate| gate.words()));
            out.json(&row)?;
            continue;
        }
        let cut = one.run.cut.map_or("–".to_owned(), |cut| cut.to_string()[..12].to_owned());
        let gate = gate.map_or("no gate".to_owned(), |gate| gate.words());
        out.line(&format!(
            "{}  {:<20} {:<12} cut {cut}  gate: {gate}  {} by {}",
            one.short(),
            one.run.pipeline,
            one.run.state,
            one.at.minute(),
            one.author
        ))?;
    }
    out.finish()?;
    if runs.is_empty() {
        say("Nothing was retrained from here yet.");
    }
    Ok(if runs.is_empty() { Exit::No } else { Exit::Done })
}

/// Records what was interrupted, where one may.
fn settle(context: &Context) -> Result<(), CliError> {
    if context.global.at.is_none() && context.open_now()?.settle_runs()? > 0 {
        say("A run was interrupted: it is recorded as that.");
    }
    Ok(())
}

fn show(context: &Context, run: &str) -> Result<Exit, CliError> {
    settle(context)?;
    let workspace = context.read()?;
    let found = workspace.find_run(run)?;
    let mut out = Out::new();
    if context.global.json {
        out.json(&found.json())?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    let one = &found.run;
    out.line(&format!("run {}  {}  {}", one.run, one.pipeline, one.state))?;
    if !one.why.is_empty() {
        out.line(&format!("  {}", one.why))?;
    }
    out.line(&format!(
        "from {} to {}, recorded by {}",
        one.began.minute(),
        one.ended.minute(),
        found.author
    ))?;
    if let Some(cut) = one.cut {
        let name = workspace
            .find_cut(&cut.to_string())
            .map(|cut| format!("{} {}", cut.cut.name, cut.cut.version));
        out.line(&format!("cut {} {}", &cut.to_string()[..12], name.unwrap_or_default()))?;
        if let Some(words) = workspace.withdrawn_words(one.cut)? {
            out.line(&format!("  The cut {words}"))?;
        }
    }
    out.line(&format!("sandbox: {}{}", one.sandbox, not_restricted(&found)))?;
    for name in &one.tainted {
        out.line(&format!("TAINTED: {name} changed while it ran"))?;
    }
    for step in &one.steps {
        let exit = step.exit.map_or("stopped".to_owned(), |code| format!("exit {code}"));
        out.line(&format!(
            "step {:<16} {exit:<8} {:>7.1} s, {:.1} s of CPU, {} MiB: {}",
            step.name,
            step.wall_ms as f64 / 1e3,
            step.cpu_ms as f64 / 1e3,
            step.memory_bytes >> 20,
            step.argv.join(" ")
        ))?;
        for line in step.said.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev() {
            out.line(&format!("    {line}"))?;
        }
    }
    if let Some(repeat) = &one.repeat {
        out.line(&format!("twice: {repeat}"))?;
    }
    for (name, value) in &one.metrics {
        out.line(&format!("  {name:<40} {value}"))?;
    }
    for file in &one.outs {
        out.line(&format!("out {}  {} bytes  {}", file.path, file.bytes, &file.sha256[..16]))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// What held steps back only in part, in words.
fn not_restricted(run: &KnownRun) -> String {
    if run.run.not_restricted.is_empty() {
        return String::new();
    }
    format!(" (not held back: {})", run.run.not_restricted.join(", "))
}

fn diff(context: &Context, one: &str, other: &str) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let (one, other) = (workspace.find_run(one)?, workspace.find_run(other)?);
    let mut out = Out::new();
    for (name, (before, after)) in metric_changes(&one, &other) {
        if context.global.json {
            out.json(&json!({ "metric": name, "before": before, "after": after }))?;
            continue;
        }
        let value =
            |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.6}"));
        let change = before
            .zip(after)
            .map_or(String::new(), |(before, after)| format!("{:+.6}", after - before));
        out.line(&format!("{name:<44} {:>14} {:>14} {change:>14}", value(before), value(after)))?;
    }
    out.finish()?;
    if one.run.cut != other.run.cut {
        say("They learned from different cuts: casework cut diff says which rows.");
    }
    Ok(Exit::Done)
}
