//! `casework ingest`: read predictions, open cases.

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::follow::follow;
use serde_json::{Value, json};

use super::out::{Out, say};
use super::reading::{ReadArgs, proposed, told};
use super::{CliError, Context, Exit, stopped_by_signals};
use crate::clock;
use crate::domain::prediction::Row;
use crate::domain::text::counted;
use crate::format::log::{KINDS, LogOptions, named};
use crate::format::open::{Input, Inputs};
use crate::intake::alert::windows;
use crate::intake::recognize::{HEAD_BYTES, recognize, recognize_text};
use crate::intake::{FormatSeen, Progress, Summary, Unanswered, UnseenField};
use crate::review::alarms::RaisedAlarm;
use crate::trap::VARIABLES;
use crate::workspace::cases::IngestRequest;
use crate::workspace::{WorkError, Workspace, read_file};

/// Rejected lines that are named on standard error; --json has them all.
const NAMED_MAX: usize = 10;

#[derive(Debug, clap::Args)]
#[command(after_help = names())]
pub struct Args {
    /// Predictions: files, folders, zip archives, packed or not; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    files: Vec<PathBuf>,
    /// A log of the same requests: a file or a folder, packed or not; may be given several times
    #[arg(long, value_name = "PATH")]
    logs: Vec<PathBuf>,
    /// What the logs are: otlp, docker, cri, journald, syslog, cloudwatch, cloudwatch-s3, gcp; told by
    /// what stands in them if it is not said
    #[arg(long, value_name = "F", value_parser = log_kind)]
    logs_format: Option<&'static str>,
    /// The year of log lines that say none (RFC 3164); --timezone is their zone
    #[arg(long, value_name = "YEAR")]
    year: Option<i32>,
    /// Which predictions become cases: a CEL expression; several are tried one after another
    #[arg(long = "where", value_name = "EXPR")]
    rules: Vec<String>,
    /// What the cases of a --where are flagged with, instead of its expression: the first for the
    /// first, and so on
    #[arg(long = "flag", value_name = "NAME", requires = "rules")]
    names: Vec<String>,
    /// Predictions to keep before and after each case
    #[arg(long, value_name = "N")]
    window: Option<usize>,
    /// Count what would be opened, by rule, and what would be redacted, with examples; write nothing
    #[arg(long)]
    dry_run: bool,
    /// Open the cases of the windows of these alerts: the body that Alertmanager sends to a webhook
    #[arg(long, value_name = "FILE", conflicts_with = "rules")]
    alert: Option<PathBuf>,
    /// End with 1 if a plug-in failed on a row, or was not asked
    #[arg(long)]
    strict: bool,
    /// Do not ask where a redaction hits many lines
    #[arg(long)]
    yes: bool,
    /// Go on with what comes: files that grow and are rotated, directories that fill, a pipe;
    /// Ctrl-C ends it, and the next run goes on where it was
    #[arg(long, conflicts_with = "dry_run")]
    follow: bool,
    #[command(flatten)]
    read: ReadArgs,
}

/// What needs no word.
const PLAIN: [&str; 2] = [
    "a line a record, JSON lines as casework has them",
    "a line a record, of no shape that is known",
];

/// Bytes of a file that are looked at for what redaction would do to it.
const PREVIEW_BYTES: u64 = 4 << 20;
const PREVIEW_RECORDS: usize = 4_000;

/// Asks, on a terminal, before a redaction takes much away that may not be what it is taken for:
/// what is redacted is gone for good.
fn may_redact(
    workspace: &mut Workspace,
    args: &Args,
    inputs: &Inputs,
    stop: &AtomicBool,
) -> Result<bool, CliError> {
    let asks = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !asks || !workspace.redacts() {
        return Ok(true);
    }
    let request = IngestRequest {
        rules: args.rules.clone(),
        names: args.names.clone(),
        neighbours: Some(0),
        dry_run: true,
        ..IngestRequest::default()
    };
    let preview = inputs.files();
    while let Some(mut opened) = preview.next_input()? {
        let name = opened.name.clone();
        opened.input = match opened.input {
            Input::Lines(lines) => Input::Lines(Box::new(lines.take(PREVIEW_BYTES))),
            Input::Records(records) => Input::Records(Box::new(records.take(PREVIEW_RECORDS))),
        };
        let seen = workspace.ingest_opened(opened, inputs.options(), &request, stop, |_| {})?;
        for (kind, hits) in
            seen.redactions.iter().filter(|(_, hits)| hits.is_many(seen.redacted_of))
        {
            let (lines, of) = (hits.lines, seen.redacted_of);
            say(&format!(
                "{kind} is found in {lines} of the first {of} lines of {}, for example {}.",
                name,
                hits.examples.join(" · ")
            ));
            say(
                "What is redacted is gone for good. Is that right? y goes on, anything else stops.",
            );
            let mut answer = String::new();
            io::stdin().read_line(&mut answer)?;
            if !answer.trim().eq_ignore_ascii_case("y") {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn log_kind(name: &str) -> Result<&'static str, String> {
    let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    named(name)
        .map(|kind| kind.name)
        .ok_or_else(|| format!("no log is called `{name}`: there is {}", known.join(", ")))
}

impl Args {
    fn log_options(&self) -> LogOptions {
        LogOptions { kind: self.logs_format, zone: self.read.timezone, year: self.year }
    }
}

fn names() -> String {
    let mut out = String::from("Names in EXPR:\n");
    for (name, about) in VARIABLES {
        out.push_str(&format!("  {name:<17} {about}\n"));
    }
    out + "  anything else     by its own name in the line, e.g. input.channel == \"voice\"\n\
        What a line lacks is absent: the rule does not hold for it. has(input.channel) asks whether it is there."
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if args.names.len() > args.rules.len() {
        return Err(CliError::Use(format!(
            "{} --flag names for {} --where rules: the first names the first, and so on",
            args.names.len(),
            args.rules.len()
        )));
    }
    let mut workspace = context.open()?;
    let stop = stopped_by_signals()?;
    if args.follow && !args.read.is_auto() {
        return Err(CliError::Use(
            "--follow reads JSON lines as casework has them, or as [source] says: other formats are read as files".to_owned(),
        ));
    }
    if args.follow {
        let (rules, names) = rules_of(args)?;
        let request = IngestRequest {
            logs: args.logs.clone(),
            log_options: args.log_options(),
            rules,
            names,
            neighbours: args.window,
            piece: true,
            ..IngestRequest::default()
        };
        let summary = follow(&args.files, &request, &mut workspace, &stop)?;
        report(context, args, &summary)?;
        return Ok(if lacks_answers(args, &summary) { Exit::No } else { Exit::Done });
    }
    let inputs = args.read.inputs(&workspace, &args.files, &stop)?;
    if args.read.explain {
        return explain(context, &inputs);
    }
    // All of them, before anything is written.
    inputs.check()?;
    if !args.dry_run && !args.yes && !may_redact(&mut workspace, args, &inputs, &stop)? {
        say("Nothing was taken in.");
        return Ok(Exit::No);
    }
    let (rules, names) = rules_of(args)?;
    let mut request = IngestRequest {
        logs: args.logs.clone(),
        log_options: args.log_options(),
        rules,
        names,
        neighbours: args.window,
        dry_run: args.dry_run,
        ..IngestRequest::default()
    };
    let several = inputs.len() > 1;
    let mut summary = Summary::default();
    while let Some(opened) = inputs.next_input()? {
        let name = opened.name.clone();
        let format = FormatSeen {
            file: name.clone(),
            format: told(&opened),
            known: opened.seen.kind.is_some(),
            reasons: opened.seen.reasons.clone(),
        };
        request.again = opened.again.clone().map(|part| (inputs.clone(), part));
        let (size, count) = (opened.size, opened.read.clone());
        let mut meter = Meter::new(size);
        let of_file = workspace.ingest_opened(
            opened,
            inputs.options(),
            &request,
            &stop,
            |mut progress| {
                progress.bytes = count.load(Ordering::Relaxed);
                meter.show(progress);
            },
        )?;
        meter.clear();
        summary.formats.push(format);
        summary.add(of_file, several.then_some(name.as_str()));
        if summary.stopped {
            break;
        }
    }
    report(context, args, &summary)?;
    say_what_it_is(args, &summary);
    if summary.stopped {
        say("Stopped. What was read is saved; run it again to go on.");
        return Ok(Exit::No);
    }
    if !summary.flaws.is_empty() {
        return Err(CliError::Use(summary.flaws.join("; ")));
    }
    let taken = summary.opened + summary.duplicate;
    let unanswered = summary.unanswered.values().any(|of| of.lines == summary.read);
    let none_good =
        summary.rejected > 0 && summary.rejected == summary.read || unanswered && taken == 0;
    Ok(if none_good || lacks_answers(args, &summary) { Exit::No } else { Exit::Done })
}

/// Whether a plug-in did not answer of a row where it has to.
fn lacks_answers(args: &Args, summary: &Summary) -> bool {
    args.strict && summary.plugins.values().any(|one| one.skipped + one.could_not_tell > 0)
}

/// What the files are read as, and why.
fn explain(context: &Context, inputs: &Inputs) -> Result<Exit, CliError> {
    let mut out = Out::new();
    while let Some(mut opened) = inputs.next_input()? {
        let mapping = inputs.options().mapping.as_ref().filter(|_| opened.seen.mapped);
        let after = match &mut opened.input {
            Input::Lines(lines) => {
                let mut first = None;
                crate::intake::read::read_chunks(
                    lines,
                    || true,
                    |chunk| {
                        first = chunk
                            .lines()
                            .map(|(_, at)| chunk.text[at].to_owned())
                            .find(|line| !line.trim().is_empty());
                        false
                    },
                )?;
                first.map(|line| match mapping {
                    Some(mapping) => mapping.line(&line),
                    None => Ok(line),
                })
            }
            Input::Records(records) => records.next().transpose()?.map(|record| record.line),
        };
        let after = after.map(|line| {
            line.and_then(|line| Row::parse(&line).map(|_| line.clone()))
                .map_err(|reject| reject.to_string())
        });
        let before = opened.seen.first.clone().map(Value::Object);
        let words = told(&opened);
        let known = opened.seen.kind.is_some() || opened.seen.mapped;
        let toml = before.as_ref().filter(|_| !known).map(proposed);
        if context.global.json {
            let (line, reject) = match &after {
                Some(Ok(line)) => (serde_json::from_str::<Value>(line).ok(), None),
                Some(Err(reject)) => (None, Some(reject)),
                None => (None, None),
            };
            out.json(
                &json!({ "file": opened.name, "format": opened.seen.kind.map(|kind| kind.name),
                "read_as": words, "reasons": opened.seen.reasons, "first": before, "line": line,
                "reject": reject, "source": toml }),
            )?;
            continue;
        }
        out.line(&format!("{}: {words}", opened.name))?;
        for reason in &opened.seen.reasons {
            out.line(&format!("  {reason}"))?;
        }
        if let Some(before) = before {
            out.line(&format!("before: {before}"))?;
        }
        match after {
            Some(Ok(line)) => out.line(&format!("after:  {line}"))?,
            Some(Err(reject)) => out.line(&format!("after:  rejected: {reject}"))?,
            None => out.line("after:  it holds no record")?,
        }
        if let Some(toml) = toml {
            out.line("This in config.toml, or in a file for --map, would say where things stand:")?;
            out.line(&toml)?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// The rules that were given, or those of an alert's windows, and what their cases are flagged with.
fn rules_of(args: &Args) -> Result<(Vec<String>, Vec<String>), CliError> {
    let Some(path) = &args.alert else { return Ok((args.rules.clone(), args.names.clone())) };
    let windows = windows(&read_file(path)?)
        .map_err(|why| WorkError::Reference(format!("{}: {why}", path.display())))?;
    Ok(windows.into_iter().map(|window| (window.rule, window.name)).unzip())
}

/// What traps asked for in vain.
pub(super) fn say_of_rules(summary: &Summary) {
    for (trap, of) in &summary.unanswered {
        let Unanswered { lines, line, reason } = of;
        let lines = counted(*lines, "line");
        say(&format!(
            "  {trap}: its rule has no answer on {lines}, first on line {line}: {reason}"
        ));
    }
    for UnseenField { trap, field, near, of } in &summary.unseen_fields {
        let lines = counted(*of as u64, "line");
        let near = near.as_ref().map_or(String::new(), |near| format!("; there is {near}"));
        say(&format!("  {trap} asks for {field}, which none of the first {lines} has{near}"));
    }
}

/// What a file is of which no line could be taken in, said once.
fn say_what_it_is(args: &Args, summary: &Summary) {
    if summary.read == 0 || summary.rejected < summary.read || !summary.flaws.is_empty() {
        return;
    }
    let known = |file: &PathBuf| {
        let name = file.display().to_string();
        summary.formats.iter().any(|seen| seen.known && seen.file == name)
    };
    for file in args.files.iter().filter(|file| file.as_os_str() != "-" && !known(file)) {
        let Ok(mut opened) = std::fs::File::open(file) else { continue };
        let mut head = vec![0; HEAD_BYTES];
        let Ok(read) = opened.read(&mut head) else { continue };
        head.truncate(read);
        let words =
            recognize(&head).unwrap_or_else(|| recognize_text(&String::from_utf8_lossy(&head)));
        say(&format!("  {} is {words}", file.display()));
    }
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
    let would = if args.dry_run { "would be opened" } else { "opened" };
    // A trap may take some of a day.
    let draws = summary.traps.values().any(|count| count.kept < count.flagged);
    let not = if draws { "not flagged or not drawn" } else { "not flagged" };
    out.line(&format!(
        "{read} read: {opened} {would}, {duplicate} duplicate, {passed} {not}, {rejected} rejected"
    ))?;
    if args.dry_run && summary.formats.len() > 1 {
        out.line("Each file was counted by itself: what stands in two of them is opened once.")?;
    }
    if summary.of_windows > 0 {
        let cases = counted(summary.of_windows, "case");
        out.line(&format!("{cases} {would} of the windows of alarms"))?;
    }
    if summary.gave_way > 0 {
        let cases = counted(summary.gave_way, "case");
        out.line(&format!(
            "{cases} gave way to smaller draws of the day: nobody is asked about those"
        ))?;
    }
    out.finish()?;
    for FormatSeen { file, format, reasons, .. } in &summary.formats {
        // What is as casework has it needs no word.
        if !PLAIN.contains(&format.as_str()) {
            let columns = reasons.iter().filter(|reason| reason.contains('←'));
            let columns: String = columns.map(|columns| format!(": {columns}")).collect();
            say(&format!("  {file} was read as {format}{columns}"));
        }
    }
    for (what, n) in &summary.no_case {
        say(&format!("  {n} {what} passed over"));
    }
    if let Some(logs) = &summary.logs {
        // A dry run looks for no lines of cases that it does not open.
        let joined = match args.dry_run {
            true => String::new(),
            false => format!(
                ", joined to {} of the cases {would} (a line may stand beside several: {} in all)",
                logs.cases, logs.joined
            ),
        };
        say(&format!("  logs: {} read{joined}", counted(logs.lines, "line")));
        for file in &logs.not_understood {
            say(&format!("  {file}"));
        }
        for file in &logs.zoneless {
            say(&format!(
                "  {file}: its times say no zone and were read as UTC: --timezone says which they mean"
            ));
        }
    }
    if summary.takes_all && *opened > 0 {
        say("  no rule: every prediction becomes a case (--where EXPR narrows it)");
    } else if !summary.flagged.is_empty() {
        let rules: Vec<String> =
            summary.flagged.iter().map(|(rule, n)| format!("{n} by {rule}")).collect();
        say(&format!("  flagged: {}", rules.join(", ")));
    }
    for (name, counts) in &summary.plugins {
        let again = super::plugin::again_of(name);
        super::plugin::trouble(name, counts, Some(&again)).iter().for_each(|line| say(line));
    }
    for (trap, count) in summary.traps.iter().filter(|(_, count)| count.kept < count.flagged) {
        let (seen, flagged, kept) = (count.seen, count.flagged, count.kept);
        say(&format!("  {trap}: {seen} seen, {flagged} flagged, {kept} new cases"));
    }
    say_of_rules(summary);
    if summary.of_other_stream > 0 {
        say(&format!(
            "  {} times a prediction was not of the stream that the reference counted: what is held against it says nothing there",
            summary.of_other_stream
        ));
    }
    for (alarm, n) in &summary.untold {
        say(&format!(
            "  alarm {alarm}: {} from the reference, and whether by chance can't be told: too few rows of each category; a longer `window` has more",
            if *n == 1 { "1 window differs".to_owned() } else { format!("{n} windows differ") }
        ));
    }
    if summary.late > 0 {
        say(&format!(
            "  alarms pass over {} predictions of before what they have looked at: late, or read again",
            summary.late
        ));
    }
    if summary.ahead > 0 {
        say(&format!(
            "  alarms pass over {} predictions that are more than five minutes ahead of the clock",
            summary.ahead
        ));
    }
    for raised in &summary.raised {
        let alarm = RaisedAlarm {
            id: raised.id(),
            raised: raised.clone(),
            at: raised.window.to,
            closed: None,
        };
        say(&format!("  {} {}: {}", alarm.level(), alarm.id, alarm.words()));
    }
    if !summary.redacted.is_empty() {
        let kinds: Vec<String> =
            summary.redacted.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        say(&format!("  redacted: {}", kinds.join(", ")));
    }
    for (kind, hits) in &summary.redactions {
        let of = format!("{kind} in {} of {} lines", hits.lines, summary.redacted_of);
        if args.dry_run {
            say(&format!("    {of}, for example {}", hits.examples.join(" · ")));
        } else if hits.is_many(summary.redacted_of) {
            say(&format!("    {of}: look whether that is right; --dry-run shows examples"));
        }
    }
    // The same said of many lines is said once, of the first of them.
    let mut reasons: Vec<(&str, u64, usize)> = Vec::new();
    for reject in &summary.rejects {
        match reasons.iter_mut().find(|(reason, ..)| *reason == reject.reason) {
            Some((_, _, n)) => *n += 1,
            None => reasons.push((&reject.reason, reject.line, 1)),
        }
    }
    for (reason, line, n) in reasons.iter().take(NAMED_MAX) {
        let more = if *n > 1 { format!(" (and {} more lines)", n - 1) } else { String::new() };
        say(&format!("  line {line}: {reason}{more}"));
    }
    if reasons.len() > NAMED_MAX {
        say(&format!(
            "  … and {} more reasons; --json lists every line",
            reasons.len() - NAMED_MAX
        ));
    }
    Ok(())
}
