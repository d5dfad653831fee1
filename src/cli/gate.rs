//! `casework gate`: whether a retrained model may be deployed.

use std::path::PathBuf;

use serde_json::json;

use super::error::or_faults;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::domain::text::{counted, fit, visible};
use crate::retrain::gate::{Decision, Line, Verdict};
use crate::workspace::WorkError;
use crate::workspace::gates::{Asked, Gated, asks_cases, decide_files, read_gate};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// The gate: what is to be fixed, kept, right
    #[arg(value_name = "GATE.toml")]
    gate: Option<PathBuf>,
    /// Ask about a recorded run, and record the answer
    #[arg(long, value_name = "ID", conflicts_with = "after")]
    run: Option<String>,
    /// Predictions of the model in force: CSV with row,label,prediction[,slices], or JSON lines
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// Predictions of the retrained model on the same rows
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
    /// What the retrained model says of cases that must be right: case,prediction
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// Figures of the retrained model: {"name": number}
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// Where the cut lies that the run learned from, if it is not beside the gate: old rows in it are
    /// held against the evaluation too
    #[arg(long, value_name = "DIR", requires = "run")]
    cut: Option<PathBuf>,
    /// Write the lines as tests that a build server reads
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print the lines as annotations of a GitHub workflow
    #[arg(long)]
    github: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List what gates decided about runs, the latest first
    List,
    /// Let a run pass that its gate refused, with a reason that stays visible (leads)
    Waive {
        /// The run
        run: String,
        #[arg(long)]
        reason: String,
    },
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    match &args.what {
        Some(What::List) => return list(context),
        Some(What::Waive { run, reason }) => {
            let waived = context.open()?.waive_gate(run, reason)?;
            let words = format!("run {} is let pass, against its gate: {reason}", waived.run);
            done(
                context.global.json,
                &words,
                &json!({ "run": waived.run, "gate": waived.gate, "reason": reason }),
            )?;
            return Ok(Exit::Done);
        }
        None => {}
    }
    let Some(path) = &args.gate else {
        return Err(CliError::Use(
            "it takes a gate: casework gate GATE.toml --run ID, or --before FILE --after FILE"
                .to_owned(),
        ));
    };
    let gate = or_faults(context.global.json, read_gate(path))?;
    let asked = Asked {
        before: args.before.clone(),
        after: args.after.clone(),
        cases: args.cases.clone(),
        metrics: args.metrics.clone(),
        cut: args.cut.clone(),
    };
    let gated = match &args.run {
        Some(run) => context.open()?.gate_run(&gate, path, run, &asked)?,
        None => {
            if asked.before.is_none() || asked.after.is_none() {
                return Err(CliError::Use(
                    "it takes --run ID, or both --before FILE and --after FILE".to_owned(),
                ));
            }
            let workspace = if asks_cases(&gate) { Some(context.read()?) } else { None };
            decide_files(&gate, path, &asked, workspace.as_ref())?
        }
    };
    tell(context, args, &gated)
}

fn tell(context: &Context, args: &Args, gated: &Gated) -> Result<Exit, CliError> {
    let Decision { verdict, lines } = &gated.decision;
    if let Some(path) = &args.junit {
        let failed = |error| WorkError::File { path: path.display().to_string(), error };
        std::fs::write(path, junit(gated)).map_err(failed)?;
    }
    let mut out = Out::new();
    if context.global.json {
        out.json(&gated.json())?;
    } else if args.github {
        for line in lines {
            let level = match line.verdict {
                Verdict::Pass => "notice",
                Verdict::CannotTell => "warning",
                Verdict::Fail => "error",
            };
            let words = format!("{} {}: {}", line.kind, line.slice, line.why);
            // What would end an annotation stands as its code.
            let words = words.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
            out.line(&format!("::{level} title=gate {}::{words}", gated.gate))?;
        }
    } else {
        out.line(
            "kind    slice                          n  before   after  gained/lost   change  interval           p         verdict",
        )?;
        for line in lines {
            out.line(&row(line))?;
        }
    }
    out.finish()?;
    for line in lines.iter().filter(|line| line.verdict != Verdict::Pass) {
        let needs = line.needs.map_or(String::new(), |rows| format!(" ({rows} rows would tell)"));
        say(&format!(
            "{}: {} {}: {}{needs}",
            line.verdict.words(),
            line.kind,
            line.slice,
            line.why
        ));
        if !line.wrong.is_empty() {
            say(&format!("  wrong: {}", line.wrong.join(", ")));
        }
    }
    if gated.run.is_some() && !gated.has_texts {
        say(
            "Whether rows of the cut are in the evaluation was asked by their ids alone: the predictions have no `text`.",
        );
    }
    if gated.old_unread > 0 {
        say(&format!(
            "Near copies of {} that were mixed into the cut were not looked for: --cut DIR says where the cut lies.",
            counted(gated.old_unread, "old row")
        ));
    }
    for words in &gated.leak {
        say(&format!("leak: {words}"));
    }
    if !context.global.json {
        say(&match verdict {
            Verdict::Pass => format!("The gate `{}` lets it pass.", gated.gate),
            Verdict::CannotTell => {
                format!("The gate `{}` can't tell: not all that is asked for is shown.", gated.gate)
            }
            Verdict::Fail => format!("The gate `{}` refuses it.", gated.gate),
        });
    }
    Ok(if *verdict == Verdict::Fail { Exit::No } else { Exit::Done })
}

fn row(line: &Line) -> String {
    let share = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
    let change = line.change.map_or("–".to_owned(), |change| format!("{change:+.4}"));
    let interval = match (line.low, line.high) {
        (Some(low), Some(high)) => format!("{low:+.4} {high:+.4}"),
        _ => "–".to_owned(),
    };
    let p = line.adjusted.or(line.p).map_or("–".to_owned(), |p| {
        if p >= 0.0001 { format!("{p:.4}") } else { format!("{p:.1e}") }
    });
    let differ = format!("{}/{}", line.gained, line.lost);
    let shown = visible(&line.slice);
    let slice = fit(&shown, 26);
    format!(
        "{:<7} {slice:<26} {:>5} {:>7} {:>7}  {differ:>11}  {change:>7}  {interval:<17}  {p:<8}  {}",
        line.kind,
        line.n,
        share(line.before),
        share(line.after),
        line.verdict.words()
    )
}

fn list(context: &Context) -> Result<Exit, CliError> {
    let gates = context.read()?.gates()?;
    let mut out = Out::new();
    for one in &gates {
        if context.global.json {
            out.json(&one.json())?;
        } else {
            let waived = one.waived.as_ref().map_or(String::new(), |waived| {
                format!(", waived by {}: {}", waived.author, waived.reason)
            });
            out.line(&format!(
                "{}  run {}  {:<20} {}{waived}",
                one.at.minute(),
                one.decided.run,
                one.decided.gate,
                one.decided.verdict.words()
            ))?;
        }
    }
    out.finish()?;
    if gates.is_empty() {
        say("No gate has decided about a run here yet.");
    }
    Ok(if gates.is_empty() { Exit::No } else { Exit::Done })
}

fn junit(gated: &Gated) -> String {
    let escape = |text: &str| {
        let text: String = visible(text).into_owned();
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let lines = &gated.decision.lines;
    let count = |verdict: Verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
        escape(&gated.gate),
        lines.len(),
        count(Verdict::Fail),
        count(Verdict::CannotTell)
    );
    for line in lines {
        let why = escape(&line.why);
        let inner = match line.verdict {
            Verdict::Pass => String::new(),
            Verdict::CannotTell => format!("<skipped message=\"cannot tell: {why}\"/>"),
            Verdict::Fail => format!("<failure message=\"{why}\"/>"),
        };
        out.push_str(&format!(
            "  <testcase classname=\"{}\" name=\"{}\">{inner}</testcase>\n",
            escape(&line.kind),
            escape(&line.slice)
        ));
    }
    out.push_str("</testsuite>\n");
    out
}
