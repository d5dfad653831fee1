//! `casework ingest`: read predictions, open cases.

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::out::{Out, say};
use super::{CliError, Context, Exit, stopped_by_signals};
use crate::clock;
use crate::intake::waiting::{self, Waiting};
use crate::intake::{Progress, Summary};
use crate::trap::VARIABLES;
use crate::workspace::WorkError;
use crate::workspace::cases::IngestRequest;

/// Rejected lines that are named on standard error; --json has them all.
const NAMED_MAX: usize = 10;

#[derive(Debug, clap::Args)]
#[command(after_help = names())]
pub struct Args {
    /// JSON lines of predictions, one file after another; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A log file of the same requests; may be given several times
    #[arg(long, value_name = "FILE")]
    logs: Vec<PathBuf>,
    /// Which predictions become cases: a CEL expression; several are tried one after another
    #[arg(long = "where", value_name = "EXPR")]
    rules: Vec<String>,
    /// Predictions to keep before and after each case
    #[arg(long, value_name = "N")]
    window: Option<usize>,
    /// Only count what would be opened
    #[arg(long)]
    dry_run: bool,
}

fn names() -> String {
    let mut out = String::from("Names in EXPR:\n");
    for (name, about) in VARIABLES {
        out.push_str(&format!("  {name:<17} {about}\n"));
    }
    out + "  anything else     by its own name in the line, e.g. input.channel == \"voice\""
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let stop = stopped_by_signals()?;
    let mut inputs = Vec::new();
    for file in &args.files {
        inputs.push(open(file)?); // all of them, before anything is written
    }
    let request = IngestRequest {
        logs: args.logs.clone(),
        rules: args.rules.clone(),
        neighbours: args.window,
        dry_run: args.dry_run,
    };
    let mut summary = Summary::default();
    for (file, (input, total)) in args.files.iter().zip(inputs) {
        let mut meter = Meter::new(total);
        let of_file = workspace.ingest(input, &request, &stop, |progress| meter.show(progress))?;
        meter.clear();
        summary.add(of_file, (args.files.len() > 1).then(|| file.display().to_string()).as_deref());
        if summary.stopped {
            break;
        }
    }
    report(context, args, &summary)?;
    if summary.stopped {
        say("Stopped. What was read is saved; run it again to go on.");
        return Ok(Exit::No);
    }
    let none_good = summary.rejected > 0 && summary.rejected == summary.read;
    Ok(if none_good { Exit::No } else { Exit::Done })
}

type Input = (Box<dyn Read + Send>, Option<u64>);

fn open(file: &Path) -> Result<Input, CliError> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(Waiting(io::stdin())), None));
    }
    let failed = |error| WorkError::File { path: file.display().to_string(), error };
    let file = waiting::open(file).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let total = metadata.is_file().then_some(metadata.len());
    Ok((Box::new(Waiting(file)), total))
}

/// Progress on a terminal, a few times a second.
struct Meter {
    total: Option<u64>,
    shown: std::time::Instant,
    terminal: bool,
    drawn: bool,
}

impl Meter {
    fn new(total: Option<u64>) -> Self {
        Self { total, shown: clock::instant(), terminal: io::stderr().is_terminal(), drawn: false }
    }

    fn show(&mut self, progress: Progress) {
        if !self.terminal || self.shown.elapsed() < Duration::from_millis(250) {
            return;
        }
        self.shown = clock::instant();
        self.drawn = true;
        let share = match self.total {
            Some(total) if total > 0 => format!("{:3} %  ", progress.bytes * 100 / total),
            _ => String::new(),
        };
        let Progress { read, opened, bytes } = progress;
        // Progress that can't be shown is no reason to stop.
        let _ = write!(
            io::stderr().lock(),
            "\r{share}{read} read, {opened} opened, {} MB\x1b[K",
            bytes / 1_000_000
        );
    }

    fn clear(&self) {
        if self.drawn {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn report(context: &Context, args: &Args, summary: &Summary) -> Result<(), CliError> {
    let mut out = Out::new();
    if context.global.json {
        out.json(summary)?;
        return Ok(out.finish()?);
    }
    let Summary { read, opened, duplicate, passed, rejected, .. } = summary;
    let would = if args.dry_run { "would open" } else { "opened" };
    out.line(&format!(
        "{read} read: {opened} {would}, {duplicate} duplicate, {passed} not flagged, {rejected} rejected"
    ))?;
    out.finish()?;
    if let Some(logs) = &summary.logs {
        if args.dry_run {
            say(&format!("  logs: {} lines read; a dry run joins none", logs.lines));
        } else {
            say(&format!(
                "  logs: {} lines read, joined to {} of the cases opened (a line may stand beside several: {} in all)",
                logs.lines, logs.cases, logs.joined
            ));
        }
        for file in &logs.not_understood {
            say(&format!("  {file}"));
        }
    }
    if !summary.redacted.is_empty() {
        let kinds: Vec<String> =
            summary.redacted.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        say(&format!("  redacted: {}", kinds.join(", ")));
    }
    for reject in summary.rejects.iter().take(NAMED_MAX) {
        say(&format!("  line {}: {}", reject.line, reject.reason));
    }
    if summary.rejected > NAMED_MAX as u64 {
        say(&format!("  … and {} more; --json lists them", summary.rejected - NAMED_MAX as u64));
    }
    Ok(())
}
