//! `casework trap`: detection rules, and the detectors and tests behind them on any column.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::error::or_faults;
use super::out::{Out, done, say};
use super::reading::ReadArgs;
use super::{CliError, Context, Exit, stopped_by_signals};
use crate::cli::protocol::number;
use crate::domain::plugin::Plugin;
use crate::domain::text::{counted, visible};
use crate::domain::traps::{Trap, TrapFile};
use crate::intake::window::reach;
use crate::trap::column::{self, BadColumn, Values};
use crate::trap::detect::{Detector, DetectorName, Direction, Settings};
use crate::trap::sql::{self, Engine};
use crate::trap::two_sample::{self, Counts};
use crate::workspace::WorkError;
use crate::workspace::cases::IngestRequest;
use crate::workspace::traps::{PublishedTraps, likely_misspelled, read_traps};

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Check a trap file, without a workspace
    Check { file: PathBuf },
    /// Show the traps that are published, with their exact rules
    Show { version: Option<u32> },
    /// Publish a trap file as the next version
    Publish {
        file: PathBuf,
        /// What changed, in a line; without it, the changes that `diff` finds
        #[arg(long, value_name = "TEXT", default_value = "")]
        changes: String,
    },
    /// Say what changed from one version to another: numbers of published versions, or files
    Diff { old: String, new: String },
    /// Say what the traps of a file would do with a stream, and write nothing
    Try {
        file: PathBuf,
        /// JSON lines of predictions
        stream: PathBuf,
    },
    /// Print the traps of a file as one query for an engine that holds the predictions
    Sql {
        file: PathBuf,
        /// duckdb, postgres, clickhouse or spark
        #[arg(long, value_name = "NAME", value_parser = engine)]
        engine: Engine,
        /// The table, or what stands for one in the engine; in postgres its column `line` is the
        /// prediction as jsonb
        #[arg(long, value_name = "NAME")]
        table: String,
        /// A field that stands in a column of another name
        #[arg(long, value_name = "FIELD=COLUMN")]
        map: Vec<String>,
        /// Neighbours of each case, before and after: the predictions around it come out too [default:
        /// as for ingest]
        #[arg(long, value_name = "N")]
        window: Option<usize>,
    },
    /// List alarms that were raised: where a stream changed
    Alarms {
        /// Also those that were closed
        #[arg(long)]
        all: bool,
    },
    /// Close an alarm that was looked into
    Close {
        /// Its first digits
        alarm: String,
        /// What it was
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    /// Find where a column of a file changes
    Detect(DetectArgs),
    /// Say whether a column has changed from one file to another
    Compare(CompareArgs),
}

#[derive(Debug, clap::Args)]
pub struct DetectArgs {
    /// One value a line, CSV with a header, or JSON lines; `-` is standard input
    file: PathBuf,
    /// Which column of a CSV, or field of JSON lines as input.amount
    #[arg(long, value_name = "C")]
    column: Option<String>,
    /// adwin, page-hinkley, hddm-w or hddm-a
    #[arg(long, value_name = "NAME", default_value = "adwin", value_parser = detector)]
    detector: DetectorName,
    /// How unlikely a change must be by chance (adwin 0.002, hddm 0.001); page-hinkley: what is let
    /// pass (0.005)
    #[arg(long, value_name = "D", value_parser = above_zero)]
    delta: Option<f64>,
    /// page-hinkley: the sum of deviations that is a change (50)
    #[arg(long, value_name = "T", value_parser = above_zero)]
    threshold: Option<f64>,
    /// adwin: values from one look to the next (32)
    #[arg(long, value_name = "N")]
    clock: Option<u64>,
    /// page-hinkley: only a rise, or only a fall
    #[arg(long, value_name = "up|down", value_parser = direction)]
    direction: Option<Direction>,
}

#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// The sample that others are held against
    reference: PathBuf,
    /// The sample that may have changed
    new: PathBuf,
    /// Which column of a CSV, or field of JSON lines as input.amount
    #[arg(long, value_name = "C")]
    column: Option<String>,
    /// Take numbers for names of categories
    #[arg(long)]
    categories: bool,
}

fn detector(name: &str) -> Result<DetectorName, String> {
    DetectorName::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = DetectorName::ALL.iter().map(|one| one.as_str()).collect();
        format!("there are {}", known.join(", "))
    })
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "a number above 0".to_owned())
}

fn direction(text: &str) -> Result<Direction, String> {
    match text {
        "up" => Ok(Direction::Up),
        "down" => Ok(Direction::Down),
        _ => Err("up or down".to_owned()),
    }
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::Check { file } => check(context, file),
        What::Show { version } => show(context, *version),
        What::Publish { file, changes } => publish(context, file, changes),
        What::Diff { old, new } => diff(context, old, new),
        What::Try { file, stream } => try_on(context, file, stream),
        What::Sql { file, engine, table, map, window } => {
            sql(context, file, (*engine, table), map, *window)
        }
        What::Alarms { all } => alarms(context, *all),
        What::Close { alarm, note } => {
            let closed = context.open()?.close_alarm(alarm, note)?;
            let words = format!("alarm {} is closed: {}", closed.id, closed.words());
            done(context.global.json, &words, &json!({ "alarm": closed.id, "note": note }))?;
            Ok(Exit::Done)
        }
        What::Detect(args) => detect(context, args),
        What::Compare(args) => compare(context, args),
    }
}

/// What to say of a file that is sound.
fn warnings(file: &TrapFile) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    if !file.traps.is_empty() && !file.has_audit() {
        warnings.push("no trap samples the whole stream, so nothing can be said of it as a whole: [[trap]] name = \"audit\", sample = 0.01".to_owned());
    }
    warnings
}

fn check(context: &Context, path: &Path) -> Result<Exit, CliError> {
    let file = or_faults(context.global.json, read_traps(path))?;
    let mut warnings = warnings(&file);
    let misspelled = match context.read() {
        Ok(workspace) => {
            warnings.extend(unknown_plugins(&file, &workspace.config.plugin));
            workspace.misspelled(&file)?
        }
        Err(_) => likely_misspelled(&file, &[]),
    };
    let (traps, alarms) = (file.traps.len(), file.alarms.len());
    let faults: Vec<Value> =
        misspelled.iter().map(|words| json!({ "line": null, "message": words })).collect();
    let document = json!({ "ok": faults.is_empty(), "traps": traps, "alarms": alarms,
        "warnings": warnings, "faults": faults });
    let words = match &misspelled {
        Some(words) => format!("{}: {words}", path.display()),
        None => format!(
            "{} is sound: {}, {}",
            path.display(),
            counted(traps, "trap"),
            counted(alarms, "alarm")
        ),
    };
    done(context.global.json, &words, &document)?;
    warnings.iter().for_each(|warning| say(warning));
    Ok(if misspelled.is_some() { Exit::No } else { Exit::Done })
}

/// Traps that ask a plug-in which is not on this device.
fn unknown_plugins(file: &TrapFile, known: &[Plugin]) -> Vec<String> {
    let names: Vec<&str> = known.iter().map(|plugin| plugin.name.as_str()).collect();
    let asks = |trap: &Trap| Some((trap.name.clone(), trap.plugin.as_ref()?.name.clone()));
    let asked = file.traps.iter().filter_map(asks);
    asked
        .filter(|(_, plugin)| !names.contains(&plugin.as_str()))
        .map(|(trap, plugin)| {
            let known = if names.is_empty() { "no plug-in".to_owned() } else { names.join(", ") };
            format!(
                "the trap `{trap}` asks {plugin}, which config.toml does not have: it has {known}"
            )
        })
        .collect()
}

fn show(context: &Context, version: Option<u32>) -> Result<Exit, CliError> {
    let published = context.read()?.published_traps()?;
    let found = match version {
        None => published.first(),
        Some(version) => Some(named(&published, version)?),
    };
    let Some(found) = found else {
        say("No traps are published here; `casework trap publish FILE` does.");
        return Ok(Exit::No);
    };
    let mut out = Out::new();
    if context.global.json {
        out.json(
            &json!({ "version": found.version, "at": found.at.rfc3339(), "author": found.author,
            "changes": found.changes, "text": found.file.source, "traps": found.file.traps,
            "alarms": found.file.alarms }),
        )?;
    } else {
        out.raw(&found.file.source)?;
    }
    out.finish()?;
    if !context.global.json {
        let (at, author) = (found.at.minute(), &found.author);
        say(&format!("v{} of {at} by {author}: {}", found.version, found.changes));
    }
    Ok(Exit::Done)
}

fn named(published: &[PublishedTraps], version: u32) -> Result<&PublishedTraps, CliError> {
    published.iter().find(|one| one.version == version).ok_or_else(|| {
        let known: Vec<String> = published.iter().map(|one| one.version.to_string()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        CliError::Use(format!("the traps have no version {version}: there is {known}"))
    })
}

fn publish(context: &Context, path: &Path, changes: &str) -> Result<Exit, CliError> {
    let file = or_faults(context.global.json, read_traps(path))?;
    let mut workspace = context.open()?;
    let before = workspace.published_traps()?.first().map_or(0, |latest| latest.version);
    let version = workspace.publish_traps(&file, changes)?;
    let words = if version == before {
        format!("traps v{version} are published already, as they stand there")
    } else {
        format!(
            "traps v{version} are published: {}, {}",
            counted(file.traps.len(), "trap"),
            counted(file.alarms.len(), "alarm")
        )
    };
    let document =
        json!({ "version": version, "traps": file.traps.len(), "alarms": file.alarms.len() });
    done(context.global.json, &words, &document)?;
    warnings(&file).iter().for_each(|warning| say(warning));
    if file.traps.iter().any(Trap::needs_reference) && workspace.references()?.is_empty() {
        say(
            "They are held against a reference, and none is set: `casework reference set NAME --file STREAM`.",
        );
    }
    Ok(Exit::Done)
}

fn diff(context: &Context, old: &str, new: &str) -> Result<Exit, CliError> {
    // Files can be compared anywhere.
    let published = context.read().and_then(|workspace| Ok(workspace.published_traps()?));
    let published = published.unwrap_or_default();
    let find = |name: &str| match number(name) {
        Some(version) => named(&published, version).map(|one| one.file.clone()),
        None => Ok(read_traps(Path::new(name))?),
    };
    let changes = find(old)?.changes_to(&find(new)?);
    let mut out = Out::new();
    if context.global.json {
        out.json(&json!({ "changes": changes }))?;
    } else {
        changes.iter().try_for_each(|line| out.line(line))?;
    }
    out.finish()?;
    if changes.is_empty() {
        say("Nothing changed.");
    }
    Ok(if changes.is_empty() { Exit::No } else { Exit::Done })
}

fn engine(name: &str) -> Result<Engine, String> {
    Engine::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Engine::ALL.iter().map(|one| one.as_str()).collect();
        format!("there are {}", known.join(", "))
    })
}

/// Neighbours on each side of a case, where no workspace says how many.
const EACH_SIDE: usize = 5;

fn sql(
    context: &Context,
    path: &Path,
    (engine, table): (Engine, &str),
    map: &[String],
    window: Option<usize>,
) -> Result<Exit, CliError> {
    let file = or_faults(context.global.json, read_traps(path))?;
    let mut columns = BTreeMap::new();
    for pair in map {
        let (field, column) = pair.split_once('=').ok_or_else(|| {
            CliError::Use(format!("--map {pair}: write FIELD=COLUMN, as confidence=score"))
        })?;
        columns.insert(field.to_owned(), column.to_owned());
    }
    // As they are asked in ingest: what samples the whole stream comes last.
    let (audits, found): (Vec<Trap>, Vec<Trap>) = file.traps.into_iter().partition(Trap::is_audit);
    let traps: Vec<(Trap, String)> = found
        .into_iter()
        .chain(audits)
        .map(|trap| {
            let version = trap.version(None);
            (trap, version)
        })
        .collect();
    let asked_here = || context.read().map(|workspace| workspace.config.ingest.neighbours);
    let each_side = window.unwrap_or_else(|| asked_here().unwrap_or(EACH_SIDE));
    let around = if each_side == 0 { 0 } else { reach(each_side) };
    let query = sql::query(engine, table, &columns, &traps, around)
        .map_err(|error| CliError::Use(visible(&error.to_string()).into_owned()))?;
    let mut out = Out::new();
    if context.global.json {
        out.json(&json!({ "engine": engine.as_str(), "query": query }))?;
    } else {
        out.raw(&query)?;
    }
    out.finish()?;
    if !file.alarms.is_empty() {
        say(&format!(
            "{} left out of it: alarms follow the stream from line to line.",
            counted(file.alarms.len(), "alarm")
        ));
    }
    Ok(Exit::Done)
}

fn alarms(context: &Context, all: bool) -> Result<Exit, CliError> {
    let raised = context.read()?.raised_alarms()?;
    let mut alarms = raised.clone();
    alarms.retain(|alarm| all || alarm.is_open() || alarm.still_warns(&raised));
    let mut out = Out::new();
    for alarm in &alarms {
        let of = &alarm.raised;
        let closed = alarm.closed.as_ref();
        if context.global.json {
            out.json(&json!({ "alarm": alarm.id, "level": alarm.level(), "name": of.alarm, "version": of.version,
                "stream": of.stream, "by": of.by, "at": alarm.at.rfc3339(),
                "window": { "from": of.window.from.rfc3339(), "to": of.window.to.rfc3339(), "rows": of.window.rows },
                "statistic": of.statistic, "effect": of.effect, "p": of.p, "before": of.before,
                "now": of.now, "cases": of.cases,
                "closed": closed.map(|(author, at, note)| json!({ "author": author, "at": at.rfc3339(), "note": note })) }))?;
        } else {
            let window = &of.window;
            let still = if alarm.raised.is_sure() { "open" } else { "a warning: it may be chance" };
            let state = closed.map_or(still.to_owned(), |(author, _, note)| {
                format!("closed by {author}: {note}")
            });
            out.line(&format!(
                "{} {}  {} rows to {}, {} cases  {state}",
                alarm.id,
                alarm.words(),
                window.rows,
                window.to.minute(),
                of.cases.len()
            ))?;
        }
    }
    out.finish()?;
    if alarms.is_empty() {
        say("No alarm is open.");
    }
    Ok(if alarms.is_empty() { Exit::No } else { Exit::Done })
}

fn try_on(context: &Context, path: &Path, stream: &Path) -> Result<Exit, CliError> {
    let file = or_faults(context.global.json, read_traps(path))?;
    let mut workspace = context.open()?;
    let stop = stopped_by_signals()?;
    let inputs = ReadArgs::auto().inputs(&workspace, &[stream.to_owned()], &stop)?;
    let Some(opened) = inputs.next_input()? else { return Ok(Exit::No) };
    let request = IngestRequest {
        dry_run: true,
        neighbours: Some(0),
        again: opened.again.clone().map(|part| (inputs.clone(), part)),
        instead: Some(file),
        ..IngestRequest::default()
    };
    let summary = workspace.ingest_opened(opened, inputs.options(), &request, &stop, |_| {})?;
    let mut out = Out::new();
    for (trap, count) in &summary.traps {
        let of = summary.would_open.iter().filter(|case| case.kept_by.contains(trap));
        let cases: Vec<&str> = of.map(|case| case.id.as_str()).collect();
        let (seen, flagged, kept) = (count.seen, count.flagged, count.kept);
        if context.global.json {
            let rate = (flagged > 0).then(|| kept as f64 / flagged as f64);
            out.json(&json!({ "trap": trap, "version": count.version, "seen": seen,
                "flagged": flagged, "kept": kept, "rate": rate, "ids": cases }))?;
        } else {
            out.line(&format!("{trap:<28} {seen:>8} seen {flagged:>8} flagged {kept:>8} kept"))?;
        }
    }
    out.finish()?;
    let cases = summary.opened + summary.of_windows;
    let rejected = match summary.rejected {
        0 => String::new(),
        n => format!(", {n} rejected"),
    };
    say(&format!("{} read, {cases} would become cases{rejected}", summary.read));
    summary.rejects.iter().take(1).for_each(|first| {
        say(&format!("  line {}: {}", first.line, first.reason));
    });
    super::ingest::say_of_rules(&summary);
    Ok(Exit::Done)
}

fn read_column(file: &Path, name: Option<&str>) -> Result<Values, CliError> {
    of_column(file, |input| column::read(input, name))
}

/// Reads a file, or standard input.
fn of_column<T>(
    file: &Path,
    read: impl FnOnce(&mut dyn BufRead) -> Result<T, BadColumn>,
) -> Result<T, CliError> {
    let path = || visible(&file.display().to_string()).into_owned();
    let read = if file.as_os_str() == "-" {
        read(&mut io::stdin().lock())
    } else {
        let failed = |error| WorkError::File { path: path(), error };
        read(&mut BufReader::with_capacity(1 << 18, File::open(file).map_err(failed)?))
    };
    read.map_err(|error| bad_column(file, &error))
}

fn bad_column(file: &Path, error: &BadColumn) -> CliError {
    CliError::Use(format!("{}: {}", file.display(), visible(&error.to_string())))
}

fn detect(context: &Context, args: &DetectArgs) -> Result<Exit, CliError> {
    let DetectArgs { delta, threshold, clock, direction, .. } = *args;
    let settings = Settings { delta, threshold, clock, direction };
    let mut detector = Detector::new(args.detector, settings);
    let (mut found, mut numbers, mut passed) = (Vec::new(), 0, 0_u64);
    let take = |line: u64, value: Option<&str>| {
        let value = value.map_or(Ok(None), |value| column::number(line, value))?;
        let Some(value) = value else {
            passed += 1;
            return Ok(());
        };
        if args.detector.takes_truths_only() && value != 0.0 && value != 1.0 {
            return Err(BadColumn::NoTruth { line, value });
        }
        found.extend(detector.detect(numbers, value));
        numbers += 1;
        Ok(())
    };
    of_column(&args.file, |input| column::each(input, args.column.as_deref(), take))?;
    let mut out = Out::new();
    if context.global.json {
        out.json(&json!({ "values": numbers, "detections": found }))?;
    } else {
        for one in &found {
            let (index, width, mean) = (one.index, one.width, one.mean);
            out.line(&format!("value {index}: goes by {width} values now, mean {mean:.4}"))?;
        }
    }
    out.finish()?;
    let empty =
        if passed > 0 { format!(", {passed} empty ones passed over") } else { String::new() };
    say(&format!("{numbers} values, {} changes by {}{empty}", found.len(), args.detector.as_str()));
    Ok(if found.is_empty() { Exit::No } else { Exit::Done })
}

fn compare(context: &Context, args: &CompareArgs) -> Result<Exit, CliError> {
    let name = args.column.as_deref();
    let sides = [read_column(&args.reference, name)?, read_column(&args.new, name)?];
    let present = |values: &Values| -> Vec<String> {
        values.iter().filter_map(|(_, value)| value.clone()).collect()
    };
    let texts = [present(&sides[0]), present(&sides[1])];
    for (text, file) in texts.iter().zip([&args.reference, &args.new]) {
        if text.is_empty() {
            let words = format!("{}: no value to compare", file.display());
            return Err(CliError::Use(words));
        }
    }
    let numbers = match (column::as_numbers(&sides[0]), column::as_numbers(&sides[1])) {
        (Ok(one), Ok(two)) if !args.categories => two_sample::numbers(&one, &two),
        _ => None,
    };
    let mut counts = Counts::new();
    for (side, texts) in texts.iter().enumerate() {
        for text in texts {
            counts.entry(text.clone()).or_default()[side] += 1;
        }
    }
    let categories = two_sample::categories(&counts);
    let missing = [sides[0].len() - texts[0].len(), sides[1].len() - texts[1].len()];
    let kind = if numbers.is_some() { "number" } else { "text" };
    let mut document = json!({ "column": name, "kind": kind,
        "n": [texts[0].len(), texts[1].len()], "missing": missing });
    let mut add = |part: Value| {
        if let (Some(to), Value::Object(part)) = (document.as_object_mut(), part) {
            to.extend(part);
        }
    };
    // Both: a column of numbers may hold codes.
    let to_json = |error: serde_json::Error| CliError::Use(error.to_string());
    add(serde_json::to_value(&categories).map_err(to_json)?);
    add(serde_json::to_value(&numbers).map_err(to_json)?);
    let mut out = Out::new();
    if context.global.json {
        out.json(&document)?;
    } else if let Some(numbers) = &numbers {
        out.line(&format!(
            "D {:.4} at {} (p {:.2e}), PSI of deciles {:.4} (by chance up to {:.4})",
            numbers.ks,
            numbers.ks_location,
            numbers.ks_p_limit,
            numbers.deciles_psi,
            numbers.deciles_psi_limit_5pct
        ))?;
        out.line(&format!("mean {:.4} before, {:.4} now", numbers.mean[0], numbers.mean[1]))?;
    } else if let Some(found) = &categories {
        let p = found.chi2_pooled_p.map_or("–".to_owned(), |p| format!("{p:.2e}"));
        out.line(&format!(
            "effect {:.4}: Jensen-Shannon distance {:.4} bits, of which chance alone gives {:.4}",
            found.effect,
            found.js_distance_bits,
            found.js_by_chance_bits.sqrt()
        ))?;
        out.line(&format!(
            "chi-square {:.2} (p {p}, rare ones together), PSI {:.4} (by chance up to {:.4})",
            found.chi2_pooled, found.psi, found.psi_limit_5pct
        ))?;
        out.line(&format!(
            "{} values, {} of them only before, {} only now",
            found.values, found.only_in_reference, found.only_in_current
        ))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}
